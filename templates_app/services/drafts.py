"""Unsaved texts: what somebody typed and has not saved yet, kept until they save or discard it."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model

from promptlib.core.transactions import in_transaction
from templates_app.models import Draft, PromptTemplate


def keep_draft(
    *, user: Any, template: PromptTemplate | None, base_revision: int, data: Mapping[str, list[str]]
) -> Draft:
    """Keep the posted fields of an edit page, in place of what was kept before. Without a template, of a new one."""

    def keep() -> Draft:
        if template is None:  # NULL is unique to no index: the person's row stands for it
            get_user_model().objects.select_for_update().get(pk=user.pk)
        fields = {"base_revision": base_revision, "data": dict(data)}
        return Draft.objects.update_or_create(user=user, template=template, defaults=fields)[0]

    return in_transaction(keep)


def find_draft(*, user: Any, template: PromptTemplate | None) -> Draft | None:
    return Draft.objects.filter(user=user, template=template).order_by("-updated_at").first()


def discard_draft(*, user: Any, template: PromptTemplate | None) -> bool:
    """Forget what was kept; False if there was nothing."""
    return bool(Draft.objects.filter(user=user, template=template).delete()[0])
