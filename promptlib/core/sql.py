"""Raw SQL that models cannot say: triggers, views and statements that differ between MySQL and SQLite.

An app declares its triggers and views once, in `triggers.py` and `reports.py`. A migration installs them, and `sync`
puts back whatever a later migration lost: SQLite drops a table's triggers silently when it rebuilds the table.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from django.apps import apps
from django.db import connection as default_connection
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations import RunPython
from django.db.utils import OperationalError
from django.utils.module_loading import module_has_submodule

Event = Literal["INSERT", "UPDATE", "DELETE"]
Statements = Sequence[str] | Callable[[str], Sequence[str]]


def distinct(vendor: str, left: str, right: str) -> str:
    """SQL that is true when two values differ, NULL being a value like any other."""
    return f"NOT ({left} <=> {right})" if vendor == "mysql" else f"{left} IS NOT {right}"


def differs(vendor: str, left: str, right: str) -> str:
    """As `distinct`, byte for byte: MySQL's collation takes "Résumé" and "resume" for one."""
    if vendor == "mysql":
        left, right = f"CAST({left} AS BINARY)", f"CAST({right} AS BINARY)"
    return distinct(vendor, left, right)


def refuse(vendor: str, message: str) -> str:
    """A statement that stops the write with `message`: OperationalError 1644 on MySQL, IntegrityError on SQLite."""
    text = message.replace("'", "''")
    if vendor == "mysql":
        return f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{text}'"
    return f"SELECT RAISE(ABORT, '{text}')"


@dataclass(frozen=True)
class Trigger:
    """One row trigger. `body` and `when` are SQL for both databases, or functions of the vendor's name."""

    name: str
    table: str
    event: Event
    body: Statements
    timing: Literal["BEFORE", "AFTER"] = "AFTER"
    when: str | Callable[[str], str] = ""
    serves: str = ""
    vendors: tuple[str, ...] = ("mysql", "sqlite")
    needs: tuple[str, ...] = ()
    """Other tables that it reads and that a later migration makes: until then it is left out."""
    columns: tuple[str, ...] = ()
    """Of an update: SQLite looks at the trigger only when a statement sets one of these; MySQL always asks `when`."""

    def create_sql(self, vendor: str) -> str:
        body = self.body(vendor) if callable(self.body) else self.body
        when = self.when(vendor) if callable(self.when) else self.when
        statements = "".join(f" {statement};" for statement in body)
        event = f"{self.event} OF {', '.join(self.columns)}" if self.columns and vendor == "sqlite" else self.event
        head = f"CREATE TRIGGER {self.name} {self.timing} {event} ON {self.table} FOR EACH ROW"
        if vendor == "mysql":
            inner = f" IF {when} THEN{statements} END IF;" if when else statements
            return f"{head} BEGIN{inner} END"
        return f"{head}{f' WHEN {when}' if when else ''} BEGIN{statements} END"

    def drop_sql(self) -> str:
        return f"DROP TRIGGER IF EXISTS {self.name}"


@dataclass(frozen=True)
class View:
    """One view. `select` is SQL for both databases, or a function of the vendor's name."""

    name: str
    select: str | Callable[[str], str]
    serves: str = ""
    vendors: tuple[str, ...] = ("mysql", "sqlite")

    def create_sql(self, vendor: str) -> str:
        select = self.select(vendor) if callable(self.select) else self.select
        return f"CREATE VIEW {self.name} AS {' '.join(select.split())}"

    def drop_sql(self) -> str:
        return f"DROP VIEW IF EXISTS {self.name}"


SchemaObject = Trigger | View


DECLARED_IN = {"triggers": "TRIGGERS", "reports": "VIEWS", "search": "TRIGGERS"}
"""Module of an app → the list in it."""


def declared(app_label: str | None = None, modules: Sequence[str] = tuple(DECLARED_IN)) -> list[SchemaObject]:
    """The triggers and views of one app, or of all, that the given modules declare."""
    found: list[SchemaObject] = []
    for config in apps.get_app_configs():
        if app_label not in (None, config.label):
            continue
        for module in modules:
            if config.module is not None and module_has_submodule(config.module, module):
                found += getattr(import_module(f"{config.name}.{module}"), DECLARED_IN[module], [])
    return found


def execute(connection: BaseDatabaseWrapper, statement: str) -> None:
    """Run one statement as it stands (no parameters, so a percent sign is a percent sign)."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(statement, None)
        except OperationalError as error:
            if error.args and error.args[0] == 1419:
                raise OperationalError(
                    "MySQL keeps a binary log and does not let this account create triggers. Start the server with "
                    "--log-bin-trust-function-creators=1 (docker-compose.yml does) or grant the account SUPER, then "
                    "run migrate again."
                ) from error
            raise


def install(objects: Sequence[SchemaObject], connection: BaseDatabaseWrapper = default_connection) -> None:
    for thing in objects:
        if connection.vendor not in thing.vendors:
            continue
        execute(connection, thing.drop_sql())
        execute(connection, thing.create_sql(connection.vendor))


def drop(objects: Sequence[SchemaObject], connection: BaseDatabaseWrapper = default_connection) -> None:
    for thing in reversed(objects):
        execute(connection, thing.drop_sql())


def _normalized(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).strip().rstrip(";")


def live_definitions(connection: BaseDatabaseWrapper = default_connection) -> dict[str, str]:
    """Name and text of the triggers and views that are in the database; a MySQL view's text is not its own."""
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute(
                "SELECT trigger_name, CONCAT('CREATE TRIGGER ', trigger_name, ' ', action_timing, ' ',"
                " event_manipulation, ' ON ', event_object_table, ' FOR EACH ROW ', action_statement)"
                " FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
                " UNION ALL SELECT table_name, '' FROM information_schema.views WHERE table_schema = DATABASE()"
            )
        else:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'view')")
        return {name: _normalized(sql) for name, sql in cursor.fetchall()}


def missing(connection: BaseDatabaseWrapper = default_connection) -> list[SchemaObject]:
    """Declared triggers and views that the database lacks or holds in another form."""
    live = live_definitions(connection)
    return [
        thing
        for thing in declared()
        if connection.vendor in thing.vendors
        and (
            thing.name not in live
            or (live[thing.name] and live[thing.name] != _normalized(thing.create_sql(connection.vendor)))
        )
    ]


def sync(using: str = "default", **_signal: Any) -> None:
    """After `migrate`: put back what a rebuilt table lost, and bring in what was declared anew, once all is applied."""
    executor = MigrationExecutor(connections[using])
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        install(missing(executor.connection), executor.connection)


class InstallSchemaObjects(RunPython):
    """Migration operation: create the triggers and views that modules of one app declare; backwards, drop them.

    Triggers on tables that are not there yet are left to the migration that makes them.
    """

    def __init__(self, app_label: str, *modules: str) -> None:
        self.app_label, self.modules = app_label, modules or ("triggers", "reports")
        super().__init__(self._install, self._drop, atomic=False)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.app_label, *self.modules], {}

    def _install(self, _apps: Any, schema_editor: Any) -> None:
        tables = set(schema_editor.connection.introspection.table_names())
        objects = declared(self.app_label, self.modules)
        there = [each for each in objects if isinstance(each, View) or {each.table, *each.needs} <= tables]
        install(there, schema_editor.connection)

    def _drop(self, _apps: Any, schema_editor: Any) -> None:
        drop(declared(self.app_label, self.modules), schema_editor.connection)


class DropSchemaObjects(InstallSchemaObjects):
    """The reverse of `InstallSchemaObjects`: before a table is altered, its triggers and the views over it go.

    A migration that alters a table stands between the two, so that SQLite, which makes the table anew, loses nothing.
    """

    def __init__(self, app_label: str, *modules: str) -> None:
        super().__init__(app_label, *modules)
        self.code, self.reverse_code = self._drop, self._install


class VendorSQL(RunPython):
    """Migration operation: statements per vendor, each run alone; backwards, the ones of `reverse`."""

    def __init__(self, forward: dict[str, list[str]], reverse: dict[str, list[str]]) -> None:
        self.forward, self.reverse = forward, reverse
        super().__init__(self._run(forward), self._run(reverse), atomic=False)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.forward, self.reverse], {}

    @staticmethod
    def _run(statements: dict[str, list[str]]) -> Callable[[Any, Any], None]:
        def run(_apps: Any, schema_editor: Any) -> None:
            for statement in statements.get(schema_editor.connection.vendor, []):
                execute(schema_editor.connection, statement)

        return run


def uuid_text(vendor: str, column: str) -> str:
    """SQL for a UUID column as 36 characters, as reports show it."""
    if vendor == "mysql":
        return f"BIN_TO_UUID({column})"
    parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    return " || '-' || ".join(f"SUBSTR({column}, {start}, {length})" for start, length in parts)


def joined(vendor: str, *parts: str) -> str:
    """SQL for texts put together; NULL in one makes the whole NULL on both databases."""
    return f"CONCAT({', '.join(parts)})" if vendor == "mysql" else " || ".join(parts)
