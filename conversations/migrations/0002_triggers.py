"""The triggers and views that conversations/triggers.py and reports.py declare."""

from django.db import migrations

from promptlib.core.sql import InstallSchemaObjects


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("conversations", "0001_initial")]
    operations = [InstallSchemaObjects("conversations")]
