"""Who is in the trash has no place in a conversation that counts."""

from typing import Any

from django.db import migrations

from promptlib.core import sql

OF_ALL = "SELECT COUNT(*) FROM conversation_participants WHERE conversation_id = conversations.id"
OF_LIVING = f"{OF_ALL} AND user_id IN (SELECT id FROM users WHERE deleted_at IS NULL)"  # noqa: S608  # our names
CONCERNED = "SELECT conversation_id FROM conversation_participants WHERE user_id IN (SELECT id FROM users WHERE deleted_at IS NOT NULL)"
RECOUNT = "UPDATE conversations SET participant_count = ({number}) WHERE id IN ({concerned})"


def drop(_apps: Any, schema_editor: Any) -> None:
    """Forwards, `migrate` installs them at its end."""
    sql.drop([each for each in sql.declared("conversations", ["triggers"]) if each.table == "users"], schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("conversations", "0007_following"), ("accounts", "0001_initial")]
    operations = [
        migrations.RunPython(migrations.RunPython.noop, drop),
        migrations.RunSQL(
            RECOUNT.format(number=OF_LIVING, concerned=CONCERNED), RECOUNT.format(number=OF_ALL, concerned=CONCERNED)
        ),
    ]
