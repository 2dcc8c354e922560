"""What somebody in the trash likes counts for nothing."""

from typing import Any

from django.db import migrations

from promptlib.core import sql

OF_ALL = "SELECT COUNT(*) FROM template_favorites WHERE template_id = templates.id"
OF_LIVING = f"{OF_ALL} AND user_id IN (SELECT id FROM users WHERE deleted_at IS NULL)"  # noqa: S608  # our names
CONCERNED = "SELECT template_id FROM template_favorites WHERE user_id IN (SELECT id FROM users WHERE deleted_at IS NOT NULL)"
RECOUNT = "UPDATE templates SET favorite_count = ({number}) WHERE id IN ({concerned})"


def drop(_apps: Any, schema_editor: Any) -> None:
    """Forwards, `migrate` installs them at its end."""
    sql.drop([each for each in sql.declared("templates_app", ["triggers"]) if each.table == "users"], schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("templates_app", "0010_owners_follow"), ("accounts", "0001_initial")]
    operations = [
        migrations.RunPython(migrations.RunPython.noop, drop),
        migrations.RunSQL(
            RECOUNT.format(number=OF_LIVING, concerned=CONCERNED), RECOUNT.format(number=OF_ALL, concerned=CONCERNED)
        ),
    ]
