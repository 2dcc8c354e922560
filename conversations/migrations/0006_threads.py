"""Ways through a thread, offered places, tags, openings of links, limits of use, uploads, and templates made here."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
import promptlib.core.fields
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

from promptlib.core.sql import DropSchemaObjects, InstallSchemaObjects


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ('accounts', '0002_signin_uniqueness'),
        ('conversations', '0005_author_version_index'),
        ('templates_app', '0007_review_indexes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        DropSchemaObjects('conversations', 'triggers', 'reports', 'search'),
        migrations.AddField(
            model_name='participant',
            name='leaf',
            field=models.ForeignKey(blank=True, help_text='The end of the way through the thread that this person looked at last.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='conversations.prompt'),
        ),
        migrations.AlterField(
            model_name='aimodel',
            name='provider',
            field=models.CharField(choices=[('openai', 'OpenAI-compatible HTTP'), ('anthropic', 'Anthropic messages'), ('echo', 'Echo (a demonstration, no network)')], default='openai', max_length=32, verbose_name='provider'),
        ),
        migrations.CreateModel(
            name='ConversationImport',
            fields=[
                ('id', promptlib.core.fields.UUIDv7Field(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('filename', models.CharField(max_length=255, verbose_name='file')),
                ('format', models.CharField(max_length=32, verbose_name='format')),
                ('status', models.CharField(choices=[('preview', 'looked at'), ('running', 'being imported'), ('done', 'imported'), ('failed', 'failed')], default='preview', max_length=16, verbose_name='state')),
                ('total', models.PositiveIntegerField(default=0, verbose_name='conversations')),
                ('done', models.PositiveIntegerField(default=0, verbose_name='done')),
                ('outcomes', models.JSONField(blank=True, default=list, help_text='One entry per conversation.', verbose_name='outcomes')),
                ('error', models.TextField(blank=True, verbose_name='error')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='conversation_imports', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'import of conversations',
                'verbose_name_plural': 'imports of conversations',
                'db_table': 'conversation_imports',
            },
        ),
        migrations.CreateModel(
            name='ConversationTag',
            fields=[
                ('id', promptlib.core.fields.UUIDv7Field(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('conversation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tag_rows', to='conversations.conversation')),
                ('tag', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='templates_app.tag')),
            ],
            options={
                'verbose_name': 'tag on a conversation',
                'verbose_name_plural': 'tags on conversations',
                'db_table': 'conversation_tags',
            },
        ),
        migrations.CreateModel(
            name='ImportPart',
            fields=[
                ('id', promptlib.core.fields.UUIDv7Field(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('content', models.BinaryField(verbose_name='content')),
                ('upload', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='conversations.conversationimport')),
            ],
            options={
                'verbose_name': 'part of an upload',
                'verbose_name_plural': 'parts of uploads',
                'db_table': 'conversation_import_parts',
            },
        ),
        migrations.CreateModel(
            name='LinkView',
            fields=[
                ('id', promptlib.core.fields.UUIDv7Field(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('ip', models.GenericIPAddressField(blank=True, null=True, verbose_name='address')),
                ('user_agent', models.CharField(blank=True, max_length=300, verbose_name='browser')),
                ('link', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='views', to='conversations.sharelink')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'opening of a link',
                'verbose_name_plural': 'openings of links',
                'db_table': 'conversation_link_views',
            },
        ),
        migrations.CreateModel(
            name='SavedTemplate',
            fields=[
                ('id', promptlib.core.fields.UUIDv7Field(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('prompt', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_templates', to='conversations.prompt')),
                ('template', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='saved_from', to='templates_app.prompttemplate')),
            ],
            options={
                'verbose_name': 'template from an interaction',
                'verbose_name_plural': 'templates from interactions',
                'db_table': 'prompt_templates',
            },
        ),
        migrations.CreateModel(
            name='SeatOffer',
            fields=[
                ('id', promptlib.core.fields.UUIDv7Field(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('email', models.EmailField(max_length=254, verbose_name='e-mail address')),
                ('email_key', promptlib.core.fields.KeyField(db_index=True, editable=False, max_length=254)),
                ('role', models.CharField(choices=[('owner', 'owner'), ('editor', 'editor'), ('commenter', 'commenter'), ('viewer', 'viewer')], default='viewer', max_length=16, verbose_name='role')),
                ('conversation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='seat_offers', to='conversations.conversation')),
                ('invited_by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'offered place',
                'verbose_name_plural': 'offered places',
                'db_table': 'conversation_seat_offers',
            },
        ),
        migrations.CreateModel(
            name='UsageLimit',
            fields=[
                ('id', promptlib.core.fields.UUIDv7Field(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('period', models.CharField(choices=[('day', 'day'), ('month', 'month')], default='month', max_length=8, verbose_name='period')),
                ('runs', models.PositiveIntegerField(blank=True, null=True, verbose_name='runs at most')),
                ('tokens', models.PositiveBigIntegerField(blank=True, null=True, verbose_name='tokens at most')),
                ('cost', models.DecimalField(blank=True, decimal_places=6, max_digits=14, null=True, verbose_name='cost at most')),
                ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='usage_limits', to='accounts.team')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='usage_limits', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'limit of use',
                'verbose_name_plural': 'limits of use',
                'db_table': 'usage_limits',
            },
        ),
        migrations.AddIndex(
            model_name='conversationimport',
            index=models.Index(fields=['owner', '-id'], name='conversation_imports_recent'),
        ),
        migrations.AddIndex(
            model_name='conversationtag',
            index=models.Index(fields=['tag', 'conversation'], name='conversation_tags_tag'),
        ),
        migrations.AddConstraint(
            model_name='conversationtag',
            constraint=models.UniqueConstraint(fields=('conversation', 'tag'), name='conversation_tags_once'),
        ),
        migrations.AddConstraint(
            model_name='importpart',
            constraint=models.UniqueConstraint(fields=('upload', 'number'), name='conversation_import_parts_once'),
        ),
        migrations.AddIndex(
            model_name='linkview',
            index=models.Index(fields=['link', '-id'], name='conversation_link_views_recent'),
        ),
        migrations.AddConstraint(
            model_name='seatoffer',
            constraint=models.UniqueConstraint(fields=('conversation', 'email_key'), name='conversation_seat_offers_once'),
        ),
        migrations.AddConstraint(
            model_name='seatoffer',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['editor', 'commenter', 'viewer'])), name='conversation_seat_offers_role'),
        ),
        migrations.AddConstraint(
            model_name='usagelimit',
            constraint=models.UniqueConstraint(fields=('user', 'period'), name='usage_limits_of_user_once'),
        ),
        migrations.AddConstraint(
            model_name='usagelimit',
            constraint=models.UniqueConstraint(fields=('team', 'period'), name='usage_limits_of_team_once'),
        ),
        migrations.AddConstraint(
            model_name='usagelimit',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('team__isnull', False), ('user__isnull', True)), models.Q(('team__isnull', True), ('user__isnull', False)), _connector='OR'), name='usage_limits_user_or_team'),
        ),
        migrations.AddConstraint(
            model_name='usagelimit',
            constraint=models.CheckConstraint(condition=models.Q(('period__in', ['day', 'month'])), name='usage_limits_period_known'),
        ),
        migrations.AddConstraint(
            model_name='usagelimit',
            constraint=models.CheckConstraint(condition=models.Q(('cost__isnull', True), ('cost__gte', 0), _connector='OR'), name='usage_limits_cost_not_negative'),
        ),
        InstallSchemaObjects('conversations', 'triggers', 'reports', 'search'),
    ]
