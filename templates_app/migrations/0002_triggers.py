"""The triggers and views that templates_app/triggers.py declares."""

from django.db import migrations

from promptlib.core.sql import InstallSchemaObjects


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("templates_app", "0001_initial")]
    operations = [InstallSchemaObjects("templates_app")]
