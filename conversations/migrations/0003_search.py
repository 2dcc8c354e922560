"""The words of conversations and interactions, kept by triggers, and the full-text indexes over them."""

import django.db.models.deletion
from django.db import migrations, models

from conversations.search import CONVERSATIONS, PROMPTS
from promptlib.core.sql import InstallSchemaObjects


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("conversations", "0002_triggers")]
    operations = [
        migrations.CreateModel(
            name="ConversationSearch",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("title", models.TextField(editable=False, verbose_name="title")),
                ("summary", models.TextField(editable=False, verbose_name="summary")),
                (
                    "conversation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="search",
                        to="conversations.conversation",
                    ),
                ),
            ],
            options={
                "verbose_name": "words of a conversation",
                "verbose_name_plural": "words of conversations",
                "db_table": "conversation_search",
            },
        ),
        migrations.CreateModel(
            name="PromptSearch",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("input", models.TextField(editable=False, verbose_name="prompt")),
                ("response", models.TextField(editable=False, verbose_name="response")),
                (
                    "prompt",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING, related_name="search", to="conversations.prompt"
                    ),
                ),
            ],
            options={
                "verbose_name": "words of an interaction",
                "verbose_name_plural": "words of interactions",
                "db_table": "prompt_search",
            },
        ),
        CONVERSATIONS.create(),
        PROMPTS.create(),
        InstallSchemaObjects("conversations", "search"),
        CONVERSATIONS.fill(),
        PROMPTS.fill(),
    ]
