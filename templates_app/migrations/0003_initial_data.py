"""The shelves a new library starts with, and the group of curators."""

from django.db import migrations

from templates_app import initial_data


class Migration(migrations.Migration):
    dependencies = [
        ("templates_app", "0002_triggers"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(initial_data.install, initial_data.remove)]
