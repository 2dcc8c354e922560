"""Indexes for the library narrowed to a state, visibility or language of few: drafts, what is archived or shared."""

from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("templates_app", "0005_workshop")]
    operations = [
        migrations.AddIndex(
            "prompttemplate",
            models.Index(fields=[column, "alive", "rank_score", "id"], name=f"templates_of_{column}"),
        )
        for column in ("status", "visibility", "language")
    ]
