"""What a line of the trash tells: the thing, what went with it, who deleted it and why, and for how long it stays."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Count, F, Value, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.text import Truncator, capfirst

from audit import holds
from audit.models import AuditLog
from audit.retention import trash_days
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

    Queries for numbers, reasons, rules and legal holds, and one for each kind of row: for the things and for what went
    along.
    """
    numbers = _numbers(rows)
    loaded = _load(rows, numbers, names)
    reasons, days = _reasons(rows), trash_days()
    held = holds.held([row.deletion_id for row in rows if row.deletion_id])
    return [
        Entry(
            loaded[row.pk].head,
            [
                _companions(model, number, loaded[row.pk].names[model])
                for model, number in numbers[row.pk].items()
                if number
            ],
            reasons.get((str(row.pk), str(row.deletion_id)), ""),
            days_left(row, days[type(row)]),
            days[type(row)],
            row.deletion_id in held,
        )
        for row in rows
        if row.pk in loaded  # else somebody restored it a moment ago
    ]


def days_left(row: SoftDeleteModel, days: int) -> int:
    """Whole days until the thing may be deleted for good, which it is after `days` in the trash; at least 0."""
    assert row.deleted_at is not None
    end = row.deleted_at + timedelta(days=days)
    return max((end - timezone.now()).days, 0)


def _companions(model: type[SoftDeleteModel], number: int, names: Sequence[str]) -> Companions:
    label = model._meta.verbose_name if number == 1 else model._meta.verbose_name_plural
    return Companions(capfirst(str(label)), number, names)


def _numbers(rows: Sequence[SoftDeleteModel]) -> Mapping[Any, dict[type[SoftDeleteModel], int]]:
    """By the key of each row: the kinds of its deletion, and how many besides the row itself."""
    models, by_deletion = soft_delete_models(), {row.deletion_id: row for row in rows}
    groups = [
        model.all_objects.filter(deletion_id__in=by_deletion)
        .order_by()
        .values("deletion_id")
        .annotate(model=Value(index), number=Count("pk"))
        .values_list("deletion_id", "model", "number")
        for index, model in enumerate(models)
    ]
    found: dict[Any, dict[type[SoftDeleteModel], int]] = defaultdict(dict)
    for deletion_id, index, number in groups[0].union(*groups[1:], all=True) if rows else ():
        row = by_deletion[deletion_id]
        found[row.pk][models[index]] = number - isinstance(row, models[index])
    return found


@dataclass
class _Loaded:
    head: Any
    names: dict[type[SoftDeleteModel], list[str]] = field(default_factory=lambda: defaultdict(list))


def _load(
    rows: Sequence[SoftDeleteModel], numbers: Mapping[Any, dict[type[SoftDeleteModel], int]], limit: int
) -> dict[Any, _Loaded]:
    """Of each deletion and kind the first rows: the thing itself is the first of its own kind."""
    heads = {row.deletion_id: row.pk for row in rows}
    names: dict[Any, dict[type[SoftDeleteModel], list[str]]] = defaultdict(lambda: defaultdict(list))
    found: dict[Any, Any] = {}
    for model in {model for kinds in numbers.values() for model in kinds}:
        deletions = [row.deletion_id for row in rows if model in numbers[row.pk]]
        place = Window(RowNumber(), partition_by=F("deletion_id"), order_by=F("pk").asc())
        shown: Any = model.all_objects.filter(deletion_id__in=deletions)
        for each in shown.for_trash().annotate(place=place).filter(place__lte=limit + 1).order_by("pk"):
            head = heads[each.deletion_id]
            if each.pk == head:
                found[head] = each
            elif len(names[head][model]) < limit:
                names[head][model].append(each.name_along)
    return {pk: _Loaded(head, names[pk]) for pk, head in found.items()}


def _reasons(rows: Sequence[SoftDeleteModel]) -> dict[tuple[str, str], str]:
    """By the row's key and its deletion; the log knows why."""
    told = AuditLog.objects.filter(object_pk__in=[str(row.pk) for row in rows], action=AuditLog.Action.DELETE)
    pairs = told.exclude(reason="").values_list("object_pk", "changes", "reason")
    return {(key, (changes.get("deletion_id") or [None, ""])[1]): reason for key, changes, reason in pairs}
