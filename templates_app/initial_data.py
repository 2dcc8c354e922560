"""What a new library starts with: its shelves, and the group of people who keep it."""

from typing import Any

CATEGORIES = {
    "writing": "Writing",
    "engineering": "Engineering",
    "analysis": "Analysis",
    "product": "Product",
    "support": "Support",
    "marketing": "Marketing",
    "legal": "Legal",
    "research": "Research",
    "education": "Education",
    "operations": "Operations",
    "design": "Design",
    "everyday": "Everyday",
}
CURATORS = "Curators"


def install(apps: Any, _schema_editor: Any = None) -> None:
    category = apps.get_model("templates_app", "Category")
    for position, (slug, name) in enumerate(CATEGORIES.items()):
        category.objects.get_or_create(slug=slug, defaults={"name": name, "position": position})
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="templates_app", model="prompttemplate"
    )
    permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type,
        codename="curate_library",
        defaults={"name": "Can keep the library: shelves, tags, suggestions, protected labels"},
    )
    group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=CURATORS)
    group.permissions.add(permission)


def remove(apps: Any, _schema_editor: Any = None) -> None:
    """Takes away what is still unused: a shelf that holds templates stays."""
    category = apps.get_model("templates_app", "Category")
    category.objects.filter(slug__in=CATEGORIES, templates=None, children=None).delete()
    apps.get_model("auth", "Group").objects.filter(name=CURATORS).delete()
