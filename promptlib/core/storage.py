"""Static files with hashed names; the style sheet's parts are joined into one file when they are collected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

STYLE_SHEET = "css/app.css"
IMPORT = re.compile(r"""^@import url\(["']?(?P<path>[^"')]+)["']?\);\n?""", re.MULTILINE)
MODULE_FOLDERS = ("js", "accounts", "audit", "conversations", "templates_app", "site")
MODULE_IMPORTS = CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1]


class StaticStorage(CompressedManifestStaticFilesStorage):
    """In development the browser follows css/app.css's imports; collected, it is a single file and a single request.

    Where nothing was collected yet (tests, a first start) names stay as they are.
    """

    # The imports of our own modules get hashed names; others' files hold imports in their comments.
    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        *((f"{folder}/*.js", MODULE_IMPORTS) for folder in MODULE_FOLDERS),
    )

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        if STYLE_SHEET in paths and not dry_run:
            joined = self._joined(STYLE_SHEET, seen=set())
            self.delete(STYLE_SHEET)
            self._save(STYLE_SHEET, ContentFile(joined.encode()))
            paths[STYLE_SHEET] = (self, STYLE_SHEET)
        yield from super().post_process(paths, dry_run, **options)

    def stored_name(self, name: str) -> str:
        if not self.hashed_files:
            return name
        return super().stored_name(name)

    def _joined(self, name: str, seen: set[str]) -> str:
        """The sheet's text with each `@import url(…);` of its own folder replaced by what it names; each file once."""
        seen.add(name)
        with self.open(name) as file:
            text = file.read().decode()

        def replace(match: re.Match[str]) -> str:
            target = str(PurePosixPath(name).parent / match["path"])
            return "" if target in seen else self._joined(target, seen)

        return IMPORT.sub(replace, text)
