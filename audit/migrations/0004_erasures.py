"""Erasures: what they may make anonymous in the log, and seals that still prove such rows."""

import django.db.models.functions.datetime
import django.utils.timezone
import uuid_utils.compat
from django.db import migrations, models

import promptlib.core.fields
from promptlib.core.sql import DropSchemaObjects, InstallSchemaObjects

ACTIONS = [
    (0, "created"),
    (1, "changed"),
    (2, "deleted"),
    (3, "opened"),
    (4, "restored"),
    (5, "deleted for good"),
    (6, "signed in"),
    (7, "failed to sign in"),
    (8, "signed out"),
    (9, "ran"),
    (10, "changed the password"),
    (11, "changed the second factor"),
    (12, "changed permissions"),
    (13, "exported"),
    (14, "imported"),
    (15, "erased"),
]
PURGE, ERASE = 5, 15


def call_erasures_purges(apps, schema_editor):
    """Backwards: the constraint before knows no erasures."""
    apps.get_model("audit", "AuditLog")._base_manager.filter(action=ERASE).update(action=PURGE)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("audit", "0003_seal_entries")]
    operations = [
        DropSchemaObjects("audit"),
        migrations.RemoveConstraint("auditlog", "audit_logs_action_known"),
        migrations.RunPython(migrations.RunPython.noop, call_erasures_purges),
        migrations.AlterField(
            "auditlog", "action", models.PositiveSmallIntegerField(verbose_name="action", choices=ACTIONS)
        ),
        migrations.AddConstraint(
            "auditlog",
            models.CheckConstraint(condition=models.Q(("action__range", (0, 15))), name="audit_logs_action_known"),
        ),
        # What is there already was sealed by one digest over the whole row.
        migrations.AddField(
            "auditseal",
            "version",
            models.PositiveSmallIntegerField(default=1, verbose_name="version", help_text="How the entries were made."),
        ),
        migrations.AlterField(
            "auditseal",
            "version",
            models.PositiveSmallIntegerField(default=2, verbose_name="version", help_text="How the entries were made."),
        ),
        migrations.CreateModel(
            name="AuditRedaction",
            fields=[
                (
                    "id",
                    promptlib.core.fields.UUIDv7Field(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                        editable=False,
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                ("row_id", promptlib.core.fields.UUIDField(verbose_name="row")),
                (
                    "part",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "who did it, and from where"), (2, "what it tells of the thing")],
                        verbose_name="part",
                    ),
                ),
                (
                    "erasure_id",
                    promptlib.core.fields.UUIDField(
                        db_index=True,
                        help_text="The row of the log that says who was erased.",
                        verbose_name="erasure",
                    ),
                ),
                (
                    "before",
                    models.BinaryField(
                        help_text="The row's digests as it was: see audit/proof/digests.py.", verbose_name="before"
                    ),
                ),
                ("signature", models.CharField(max_length=64, verbose_name="signature")),
            ],
            options={
                "verbose_name": "redaction of the audit log",
                "verbose_name_plural": "redactions of the audit log",
                "db_table": "audit_redactions",
                "ordering": ("-id",),
                "constraints": [
                    models.UniqueConstraint(fields=("row_id", "part"), name="audit_redactions_once"),
                    models.CheckConstraint(condition=models.Q(("part__range", (1, 2))), name="audit_redactions_part_known"),
                ],
            },
        ),
        InstallSchemaObjects("audit"),
    ]
