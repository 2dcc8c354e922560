"""One searchable kind of thing: the table that holds its words, what keeps the table, and how a hit is weighed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from promptlib.core.search import mysql, sqlite
from promptlib.core.search.alphabet import fold
from promptlib.core.search.words import words
from promptlib.core.sql import Trigger, VendorSQL, distinct

Source = str | Callable[[str], str]
"""SQL of a text of one source row, written `{row}`; or a function of the vendor's name that gives it."""


@dataclass(frozen=True)
class Index:
    """`table` has one row per row of `source` (its id in the column `key`), and in each column the words of a text.

    `columns`: column → SQL of its text. `watch`: column → columns of the source whose change changes it.
    `weights`: column → what a wanted term found in it adds to the relevance, past the 1 for being found at all.
    `heads`: columns of which only the first so many characters are weighed.
    """

    table: str
    source: str
    key: str
    columns: Mapping[str, Source]
    watch: Mapping[str, Sequence[str]]
    weights: Mapping[str, int]
    heads: Mapping[str, int] = field(default_factory=dict)

    # ---- what keeps it -----------------------------------------------------------

    def triggers(self) -> list[Trigger]:
        """Those on the source, and those on the table itself that cut words (MySQL) or fill FTS5 (SQLite)."""
        serves = f"search: {self.table}"
        groups: dict[tuple[str, ...], list[str]] = {}
        for column, watched in self.watch.items():
            groups.setdefault(tuple(watched), []).append(column)
        own = [
            Trigger(
                name=f"{self.table}_add",
                table=self.source,
                event="INSERT",
                body=lambda v: [self._insert(v)],
                serves=serves,
            ),
            Trigger(
                name=f"{self.table}_remove",
                table=self.source,
                event="DELETE",
                timing="BEFORE",
                body=[f"DELETE FROM {self.table} WHERE {self.key} = OLD.id"],
                serves=serves,
            ),
        ]
        for watched, columns in groups.items():
            if watched:
                own.append(self._follow(watched, columns, serves))
        return [*own, *mysql.triggers(self), *sqlite.triggers(self)]

    def _follow(self, watched: tuple[str, ...], columns: list[str], serves: str) -> Trigger:
        return Trigger(
            name=f"{self.table}_{columns[0]}",
            table=self.source,
            event="UPDATE",
            when=lambda vendor: " OR ".join(_changed(vendor, name) for name in watched),
            body=lambda vendor: [self.refresh(vendor, columns, "NEW", f"{self.key} = NEW.id")],
            serves=serves,
        )

    def refresh(self, vendor: str, columns: Sequence[str], row: str, where: str) -> str:
        """The statement that brings columns up to date with the source row `row`."""
        changes = ", ".join(f"{column} = {self.text(vendor, column, row)}" for column in columns)
        return f"UPDATE {self.table} SET {changes} WHERE {where}"

    def text(self, vendor: str, column: str, row: str) -> str:
        """SQL of what is put into a column: MySQL's table cuts the words itself, SQLite calls the Python function."""
        sql = self.raw(vendor, column, row)
        return sql if vendor == "mysql" else f"{sqlite.FUNCTION}({sql})"

    def raw(self, vendor: str, column: str, row: str) -> str:
        source = self.columns[column]
        return (source(vendor) if callable(source) else source).format(row=row)

    def _insert(self, vendor: str) -> str:
        names = ", ".join([self.key, *self.columns])
        values = ", ".join(["NEW.id", *(self.text(vendor, column, "NEW") for column in self.columns)])
        return f"INSERT INTO {self.table} ({names}) VALUES ({values})"

    def _fill(self, vendor: str, where: str = "1 = 1") -> str:
        names = ", ".join([self.key, *self.columns])
        values = ", ".join([f"{self.source}.id", *(self.text(vendor, column, self.source) for column in self.columns)])
        return f"INSERT INTO {self.table} ({names}) SELECT {values} FROM {self.source} WHERE {where}"

    # ---- migrations --------------------------------------------------------------

    def create(self) -> VendorSQL:
        """Migration operation: the full-text index on the table that the migration has made."""
        return VendorSQL(
            {"mysql": mysql.create(self), "sqlite": sqlite.create(self)},
            {"mysql": mysql.drop(self), "sqlite": sqlite.drop(self)},
        )

    def fill(self) -> VendorSQL:
        """Migration operation: the rows that were there before; after the triggers, which cut the words."""
        return VendorSQL({vendor: [self._fill(vendor)] for vendor in ("mysql", "sqlite")}, {})

    # ---- verification ------------------------------------------------------------

    def differences(self, batch: int = 500) -> Iterator[tuple[Any, str]]:
        """(key, column) of what is not in step with its source; the column is empty for a row too many or missing."""
        last: Any = None
        while True:
            keys = self._keys(last, batch)
            if not keys:
                return
            stored = self._rows(
                f"SELECT {self.key}, {', '.join(self.columns)} FROM {self.table} WHERE {self.key}", keys
            )
            raws = ", ".join(self.raw(connection.vendor, column, self.source) for column in self.columns)
            right = self._rows(f"SELECT {self.source}.id, {raws} FROM {self.source} WHERE {self.source}.id", keys)
            for key in keys:
                if key not in stored or key not in right:
                    yield key, ""
                    continue
                for column, have, want in zip(self.columns, stored[key], right[key], strict=True):
                    if sorted(fold(have or "").split()) != sorted(map(fold, words(want or ""))):
                        yield key, column
            last = keys[-1]

    def rebuild(self, batch: int = 500) -> int:
        """Write every row again, and on SQLite the FTS5 table; returns the number of rows."""
        count = 0
        last: Any = None
        while keys := self._keys(last, batch):
            self._rewrite(keys)
            count, last = count + len(keys), keys[-1]
        with connection.cursor() as cursor:
            for statement in sqlite.rebuild(self) if connection.vendor == "sqlite" else ():
                cursor.execute(statement)
        return count

    def _rewrite(self, keys: list[Any]) -> None:
        places = ", ".join(["%s"] * len(keys))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {self.table} WHERE {self.key} IN ({places})", keys)
            cursor.execute(self._fill(connection.vendor, f"{self.source}.id IN ({places})"), keys)

    def _keys(self, last: Any, batch: int) -> list[Any]:
        after = ("WHERE id > %s", f"WHERE {self.key} > %s") if last is not None else ("", "")
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT id FROM (SELECT id FROM {self.source} {after[0]}"
                f" UNION SELECT {self.key} FROM {self.table} {after[1]}) AS every_key ORDER BY id LIMIT {batch}",
                [last, last] if last is not None else [],
            )
            return [key for (key,) in cursor.fetchall()]

    def _rows(self, select: str, keys: list[Any]) -> dict[Any, tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(f"{select} IN ({', '.join(['%s'] * len(keys))})", keys)
            return {row[0]: row[1:] for row in cursor.fetchall()}


def _changed(vendor: str, column: str) -> str:
    """True when any byte of the column changes: to MySQL's collation another accent is no change."""
    old, new = f"OLD.{column}", f"NEW.{column}"
    if vendor == "mysql":
        old, new = f"CAST({old} AS BINARY)", f"CAST({new} AS BINARY)"
    return distinct(vendor, old, new)
