"""Statistics that triggers keep: declared once, turned into triggers, and recomputed from their rows to verify them.

SQL in a `Counter` writes `{row}` for the source row: NEW or OLD in a trigger, the source table in a recomputation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from importlib import import_module
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils.module_loading import module_has_submodule

from promptlib.core.sql import Event, Trigger, distinct

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Counter:
    """Columns of `target` that sum over rows of `source`.

    `key`: target column → SQL of the source row that names the target row (one column, or several with `upsert`).
    `when`: which source rows count. `sums`: target column → SQL number of one row. `latest`: target column → SQL time.
    `watch`: source columns whose change can change a sum. `upsert`: the target row is made when it is missing.
    `lives_with`: source column → table of the row that it names; while that is in the trash the source row does not
    count. Only where `key` is one column.
    """

    name: str
    source: str
    target: str
    key: Mapping[str, str]
    sums: Mapping[str, str]
    watch: tuple[str, ...]
    when: str = "1 = 1"
    latest: Mapping[str, str] = field(default_factory=dict)
    upsert: bool = False
    lives_with: tuple[str, str] | None = None

    @property
    def columns(self) -> list[str]:
        return [*self.sums, *self.latest]

    # ---- triggers --------------------------------------------------------------

    def triggers(self) -> list[Trigger]:
        """Insert adds, delete takes away, update does both; one trigger each, as SQLite's WHEN wants."""
        changed = self._changed
        return [
            self._trigger("INSERT", "add", lambda vendor: self._when("NEW")),
            self._trigger("DELETE", "take", lambda vendor: self._when("OLD")),
            self._trigger("UPDATE", "take", lambda vendor: f"({changed(vendor)}) AND ({self._when('OLD')})"),
            self._trigger("UPDATE", "add", lambda vendor: f"({changed(vendor)}) AND ({self._when('NEW')})"),
            *(self._triggers_of_holder(*self.lives_with) if self.lives_with else []),
        ]

    def _triggers_of_holder(self, column: str, holder: str) -> Iterator[Trigger]:
        """When what the source rows live with goes to the trash, and when it comes back."""
        [(key, of_source)] = self.key.items()
        rows = f"{self.source} WHERE {self.source}.{column} = NEW.id AND {self.when.format(row=self.source)}"
        target = of_source.format(row=self.source)
        for verb, sign, before, after in (("take", "-", "NULL", "NOT NULL"), ("add", "+", "NOT NULL", "NULL")):
            changes = ", ".join(
                f"{name} = {name} {sign} (SELECT SUM({sql.format(row=self.source)})"
                f" FROM {rows} AND {target} = {self.target}.{key})"
                for name, sql in self.sums.items()
            )
            yield Trigger(
                name=f"{self.name}_{holder}_{verb}",
                table=holder,
                event="UPDATE",
                columns=("deleted_at",),
                when=f"OLD.deleted_at IS {before} AND NEW.deleted_at IS {after}",
                body=[f"UPDATE {self.target} SET {changes} WHERE {key} IN (SELECT {target} FROM {rows})"],
                serves=f"{self.target}: {', '.join(self.columns)}",
            )

    def _trigger(self, event: Event, verb: str, when: Any) -> Trigger:
        return _CounterTrigger(
            name=f"{self.name}_{event.lower()}_{verb}",
            table=self.source,
            event=event,
            body=self._add if verb == "add" else self._take,
            when=when,
            serves=f"{self.target}: {', '.join(self.columns)}",
        )

    def _when(self, row: str) -> str:
        when = self.when.format(row=row)
        if not self.lives_with:
            return when
        column, holder = self.lives_with
        return f"{when} AND EXISTS (SELECT 1 FROM {holder} WHERE id = {row}.{column} AND deleted_at IS NULL)"

    def _changed(self, vendor: str) -> str:
        return " OR ".join(distinct(vendor, f"OLD.{column}", f"NEW.{column}") for column in self.watch)

    def _match(self, row: str) -> str:
        return " AND ".join(f"{column} = {sql.format(row=row)}" for column, sql in self.key.items())

    def _add(self, vendor: str) -> list[str]:
        if self.upsert:
            return self._upsert(vendor)
        changes = [f"{column} = {column} + {sql.format(row='NEW')}" for column, sql in self.sums.items()]
        for column, sql in self.latest.items():
            value = sql.format(row="NEW")
            changes.append(
                f"{column} = CASE WHEN {value} IS NULL OR {column} >= {value} THEN {column} ELSE {value} END"
            )
        return [f"UPDATE {self.target} SET {', '.join(changes)} WHERE {self._match('NEW')}"]

    def _take(self, vendor: str) -> list[str]:
        changes = [f"{column} = {column} - {sql.format(row='OLD')}" for column, sql in self.sums.items()]
        for column, sql in self.latest.items():
            changes.append(
                f"{column} = CASE WHEN {column} > {sql.format(row='OLD')} THEN {column} ELSE ({self._rest(sql)}) END"
            )
        return [f"UPDATE {self.target} SET {', '.join(changes)} WHERE {self._match('OLD')}"]

    def _rest(self, sql: str) -> str:
        same = " AND ".join(f"{key.format(row=self.source)} = {key.format(row='OLD')}" for key in self.key.values())
        return (
            f"SELECT MAX({sql.format(row=self.source)}) FROM {self.source} WHERE {same} AND {self._when(self.source)}"
        )

    def _upsert(self, vendor: str) -> list[str]:
        columns = ", ".join(["id", *self.key, *self.sums])
        new_id = "UUID_TO_BIN(UUID(), 1)" if vendor == "mysql" else "lower(hex(randomblob(16)))"
        values = ", ".join([new_id, *(sql.format(row="NEW") for sql in [*self.key.values(), *self.sums.values()])])
        insert = f"INSERT INTO {self.target} ({columns}) VALUES ({values})"
        if vendor != "mysql":
            added = ", ".join(f"{column} = {column} + excluded.{column}" for column in self.sums)
            return [f"{insert} ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {added}"]
        # A duplicate key undoes what the statement so far told the full-text indexes, so it must stay the exception.
        changes = ", ".join(f"{column} = {column} + {sql.format(row='NEW')}" for column, sql in self.sums.items())
        fresh = ", ".join(f"{self.target}.{column} = {self.target}.{column} + fresh.{column}" for column in self.sums)
        return [
            f"UPDATE {self.target} SET {changes} WHERE {self._match('NEW')}",
            f"IF ROW_COUNT() = 0 THEN {insert} AS fresh ON DUPLICATE KEY UPDATE {fresh}; END IF",
        ]

    # ---- recomputation ---------------------------------------------------------

    def differences(self, batch: int = 1000) -> Iterator[tuple[Row, str, Any, Any]]:
        """Each statistic that is not what its rows give: key, column, stored value, right value."""
        with connection.cursor() as cursor:
            for keys in self._key_batches(cursor, batch):
                stored, right = self._stored(cursor, keys), self._recomputed(cursor, keys)
                for key in sorted({*stored, *right}, key=repr):
                    for index, column in enumerate(self.columns):
                        nothing = None if column in self.latest else 0
                        have = stored[key][index] if key in stored else nothing
                        want = right[key][index] if key in right else nothing
                        if _plain(have) != _plain(want):
                            yield key, column, have, want

    def repair(self, key: Row, column: str, value: Any) -> None:
        """Write one right value; a missing `upsert` row is made first."""
        where = " AND ".join(f"{name} = %s" for name in self.key)
        with connection.cursor() as cursor:
            if self.upsert:
                cursor.execute(f"SELECT 1 FROM {self.target} WHERE {where}", key)
                if cursor.fetchone() is None:
                    new_id = "UUID_TO_BIN(UUID(), 1)" if connection.vendor == "mysql" else "lower(hex(randomblob(16)))"
                    places = ", ".join(["%s"] * len(key))
                    cursor.execute(
                        f"INSERT INTO {self.target} (id, {', '.join(self.key)}) VALUES ({new_id}, {places})", key
                    )
            cursor.execute(f"UPDATE {self.target} SET {column} = %s WHERE {where}", [value, *key])

    def _key_batches(self, cursor: CursorWrapper, batch: int) -> Iterator[list[Any]]:
        """The first key column's values in order, at most `batch` at a time."""
        column = next(iter(self.key))
        last: Any = None
        while True:
            after = f"WHERE {column} > %s" if last is not None else ""
            source = (
                f"UNION SELECT {self._first_key()} FROM {self.source} WHERE {self._when(self.source)}"
                if self.upsert
                else ""
            )
            cursor.execute(
                f"SELECT {column} FROM (SELECT {column} FROM {self.target} {source}) AS every_key {after}"
                f" GROUP BY {column} ORDER BY {column} LIMIT {batch}",
                [last] if last is not None else [],
            )
            keys = [row[0] for row in cursor.fetchall()]
            if not keys:
                return
            yield keys
            last = keys[-1]

    def _first_key(self) -> str:
        column, sql = next(iter(self.key.items()))
        return f"{sql.format(row=self.source)} AS {column}"

    def _stored(self, cursor: CursorWrapper, keys: list[Any]) -> dict[Row, Row]:
        column = next(iter(self.key))
        names = ", ".join([*self.key, *self.columns])
        cursor.execute(f"SELECT {names} FROM {self.target} WHERE {column} IN ({_places(keys)})", keys)
        return {_plain_row(row[: len(self.key)]): row[len(self.key) :] for row in cursor.fetchall()}

    def _recomputed(self, cursor: CursorWrapper, keys: list[Any]) -> dict[Row, Row]:
        key_sql = [sql.format(row=self.source) for sql in self.key.values()]
        values = [sql.format(row=self.source) for sql in [*self.sums.values(), *self.latest.values()]]
        names = [f"key_{index}" for index in range(len(key_sql))]
        totals = [f"SUM(value_{index})" for index in range(len(self.sums))]
        totals += [f"MAX(value_{index})" for index in range(len(self.sums), len(values))]
        columns = [f"{sql} AS {name}" for sql, name in zip(key_sql, names, strict=True)]
        columns += [f"{sql} AS value_{index}" for index, sql in enumerate(values)]
        cursor.execute(
            f"SELECT {', '.join([*names, *totals])} FROM (SELECT {', '.join(columns)} FROM {self.source}"
            f" WHERE {key_sql[0]} IN ({_places(keys)}) AND {self._when(self.source)}) AS counted"
            f" GROUP BY {', '.join(names)}",
            keys,
        )
        return {_plain_row(row[: len(names)]): row[len(names) :] for row in cursor.fetchall()}


@dataclass(frozen=True)
class _CounterTrigger(Trigger):
    """On MySQL an insert counts before the row goes in: the update's lock on the target comes before the foreign
    key's shared one, so that two inserts for one target wait for each other and never deadlock."""

    def create_sql(self, vendor: str) -> str:
        sql = super().create_sql(vendor)
        return sql.replace(" AFTER INSERT ", " BEFORE INSERT ", 1) if vendor == "mysql" else sql


def _places(values: list[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def _plain_row(row: Row) -> Row:
    return tuple(value if isinstance(value, str | bytes) else _plain(value) for value in row)


def _plain(value: Any) -> Any:
    """A value as both sides write it: exact decimals to six places (SQLite sums floats), times and days as text."""
    if isinstance(value, int | float | Decimal):
        return round(Decimal(str(value)), 6)
    return str(value) if isinstance(value, date) else value


@dataclass(frozen=True)
class Copy:
    """A column of `target` that repeats a value from elsewhere, kept by triggers of its own; `value` is its SQL."""

    name: str
    target: str
    column: str
    value: str

    def differences(self, batch: int = 1000) -> Iterator[tuple[Row, str, Any, Any]]:
        """Each row whose copy is not its original: (id,), column, stored value, right value."""
        with connection.cursor() as cursor:
            last: Any = None
            while True:
                cursor.execute(
                    f"SELECT id, {self.column}, ({self.value}) FROM {self.target}"
                    f" {'WHERE id > %s' if last is not None else ''} ORDER BY id LIMIT {batch}",
                    [last] if last is not None else [],
                )
                rows = cursor.fetchall()
                for key, have, want in rows:
                    if _plain(have) != _plain(want):
                        yield (key,), self.column, have, want
                if len(rows) < batch:
                    return
                last = rows[-1][0]

    def repair(self, key: Row, column: str, value: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {self.target} SET {column} = %s WHERE id = %s", [value, *key])


def declared() -> list[Counter | Copy]:
    """Every statistic of every app; the last app first, so that what is summed up again comes before its sums."""
    found: list[Counter | Copy] = []
    for config in reversed(list(apps.get_app_configs())):
        if config.module is not None and module_has_submodule(config.module, "triggers"):
            triggers = import_module(f"{config.name}.triggers")
            found += [*getattr(triggers, "COUNTERS", []), *getattr(triggers, "COPIES", [])]
    return found
