"""Putting the records of a collection into the library: in batches, each of them whole and audited.

A template knows its place in the collection (`source`, `source_id`) and what the collection said of it the last time
(`metadata["imported"]`), so that a repeated import changes what changed
there and leaves alone what people changed here.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db import DatabaseError
from django.utils.translation import gettext as _

from audit.models import AuditLog
from audit.services import record_many
from promptlib.core.transactions import GAVE_WAY, in_transaction
from templates_app.importers import BadRecord, TemplateRecord
from templates_app.models import Category, PromptTemplate, Tag, TemplateTag, TemplateVersion
from templates_app.services import edit_template, version_content
from templates_app.variables import ContractError

BATCH_RECORDS = 200
BATCH_CHARACTERS = 2_000_000
IMPORTED = "imported"
"""The key in a template's metadata of what the collection said."""
DETAILS = ("title", "summary", "category", "language", "tags")


class Kind(StrEnum):
    """What became of an entry."""

    CREATED = "created"
    CHANGED = "changed"
    SAME = "same"
    TRASHED = "trashed"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the entry at `place`. `template` is None for a bad one, and for a new one in a dry run."""

    kind: Kind
    place: str
    title: str = ""
    reason: str = ""
    template: PromptTemplate | None = None


def import_records(
    records: Iterable[TemplateRecord | BadRecord],
    *,
    owner: Any,
    visibility: str = PromptTemplate.Visibility.PRIVATE,
    category: Category | None = None,
    note: str = "",
    dry_run: bool = False,
) -> Iterator[Outcome]:
    """Make or renew `owner`'s template for each record, and say of each, in order, what became of it.

    Up to 200 records are one transaction, rows of the audit log included: an import that is ended half-way leaves whole
    batches, and the same import again completes it. Neither a record that is bad nor one that the database refuses
    keeps the others out. New templates get `visibility`; `category` replaces the records' own; `note` is their change
    note. A dry run writes nothing.
    """
    batch = _Batch(owner, visibility, category, note, dry_run, _shelves())
    for group in _groups(records):
        yield from batch.take_in(group)


def _groups(records: Iterable[TemplateRecord | BadRecord]) -> Iterator[list[TemplateRecord | BadRecord]]:
    """The records in groups that fit into one transaction, none of them naming the same template twice."""
    group: list[TemplateRecord | BadRecord] = []
    keys: set[tuple[str, str]] = set()
    size = 0
    for each in records:
        key = (each.source, each.source_id) if isinstance(each, TemplateRecord) else None
        length = len(each.body) if isinstance(each, TemplateRecord) else 0
        if group and (len(group) >= BATCH_RECORDS or size + length > BATCH_CHARACTERS or key in keys):
            yield group
            group, keys, size = [], set(), 0
        group.append(each)
        size += length
        if key:
            keys.add(key)
    if group:
        yield group


def _shelves() -> dict[str, Category]:
    return {category.slug: category for category in Category.objects.all()}


@dataclass
class _Plan:
    """A record and the columns it becomes."""

    record: TemplateRecord
    content: dict[str, Any]
    shelf: Category | None
    known: PromptTemplate | None
    metadata: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        said = {name: getattr(self.record, name) for name in DETAILS}
        said |= {"category": self.shelf.slug if self.shelf else "", "tags": list(self.record.tags)}
        said["content"] = TemplateVersion.hash_of(**self.content)
        self.metadata = {**self.record.metadata, IMPORTED: said}

    @property
    def kind(self) -> Kind:
        if self.known is None:
            return Kind.CREATED
        if self.known.is_deleted:
            return Kind.TRASHED
        return Kind.SAME if {**self.known.metadata, **self.metadata} == self.known.metadata else Kind.CHANGED

    def news(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The details and the content that the collection says differently now."""
        assert self.known is not None
        before, now = self.known.metadata.get(IMPORTED, {}), self.metadata[IMPORTED]
        details = {name: getattr(self.record, name) for name in DETAILS if before.get(name) != now[name]}
        if "category" in details:
            details["category"] = self.shelf
        return details, self.content if before.get("content") != now["content"] else {}


@dataclass(frozen=True)
class _Batch:
    owner: Any
    visibility: str
    category: Category | None
    note: str
    dry_run: bool
    shelves: dict[str, Category]

    def take_in(self, group: Sequence[TemplateRecord | BadRecord]) -> list[Outcome]:
        good = [each for each in group if isinstance(each, TemplateRecord)]
        done = iter(self._store(good))
        return [
            Outcome(Kind.BAD, each.place, reason=each.reason) if isinstance(each, BadRecord) else next(done)
            for each in group
        ]

    def _store(self, records: list[TemplateRecord]) -> list[Outcome]:
        """All at once; where the database refuses that, one by one, to find the one it refuses."""
        try:
            return in_transaction(lambda: self._write(records))
        except DatabaseError as error:
            if error.args and error.args[0] in GAVE_WAY:
                raise
            if len(records) > 1:
                return [outcome for record in records for outcome in self._store([record])]
            reason = _("The database refuses it: %(reason)s") % {"reason": error.args[-1] if error.args else error}
            return [Outcome(Kind.BAD, record.place, record.title, reason) for record in records]

    def _write(self, records: list[TemplateRecord]) -> list[Outcome]:
        known = self._known(records)
        outcomes: list[Outcome | None] = []
        fresh: list[_Plan] = []
        for record in records:
            try:
                content = version_content(
                    record.system_prompt, record.body, record.variables, record.parameters, record.examples
                )
            except ContractError as error:
                outcomes.append(Outcome(Kind.BAD, record.place, record.title, str(error)))
                continue
            shelf = self.category or self.shelves.get(record.category)
            plan = _Plan(record, content, shelf, known.get((record.source, record.source_id)))
            if plan.kind is Kind.CREATED and not self.dry_run:
                fresh.append(plan)
                outcomes.append(None)
                continue
            kind = self._renew(plan) if plan.kind is Kind.CHANGED and not self.dry_run else plan.kind
            outcomes.append(Outcome(kind, record.place, record.title, template=plan.known))
        made = iter(self._create(fresh))
        return [outcome or next(made) for outcome in outcomes]

    def _known(self, records: list[TemplateRecord]) -> dict[tuple[str, str], PromptTemplate]:
        """What was imported before, by its place in the collection; a living one rather than one in the trash."""
        found: dict[tuple[str, str], PromptTemplate] = {}
        by_source: dict[str, list[str]] = {}
        for record in records:
            by_source.setdefault(record.source, []).append(record.source_id)
        for source, ids in by_source.items():
            rows = PromptTemplate.all_objects.filter(owner=self.owner, source=source, source_id__in=ids)
            for template in rows:
                key = (source, str(template.source_id))
                if key not in found or found[key].is_deleted:
                    found[key] = template
        return found

    # ---- new ones --------------------------------------------------------------

    def _create(self, plans: list[_Plan]) -> list[Outcome]:
        """Tags before the current version: a template is indexed for search once, with its text."""
        if not plans:
            return []
        templates = [self._template(plan) for plan in plans]
        versions = [
            TemplateVersion(
                template=template,
                number=1,
                author=self.owner,
                change_note=self.note[:500],
                content_hash=plan.metadata[IMPORTED]["content"],
                **plan.content,
            )
            for template, plan in zip(templates, plans, strict=True)
        ]
        PromptTemplate.objects.bulk_create(templates)
        tags = self._tag(templates, plans)
        TemplateVersion.objects.bulk_create(versions)
        for template, version in zip(templates, versions, strict=True):
            template.current_version = version
        PromptTemplate.objects.bulk_update(templates, ["current_version"])
        record_many(AuditLog.Action.CREATE, tags)
        record_many(AuditLog.Action.IMPORT, templates, changes=_told(plans), reason=self.note)
        record_many(AuditLog.Action.IMPORT, versions, changes=_version_told, reason=self.note)
        return [
            Outcome(Kind.CREATED, plan.record.place, plan.record.title, template=template)
            for template, plan in zip(templates, plans, strict=True)
        ]

    def _template(self, plan: _Plan) -> PromptTemplate:
        record = plan.record
        return PromptTemplate(
            owner=self.owner,
            title=record.title,
            slug=PromptTemplate.slug_of(record.title),
            summary=record.summary,
            category=plan.shelf,
            language=record.language,
            visibility=self.visibility,
            source=record.source,
            source_id=record.source_id,
            metadata=plan.metadata,
        )

    def _tag(self, templates: list[PromptTemplate], plans: list[_Plan]) -> list[Tag]:
        """Give the templates their tags; returns the tags that had to be made."""
        wanted = [{Tag.slug_of(name): name for name in reversed(plan.record.tags)} for plan in plans]
        names = {slug: " ".join(name.split())[:80] for tags in reversed(wanted) for slug, name in tags.items() if slug}
        known = {tag.slug: tag for tag in Tag.objects.filter(slug__in=names)}
        made = [Tag(slug=slug, name=name) for slug, name in sorted(names.items()) if slug not in known]
        Tag.objects.bulk_create(made)
        known |= {tag.slug: tag for tag in made}
        TemplateTag.objects.bulk_create(
            TemplateTag(template=template, tag=known[slug])
            for template, tags in zip(templates, wanted, strict=True)
            for slug in sorted(filter(None, tags))
        )
        return made

    # ---- known ones ------------------------------------------------------------

    def _renew(self, plan: _Plan) -> Kind:
        """What is the same by now, or in the trash, stays as it is."""
        assert plan.known is not None
        plan.known = template = PromptTemplate.all_objects.select_for_update().get(pk=plan.known.pk)
        if (kind := plan.kind) is Kind.CHANGED:
            details, content = plan.news()
            edit_template(
                template,
                author=self.owner,
                base_revision=template.revision,
                details=details,
                content=content,
                change_note=self.note,
            )
            template.metadata = {**template.metadata, **plan.metadata}
            template.save(update_fields=["metadata"])
        return kind


def _told(plans: Iterable[_Plan]) -> Callable[[PromptTemplate], dict[str, Any]]:
    """What the history says about an imported template: where it comes from and what it was called there."""
    tags = {(plan.record.source, plan.record.source_id): list(plan.record.tags) for plan in plans}

    def tell(template: PromptTemplate) -> dict[str, Any]:
        told: dict[str, Any] = {
            name: [None, getattr(template, name)]
            for name in ("title", "summary", "language", "visibility", "source", "source_id")
            if getattr(template, name)
        }
        if template.category:
            told["category"] = [None, str(template.category)]
        if objects := tags[(template.source, str(template.source_id))]:
            told["tags"] = {"type": "m2m", "operation": "add", "objects": objects}
        return told

    return tell


def _version_told(version: TemplateVersion) -> dict[str, Any]:
    return {"number": [None, version.number], "change_note": [None, version.change_note]}
