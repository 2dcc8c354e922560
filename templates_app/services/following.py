"""Following templates: what a person wants to hear of. Their own mark, which is not audited.

Whoever writes in a template follows it from then on, unless they said that they do not want to.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from templates_app.models import Follow, PromptTemplate


def set_following(template: PromptTemplate, *, following: bool, user: Any) -> None:
    """From now on, or no longer. Who begins anew has seen what there is."""
    Follow.objects.update_or_create(
        template=template, user=user, defaults={"is_following": following, "seen_at": timezone.now()}
    )


def follow_own(pks: Iterable[UUID], *, user: Any) -> None:
    """Somebody wrote in these templates; one statement per 500. Who unfollowed one does not hear of it again."""
    follows = [Follow(template_id=pk, user=user) for pk in pks]
    Follow.objects.bulk_create(follows, batch_size=500, ignore_conflicts=True)


def mark_seen(template: PromptTemplate, *, user: Any, until: datetime | None = None) -> None:
    """Nothing up to `until` (now) is new to this person any more; never less than they have seen."""
    now = timezone.now()
    moment = min(until or now, now)
    Follow.objects.filter(template=template, user=user, seen_at__lt=moment).update(seen_at=moment, updated_at=now)
