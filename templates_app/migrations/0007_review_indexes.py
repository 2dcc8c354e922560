"""Indexes for the distribution of ratings, and for reviews with so many stars or of one version."""

from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("templates_app", "0006_list_indexes")]
    operations = [
        migrations.AddIndex(
            "rating",
            models.Index(fields=["template", "alive", "score", "-updated_at", "id"], name="template_ratings_by_score"),
        ),
        migrations.AddIndex(
            "rating",
            models.Index(fields=["version", "alive", "-updated_at", "id"], name="template_ratings_of_version"),
        ),
    ]
