"""Pages of a long list: by keyset, so that the thousandth costs what the first costs; and counts that stop in time."""

from __future__ import annotations

import base64
import binascii
import contextlib
import datetime as dt
import json
import zlib
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connections, models
from django.db.models import F, OrderBy, Q, QuerySet

RowT = TypeVar("RowT", bound=models.Model)

CURSOR_LIMIT = 2_000
COUNT_CAP = 10_000


class BrokenCursor(ValueError):
    """The cursor was not made by this list: cut off, altered, or from another sort order."""


class KeysetPage(Generic[RowT]):
    """One page of `queryset`, after or before the row that `cursor` names.

    `order` names columns or annotations, `-` for descending, the last of them unique; rows without a value come last.
    A cursor that makes no sense is ignored: the first page. The first page is one query; a later one has a query for
    each column of the order that it reaches (one, at most two for `("-score", "-id")`), because neither database
    starts `a < x OR (a = x AND b < y)` at the right place of an index, and both start its parts there.
    """

    def __init__(
        self, queryset: QuerySet[RowT], *, order: Sequence[str], cursor: str | None = None, size: int = 30
    ) -> None:
        self.queryset = queryset
        self.order = tuple(order)
        self.size = size
        self._backwards = False
        self._boundary: list[Any] | None = None
        if cursor:
            with contextlib.suppress(BrokenCursor):
                self._backwards, self._boundary = self._decode(cursor)

    # ---- what a page shows -------------------------------------------------

    @cached_property
    def items(self) -> list[RowT]:
        """The rows, in the list's own order."""
        rows = self._rows[: self.size]
        return rows[::-1] if self._backwards else rows

    @property
    def has_next(self) -> bool:
        return bool(self.items) if self._backwards else self._has_more

    @property
    def has_previous(self) -> bool:
        return self._has_more if self._backwards else self._boundary is not None

    @property
    def next_cursor(self) -> str:
        return self._encode("n", self.items[-1]) if self.has_next else ""

    @property
    def previous_cursor(self) -> str:
        """Empty where there is nothing before, and on a page that lost all its rows: the way back is the first page."""
        return self._encode("p", self.items[0]) if self.has_previous and self.items else ""

    def __iter__(self) -> Iterator[RowT]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    # ---- the queries -------------------------------------------------------

    @cached_property
    def _rows(self) -> list[RowT]:
        """One row more than the page shows, nearest to the boundary first."""
        ordered = self.queryset.order_by(*(self._ordering(term) for term in self.order))
        if self._boundary is None:
            return list(ordered[: self.size + 1])
        rows: list[RowT] = []
        for stretch in self._stretches(self._boundary):
            rows += ordered.filter(stretch)[: self.size + 1 - len(rows)]
            if len(rows) > self.size:
                break
        return rows

    @property
    def _has_more(self) -> bool:
        return len(self._rows) > self.size

    def _stretches(self, boundary: list[Any]) -> Iterator[Q]:
        """The rows beyond the boundary in disjoint stretches, nearest first: its ties, then the rest."""
        for place in range(len(self.order) - 1, -1, -1):
            ties = Q()
            for term, value in zip(self.order[:place], boundary, strict=False):
                name = term.lstrip("-")
                ties &= Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
            for beyond in self._beyond(self.order[place], boundary[place]):
                yield ties & beyond

    def _beyond(self, term: str, value: Any) -> Iterator[Q]:
        name = term.lstrip("-")
        if value is None:
            if self._backwards:
                yield Q(**{f"{name}__isnull": False})
            return
        descending = term.startswith("-") != self._backwards
        yield Q(**{f"{name}__{'lt' if descending else 'gt'}": value})
        if self._nullable(name) and not self._backwards:
            yield Q(**{f"{name}__isnull": True})

    def _ordering(self, term: str) -> str | OrderBy:
        name = term.lstrip("-")
        if term.startswith("-"):  # both databases put NULL last here, and first when it is read backwards
            return name if self._backwards else term
        if not self._nullable(name):
            return f"-{name}" if self._backwards else name
        return F(name).desc(nulls_first=True) if self._backwards else F(name).asc(nulls_last=True)

    # ---- the cursor --------------------------------------------------------

    @property
    def _stamp(self) -> int:
        return zlib.crc32(",".join(self.order).encode())

    def _encode(self, direction: str, row: RowT) -> str:
        values = [_plain(_value(row, term.lstrip("-"))) for term in self.order]
        text = json.dumps([direction, self._stamp, *values], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()

    def _decode(self, cursor: str) -> tuple[bool, list[Any]]:
        if len(cursor) > CURSOR_LIMIT:
            raise BrokenCursor
        try:
            text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            direction, stamp, *values = json.loads(text)
        except (binascii.Error, ValueError, TypeError, RecursionError) as error:
            raise BrokenCursor from error
        if direction not in ("n", "p") or stamp != self._stamp or len(values) != len(self.order):
            raise BrokenCursor
        names = (term.lstrip("-") for term in self.order)
        return direction == "p", [self._parse(name, value) for name, value in zip(names, values, strict=True)]

    def _parse(self, name: str, value: Any) -> Any:
        field = self._field(name)
        if value is None and self._nullable(name):
            return None
        if value is None or isinstance(value, dict | list):
            raise BrokenCursor
        try:
            parsed = field.to_python(value)
            if isinstance(parsed, dt.datetime) and parsed.tzinfo is None:
                raise BrokenCursor
            if isinstance(parsed, str):
                parsed.encode()
            field.get_db_prep_value(parsed, connections[self.queryset.db], prepared=False)
        except (ValidationError, ValueError, TypeError, ArithmeticError) as error:
            raise BrokenCursor from error
        if isinstance(parsed, int | float) and not -(2**63) <= parsed < 2**63:  # refuses infinities and NaN as well
            raise BrokenCursor
        return parsed

    def _nullable(self, name: str) -> bool:
        return name in self.queryset.query.annotations or any(field.null for field in self._path(name))

    def _field(self, name: str) -> Any:
        """The type of the column or annotation `name`."""
        annotation: Any = self.queryset.query.annotations.get(name)
        field = self._path(name)[-1] if annotation is None else annotation.output_field
        return field.output_field if isinstance(field, models.GeneratedField) else field

    def _path(self, name: str) -> list[Any]:
        """The column `name`, after the relations that lead to it."""
        model: Any = self.queryset.model
        path: list[Any] = []
        for part in name.split("__"):
            path.append(model._meta.pk if part == "pk" else model._meta.get_field(part))
            model = path[-1].related_model
        return path


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


def capped_count(queryset: QuerySet[Any], cap: int = COUNT_CAP) -> tuple[int, bool]:
    """How many rows, counted to `cap` at most, and whether there are more: shown as "10,000+"."""
    count = queryset.order_by()[: cap + 1].count()
    return min(count, cap), count > cap
