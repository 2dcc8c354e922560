"""The page of an import: how far it is, and its conversations of one kind, a hundred at a time, in words."""

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.import_jobs import has_broken_off
from conversations.importing import Kind
from conversations.models import ConversationImport

PAGE_SIZE = 100
TONES = {Kind.CREATED: "good", Kind.EXTENDED: "accent", Kind.BAD: "bad", Kind.SAME: "", Kind.TRASHED: "line"}
NAMES = {
    "promptlib": gettext_lazy("promptlib JSON"),
    "chatgpt": gettext_lazy("ChatGPT"),
    "claude": gettext_lazy("Claude"),
    "open-webui": gettext_lazy("Open WebUI"),
    "librechat": gettext_lazy("LibreChat"),
    "sharegpt": gettext_lazy("ShareGPT"),
    "openassistant": gettext_lazy("OpenAssistant"),
    "calls": gettext_lazy("recorded calls"),
}


class ImportPage:
    """What one address of an import shows. Kinds in the order of what wants to be looked at."""

    ORDER = (Kind.BAD, Kind.CREATED, Kind.EXTENDED, Kind.SAME, Kind.TRASHED)

    def __init__(self, upload: ConversationImport, query: Mapping[str, str]) -> None:
        self.upload = upload
        self.kind = query.get("kind", "") if query.get("kind") in {kind.value for kind in Kind} else ""
        self._asked = query.get("page", "1")

    @property
    def format(self) -> Any:
        return NAMES.get(self.upload.format, self.upload.format)

    @property
    def is_import(self) -> bool:
        """Whether it is about what an import does or did; else about what one would do."""
        return self.upload.status in (ConversationImport.Status.RUNNING, ConversationImport.Status.DONE)

    @property
    def is_done(self) -> bool:
        return self.upload.status == ConversationImport.Status.DONE

    @property
    def has_failed(self) -> bool:
        return self.upload.status == ConversationImport.Status.FAILED

    @property
    def is_ready(self) -> bool:
        """Looked at, and waiting for a decision."""
        return self.upload.status == ConversationImport.Status.PREVIEW and self.upload.finished_at is not None

    @property
    def is_at_work(self) -> bool:
        return self.upload.finished_at is None and not self.has_broken_off

    @property
    def has_broken_off(self) -> bool:
        return has_broken_off(self.upload)

    @property
    def count(self) -> int:
        return len(self.upload.outcomes)

    @cached_property
    def counts(self) -> Counter[str]:
        return Counter(told["kind"] for told in self.upload.outcomes)

    @property
    def wanted(self) -> int:
        """How many conversations an import would make or extend."""
        return self.counts[Kind.CREATED.value] + self.counts[Kind.EXTENDED.value]

    @property
    def added(self) -> int:
        return sum(told.get("added", 0) for told in self.upload.outcomes)

    @property
    def tabs(self) -> list[dict[str, Any]]:
        words = self._words
        tabs = [{"label": _("All"), "url": "?", "count": self.count, "current": not self.kind}]
        return tabs + [
            {
                "label": words[kind],
                "url": f"?{urlencode({'kind': kind.value})}",
                "count": self.counts[kind.value],
                "current": self.kind == kind.value,
            }
            for kind in self.ORDER
            if self.counts[kind.value]
        ]

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        words, start = self._words, (self.page - 1) * PAGE_SIZE
        return [
            {**told, "word": words[Kind(told["kind"])], "tone": TONES[Kind(told["kind"])]}
            for told in self._chosen[start : start + PAGE_SIZE]
        ]

    @property
    def pages(self) -> int:
        return max(1, -(-len(self._chosen) // PAGE_SIZE))

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

    @cached_property
    def _chosen(self) -> list[dict[str, Any]]:
        if self.kind:
            return [told for told in self.upload.outcomes if told["kind"] == self.kind]
        place = {kind.value: index for index, kind in enumerate(self.ORDER)}
        return sorted(self.upload.outcomes, key=lambda told: place[told["kind"]])

    @property
    def _words(self) -> dict[Kind, str]:
        return {
            Kind.CREATED: _("New"),
            Kind.EXTENDED: _("Extended"),
            Kind.SAME: _("The same"),
            Kind.TRASHED: _("In the trash"),
            Kind.BAD: _("Not imported") if self.is_import else _("Cannot be imported"),
        }
