"""Owners follow what is theirs; what was changed before today is no news to them."""

from itertools import islice
from typing import Any

from django.db import migrations

BATCH = 1000


def follow_own(apps: Any, schema_editor: Any) -> None:
    follow, template = (apps.get_model("templates_app", name) for name in ("Follow", "PromptTemplate"))
    owned = template.objects.order_by("pk").values_list("pk", "owner_id").iterator(chunk_size=BATCH)
    while batch := list(islice(owned, BATCH)):
        rows = [follow(template_id=pk, user_id=owner) for pk, owner in batch]
        follow.objects.bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("templates_app", "0009_follows")]
    operations = [migrations.RunPython(follow_own, migrations.RunPython.noop)]
