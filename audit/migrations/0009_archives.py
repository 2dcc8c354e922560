"""Files of old rows, and a log that lets go of what they hold; the triggers follow."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
import promptlib.core.fields
import uuid_utils.compat
from django.db import migrations, models

from promptlib.core.sql import DropSchemaObjects, InstallSchemaObjects


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('audit', '0008_retention_rules'),
    ]

    operations = [
        DropSchemaObjects("audit"),
        migrations.CreateModel(
            name='AuditArchive',
            fields=[
                ('id', promptlib.core.fields.UUIDv7Field(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('name', models.CharField(max_length=200, verbose_name='file')),
                ('first_row', promptlib.core.fields.UUIDField(verbose_name='first row')),
                ('last_row', promptlib.core.fields.UUIDField(unique=True, verbose_name='last row')),
                ('row_count', models.PositiveBigIntegerField(verbose_name='rows')),
                ('digest', models.CharField(help_text='SHA-256 of the file.', max_length=64, verbose_name='digest')),
                ('signature', models.CharField(max_length=64, verbose_name='signature')),
                ('last_seal', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='archive', to='audit.auditseal', verbose_name='last seal')),
            ],
            options={
                'verbose_name': 'archive of the audit log',
                'verbose_name_plural': 'archives of the audit log',
                'db_table': 'audit_archives',
                'ordering': ('-id',),
                'constraints': [models.CheckConstraint(condition=models.Q(('row_count__gt', 0)), name='audit_archives_not_empty'), models.CheckConstraint(condition=models.Q(('first_row__lte', models.F('last_row'))), name='audit_archives_in_order')],
            },
        ),
        InstallSchemaObjects("audit"),
    ]
