"""Many rows at once: triggers away, rows in, statistics and full-text indexes recomputed set-based, triggers back."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from promptlib.core import search, sql
from promptlib.core.search import mysql, sqlite
from promptlib.core.search.alphabet import fold
from promptlib.core.statistics import Copy, Counter, declared

CHUNK = 5000
STATEMENT_BYTES = 8 * 1024 * 1024


# ---- values ------------------------------------------------------------------


def key(at: datetime, number: int) -> Any:
    """A UUIDv7 of that millisecond as the database keeps it; distinct and rising for numbers of one run."""
    milliseconds = int(at.timestamp() * 1000)
    value = milliseconds << 80 | 0x7 << 76 | (number & 0xFFF) << 64 | 0b10 << 62 | number
    return value.to_bytes(16, "big") if connection.vendor == "mysql" else f"{value:032x}"


def written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def indexed(words: str) -> str:
    """Words joined by spaces, as a row of a search table holds them; MySQL's collation does the folding."""
    if connection.vendor == "mysql":
        return f" {words} " if words else " "
    folded = words.lower() if words.isascii() else " ".join(map(fold, words.split()))
    return f" {folded} "


# ---- rows --------------------------------------------------------------------


def insert(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows by statements of several megabytes (MySQL) or by one prepared statement (SQLite)."""
    rows = list(rows)
    names = ", ".join(connection.ops.quote_name(name) for name in columns)
    marks = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.cursor.cursor.max_stmt_length = STATEMENT_BYTES
        for start in range(0, len(rows), CHUNK):
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows[start : start + CHUNK])


@contextmanager
def without_triggers() -> Iterator[None]:
    """No triggers, no full-text indexes and no foreign keys inside; whatever happens, all of them afterwards."""
    triggers = [thing for thing in sql.declared() if isinstance(thing, sql.Trigger)]
    indexes = search.indexes() if connection.vendor == "mysql" else []
    sql.drop(triggers)
    try:
        _run(statement for index in indexes for statement in mysql.drop(index))
        with connection.constraint_checks_disabled():
            yield
    finally:
        _run(statement for index in indexes for statement in mysql.create(index))
        sql.install(triggers)


def _run(statements: Iterable[str]) -> None:
    for statement in statements:
        sql.execute(connection, statement)


# ---- what follows from the rows ----------------------------------------------


def recompute() -> None:
    """Every statistic from its rows, as the triggers would have kept it, and SQLite's full-text tables."""
    for statistic in declared():
        with transaction.atomic():
            _run(_counted(statistic) if isinstance(statistic, Counter) else [_copied(statistic)])
    if connection.vendor == "sqlite":
        for index in search.indexes():
            with transaction.atomic():
                _run(sqlite.rebuild(index))
    _run(["ANALYZE"] if connection.vendor == "sqlite" else [f"ANALYZE TABLE {', '.join(_tables())}"])


def _tables() -> list[str]:
    return connection.introspection.django_table_names(only_existing=True, include_views=False)


def _counted(counter: Counter) -> list[str]:
    keys = [f"{source.format(row=counter.source)} AS key_{name}" for name, source in counter.key.items()]
    values = [f"SUM({source.format(row=counter.source)}) AS new_{name}" for name, source in counter.sums.items()]
    values += [f"MAX({source.format(row=counter.source)}) AS new_{name}" for name, source in counter.latest.items()]
    groups = ", ".join(f"key_{name}" for name in counter.key)
    totals = (
        f"(SELECT {', '.join([*keys, *values])} FROM {counter.source}"
        f" WHERE {counter.when.format(row=counter.source)} GROUP BY {groups}) AS totals"
    )
    if counter.upsert:
        new_id = "UUID_TO_BIN(UUID(), 1)" if connection.vendor == "mysql" else "lower(hex(randomblob(16)))"
        columns = ", ".join(["id", *counter.key, *counter.sums])
        chosen = ", ".join(
            [new_id, *(f"key_{name}" for name in counter.key), *(f"new_{name}" for name in counter.sums)]
        )
        return [
            f"DELETE FROM {counter.target}",
            f"INSERT INTO {counter.target} ({columns}) SELECT {chosen} FROM {totals}",
        ]
    changes = ", ".join(f"{name} = totals.new_{name}" for name in counter.columns)
    match = " AND ".join(f"{counter.target}.{name} = totals.key_{name}" for name in counter.key)
    if connection.vendor == "mysql":
        changes = ", ".join(f"{counter.target}.{name} = totals.new_{name}" for name in counter.columns)
        return [f"UPDATE {counter.target} JOIN {totals} ON {match} SET {changes}"]
    return [f"UPDATE {counter.target} SET {changes} FROM {totals} WHERE {match}"]


def _copied(copy: Copy) -> str:
    return f"UPDATE {copy.target} SET {copy.column} = ({copy.value})"
