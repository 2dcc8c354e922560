"""How a transactional test gives the database back.

Django's flush deletes every row: the append-only tables refuse that, and the rows that migrations put in would be gone
for the tests that follow. So the database is put back to what `migrate` left: on SQLite by copying its pages, on MySQL
by truncating (which fires no trigger) and inserting the remembered rows.
"""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import TransactionTestCase

Rows = list[tuple[Any, ...]]


class SQLiteState:
    """The pages of a SQLite database."""

    def __init__(self) -> None:
        connection.ensure_connection()
        self.pages = sqlite3.connect(":memory:", check_same_thread=False)
        connection.connection.backup(self.pages)

    def restore(self) -> None:
        connection.ensure_connection()
        self.pages.backup(connection.connection)


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
        changed = [
            table
            for table in {*self._filled(), *self.rows}
            if table not in self.rows or sorted(map(repr, self._read(table))) != sorted(map(repr, self.rows[table]))
        ]
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION foreign_key_checks = 0, lock_wait_timeout = 20")
            try:
                for table in changed:
                    cursor.execute(f"TRUNCATE TABLE `{table}`")
                for table in changed:
                    if self.rows.get(table):
                        columns = self.columns[table]
                        marks = ", ".join(["%s"] * len(columns))
                        cursor.executemany(
                            f"INSERT INTO `{table}` ({', '.join(columns)}) VALUES ({marks})", self.rows[table]
                        )
            finally:
                cursor.execute("SET SESSION foreign_key_checks = 1, lock_wait_timeout = DEFAULT")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        state = MySQLState() if connection.vendor == "mysql" else SQLiteState()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: state.restore())
        yield
