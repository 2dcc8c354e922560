"""Rows that go for good, with all that hangs on them: in batches, children before parents, each logged as it goes."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError
from django.db.models import CASCADE, ForeignKey, Model, QuerySet

from audit import fields
from audit.models import AuditLog
from audit.registry import audited_models
from audit.services import record_many
from promptlib.core.changes import accounted, told_fields
from promptlib.core.deletion import Link, cascade_whole, links_to
from promptlib.core.models import BaseModel, SoftDeleteModel
from promptlib.core.transactions import in_transaction

BATCH = 200
"""Rows of one transaction: what is held in memory, and for how long others wait."""

ATTEMPTS = 3

Removed = Counter[str]


@dataclass(frozen=True, slots=True)
class _Removal:
    """Who removes and why; `doomed` are the rows above, which go next and need no word about what changes in them."""

    by: Any
    reason: str
    doomed: tuple[tuple[type[Model], frozenset[Any]], ...] = ()

    def below(self, model: type[Model], pks: list[Any]) -> "_Removal":
        return _Removal(self.by, self.reason, (*self.doomed, (model, frozenset(pks))))

    def record(self, action: int, rows: list[Any], changes: Callable[[Any], dict[str, Any]]) -> None:
        record_many(action, rows, changes=changes, reason=self.reason, actor=self.by)

    def is_doomed(self, row: Model) -> bool:
        return any(isinstance(row, model) and row.pk in pks for model, pks in self.doomed)


def remove(rows: "QuerySet[Any]", *, by: Any = None, reason: str = "") -> Iterator[Removed]:
    """Delete for good, newest first; yields after each transaction what it removed, per model label.

    A caller that stops early leaves rows of which parents are there and some children are not.
    """
    yield from _remove(rows, _Removal(by, reason))


def _remove(rows: "QuerySet[Any]", removal: _Removal, *order: str) -> Iterator[Removed]:
    """Newest first: what points at its elder, as an answer does at the question, goes before it."""
    while pks := list(rows.order_by(*order, "-pk").values_list("pk", flat=True)[:BATCH]):
        below = removal.below(rows.model, pks)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                yield from _remove_batch(rows.model, pks, below)
                break
            except IntegrityError:  # somebody has hung a new row on one of these meanwhile
                if attempt == ATTEMPTS:
                    raise


def _remove_batch(model: type[Model], pks: list[Any], removal: _Removal) -> Iterator[Removed]:
    for link in links_to(model).cascade:
        children = link.model._base_manager.filter(**{f"{link.field}__in": pks})
        yield from _remove(children, removal, f"-{link.field}_id")  # the order of the key's index
    for link in links_to(model).set_null:
        unlink = _lift if link.model is model else _unlink
        while in_transaction(lambda link=link, unlink=unlink: unlink(link, pks, removal)):  # type: ignore[misc]
            pass
    yield in_transaction(lambda: _take(model, pks, removal))


def _unlink(link: Link, pks: list[Any], removal: _Removal) -> int:
    """Empty what points at rows that go; returns how many rows that was, a batch at most."""
    pointing = link.model._base_manager.filter(**{f"{link.field}__in": pks})
    rows = list(pointing.select_for_update().order_by("pk")[:BATCH])
    with accounted():
        pointing.filter(pk__in=[row.pk for row in rows]).update(**{link.field: None})
    if columns := told_fields(link.model, [link.field]):
        told = [row for row in rows if not removal.is_doomed(row)]
        changes = {row.pk: {link.field: [str(getattr(row, columns[0].attname)), None]} for row in told}
        removal.record(AuditLog.Action.UPDATE, told, lambda row: changes[row.pk])
    return len(rows)


def _lift(link: Link, pks: list[Any], _removal: Any) -> int:
    """In a tree what stood below a row that goes stands below the one above it; the row's own end tells of it."""
    pointing = link.model._base_manager.filter(**{f"{link.field}__in": pks})
    rows = list(pointing.select_for_update().order_by("pk").values_list("pk", link.field)[:BATCH])
    above = dict(link.model._base_manager.filter(pk__in=pks).values_list("pk", link.field))
    with accounted():
        for gone in {parent for _pk, parent in rows}:
            below = [pk for pk, parent in rows if parent == gone]
            pointing.filter(pk__in=below).update(**{link.field: above.get(gone)})
    return len(rows)


def _take(model: type[Model], pks: list[Any], removal: _Removal) -> Removed:
    """One transaction: the rows that are still there, and a word in the log about each."""
    rows: QuerySet[Any] = model._base_manager.select_for_update().filter(pk__in=pks)
    if model in _audited():
        found = list(rows.prefetch_related(*_named_by(model)))
        action = AuditLog.Action.PURGE if issubclass(model, SoftDeleteModel) else AuditLog.Action.DELETE
        removal.record(action, found, fields.end)
        pks = [row.pk for row in found]
    if not issubclass(model, BaseModel):  # of a library, whose signals tell of its end
        return Removed({model._meta.label: model._base_manager.filter(pk__in=pks).delete()[0]} if pks else {})
    gone = model._base_manager.filter(pk__in=pks)
    with accounted():
        return Removed({model._meta.label: gone._raw_delete(gone.db)})


def _named_by(model: type[Model]) -> list[str]:
    """What a row's name is made of, asked for once a batch: those it goes with, and people."""
    return [
        each.name
        for each in model._meta.concrete_fields
        if isinstance(each, ForeignKey) and each.remote_field.on_delete in {CASCADE, cascade_whole}
    ]


def _audited() -> set[type[Model]]:
    return set(audited_models())
