"""What may stand in the way of bringing rows back from the trash, and what a person may decide about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from promptlib.core.models import SoftDeleteModel

Found = Mapping["type[SoftDeleteModel]", Sequence["SoftDeleteModel"]]


@dataclass(frozen=True)
class WayBack:
    """What may be done where a living row has the place that a unique constraint gives to one of them alone."""

    rename: str = ""
    """The column that may be given anew."""
    detach: tuple[str, ...] = ()
    """Columns that may be emptied: what comes back then has no place that another could have."""
    can_replace: bool = False
    """The living row may go to the trash instead."""


@dataclass(frozen=True)
class Conflict:
    """Why `row` cannot come back. `rival` has its place, `parent` is in the trash by a delete of its own."""

    row: SoftDeleteModel
    text: str
    parent: SoftDeleteModel | None = None
    rival: SoftDeleteModel | None = None
    way: WayBack = field(default_factory=WayBack)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Answers:
    """What a person decided. Whoever takes it from a form has looked whether the person may."""

    names: Mapping[tuple[UUID, str], str] = field(default_factory=dict)
    """A new value, by the key of the row and the column."""
    parents: frozenset[UUID] = frozenset()
    """Deletions that are undone as well."""
    detached: frozenset[UUID] = frozenset()
    """Rows that come back without what another has now."""
    replaced: frozenset[UUID] = frozenset()
    """Living rows that go to the trash."""


def conflicts_of(found: Found, deletion_id: UUID) -> Iterator[Conflict]:
    """What stands in the way of these deleted rows; a query for each parent and unique constraint of a model."""
    for model, rows in found.items():
        if rows:
            yield from _missing_parents(model, rows, deletion_id)
            yield from _taken_places(model, rows)


def answer(found: Found, answers: Answers) -> None:
    """Give the rows their new values, while they still are in the trash; raises ValidationError."""
    for model, rows in found.items():
        for row in rows:
            changed: dict[str, Any] = {name: value for (pk, name), value in answers.names.items() if pk == row.pk}
            if row.pk in answers.detached:
                detached = [name for way in model.WAYS_BACK.values() for name in way.detach]
                changed |= {name: None if model._meta.get_field(name).null else "" for name in detached}
            if changed:
                for name, value in changed.items():
                    setattr(row, name, value)
                _check(row, changed)
                row.save(update_fields=list(changed))


def _check(row: SoftDeleteModel, names: Iterable[str]) -> None:
    row.clean_fields(exclude={each.name for each in row._meta.fields} - set(names))
    row.clean()


def _missing_parents(
    model: type[SoftDeleteModel], rows: Sequence[SoftDeleteModel], deletion_id: UUID
) -> Iterator[Conflict]:
    """The parents stay locked: nobody deletes one while its child comes back."""
    for name in model.soft_delete_parents():
        field: Any = model._meta.get_field(name)
        attname, target = field.attname, field.related_model
        keys = {getattr(row, attname) for row in rows} - {None}
        parents = target.all_objects.select_for_update().order_by("pk").filter(pk__in=keys)
        gone = {each.pk: each for each in parents if each.deleted_at and each.deletion_id != deletion_id}
        for row in rows:
            if parent := gone.get(getattr(row, attname)):
                text = _("“%(row)s” belongs to “%(parent)s”, which is in the trash too.")
                yield Conflict(row, text % {"row": row, "parent": parent}, parent=parent)


def _taken_places(model: type[SoftDeleteModel], rows: Sequence[SoftDeleteModel]) -> Iterator[Conflict]:
    for constraint in model._meta.constraints:
        way = model.WAYS_BACK.get(constraint.name)
        if way is None:
            continue
        columns = [each.name for each in constraint.expressions if each.name != "alive"]  # type: ignore[attr-defined]  # unique ones
        fields: list[Any] = [model._meta.get_field(name) for name in columns]
        places = {row.pk: tuple(getattr(row, each.attname) for each in fields) for row in rows}
        whole = [place for place in places.values() if None not in place]
        narrowed = {f"{name}__in": {place[at] for place in whole} for at, name in enumerate(columns)}
        rivals: Any = model.all_objects.filter(deleted_at__isnull=True, **narrowed) if whole else []
        taken = {tuple(getattr(rival, each.attname) for each in fields): rival for rival in rivals}
        for row in rows:
            if rival := taken.get(places[row.pk]):
                yield Conflict(row, _words(row, rival, constraint), rival=rival, way=way)


def _words(row: SoftDeleteModel, rival: SoftDeleteModel, constraint: Any) -> str:
    if constraint.violation_error_message != constraint.default_violation_error_message:
        return f"{row}: {constraint.violation_error_message}"
    return _("“%(rival)s” has taken the place of “%(row)s” meanwhile.") % {"row": row, "rival": rival}
