"""Rights of a person or a team that is deleted for good: deleted, not emptied first. Nothing in the database changes."""

from django.conf import settings
from django.db import migrations, models

from promptlib.core.deletion import cascade_whole

HOLDER = {"blank": True, "db_index": False, "null": True, "related_name": "template_grants"}


class Migration(migrations.Migration):
    dependencies = [
        ("templates_app", "0007_review_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AlterField(
            "grant", "team", models.ForeignKey(on_delete=cascade_whole, to="accounts.team", **HOLDER)
        ),
        migrations.AlterField(
            "grant", "user", models.ForeignKey(on_delete=cascade_whole, to=settings.AUTH_USER_MODEL, **HOLDER)
        ),
    ]
