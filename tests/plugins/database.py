"""How a transactional test gives the database back.

Django's flush deletes every row: the append-only tables refuse that, and the rows that migrations put in would be gone
for the tests that follow. So the database is put back to what `migrate` left: on SQLite by copying its pages, on MySQL
by deleting rows, where triggers allow it, and inserting the remembered ones.

What `migrate` makes of SQLite is kept under `.cache/` for the next run with the same schema.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection
from django.test import TransactionTestCase

Rows = list[tuple[Any, ...]]

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ("requirements.txt", "*/migrations/*.py", "*/models*", "*/models/*.py", "*/triggers.py", "*/reports.py")
SCHEMA += ("*/search.py", "*/initial_data.py", "promptlib/core/**/*.py")
"""What a migrated database is made from."""

PATIENCE = "lock_wait_timeout = {}, innodb_lock_wait_timeout = {}"


class SQLiteState:
    """The pages of a SQLite database."""

    def __init__(self) -> None:
        connection.ensure_connection()
        self.pages = sqlite3.connect(":memory:", check_same_thread=False)
        connection.connection.backup(self.pages)

    def restore(self) -> None:
        connection.ensure_connection()
        self.pages.backup(connection.connection)

    def keep(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        with closing(sqlite3.connect(unfinished)) as copy:
            self.pages.backup(copy)
        for older in path.parent.glob("*.sqlite3"):
            older.unlink(missing_ok=True)
        unfinished.rename(path)


class MySQLState:
    """The rows of a MySQL database, table by table."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT table_name FROM information_schema.tables"
                " WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
            )
            self.tables = [name for (name,) in cursor.fetchall()]
            cursor.execute(
                "SELECT table_name, column_name FROM information_schema.columns"
                " WHERE table_schema = DATABASE() AND generation_expression = '' ORDER BY table_name, ordinal_position"
            )
            self.columns: dict[str, list[str]] = {}
            for table, column in cursor.fetchall():
                self.columns.setdefault(table, []).append(f"`{column}`")
        self.rows = {table: self._read(table) for table in self._filled()}

    def _filled(self) -> list[str]:
        checks = " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM `{table}`)" for table in self.tables)
        with connection.cursor() as cursor:
            cursor.execute(checks)
            return [name for (name,) in cursor.fetchall()]

    def _read(self, table: str) -> Rows:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(self.columns[table])} FROM `{table}`")
            return list(cursor.fetchall())

    def restore(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET SESSION foreign_key_checks = 0, {PATIENCE.format(20, 20)}")
            try:
                for _ in range(4):  # what a trigger writes while rows go is seen the next time
                    changed = self._changed()
                    if not changed:
                        return
                    for table in changed:
                        self._empty(cursor, table)
                    for table in changed:
                        self._fill(cursor, table)
                raise RuntimeError(f"These tables are not as they were: {', '.join(changed)}")
            finally:
                cursor.execute(f"SET SESSION foreign_key_checks = 1, {PATIENCE.format('DEFAULT', 'DEFAULT')}")

    def _changed(self) -> list[str]:
        return [
            table
            for table in {*self._filled(), *self.rows}
            if table not in self.rows or sorted(map(repr, self._read(table))) != sorted(map(repr, self.rows[table]))
        ]

    def _empty(self, cursor: Any, table: str) -> None:
        """A table is made anew only where a trigger refuses, or counts below nought: that takes far longer."""
        try:
            cursor.execute(f"DELETE FROM `{table}`")
        except DatabaseError:
            cursor.execute(f"TRUNCATE TABLE `{table}`")

    def _fill(self, cursor: Any, table: str) -> None:
        if self.rows.get(table):
            columns = self.columns[table]
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO `{table}` ({', '.join(columns)}) VALUES ({marks})", self.rows[table])


def migrated() -> Path:
    """The file in `.cache/` for a migrated SQLite database of the present schema."""
    sources = sorted({path for pattern in SCHEMA for path in ROOT.glob(pattern) if path.is_file()})
    digest = hashlib.sha256(b"".join(str(path).encode() + path.read_bytes() for path in sources))
    return ROOT / ".cache" / "migrated" / f"{digest.hexdigest()[:20]}.sqlite3"


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool) -> bool:
    """True as well where this run starts from what an earlier one migrated."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("mysql") or not migrated().exists():
        return django_db_keepdb
    shutil.copy(migrated(), database["TEST"]["NAME"])
    return True


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        state = MySQLState() if connection.vendor == "mysql" else SQLiteState()
        if isinstance(state, SQLiteState) and not migrated().exists():
            state.keep(migrated())
        # What is asked once and then known: else the first test to need it pays a query more.
        ContentType.objects.get_for_models(*apps.get_models())
        assert connection.features.supports_json_field
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: state.restore())
        yield
