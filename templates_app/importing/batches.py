"""Putting records into the library: in batches, each of them whole and audited."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import DatabaseError
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from audit.models import AuditLog
from audit.services import record_many
from promptlib.core.ids import as_uuid
from promptlib.core.transactions import GAVE_WAY, in_transaction
from templates_app.importers import BadRecord, History, TemplateRecord, VersionRecord
from templates_app.importing.outcomes import Choice, Kind, Outcome
from templates_app.importing.people import People, brought, original_of, past
from templates_app.importing.plans import BROUGHT, CONTENT, Known, Plan
from templates_app.models import Category, Label, PromptTemplate, Tag, TemplateTag, TemplateVersion
from templates_app.services import edit_template, publish_version, version_content
from templates_app.services.following import follow_own
from templates_app.variables import ContractError

AS_IN_FILE = "file"
"""A visibility: the one that the file says, private where it says none."""


@dataclass(frozen=True)
class Options:
    """How an import goes; see `import_records`."""

    owner: Any
    visibility: str = PromptTemplate.Visibility.PRIVATE
    category: Category | None = None
    note: str = ""
    dry_run: bool = False
    conflicts: Choice = Choice.KEEP
    choices: Mapping[str, Choice] = field(default_factory=dict)
    believes_people: bool = False

    def choice(self, place: str) -> Choice:
        return self.choices.get(place, self.conflicts)


class Batches:
    """One import, batch by batch. Forks wait in `_forks` until all that the file holds is here."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.owner = options.owner
        self._shelves = {category.slug: category for category in Category.objects.all()}
        self._forks: list[tuple[PromptTemplate, History]] = []

    def take_in(self, group: Sequence[TemplateRecord | BadRecord]) -> list[Outcome]:
        good = [each for each in group if isinstance(each, TemplateRecord)]
        done = iter(self._store(good))
        return [
            Outcome(Kind.BAD, each.place, reason=each.reason, raw=each.raw)
            if isinstance(each, BadRecord)
            else next(done)
            for each in group
        ]

    def _store(self, records: list[TemplateRecord]) -> list[Outcome]:
        """All at once; where the database refuses that, one by one, to find the one it refuses."""
        try:
            return in_transaction(partial(self._write, records, len(self._forks)))
        except DatabaseError as error:
            if error.args and error.args[0] in GAVE_WAY:
                raise
            if len(records) > 1:
                return [outcome for record in records for outcome in self._store([record])]
            reason = _("The database refuses it: %(reason)s") % {"reason": error.args[-1] if error.args else error}
            return [Outcome(Kind.BAD, record.place, record.title, reason, raw=record.raw) for record in records]

    def _write(self, records: list[TemplateRecord], forks: int) -> list[Outcome]:
        del self._forks[forks:]  # those of an attempt that was undone
        known = self._known(records)
        outcomes: list[Outcome | None] = []
        fresh: list[Plan] = []
        for record in records:
            try:
                content = version_content(
                    record.system_prompt, record.body, record.variables, record.parameters, record.examples
                )
            except ContractError as error:
                outcomes.append(Outcome(Kind.BAD, record.place, record.title, str(error), raw=record.raw))
                continue
            plan = Plan(
                record, content, self._shelves.get(record.category), known.get((record.source, record.source_id))
            )
            if plan.kind is Kind.CREATED and not self.options.dry_run:
                fresh.append(plan)
                outcomes.append(None)
            elif plan.kind in (Kind.CHANGED, Kind.CONFLICT) and not self.options.dry_run:
                outcomes.append(self._renew(plan))
            else:
                outcomes.append(_outcome(plan, plan.kind))
        made = iter(self._create(fresh))
        return [outcome or next(made) for outcome in outcomes]

    def _known(self, records: list[TemplateRecord]) -> dict[tuple[str, str], Known]:
        """What is here already, by its place in a collection: imported before, or the very one that was exported.

        A living one rather than one in the trash. Three queries, and one for each collection.
        """
        found: dict[tuple[str, str], PromptTemplate] = {}
        by_source: dict[str, list[str]] = {}
        for record in records:
            by_source.setdefault(record.source, []).append(record.source_id)
        mine = PromptTemplate.all_objects.filter(owner=self.owner)
        rows = [
            *mine.filter(pk__in=[pk for record in records if (pk := as_uuid(record.origin_id))]),
            *(row for source, ids in by_source.items() for row in mine.filter(source=source, source_id__in=ids)),
        ]
        prefetch_related_objects(rows, "tags", "category", "current_version")
        for template in rows:
            for key in (("", str(template.pk)), (template.source, str(template.source_id))):
                if key not in found or found[key].is_deleted:
                    found[key] = template
        hashes: dict[Any, set[str]] = {}
        versions = TemplateVersion.objects.filter(template__in=[template.pk for template in rows])
        for pk, content_hash in versions.values_list("template_id", "content_hash") if rows else ():
            hashes.setdefault(pk, set()).add(content_hash)
        known: dict[tuple[str, str], Known] = {}
        for record in records:
            here = found.get((record.source, record.source_id)) or found.get(("", record.origin_id))
            if here is not None:
                known[record.source, record.source_id] = Known(here, frozenset(hashes.get(here.pk, ())))
        return known

    # ---- new ones --------------------------------------------------------------

    def _create(self, plans: list[Plan]) -> list[Outcome]:
        """Tags before the current version: a template is indexed for search once, with its text."""
        if not plans:
            return []
        people = People((plan.record for plan in plans), are_believed=self.options.believes_people)
        templates = [self._template(plan, people) for plan in plans]
        versions = [self._versions(template, plan, people) for template, plan in zip(templates, plans, strict=True)]
        PromptTemplate.objects.unlogged("told as imported, below").bulk_create(templates)
        self._tag(templates, plans)
        every = [version for several in versions for version in several]
        TemplateVersion.objects.unlogged("told as imported, below").bulk_create(every, batch_size=500)
        for template, several, plan in zip(templates, versions, plans, strict=True):
            history = plan.record.history
            template.current_version = next(
                version for version in several if history is None or version.number == history.current
            )
        PromptTemplate.objects.unlogged("a part of the import").bulk_update(templates, ["current_version"])
        follow_own([template.pk for template in templates], user=self.owner)
        record_many(AuditLog.Action.IMPORT, templates, changes=_told(plans), reason=self.options.note)
        record_many(AuditLog.Action.IMPORT, every, changes=_version_told, reason=self.options.note)
        for template, several, plan in zip(templates, versions, plans, strict=True):
            if plan.record.history:
                self._take_history(template, several, plan.record.history, people)
        return [_outcome(plan, Kind.CREATED, template) for template, plan in zip(templates, plans, strict=True)]

    def _template(self, plan: Plan, people: People) -> PromptTemplate:
        record, history = plan.record, plan.record.history
        visibility = self.options.visibility
        if visibility == AS_IN_FILE:
            visibility = record.visibility or PromptTemplate.Visibility.PRIVATE
        told = brought(record, people)
        return PromptTemplate(
            owner=self.owner,
            title=record.title,
            slug=PromptTemplate.slug_of(record.title),
            summary=record.summary,
            category=self.options.category or plan.shelf,
            language=record.language,
            status=record.status,
            visibility=visibility,
            source=record.source,
            source_id=record.source_id,
            metadata={**plan.metadata, **({BROUGHT: told} if told else {})},
            created_at=past(history.created_at if history else None),
        )

    def _versions(self, template: PromptTemplate, plan: Plan, people: People) -> list[TemplateVersion]:
        history = plan.record.history
        return [
            TemplateVersion(
                template=template,
                number=version.number,
                author=people.find(version.author) or self.owner,
                change_note=version.change_note[:500],
                content_hash=TemplateVersion.hash_of(**version.content),
                created_at=past(version.created_at),
                **version.content,
            )
            for version in (
                history.versions if history else (VersionRecord(1, plan.content, change_note=self.options.note),)
            )
        ]

    def _take_history(
        self, template: PromptTemplate, versions: list[TemplateVersion], history: History, people: People
    ) -> None:
        by_number = {version.number: version for version in versions}
        labels = [
            Label(template=template, name=name, version=by_number[number], is_protected=is_protected)
            for name, number, is_protected in history.labels
        ]
        Label.objects.bulk_create(labels)
        if history.forked_from:
            self._forks.append((template, history))
        if self.options.believes_people:
            left = people.restore_ratings(template, history)
            if len(left) != len(template.metadata.get(BROUGHT, {}).get("ratings", ())):
                template.metadata[BROUGHT] = {**template.metadata[BROUGHT], "ratings": left}
                template.save(update_fields=["metadata"])

    def link_forks(self) -> None:
        """Lead each fork to its original, now that both are here if they are in the file."""
        for template, history in self._forks:
            original = original_of(history.forked_from, self.owner)
            if original is not None and original.template_id != template.pk:
                template.forked_from = original
                template.save(update_fields=["forked_from"])

    def _tag(self, templates: list[PromptTemplate], plans: list[Plan]) -> None:
        """Give the templates their tags, and make those that are not there yet."""
        wanted = [{Tag.slug_of(name): name for name in reversed(plan.record.tags)} for plan in plans]
        names = {slug: " ".join(name.split())[:80] for tags in reversed(wanted) for slug, name in tags.items() if slug}
        known = {tag.slug: tag for tag in Tag.objects.filter(slug__in=names)}
        made = [Tag(slug=slug, name=name) for slug, name in sorted(names.items()) if slug not in known]
        Tag.objects.bulk_create(made)
        known |= {tag.slug: tag for tag in made}
        TemplateTag.objects.unlogged("told with the template that is imported").bulk_create(
            TemplateTag(template=template, tag=known[slug])
            for template, tags in zip(templates, wanted, strict=True)
            for slug in sorted(filter(None, tags))
        )

    # ---- known ones ------------------------------------------------------------

    def _renew(self, plan: Plan) -> Outcome:
        """What is the same by now, or in the trash, stays as it is."""
        assert plan.known is not None
        template = PromptTemplate.all_objects.select_for_update().get(pk=plan.known.template.pk)
        plan = Plan(plan.record, plan.content, plan.shelf, Known(template, plan.known.hashes))
        kind = plan.kind
        if kind not in (Kind.CHANGED, Kind.CONFLICT):
            return _outcome(plan, kind)
        parts = plan.taken(self.options.choice(plan.record.place))
        outcome = _outcome(plan, Kind.KEPT if set(plan.conflicts) - set(parts) else Kind.CHANGED, template)
        versions = self._missing(plan) if CONTENT in parts else []
        for version in versions[:-1]:
            publish_version(
                template,
                author=self.owner,
                base_revision=template.revision,
                change_note=version.change_note,
                **version.content,
            )
        edit_template(
            template,
            author=self.owner,
            base_revision=template.revision,
            details=plan.details(parts),
            content=versions[-1].content if versions else {},
            change_note=(versions[-1].change_note if versions else "") or self.options.note,
        )
        template.metadata = {**template.metadata, **plan.metadata}
        template.save(update_fields=["metadata"])
        return outcome

    def _missing(self, plan: Plan) -> list[VersionRecord]:
        """The versions of the file that are not here: all after the last that is, else the current one alone."""
        assert plan.known is not None
        history = plan.record.history
        if history is None:
            return [VersionRecord(1, plan.content)]
        shared = [index for index, content_hash in enumerate(plan.hashes) if content_hash in plan.known.hashes]
        later = history.versions[shared[-1] + 1 :] if shared else ()
        current = next(version for version in history.versions if version.number == history.current)
        return [*(version for version in later if version is not current), current]


def _outcome(plan: Plan, kind: Kind, template: PromptTemplate | None = None) -> Outcome:
    found = template or (plan.known.template if plan.known else None)
    differs = plan.differs if plan.known else ()
    return Outcome(kind, plan.record.place, plan.record.title, template=found, differs=differs)


def _told(plans: Iterable[Plan]) -> Callable[[PromptTemplate], dict[str, Any]]:
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
