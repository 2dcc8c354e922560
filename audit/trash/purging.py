"""What would go for good, and what would stay: asked before anything does."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Value

from audit.retention import holds
from promptlib.core.models import SoftDeleteModel
from promptlib.core.soft_delete import soft_delete_models

NAMES_SHOWN = 10


@dataclass(frozen=True)
class Prospect:
    """`going` and `held` are deletions; `numbers` the rows of each kind that would go, by the kind's name."""

    going: Sequence[UUID]
    held: Sequence[UUID]
    numbers: Sequence[tuple[str, int]]
    names: Sequence[str]
    held_names: Sequence[str]

    @property
    def more(self) -> int:
        return len(self.going) - len(self.names)


def prospect_of(rows: Sequence[SoftDeleteModel]) -> Prospect:
    """Of the deletions that these rows were the reason for. Two queries where nothing is held."""
    held = holds.held([row.deletion_id for row in rows if row.deletion_id])
    going = [row for row in rows if row.deletion_id not in held]
    return Prospect(
        [row.deletion_id for row in going if row.deletion_id],
        sorted(held),
        _numbers(going),
        [str(row) for row in going[:NAMES_SHOWN]],
        [str(row) for row in rows if row.deletion_id in held],
    )


def _numbers(rows: Sequence[SoftDeleteModel]) -> list[tuple[str, int]]:
    models = soft_delete_models()
    groups: list[Any] = [
        model.all_objects.filter(deletion_id__in=[row.deletion_id for row in rows])
        .order_by()
        .values(kind=Value(index))
        .annotate(number=Count("pk"))
        for index, model in enumerate(models)
    ]
    counts: Counter[int] = Counter()
    for found in groups[0].union(*groups[1:], all=True) if rows else ():
        counts[found["kind"]] += found["number"]
    return [(_name(models[index], number), number) for index, number in sorted(counts.items()) if number]


def _name(model: type[SoftDeleteModel], number: int) -> str:
    return str(model._meta.verbose_name if number == 1 else model._meta.verbose_name_plural)
