"""Triggers that keep what is held; `migrate` installs them on every table at its end, when all tables are there."""

from typing import Any

from django.db import migrations

from audit.triggers import HELD
from promptlib.core import sql


def drop(_apps: Any, schema_editor: Any) -> None:
    """Before the table of holds goes: the triggers of other tables read it."""
    sql.drop([thing for thing in sql.declared() if thing.name.endswith(HELD)], schema_editor.connection)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("audit", "0006_legal_holds")]
    operations = [migrations.RunPython(migrations.RunPython.noop, drop)]
