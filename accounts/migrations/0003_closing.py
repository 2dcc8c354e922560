"""Accounts that are to be closed."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
import promptlib.core.fields
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_signin_uniqueness'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='closes_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='closes'),
        ),
        migrations.CreateModel(
            name='Closure',
            fields=[
                ('id', promptlib.core.fields.UUIDv7Field(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('reason', models.CharField(blank=True, max_length=500, verbose_name='reason')),
                ('is_erasure', models.BooleanField(default=False, verbose_name='erase the person')),
                ('plan', models.JSONField(blank=True, default=dict, help_text='Kind → hand_over or purge.', verbose_name='what becomes of what they made')),
                ('erasure_id', promptlib.core.fields.UUIDField(blank=True, editable=False, help_text='The audit row of an erasure that has begun.', null=True, verbose_name='erasure')),
                ('asked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('heir', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='to whom it is handed over')),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='closure', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'closing of an account',
                'verbose_name_plural': 'closings of accounts',
                'db_table': 'account_closures',
            },
        ),
    ]
