"""Telling what became of rows, whatever way they were written; who keeps a log listens, inside the transaction.

`save` is told by Django's own signals. What writes or deletes many rows at once is told from here: `LoggedQuerySet`
and the models' own `delete` see to it, with everything that a deletion takes along.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import Any, TypeVar, cast

from django.db import models, router, transaction
from django.db.models.deletion import Collector
from django.dispatch import Signal

BATCH = 500

tracked: dict[type[models.Model], frozenset[str]] = {}
"""Model → names of the fields whose changes are told. Who keeps the log fills it; nothing is told of other models."""

rows_created = Signal()
"""Sent per batch: sender, instances."""

rows_changed = Signal()
"""Sent per batch: sender, changes (a list of `Changed`)."""

rows_deleted = Signal()
"""Sent per batch, before they go for good: sender, instances, going (model → keys of all that goes along).

A receiver may raise ProtectedError: then nothing goes."""


@dataclass
class Changed:
    """A row as it is now, and the columns that are not what they were: attribute name → value."""

    instance: Any
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    def note(self, name: str, before: Any, after: Any) -> None:
        if before != after:
            self.before[name], self.after[name] = before, after
            setattr(self.instance, name, after)


def told_fields(model: type[models.Model], names: Iterable[str]) -> list[models.Field]:
    """Those of the named fields whose changes are told."""
    if model not in tracked:
        return []
    fields = [model._meta.get_field("pk" if name == "pk" else name) for name in names if name != "pk"]
    return [each for each in fields if each.name in tracked[model]]  # type: ignore[misc]  # columns are fields


RowT = TypeVar("RowT")


def batches(rows: Sequence[RowT]) -> Iterator[Sequence[RowT]]:
    return (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))


# ---- what tests watch: a write of a tracked table outside of this is one past the log ----------------------------

_accounted: ContextVar[bool] = ContextVar("accounted", default=False)


@contextmanager
def accounted() -> Iterator[None]:
    """What is written inside is told, or said not to be."""
    token = _accounted.set(True)
    try:
        yield
    finally:
        _accounted.reset(token)


def is_accounted() -> bool:
    return _accounted.get()


# ---- deleting for good --------------------------------------------------------------------------------------------


class TellingCollector(Collector):
    """Deletes as Django does, and tells of each row that goes, and of each that loses what it pointed at."""

    def _has_signal_listeners(self, model: type[models.Model]) -> bool:
        """A tracked row is fetched whole before it goes, never deleted unseen."""
        return model in tracked or super()._has_signal_listeners(model)  # type: ignore[misc]  # not in the stubs

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic(using=self.using, savepoint=False), accounted():
            self._tell()
            return super().delete()

    def _tell(self) -> None:
        """Before it happens: rows still have their keys, and what they belong to is there."""
        going = {model: {row.pk for row in rows} for model, rows in self.data.items()}
        for model, changes in self._loosened(going).items():
            for batch in batches(changes):
                rows_changed.send(model, changes=batch)
        for model, found in self.data.items():
            if model in tracked:
                for rows in batches(sorted(found, key=attrgetter("pk"))):
                    rows_deleted.send(model, instances=rows, going=going)

    def _loosened(self, going: dict[type[models.Model], set[Any]]) -> dict[type[models.Model], list[Changed]]:
        """Rows that stay and lose a foreign key. The lazy querysets are fetched here; Django then goes by keys."""
        found: dict[type[models.Model], dict[Any, Changed]] = defaultdict(dict)
        for (column, value), several in self.field_updates.items():
            model = column.model
            if told_fields(model, [column.name]):
                rows = chain.from_iterable(cast("list[Iterable[Any]]", several))
                for row in (row for row in rows if row.pk not in going.get(model, ())):
                    change = found[model].setdefault(row.pk, Changed(row))
                    change.note(column.attname, getattr(row, column.attname), value)
        return {model: list(changes.values()) for model, changes in found.items()}


def delete_row(row: models.Model, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
    """As Django's `Model.delete`, told."""
    if row.pk is None:
        raise ValueError(f"{row._meta.object_name} has no key: it is not in the database.")
    collector = TellingCollector(using=using or router.db_for_write(type(row), instance=row), origin=row)
    collector.collect([row], keep_parents=keep_parents)
    return collector.delete()
