"""Markdown with front matter: a prompt as a text file. Ours name every field; of others, what they call usual."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from django.utils.translation import gettext as _

from templates_app.importers import frontmatter, own
from templates_app.importers.records import BadRecord, TemplateRecord, humanise, make_record
from templates_app.importers.shelves import shelf_for_title

NAME = "markdown"
SOURCE = "markdown"
SUFFIXES = {".md", ".markdown"}

_HEADING = re.compile(r"^#\s+(\S[^\n]*)", re.MULTILINE)
_USUAL = {"title", "name", "description", "summary", "tags", "language", "system", "system_prompt"}


def sniff(name: str, head: str) -> bool:
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def read(text: str, name: str) -> Iterator[TemplateRecord | BadRecord]:
    place = _("the file")
    file = frontmatter.read_single(text, name)
    try:
        record: TemplateRecord | BadRecord = _ours(place, file) if own.BLOCK in file.data else _others(place, file)
    except ValueError as error:
        record = BadRecord(place, str(error))
    return frontmatter.one(replace(record, raw=text))


def _ours(place: str, file: frontmatter.PromptFile) -> TemplateRecord:
    """The body is what follows the front matter, without the one line end that makes it a whole line."""
    return own.own_record(place, {**file.data, "body": file.body.removesuffix("\n")})


def _others(place: str, file: frontmatter.PromptFile) -> TemplateRecord | BadRecord:
    data = file.data
    heading = _HEADING.search(file.body[:4000])
    title = _text(data, "title", "name") or (heading[1] if heading else humanise(PurePosixPath(file.path).stem))
    tags = data.get("tags")
    names = tags.split(",") if isinstance(tags, str) else tags if isinstance(tags, list) else []
    metadata = frontmatter.metadata_of(replace(file, data={k: v for k, v in data.items() if k not in _USUAL}))
    return make_record(
        place=place,
        source=SOURCE,
        source_id=file.path,
        title=title,
        summary=_text(data, "summary", "description"),
        system_prompt=_text(data, "system_prompt", "system"),
        body=file.body.strip("\n"),
        category=shelf_for_title(title),
        tags=[str(tag) for tag in names],
        metadata=metadata,
    )


def _text(data: dict[str, Any], *names: str) -> str:
    return next((value for name in names if isinstance(value := data.get(name), str) and value.strip()), "")
