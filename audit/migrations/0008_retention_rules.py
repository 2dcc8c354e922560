"""How long things of a kind stay."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
import promptlib.core.fields
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0007_hold_triggers'),
        ('contenttypes', '0002_remove_content_type_name'),
    ]

    operations = [
        migrations.CreateModel(
            name='RetentionRule',
            fields=[
                ('id', promptlib.core.fields.UUIDv7Field(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('trash_days', models.PositiveIntegerField(blank=True, help_text='Then purge_trash deletes them for good. Empty: as RETENTION_TRASH_DAYS says.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(36500)], verbose_name='days in the trash')),
                ('idle_days', models.PositiveIntegerField(blank=True, help_text='Then purge_trash moves them to the trash. Empty: never.', null=True, validators=[django.core.validators.MinValueValidator(30), django.core.validators.MaxValueValidator(36500)], verbose_name='days untouched')),
                ('content_type', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contenttypes.contenttype', verbose_name='kind')),
            ],
            options={
                'verbose_name': 'retention rule',
                'verbose_name_plural': 'retention rules',
                'db_table': 'retention_rules',
                'constraints': [models.CheckConstraint(condition=models.Q(('trash_days__isnull', True), ('trash_days__gte', 1), _connector='OR'), name='retention_rules_trash_days'), models.CheckConstraint(condition=models.Q(('idle_days__isnull', True), ('idle_days__gte', 30), _connector='OR'), name='retention_rules_idle_days')],
            },
        ),
    ]
