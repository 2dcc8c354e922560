"""What a line of the trash tells: the thing, what went with it, who deleted it and why, and for how long it stays."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.text import Truncator, capfirst

from audit.models import AuditLog
from audit.retention import holds
from audit.retention.rules import trash_days
from promptlib.core.deletion import hanging
from promptlib.core.models import SoftDeleteModel
from promptlib.core.soft_delete import soft_delete_models

NAMES_SHOWN = 5
NAMES_ON_ITS_PAGE = 200
EXCERPT_CHARACTERS = 600


@dataclass(frozen=True)
class Companions:
    """Rows of one kind that went along."""

    label: str
    number: int
    names: Sequence[str]

    @property
    def more(self) -> int:
        return self.number - len(self.names)


@dataclass(frozen=True)
class Entry:
    """One deletion, by the row that it was about."""

    row: SoftDeleteModel
    companions: Sequence[Companions]
    reason: str
    days_left: int
    days_of: int
    is_held: bool

    @property
    def kind(self) -> str:
        return capfirst(str(self.row._meta.verbose_name))

    @property
    def place(self) -> Any:
        """What the row belongs to, where its own name does not say so."""
        parents = (getattr(self.row, name) for name in self.row.soft_delete_parents())
        return next((parent for parent in parents if str(parent) not in str(self.row)), None)

    @property
    def owner(self) -> Any:
        """Whose it is; of a person nobody's."""
        return getattr(self.row, self.row.OWNER) if self.row.OWNER != "pk" else None

    @property
    def excerpt(self) -> str:
        text = str(getattr(self.row, self.row.EXCERPT)) if self.row.EXCERPT else ""
        return Truncator(text).chars(EXCERPT_CHARACTERS)

    @property
    def is_soon(self) -> bool:
        return self.days_left <= 3 and not self.is_held


def entries_of(rows: Sequence[SoftDeleteModel], *, names: int = NAMES_SHOWN) -> list[Entry]:
    """Lines for these rows, of which the keys and deletions are enough.

    Queries for reasons, rules and legal holds, and one for each kind that can have gone with them.
    """
    loaded = _load(rows, names)
    reasons, days = _reasons(rows), trash_days()
    held = holds.held([row.deletion_id for row in rows if row.deletion_id])
    return [
        Entry(
            of.head,
            [_companions(model, number, of.names[model]) for model, number in of.numbers.items() if number],
            reasons.get((str(row.pk), str(row.deletion_id)), ""),
            days_left(row, days[type(row)]),
            days[type(row)],
            row.deletion_id in held,
        )
        for row in rows
        if (of := loaded[row.deletion_id]).head is not None  # else somebody restored it a moment ago
    ]


def days_left(row: SoftDeleteModel, days: int) -> int:
    """Whole days until the thing may be deleted for good, which it is after `days` in the trash; at least 0."""
    assert row.deleted_at is not None
    end = row.deleted_at + timedelta(days=days)
    return max((end - timezone.now()).days, 0)


def _companions(model: type[SoftDeleteModel], number: int, names: Sequence[str]) -> Companions:
    label = model._meta.verbose_name if number == 1 else model._meta.verbose_name_plural
    return Companions(capfirst(str(label)), number, names)


@dataclass
class _Loaded:
    """What one deletion took: the thing itself, and by kind how many rows besides and the names of the first."""

    head: Any = None
    numbers: dict[type[SoftDeleteModel], int] = field(default_factory=dict)
    names: dict[type[SoftDeleteModel], list[str]] = field(default_factory=lambda: defaultdict(list))


def _load(rows: Sequence[SoftDeleteModel], limit: int) -> Mapping[Any, _Loaded]:
    """By deletion; of each kind the first rows are read: the thing itself is the first of its own."""
    heads = {row.deletion_id: row for row in rows}
    found: dict[Any, _Loaded] = defaultdict(_Loaded)
    of_deletion = F("deletion_id")
    place = Window(RowNumber(), partition_by=of_deletion, order_by=F("pk").asc())
    for model in _may_be_in({type(row) for row in rows}):
        shown: Any = model.all_objects.filter(deletion_id__in=heads).for_trash().order_by("pk")
        shown = shown.annotate(place=place, number=Window(Count("pk"), partition_by=of_deletion))
        for each in shown.filter(place__lte=limit + 1):
            head, of = heads[each.deletion_id], found[each.deletion_id]
            of.numbers[model] = each.number - isinstance(head, model)
            if each.pk == head.pk:
                of.head = each
            elif len(of.names[model]) < limit:
                of.names[model].append(each.name_along)
    return found


def _may_be_in(roots: Collection[type[SoftDeleteModel]]) -> list[type[SoftDeleteModel]]:
    """What a deletion of a row of one of these kinds can have taken."""
    along = {link.model for root in roots for link in hanging(root)}
    return [model for model in soft_delete_models() if model in roots or model in along]


def _reasons(rows: Sequence[SoftDeleteModel]) -> dict[tuple[str, str], str]:
    """By the row's key and its deletion; the log knows why."""
    told = AuditLog.objects.filter(object_pk__in=[str(row.pk) for row in rows], action=AuditLog.Action.DELETE)
    pairs = told.exclude(reason="").values_list("object_pk", "changes", "reason")
    return {(key, (changes.get("deletion_id") or [None, ""])[1]): reason for key, changes, reason in pairs}
