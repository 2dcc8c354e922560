"""The triggers and views that audit/triggers.py declares."""

from django.db import migrations

from promptlib.core.sql import InstallSchemaObjects


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("audit", "0001_initial")]
    operations = [InstallSchemaObjects("audit")]
