"""Who sees and changes a template: its visibility, and the rights of people and teams on it.

Each function is one audited transaction. Only the owner may call them; the views see to that.
"""

from typing import Any

from django.db import transaction

from templates_app.models import Grant, PromptTemplate

PRIVATE, SHARED = PromptTemplate.Visibility.PRIVATE, PromptTemplate.Visibility.SHARED


@transaction.atomic
def set_visibility(template: PromptTemplate, visibility: str) -> bool:
    """Private, shared or public; False if it is that already. Rights stay, and count again once it is shared."""
    return _set_visibility(_lock(template), template, visibility)


@transaction.atomic
def grant_right(template: PromptTemplate, *, role: str, user: Any = None, team: Any = None) -> Grant:
    """Let a person or a team see (viewer) or also change (editor) the template; a private one is then shared.

    Whoever has a right already has the one of `role` from now on.
    """
    locked = _lock(template)
    if locked.visibility == PRIVATE:
        _set_visibility(locked, template, SHARED)
    grant: Grant | None = Grant.objects.filter(template=template, user=user, team=team).first()
    if grant is None:
        return Grant.objects.create(template=template, user=user, team=team, role=role)
    _set_role(grant, role)
    return grant


@transaction.atomic
def change_right(grant: Grant, role: str) -> bool:
    """Make a viewer an editor, or an editor a viewer; False if that is so already."""
    _lock(grant.template)
    return _set_role(grant, role)


@transaction.atomic
def take_right(grant: Grant) -> bool:
    """Take the right away; False if it is gone already."""
    _lock(grant.template)
    found = Grant.objects.filter(pk=grant.pk).first()
    if found is not None:
        found.delete()
    return found is not None


def _lock(template: PromptTemplate) -> PromptTemplate:
    return PromptTemplate.objects.select_for_update().get(pk=template.pk)


def _set_visibility(locked: PromptTemplate, template: PromptTemplate, visibility: str) -> bool:
    """The revision moves on: an edit page that is open elsewhere does not put the old visibility back unseen."""
    if locked.visibility == visibility:
        return False
    locked.visibility = template.visibility = visibility
    locked.revision += 1
    locked.save(update_fields=["visibility", "revision"])
    template.revision = locked.revision
    return True


def _set_role(grant: Grant, role: str) -> bool:
    if grant.role == role:
        return False
    grant.role = role
    grant.save(update_fields=["role"])
    return True
