"""An index for whether a person has run a template."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0004_feedback_index")]
    operations = [
        migrations.AddIndex(
            "prompt", models.Index(fields=["author", "template_version"], name="prompts_of_author_by_version")
        ),
    ]
