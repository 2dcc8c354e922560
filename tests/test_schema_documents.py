"""docs/database/ says what is in the database: no more, no less."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from promptlib.core import sql
from promptlib.core.er_diagram import draw, is_ours

DOCUMENTS = Path(settings.BASE_DIR) / "docs" / "database"
GENERATED = re.compile(r"(_[0-9a-f]{8}(_fk_.*|_uniq|_like)?|_fk_.*|_uniq|_chk_\d+)$")


def documented() -> set[str]:
    """Every name in the first column of a table of the document."""
    text = (DOCUMENTS / "CONSTRAINTS_AND_INDEXES.md").read_text()
    return set(re.findall(r"^\| `([^`]+)`", text, re.MULTILINE))


def tables() -> list[str]:
    joins = {
        relation.remote_field.through._meta.db_table
        for model in apps.get_models()
        if is_ours(model)
        for relation in model._meta.many_to_many
    }
    return sorted({model._meta.db_table for model in apps.get_models() if is_ours(model)} | joins)


@pytest.mark.django_db
def test_every_constraint_and_index_is_documented() -> None:
    """Names that Django makes up for single columns (foreign keys, unique columns) are described as a rule."""
    live = set()
    with connection.cursor() as cursor:
        for table in tables():
            for name, constraint in connection.introspection.get_constraints(cursor, table).items():
                columns = constraint["columns"]
                made_up = GENERATED.search(name) or name == "PRIMARY" or name.startswith(("__", "sqlite_"))
                single = len(columns) == 1 and (constraint["foreign_key"] or constraint["unique"] or name in columns)
                if not made_up and not (single and name not in documented()):
                    live.add(name)
    declared = {
        part.name
        for model in apps.get_models()
        if is_ours(model)
        for part in (*model._meta.constraints, *model._meta.indexes)
    }
    assert declared - documented() == set()
    assert live - documented() == set()


@pytest.mark.django_db
def test_every_trigger_and_view_is_documented_and_installed() -> None:
    names = {thing.name for thing in sql.declared()}
    assert names - documented() == set()
    assert sql.missing(connection) == []


@pytest.mark.django_db(transaction=True)
def test_migrate_puts_back_a_trigger_that_a_rebuilt_table_lost() -> None:
    lost = [thing for thing in sql.declared() if thing.name.startswith("audit_logs_refuse")]
    sql.drop(lost)
    assert sql.missing(connection) == lost
    call_command("migrate", verbosity=0)
    assert sql.missing(connection) == []
    assert {name for name in sql.live_definitions(connection) if not name.startswith("sqlite_")} <= documented()


@pytest.mark.django_db
def test_the_document_names_nothing_that_is_gone() -> None:
    known = {thing.name for thing in sql.declared()} | set(tables())
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            known |= set(connection.introspection.get_constraints(cursor, table))
    vanished = documented() - known
    other = "mysql" if connection.vendor == "sqlite" else "sqlite"
    text = (DOCUMENTS / "CONSTRAINTS_AND_INDEXES.md").read_text().lower()
    only_there = {name for name in vanished if re.search(rf"\| `{re.escape(name)}` .*\({other} only\)", text)}
    assert vanished - only_there == set()


def test_the_diagram_is_drawn_from_the_models_as_they_are() -> None:
    assert (DOCUMENTS / "ER_DIAGRAM.md").read_text() == draw(), "run manage.py er_diagram --write"
