"""What can be done with many templates at once, and how each is taken back.

A kind gets templates that are locked and that the person may do this to. `apply` returns what each changed one was,
as JSON keeps it; `undo` puts that back where nothing has changed since, and returns how many templates that were.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from promptlib.core import soft_delete
from templates_app.models import Category, Grant, PromptTemplate, Tag, TemplateTag

TAGS_LIMIT = 20
"""As many tags as the edit page takes."""

Entry = dict[str, Any]
Templates = Sequence[PromptTemplate]
STATUS, VISIBILITY = PromptTemplate.Status, PromptTemplate.Visibility


@dataclass(frozen=True)
class Kind:
    """`right` is the queryset method that says on which templates one may do it."""

    right: str
    apply: Callable[[Templates, Any, Any], list[Entry]]
    undo: Callable[[Templates, list[Entry], Any], int]


def _add_tags(templates: Templates, names: Any, by: Any) -> list[Entry]:
    """One that would have more tags than an edit page takes stays as it is."""
    tags = {tag.pk: tag for tag in (_tag(name) for name in names)}
    worn = _worn(templates)
    fresh: dict[PromptTemplate, list[Any]] = {}
    for template in templates:
        missing = [pk for pk in tags if pk not in worn.get(template.pk, ())]
        if missing and len(worn.get(template.pk, ())) + len(missing) <= TAGS_LIMIT:
            fresh[template] = missing
    _wear(fresh)
    _move_on(fresh)
    return [{"id": str(template.pk), "tags": [str(pk) for pk in pks]} for template, pks in fresh.items()]


def _drop_tags(templates: Templates, names: Any, by: Any) -> list[Entry]:
    tags = {tag.pk: tag for tag in Tag.objects.filter(slug__in=[Tag.slug_of(name) for name in names])}
    worn = _worn(templates)
    gone = {each: [pk for pk in tags if pk in worn.get(each.pk, ())] for each in templates}
    gone = {template: pks for template, pks in gone.items() if pks}
    TemplateTag.objects.filter(template__in=gone.keys(), tag__in=tags).delete()
    _move_on(gone)
    return [{"id": str(template.pk), "tags": [str(pk) for pk in pks]} for template, pks in gone.items()]


def _undo_add_tags(templates: Templates, before: list[Entry], by: Any) -> int:
    """What somebody took off meanwhile needs nothing."""
    worn = _worn(templates)
    known = {tag.pk: tag for tag in Tag.objects.filter(pk__in=_tag_pks(before))}
    gone: dict[PromptTemplate, list[Any]] = {}
    for template, entry in _pairs(templates, before):
        if pks := [pk for pk in map(UUID, entry["tags"]) if pk in worn.get(template.pk, ())]:
            gone[template] = pks
    wanted = {(template.pk, pk) for template, pks in gone.items() for pk in pks}
    rows = TemplateTag.objects.filter(template__in=gone.keys(), tag__in=known)
    TemplateTag.objects.filter(pk__in=[row.pk for row in rows if (row.template_id, row.tag_id) in wanted]).delete()
    _move_on(gone)
    return len(gone)


def _undo_drop_tags(templates: Templates, before: list[Entry], by: Any) -> int:
    """A tag that was merged or deleted meanwhile does not come back."""
    worn = _worn(templates)
    known = {tag.pk: tag for tag in Tag.objects.filter(pk__in=_tag_pks(before))}
    fresh: dict[PromptTemplate, list[Any]] = {}
    for template, entry in _pairs(templates, before):
        if pks := [pk for pk in map(UUID, entry["tags"]) if pk in known and pk not in worn.get(template.pk, ())]:
            fresh[template] = pks
    _wear(fresh)
    _move_on(fresh)
    return len(fresh)


def _set_field(name: str) -> Callable[[Templates, Any, Any], list[Entry]]:
    """Give every template the same value of one column. For a shelf that is the shelf, else a plain text."""

    def apply(templates: Templates, value: Any, by: Any) -> list[Entry]:
        now = value.pk if isinstance(value, Category) else value
        was = {each: _get(each, name) for each in templates if _get(each, name) != now}
        _change_field(name, dict.fromkeys(was, now))
        return [{"id": str(each.pk), "was": _plain(old), "now": _plain(now)} for each, old in was.items()]

    return apply


def _undo_field(name: str) -> Callable[[Templates, list[Entry], Any], int]:
    def undo(templates: Templates, before: list[Entry], by: Any) -> int:
        was: dict[PromptTemplate, Any] = {}
        shelves = {str(pk) for pk in Category.objects.values_list("pk", flat=True)} if name == "category" else set()
        for template, entry in _pairs(templates, before):
            is_there = name != "category" or entry["was"] is None or entry["was"] in shelves
            if _plain(_get(template, name)) == entry["now"] and is_there:
                was[template] = UUID(entry["was"]) if name == "category" and entry["was"] else entry["was"]
        _change_field(name, was)
        return len(was)

    return undo


def _archive(templates: Templates, _choice: Any, by: Any) -> list[Entry]:
    published = [each for each in templates if each.status == STATUS.PUBLISHED]
    return _set_field("status")(published, STATUS.ARCHIVED.value, by)


def _grant(templates: Templates, choice: Any, by: Any) -> list[Entry]:
    """`choice`: role, and user or team. A private template is then shared, as on its own page."""
    whom = {"user": choice.get("user"), "team": choice.get("team")}
    role = choice["role"]
    had = {grant.template_id: grant for grant in Grant.objects.filter(template__in=templates, **whom)}
    changed = [each for each in templates if each.pk not in had or had[each.pk].role != role]
    private = {each: VISIBILITY.SHARED.value for each in changed if each.visibility == VISIBILITY.PRIVATE}
    _change_field("visibility", private)
    made = [Grant(template=each, role=role, **whom) for each in changed if each.pk not in had]
    Grant.objects.bulk_create(made, batch_size=500)
    before = []
    for template in changed:
        grant = had.get(template.pk)
        before.append(
            {
                "id": str(template.pk),
                **{name: str(each.pk) if each else None for name, each in whom.items()},
                "was": grant.role if grant else None,
                "now": role,
                "visibility": VISIBILITY.PRIVATE.value if template in private else None,
            }
        )
        if grant is not None:
            grant.role = role
            grant.save(update_fields=["role"])
    return before


def _undo_grant(templates: Templates, before: list[Entry], by: Any) -> int:
    pairs = _pairs(templates, before)
    if not pairs:
        return 0
    whom = {name: pairs[0][1][name] for name in ("user", "team")}
    rights = {grant.template_id: grant for grant in Grant.objects.filter(template__in=templates, **whom)}
    undone, alone = 0, dict[PromptTemplate, str]()
    for template, entry in pairs:
        grant = rights.get(template.pk)
        if grant is None or grant.role != entry["now"]:
            continue
        undone += 1
        if entry["was"] is None:
            grant.delete()
        else:
            grant.role = entry["was"]
            grant.save(update_fields=["role"])
        if entry["visibility"] and template.visibility == VISIBILITY.SHARED:
            alone[template] = entry["visibility"]
    others = set(Grant.objects.filter(template__in=alone.keys()).values_list("template", flat=True))
    _change_field("visibility", {each: was for each, was in alone.items() if each.pk not in others})
    return undone


def _trash(templates: Templates, _choice: Any, by: Any) -> list[Entry]:
    """Each is restored alone, too."""
    deletions = soft_delete.delete_each(templates, by=by)
    return [{"id": str(pk), "deletion": str(deletion)} for pk, deletion in deletions.items()]


def _undo_trash(_templates: Templates, before: list[Entry], by: Any) -> int:
    """What was restored one by one, or is gone for good, is left alone. Raises RestoreConflict."""
    gone = PromptTemplate.all_objects.filter(pk__in=[entry["id"] for entry in before], deleted_at__isnull=False)
    restored = 0
    for deletion in {entry["deletion"] for entry in before}:
        restored += gone.filter(deletion_id=deletion, owner=by).count()
        soft_delete.restore(UUID(deletion), by=by)
    return restored


KINDS = {
    "tag": Kind("editable_by", _add_tags, _undo_add_tags),
    "untag": Kind("editable_by", _drop_tags, _undo_drop_tags),
    "shelve": Kind("editable_by", _set_field("category"), _undo_field("category")),
    "visibility": Kind("owned_by", _set_field("visibility"), _undo_field("visibility")),
    "share": Kind("owned_by", _grant, _undo_grant),
    "archive": Kind("owned_by", _archive, _undo_field("status")),
    "trash": Kind("owned_by", _trash, _undo_trash),
}


# ---- what they have in common ----------------------------------------------


def _pairs(templates: Templates, before: Iterable[Entry]) -> list[tuple[PromptTemplate, Entry]]:
    by_pk = {str(each.pk): each for each in templates}
    return [(by_pk[entry["id"]], entry) for entry in before if entry["id"] in by_pk]


def _get(template: PromptTemplate, name: str) -> Any:
    return template.category_id if name == "category" else getattr(template, name)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def _change_field(name: str, values: dict[PromptTemplate, Any]) -> None:
    """One statement per value; the revision moves on, so an open edit page does not put the old one back unseen."""
    for value in set(values.values()):
        rows = [template for template, each in values.items() if each == value]
        moved = {name: value, "revision": F("revision") + 1, "updated_at": timezone.now()}
        PromptTemplate.objects.update_locked(rows, **moved)


def _tag(name: str) -> Tag:
    return Tag.objects.get_or_create(slug=Tag.slug_of(name), defaults={"name": " ".join(name.split())[:80]})[0]


def _tag_pks(before: Iterable[Entry]) -> set[str]:
    return {pk for entry in before for pk in entry["tags"]}


def _worn(templates: Templates) -> dict[Any, set[Any]]:
    worn: dict[Any, set[Any]] = {}
    for template, tag in TemplateTag.objects.filter(template__in=templates).values_list("template", "tag"):
        worn.setdefault(template, set()).add(tag)
    return worn


def _wear(fresh: dict[PromptTemplate, list[Any]]) -> None:
    rows = [TemplateTag(template=template, tag_id=pk) for template, pks in fresh.items() for pk in pks]
    TemplateTag.objects.bulk_create(rows, batch_size=500)


def _move_on(changed: Iterable[PromptTemplate]) -> None:
    """The revision of what got or lost tags, as in `_change_field`."""
    pks = [template.pk for template in changed]
    PromptTemplate.objects.filter(pk__in=pks).update(revision=F("revision") + 1, updated_at=timezone.now())
