"""Out of the lists and back: archived, or in the trash."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.context import acting_as
from templates_app.models import PromptTemplate


@transaction.atomic
def archive(template: PromptTemplate, *, by: Any) -> bool:
    """Put a published template away: it stays readable and leaves the lists. False when it was not published."""
    return _move(template, PromptTemplate.Status.PUBLISHED, PromptTemplate.Status.ARCHIVED, by)


@transaction.atomic
def unarchive(template: PromptTemplate, *, by: Any) -> bool:
    """Bring an archived template back into the lists. False when it was not archived."""
    return _move(template, PromptTemplate.Status.ARCHIVED, PromptTemplate.Status.PUBLISHED, by)


@transaction.atomic
def move_to_trash(template: PromptTemplate, *, by: Any, reason: str = "") -> PromptTemplate:
    """Delete the template and its ratings, to be restored by `template.deletion_id`."""
    template.delete(by=by, reason=reason)
    return template


def _move(template: PromptTemplate, before: str, after: str, by: Any) -> bool:
    """A conditional update, so that of two at once only one counts and is audited."""
    standing = PromptTemplate.objects.filter(pk=template.pk, status=before)
    with acting_as(by):
        changed = standing.update(status=after, updated_at=timezone.now())
    if changed:
        template.status = after
    return bool(changed)
