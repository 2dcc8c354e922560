"""A seal's entries: what tells which of its rows is not what was sealed."""

from django.db import migrations, models

from promptlib.core.sql import DropSchemaObjects, InstallSchemaObjects


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("audit", "0002_triggers")]
    operations = [
        DropSchemaObjects("audit"),
        migrations.AddField(
            "auditseal",
            "entries",
            models.BinaryField(
                verbose_name="entries", default=b"", help_text="Per row 16 bytes of id and 16 of digest."
            ),
        ),
        InstallSchemaObjects("audit"),
    ]
