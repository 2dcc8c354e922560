"""Pages of a long list: by keyset, so that the thousandth costs what the first costs; and counts that stop in time."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.db.models import F, Q, QuerySet

RowT = TypeVar("RowT", bound=models.Model)

CURSOR_LIMIT = 2_000
COUNT_CAP = 10_000


class BrokenCursor(ValueError):
    """The cursor was not made by this list: cut off, altered, or from another sort order."""


class KeysetPage(Generic[RowT]):
    """One page of `queryset`, after or before the row that `cursor` names.

    `order` names columns, `-` for descending, the last of them unique; a row without a value comes last either way.
    One query of size + 1 rows. A cursor that makes no sense is ignored: the first page.
    """

    def __init__(
        self, queryset: QuerySet[RowT], *, order: Sequence[str], cursor: str | None = None, size: int = 30
    ) -> None:
        self.order = tuple(order)
        self.size = size
        self.queryset = queryset
        self._backwards = False
        self._boundary: list[Any] | None = None
        if cursor:
            try:
                self._backwards, self._boundary = self._decode(cursor)
            except BrokenCursor:
                self._backwards, self._boundary = False, None

    # ---- what a page shows -------------------------------------------------

    @cached_property
    def items(self) -> list[RowT]:
        """The rows, in the list's own order."""
        rows = self._rows[: self.size]
        return rows[::-1] if self._backwards else rows

    @property
    def has_next(self) -> bool:
        return bool(self.items) if self._backwards else self._more

    @property
    def has_previous(self) -> bool:
        return self._more if self._backwards else self._boundary is not None and bool(self.items)

    @property
    def next_cursor(self) -> str | None:
        return self._encode("n", self.items[-1]) if self.has_next else None

    @property
    def previous_cursor(self) -> str | None:
        return self._encode("p", self.items[0]) if self.has_previous else None

    def __iter__(self) -> Any:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    # ---- the query ---------------------------------------------------------

    @cached_property
    def _rows(self) -> list[RowT]:
        queryset = self.queryset
        if self._boundary is not None:
            queryset = queryset.filter(self._beyond(self._boundary))
        return list(queryset.order_by(*(self._ordering(term) for term in self.order))[: self.size + 1])

    @property
    def _more(self) -> bool:
        return len(self._rows) > self.size

    def _descends(self, term: str) -> bool:
        return term.startswith("-") != self._backwards

    def _ordering(self, term: str) -> Any:
        name = term.lstrip("-")
        if not self._nullable(name):
            return f"-{name}" if self._descends(term) else name
        # Nulls are last in the list, so first in the list read backwards. Where the database does that by itself
        # (descending puts them last on SQLite and MySQL) nothing is added, and an index still serves the order.
        if self._descends(term):
            return F(name).desc(nulls_first=True) if self._backwards else F(name).desc()
        return F(name).asc() if self._backwards else F(name).asc(nulls_last=True)

    def _beyond(self, boundary: list[Any]) -> Q:
        """Rows after the boundary, as `a < x OR (a = x AND b < y)`, under an `a <= x` where an index can start."""
        condition = Q()
        for place in range(len(self.order) - 1, -1, -1):
            after = self._strictly_beyond(self.order[place], boundary[place])
            same = self._same(self.order[place], boundary[place])
            condition = after if place == len(self.order) - 1 else after | (same & condition)
        if len(self.order) > 1 and boundary[0] is not None and not self._nullable(self.order[0].lstrip("-")):
            name = self.order[0].lstrip("-")
            start = Q(**{f"{name}__{'lte' if self._descends(self.order[0]) else 'gte'}": boundary[0]})
            return start & condition
        return condition

    def _same(self, term: str, value: Any) -> Q:
        name = term.lstrip("-")
        return Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})

    def _strictly_beyond(self, term: str, value: Any) -> Q:
        name = term.lstrip("-")
        if value is None:
            return Q(**{f"{name}__isnull": False}) if self._backwards else Q(pk__in=[])
        beyond = Q(**{f"{name}__{'lt' if self._descends(term) else 'gt'}": value})
        if self._nullable(name) and not self._backwards:
            beyond |= Q(**{f"{name}__isnull": True})
        return beyond

    # ---- the cursor --------------------------------------------------------

    def _encode(self, direction: str, row: RowT) -> str:
        values = [_plain(_value(row, term.lstrip("-"))) for term in self.order]
        text = json.dumps([direction, *values], separators=(",", ":"), ensure_ascii=False)
        return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()

    def _decode(self, cursor: str) -> tuple[bool, list[Any]]:
        if len(cursor) > CURSOR_LIMIT:
            raise BrokenCursor
        try:
            text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            direction, *values = json.loads(text)
        except (binascii.Error, ValueError, TypeError, RecursionError) as error:
            raise BrokenCursor from error
        if direction not in ("n", "p") or len(values) != len(self.order):
            raise BrokenCursor
        return direction == "p", [
            self._parse(term.lstrip("-"), value) for term, value in zip(self.order, values, strict=True)
        ]

    def _parse(self, name: str, value: Any) -> Any:
        if value is None:
            if not self._nullable(name):
                raise BrokenCursor
            return None
        if isinstance(value, dict | list):
            raise BrokenCursor
        field = self._field(name)
        try:
            if field is None:
                return _guess(value)
            parsed = field.to_python(value)
            field.get_db_prep_value(parsed, _connection(self.queryset), prepared=False)
        except (ValidationError, ValueError, TypeError, InvalidOperation, OverflowError) as error:
            raise BrokenCursor from error
        if isinstance(parsed, float) and parsed != parsed:
            raise BrokenCursor
        if isinstance(parsed, int) and not isinstance(parsed, bool) and abs(parsed) >= 2**63:
            raise BrokenCursor
        return parsed

    def _nullable(self, name: str) -> bool:
        field = self._field(name)
        return field is None or bool(field.null)

    def _field(self, name: str) -> models.Field[Any, Any] | None:
        """The column behind `name`, through relations; None for an annotation."""
        annotation = self.queryset.query.annotations.get(name)
        if annotation is not None:
            return None
        if name == "pk":
            return self.queryset.model._meta.pk
        model: Any = self.queryset.model
        field: Any = None
        for part in name.split("__"):
            try:
                field = model._meta.get_field(part)
            except FieldDoesNotExist:
                return None
            model = field.related_model
        while getattr(field, "target_field", None) is not None and field.is_relation:
            field = field.target_field
        return field


def _connection(queryset: QuerySet[Any]) -> Any:
    from django.db import connections

    return connections[queryset.db]


def _value(row: models.Model, name: str) -> Any:
    if name == "pk":
        return row.pk
    value: Any = row
    for part in name.split("__"):
        value = getattr(value, part) if value is not None else None
    return value.pk if isinstance(value, models.Model) else value


def _plain(value: Any) -> Any:
    """As JSON keeps it without loss."""
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    return value


def _guess(value: Any) -> Any:
    """The value of an annotation, whose type nothing declares: numbers and texts as they came."""
    if isinstance(value, bool | int | float):
        return value
    try:
        return Decimal(value)
    except InvalidOperation:
        return value


def capped_count(queryset: QuerySet[Any], cap: int = COUNT_CAP) -> tuple[int, bool]:
    """How many rows, counted to `cap` at most, and whether there are more: shown as "10,000+"."""
    count = queryset.order_by()[: cap + 1].count()
    return min(count, cap), count > cap
