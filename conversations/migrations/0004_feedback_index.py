"""An index for the interactions that people found good or bad."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0003_search")]
    operations = [
        migrations.AddIndex("prompt", models.Index(fields=["feedback", "id"], name="prompts_by_feedback")),
    ]
