"""Conversations that a person in them does not follow."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0006_threads"),
    ]

    operations = [
        migrations.AddField(
            model_name="participant",
            name="unfollowed_at",
            field=models.DateTimeField(
                blank=True,
                help_text="Empty: this person wants to hear what changes.",
                null=True,
                verbose_name="unfollowed",
            ),
        ),
    ]
