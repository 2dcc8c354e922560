"""The words of templates, kept by triggers, and the full-text index over them."""

import django.db.models.deletion
from django.db import migrations, models

from promptlib.core.sql import InstallSchemaObjects
from templates_app.search import TEMPLATES


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("templates_app", "0003_initial_data")]
    operations = [
        migrations.CreateModel(
            name="TemplateSearch",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("title", models.TextField(editable=False, verbose_name="title")),
                ("summary", models.TextField(editable=False, verbose_name="summary")),
                ("tags", models.TextField(editable=False, verbose_name="tags")),
                ("body", models.TextField(editable=False, verbose_name="prompt")),
                (
                    "template",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="search",
                        to="templates_app.prompttemplate",
                    ),
                ),
            ],
            options={
                "verbose_name": "words of a template",
                "verbose_name_plural": "words of templates",
                "db_table": "template_search",
            },
        ),
        TEMPLATES.create(),
        InstallSchemaObjects("templates_app", "search"),
        TEMPLATES.fill(),
    ]
