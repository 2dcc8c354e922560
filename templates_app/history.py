"""What the history needs to know of templates."""

from typing import Any

from django.db.models import QuerySet

from audit import kinds
from templates_app.models import Category, PromptTemplate, Tag, TemplateVersion


def register() -> None:
    kinds.register(PromptTemplate, is_subject=True)
    kinds.register(TemplateVersion, names=_versions, hidden=frozenset({"content_hash"}))
    kinds.register(Category, names=_all(Category))
    kinds.register(Tag, names=_all(Tag))


def _versions(user: Any) -> "QuerySet[TemplateVersion]":
    versions = TemplateVersion.objects.all() if user.is_staff else TemplateVersion.objects.visible_to(user)
    return versions.select_related("template")


def _all(model: Any) -> Any:
    """What everybody may know by name."""
    return lambda _user: model.objects.all()
