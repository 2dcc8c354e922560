"""One searchable kind of thing: the table that holds its words, what keeps the table, and how a hit is weighed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from promptlib.core.search import mysql, sqlite
from promptlib.core.search.alphabet import fold
from promptlib.core.search.words import words
from promptlib.core.sql import Event, Trigger, VendorSQL, distinct

Source = str | Callable[[str], str]
"""SQL of a text of one source row, written `{row}`; or a function of the vendor's name that gives it."""


@dataclass(frozen=True)
class Index:
    """`table` has one row per row of `source` (its id in the column `key`), and in each column the words of a text.

    `columns`: column → SQL of its text. `watch`: column → columns of the source whose change changes it.
    `when`: SQL, which source rows are searched at all. A row should enter once and change seldom: InnoDB's full text
    keeps a list of every version of a row that was replaced, and reads it in every search (100,000: some 30 ms).
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
    when: str = ""

    # ---- what keeps it -----------------------------------------------------------

    def triggers(self) -> list[Trigger]:
        """Those on the source, and those on the table itself that cut words (MySQL) or fill FTS5 (SQLite)."""
        was, now = self.when.format(row="OLD"), self.when.format(row="NEW")
        remove = f"DELETE FROM {self.table} WHERE {self.key} = OLD.id"
        own = [
            self._trigger("add", "INSERT", lambda vendor: self._insert(vendor), when=now),
            self._trigger("remove", "DELETE", lambda vendor: remove, timing="BEFORE"),
        ]
        if self.when:
            own += [
                self._trigger("enter", "UPDATE", lambda vendor: self._insert(vendor), when=f"NOT ({was}) AND ({now})"),
                self._trigger("leave", "UPDATE", lambda vendor: remove, when=f"({was}) AND NOT ({now})"),
            ]
        groups: dict[tuple[str, ...], list[str]] = {}
        for column, watched in self.watch.items():
            groups.setdefault(tuple(watched), []).append(column)
        own += [self._follow(watched, columns) for watched, columns in groups.items()]
        return [*own, *mysql.triggers(self), *sqlite.triggers(self)]

    def _follow(self, watched: tuple[str, ...], columns: list[str]) -> Trigger:
        both = f"({self.when.format(row='OLD')}) AND ({self.when.format(row='NEW')}) AND " if self.when else ""
        return self._trigger(
            columns[0],
            "UPDATE",
            lambda vendor: self.refresh(vendor, columns, "NEW", f"{self.key} = NEW.id"),
            when=lambda vendor: f"{both}({' OR '.join(_changed(vendor, name) for name in watched)})",
        )

    def _trigger(self, name: str, event: Event, statement: Callable[[str], str], **options: Any) -> Trigger:
        return Trigger(
            name=f"{self.table}_{name}",
            table=self.source,
            event=event,
            body=lambda vendor: [statement(vendor)],
            serves=f"search: {self.table}",
            **options,
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
        where = f"{where} AND {self._searched}"
        names = ", ".join([self.key, *self.columns])
        values = ", ".join([f"{self.source}.id", *(self.text(vendor, column, self.source) for column in self.columns)])
        return f"INSERT INTO {self.table} ({names}) SELECT {values} FROM {self.source} WHERE {where}"

    @property
    def _searched(self) -> str:
        return f"({self.when.format(row=self.source)})" if self.when else "1 = 1"

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
            right = self._rows(
                f"SELECT {self.source}.id, {raws} FROM {self.source} WHERE {self._searched} AND {self.source}.id", keys
            )
            for key in keys:
                if key not in stored or key not in right:
                    yield key, ""
                    continue
                for column, have, want in zip(self.columns, stored[key], right[key], strict=True):
                    if sorted(fold(have or "").split()) != sorted(map(fold, words(want or ""))):
                        yield key, column
            last = keys[-1]

    def rebuild(self, batch: int = 500) -> int:
        """Write every row again and make the full-text index anew; returns the number of rows."""
        count = 0
        last: Any = None
        while keys := self._keys(last, batch):
            self._rewrite(keys)
            count, last = count + len(keys), keys[-1]
        with connection.cursor() as cursor:
            for statement in (mysql if connection.vendor == "mysql" else sqlite).rebuild(self):
                cursor.execute(statement)
        return count

    def forget(self) -> None:
        """Drop the words of rows that are gone, which an index may keep for a while."""
        with connection.cursor() as cursor:
            for statement in (mysql if connection.vendor == "mysql" else sqlite).forget(self):
                cursor.execute(statement)

    def _rewrite(self, keys: list[Any]) -> None:
        places = ", ".join(["%s"] * len(keys))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {self.table} WHERE {self.key} IN ({places})", keys)
            cursor.execute(self._fill(connection.vendor, f"{self.source}.id IN ({places})"), keys)

    def _keys(self, last: Any, batch: int) -> list[Any]:
        """The next keys of either table, in order."""
        found: set[Any] = set()
        with connection.cursor() as cursor:
            for column, table, where in (("id", self.source, self._searched), (self.key, self.table, "1 = 1")):
                after = f"AND {column} > %s" if last is not None else ""
                sql = f"SELECT {column} FROM {table} WHERE {where} {after} ORDER BY {column} LIMIT {batch}"
                cursor.execute(sql, [last] if last is not None else [])
                found |= {key for (key,) in cursor.fetchall()}
        return sorted(found)[:batch]

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
