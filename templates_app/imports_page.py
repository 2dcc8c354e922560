"""The page of an import: its records of one kind, a hundred at a time, in words."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from templates_app.forms.exchange import NAMES
from templates_app.importing.outcomes import Kind
from templates_app.models import LibraryImport

PAGE_SIZE = 100
CONFLICTS_SIZE = 500
"""Conflicts are shown together, for each may be given a choice and all are sent at once."""

TONES = {
    Kind.CREATED: "good",
    Kind.CHANGED: "accent",
    Kind.CONFLICT: "warn",
    Kind.KEPT: "warn",
    Kind.BAD: "bad",
    Kind.SAME: "",
    Kind.TRASHED: "line",
}


class ImportPage:
    """What one address of an import shows. Kinds in the order of what wants to be looked at."""

    ORDER = (Kind.CONFLICT, Kind.BAD, Kind.CREATED, Kind.CHANGED, Kind.KEPT, Kind.SAME, Kind.TRASHED)

    def __init__(self, upload: LibraryImport, query: Mapping[str, str]) -> None:
        self.upload = upload
        self.kind = query.get("kind", "") if query.get("kind") in {kind.value for kind in Kind} else ""
        self._asked = query.get("page", "1")

    @property
    def is_run(self) -> bool:
        return bool(self.upload.options.get("is_run"))

    @property
    def is_running(self) -> bool:
        """Claimed and not at its end: under way in another window, or broken off."""
        return self.upload.finished_at is not None and not self.is_run

    @property
    def format(self) -> Any:
        return NAMES.get(self.upload.format, self.upload.format)

    @property
    def count(self) -> int:
        return len(self.upload.outcomes)

    def number(self, kind: Kind) -> int:
        return int(self.upload.options.get("counts", {}).get(kind.value, 0))

    @property
    def wanted(self) -> int:
        """How many templates a run would make or change."""
        return self.number(Kind.CREATED) + self.number(Kind.CHANGED) + self.number(Kind.CONFLICT)

    @property
    def has_conflicts(self) -> bool:
        return bool(self.number(Kind.CONFLICT))

    @property
    def has_rejected(self) -> bool:
        return bool(self.upload.options.get("rejected"))

    @property
    def tabs(self) -> list[dict[str, Any]]:
        words = self._words
        tabs = [{"label": _("All"), "url": "?", "count": self.count, "current": not self.kind}]
        return tabs + [
            {
                "label": words[kind],
                "url": f"?{urlencode({'kind': kind.value})}",
                "count": self.number(kind),
                "current": self.kind == kind.value,
            }
            for kind in self.ORDER
            if self.number(kind)
        ]

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        words, parts = self._words, _parts()
        rows = []
        for number, told in self._chosen[self._start : self._start + self._size]:
            kind = Kind(told["kind"])
            differs = ", ".join(str(parts.get(name, name)) for name in told.get("differs", ()))
            rows.append({**told, "number": number, "word": words[kind], "tone": TONES[kind], "differs": differs})
        return rows

    @property
    def pages(self) -> int:
        return max(1, -(-len(self._chosen) // self._size))

    @cached_property
    def page(self) -> int:
        asked = int(self._asked) if self._asked.isascii() and self._asked.isdigit() and len(self._asked) < 7 else 1
        return min(max(asked, 1), self.pages)

    @property
    def previous_url(self) -> str:
        return self._url(self.page - 1) if self.page > 1 else ""

    @property
    def next_url(self) -> str:
        return self._url(self.page + 1) if self.page < self.pages else ""

    def _url(self, page: int) -> str:
        return "?" + urlencode({**({"kind": self.kind} if self.kind else {}), "page": page})

    @property
    def _start(self) -> int:
        return (self.page - 1) * self._size

    @property
    def _size(self) -> int:
        return CONFLICTS_SIZE if self.kind == Kind.CONFLICT.value else PAGE_SIZE

    @cached_property
    def _chosen(self) -> list[tuple[int, dict[str, Any]]]:
        told = list(enumerate(self.upload.outcomes))
        if self.kind:
            return [(number, each) for number, each in told if each["kind"] == self.kind]
        place = {kind.value: index for index, kind in enumerate(self.ORDER)}
        return sorted(told, key=lambda pair: place.get(pair[1]["kind"], len(place)))

    @property
    def _words(self) -> dict[Kind, str]:
        return {
            Kind.CREATED: _("New"),
            Kind.CHANGED: _("Changed"),
            Kind.SAME: _("The same"),
            Kind.CONFLICT: _("In conflict"),
            Kind.KEPT: _("Kept ours"),
            Kind.TRASHED: _("In the trash"),
            Kind.BAD: _("Cannot be imported") if not self.is_run else _("Not imported"),
        }


def _parts() -> dict[str, str]:
    return {
        "title": _("title"),
        "summary": _("summary"),
        "category": _("shelf"),
        "language": _("language"),
        "tags": _("tags"),
        "status": _("status"),
        "content": _("text"),
    }
