"""Unsaved texts, sets of values, label moves, discussions and all else that a team writes with."""

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
        ('templates_app', '0004_search'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        DropSchemaObjects('templates_app', 'triggers', 'reports', 'search'),
        migrations.AddField(
            model_name='rating',
            name='task',
            field=models.CharField(blank=True, db_default='', max_length=200, verbose_name='used for'),
        ),
        migrations.AddField(
            model_name='suggestion',
            name='accepted_version',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='from_suggestions', to='templates_app.templateversion'),
        ),
        migrations.AddField(
            model_name='suggestion',
            name='decision_note',
            field=models.TextField(blank=True, db_default='', max_length=10000, verbose_name='reason'),
        ),
        migrations.CreateModel(
            name='Upstream',
            fields=[
                ('id', promptlib.core.fields.UUIDv7Field(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('ignored_number', models.PositiveIntegerField(default=0, help_text='Versions of the original up to this one are no news.', verbose_name='ignored up to version')),
                ('base', models.ForeignKey(blank=True, help_text='The version of the original that was taken in last: the base of the next merge.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='templates_app.templateversion')),
                ('template', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='upstream', to='templates_app.prompttemplate')),
            ],
            options={
                'verbose_name': 'original of a fork',
                'verbose_name_plural': 'originals of forks',
                'db_table': 'template_upstreams',
            },
        ),
        migrations.CreateModel(
            name='BulkAction',
            fields=[
                ('id', promptlib.core.fields.UUIDv7Field(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('action', models.CharField(max_length=32, verbose_name='action')),
                ('before', models.JSONField(default=list, help_text='What each template was, for the undo.', verbose_name='before')),
                ('undone_at', models.DateTimeField(blank=True, null=True, verbose_name='undone')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='bulk_actions', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'action on a selection',
                'verbose_name_plural': 'actions on selections',
                'db_table': 'template_bulk_actions',
                'indexes': [models.Index(fields=['user', '-id'], name='template_bulk_actions_recent')],
            },
        ),
        migrations.CreateModel(
            name='Draft',
            fields=[
                ('id', promptlib.core.fields.UUIDv7Field(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('base_revision', models.PositiveIntegerField(default=0, verbose_name='revision it started from')),
                ('data', models.JSONField(default=dict, help_text='The posted form: field name → list of values.', verbose_name='fields')),
                ('template', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='drafts', to='templates_app.prompttemplate')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='drafts', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'unsaved text',
                'verbose_name_plural': 'unsaved texts',
                'db_table': 'template_drafts',
                'constraints': [models.UniqueConstraint(fields=('user', 'template'), name='template_drafts_once')],
            },
        ),
        migrations.CreateModel(
            name='LabelMove',
            fields=[
                ('id', promptlib.core.fields.UUIDv7Field(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('name', promptlib.core.fields.KeyField(max_length=60, verbose_name='label')),
                ('reason', models.CharField(blank=True, max_length=500, verbose_name='reason')),
                ('status', models.CharField(choices=[('done', 'done'), ('waiting', 'waiting for approval'), ('rejected', 'rejected'), ('withdrawn', 'withdrawn')], default='done', max_length=16, verbose_name='status')),
                ('decided_at', models.DateTimeField(blank=True, null=True, verbose_name='decided')),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='label_moves', to=settings.AUTH_USER_MODEL)),
                ('from_version', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='templates_app.templateversion')),
                ('reviewer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reviewed_label_moves', to=settings.AUTH_USER_MODEL)),
                ('template', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='label_moves', to='templates_app.prompttemplate')),
                ('to_version', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='templates_app.templateversion')),
            ],
            options={
                'verbose_name': 'move of a label',
                'verbose_name_plural': 'moves of labels',
                'db_table': 'template_label_moves',
                'indexes': [models.Index(fields=['template', '-id'], name='template_label_moves_recent')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['done', 'waiting', 'rejected', 'withdrawn'])), name='template_label_moves_status_known'), models.CheckConstraint(condition=models.Q(('reviewer__isnull', True), models.Q(('reviewer', models.F('author')), _negated=True), _connector='OR'), name='template_label_moves_second_person')],
            },
        ),
        migrations.CreateModel(
            name='LibraryImport',
            fields=[
                ('id', promptlib.core.fields.UUIDv7Field(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('filename', models.CharField(max_length=255, verbose_name='file')),
                ('format', models.CharField(max_length=32, verbose_name='format')),
                ('content', models.BinaryField(help_text='The file, compressed with zlib; emptied after the import.', verbose_name='content')),
                ('options', models.JSONField(blank=True, default=dict, verbose_name='options')),
                ('outcomes', models.JSONField(blank=True, default=list, help_text='One entry per record.', verbose_name='outcomes')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='library_imports', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'import',
                'verbose_name_plural': 'imports',
                'db_table': 'template_imports',
                'indexes': [models.Index(fields=['owner', '-id'], name='template_imports_recent')],
            },
        ),
        migrations.CreateModel(
            name='RatingReport',
            fields=[
                ('id', promptlib.core.fields.UUIDv7Field(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('reason', models.TextField(max_length=2000, verbose_name='reason')),
                ('decision', models.CharField(blank=True, choices=[('kept', 'kept'), ('removed', 'removed')], max_length=16, verbose_name='decision')),
                ('decided_at', models.DateTimeField(blank=True, null=True, verbose_name='decided')),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='decided_rating_reports', to=settings.AUTH_USER_MODEL)),
                ('rating', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='templates_app.rating')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rating_reports', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'report on a review',
                'verbose_name_plural': 'reports on reviews',
                'db_table': 'template_rating_reports',
                'indexes': [models.Index(fields=['decision', '-id'], name='template_rating_reports_open')],
                'constraints': [models.UniqueConstraint(fields=('rating', 'user'), name='template_rating_reports_once'), models.CheckConstraint(condition=models.Q(('decision', ''), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='template_rating_reports_decision_whole'), models.CheckConstraint(condition=models.Q(('decision__in', ['', 'kept', 'removed'])), name='template_rating_reports_decision_known')],
            },
        ),
        migrations.CreateModel(
            name='SuggestionComment',
            fields=[
                ('id', promptlib.core.fields.UUIDv7Field(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('text', models.TextField(max_length=10000, verbose_name='comment')),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='suggestion_comments', to=settings.AUTH_USER_MODEL)),
                ('suggestion', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='comments', to='templates_app.suggestion')),
            ],
            options={
                'verbose_name': 'comment on a suggestion',
                'verbose_name_plural': 'comments on suggestions',
                'db_table': 'template_suggestion_comments',
                'ordering': ('id',),
                'indexes': [models.Index(fields=['suggestion', 'id'], name='template_suggestion_discussion')],
                'constraints': [models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='template_suggestion_comments_text')],
            },
        ),
        migrations.CreateModel(
            name='ValueSet',
            fields=[
                ('id', promptlib.core.fields.UUIDv7Field(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('name_key', promptlib.core.fields.KeyField(editable=False, max_length=120)),
                ('values', models.JSONField(blank=True, default=dict, verbose_name='values')),
                ('is_shared', models.BooleanField(default=False, help_text='Everybody who sees the template may use it.', verbose_name='shared')),
                ('template', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='value_sets', to='templates_app.prompttemplate')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='value_sets', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'set of values',
                'verbose_name_plural': 'sets of values',
                'db_table': 'template_value_sets',
                'ordering': ('name_key', 'id'),
                'constraints': [models.UniqueConstraint(fields=('template', 'user', 'name_key'), name='template_value_sets_once'), models.CheckConstraint(condition=models.Q(('name_key', ''), _negated=True), name='template_value_sets_name_given')],
            },
        ),
        InstallSchemaObjects('templates_app', 'triggers', 'reports', 'search'),
    ]
