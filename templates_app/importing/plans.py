"""What a record means for the library: new, or how it and the template that is here differ.

A template remembers what its collection said of it the last time (`metadata["imported"]`). Against that, each part of
it (title, summary, shelf, language, tags, status, text) was changed here, or in the file, or in both: only then, and
only where the two say different things, there is a conflict. A file that brings its history settles more: a text that
is among the template's versions is an old one, and a template whose text is among the file's versions is behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from templates_app.importers import TemplateRecord
from templates_app.importing.outcomes import Choice, Kind
from templates_app.models import Category, PromptTemplate, Tag, TemplateVersion

IMPORTED = "imported"
"""The key in a template's metadata of what the collection said."""
BROUGHT = "brought"
"""The key of what others did with it elsewhere, as a file says that nobody vouched for."""
DETAILS = ("title", "summary", "category", "language", "tags")
CONTENT = "content"


@dataclass
class Known:
    """A template that is here already, and the hashes of its versions."""

    template: PromptTemplate
    hashes: frozenset[str]

    @property
    def said(self) -> Mapping[str, Any]:
        said: Mapping[str, Any] = self.template.metadata.get(IMPORTED) or {}
        return said

    @cached_property
    def now(self) -> dict[str, Any]:
        template, version = self.template, self.template.current_version
        return {
            "title": template.title,
            "summary": template.summary,
            "category": template.category.slug if template.category else "",
            "language": template.language,
            "tags": [tag.name for tag in template.tags.all()],
            "status": template.status,
            CONTENT: version.content_hash if version else "",
        }


@dataclass
class Plan:
    """A record, the columns it becomes, and what it is compared with."""

    record: TemplateRecord
    content: dict[str, Any]
    shelf: Category | None
    known: Known | None
    said: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        said = {name: getattr(self.record, name) for name in DETAILS}
        said |= {"category": self.shelf.slug if self.shelf else "", "tags": list(self.record.tags)}
        if self.record.origin_id:
            said["status"] = self.record.status
        self.said = {**said, CONTENT: TemplateVersion.hash_of(**self.content)}

    @property
    def metadata(self) -> dict[str, Any]:
        return {**self.record.metadata, IMPORTED: self.said}

    @property
    def kind(self) -> Kind:
        if self.known is None:
            return Kind.CREATED
        if self.known.template.is_deleted:
            return Kind.TRASHED
        if self.conflicts:
            return Kind.CONFLICT
        return Kind.CHANGED if self.news or self._has_other_metadata else Kind.SAME

    @cached_property
    def news(self) -> tuple[str, ...]:
        """The parts that the file says differently now, and nobody changed here."""
        return self._compared[0]

    @cached_property
    def conflicts(self) -> tuple[str, ...]:
        """The parts that were changed both here and in the file, to different things."""
        return self._compared[1]

    @property
    def differs(self) -> tuple[str, ...]:
        return self.conflicts or self.news if self.known else ()

    def taken(self, choice: Choice) -> tuple[str, ...]:
        return self.news + (self.conflicts if choice is Choice.TAKE else ())

    def details(self, parts: tuple[str, ...]) -> dict[str, Any]:
        details = {name: getattr(self.record, name) for name in parts if name != CONTENT}
        if "category" in details:
            details["category"] = self.shelf
        return details

    @cached_property
    def hashes(self) -> list[str]:
        """The hashes of the record's versions, oldest first."""
        versions = self.record.history.versions if self.record.history else ()
        return [TemplateVersion.hash_of(**version.content) for version in versions] or [self.said[CONTENT]]

    @cached_property
    def _compared(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        news: list[str] = []
        conflicts: list[str] = []
        for name in self.said:
            verdict = self._verdict(name)
            if verdict is Kind.CHANGED:
                news.append(name)
            elif verdict is Kind.CONFLICT:
                conflicts.append(name)
        return tuple(news), tuple(conflicts)

    def _verdict(self, name: str) -> Kind:
        assert self.known is not None
        theirs, mine = _plain(name, self.said[name]), _plain(name, self.known.now[name])
        base = _plain(name, self.known.said[name]) if name in self.known.said else None
        if theirs in (mine, base):
            return Kind.SAME
        if mine == base:
            return Kind.CHANGED
        if self._is_old:
            return Kind.SAME
        return Kind.CHANGED if self._is_ahead else Kind.CONFLICT

    @property
    def _is_old(self) -> bool:
        """The file has a state of the template that it went through here."""
        assert self.known is not None
        theirs, mine = self.said[CONTENT], self.known.now[CONTENT]
        return theirs != mine and theirs in self.known.hashes

    @property
    def _is_ahead(self) -> bool:
        """The template is in a state that the file's went through."""
        assert self.known is not None
        theirs, mine = self.said[CONTENT], self.known.now[CONTENT]
        return theirs != mine and mine in self.hashes

    @property
    def _has_other_metadata(self) -> bool:
        assert self.known is not None
        known = self.known.template.metadata
        return {**known, **self.record.metadata} != known


def _plain(name: str, value: Any) -> Any:
    """Tags are the same whatever their order and case."""
    return frozenset(filter(None, map(Tag.slug_of, value))) if name == "tags" else value
