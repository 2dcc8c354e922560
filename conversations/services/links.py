"""Links by which others read a conversation: made, opened, revoked. The token is told once and kept as a hash alone."""

import hashlib
import secrets
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.core.cache import cache
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from audit.models import AuditLog
from audit.services import record
from conversations.models import Conversation, LinkView, ShareLink

MISSES_ALLOWED = 10
MISSES_SECONDS = 600
OPENINGS_ALLOWED = 100
"""From one address in ten minutes: each opening leaves rows that nobody may delete."""


class Refused(Exception):
    """The link does not open: `reason` is `gone`, `wrong` (the password), `too_many` (wrong ones) or `too_often`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def make_link(
    conversation: Conversation,
    *,
    by: Any,
    name: str = "",
    expires_at: datetime | None = None,
    password: str = "",
    max_views: int | None = None,
) -> tuple[ShareLink, str]:
    """The link and its token, which cannot be had a second time."""
    token = secrets.token_urlsafe(32)
    link = ShareLink.objects.create(
        conversation=conversation,
        created_by=by,
        token_hash=_hash(token),
        name=name,
        expires_at=expires_at,
        password=make_password(password) if password else "",
        max_views=max_views,
    )
    return link, token


def revoke(link: ShareLink) -> bool:
    """Nobody reads by it any more, from this moment on; False if that is so already."""
    if link.revoked_at is not None:
        return False
    link.revoked_at = timezone.now()
    link.save(update_fields=["revoked_at"])
    return True


def find_link(token: str) -> ShareLink | None:
    """The link of this token, if it still leads somewhere."""
    return ShareLink.objects.working().select_related("conversation").filter(token_hash=_hash(token)).first()


def open_link(link: ShareLink, *, password: str, reader: Any, ip: str | None, user_agent: str) -> LinkView:
    """Count and log one opening; raises Refused. Of two who open at once the last time, one is refused."""
    _check(link, password, ip)
    _count_opening(link, ip)
    with transaction.atomic():
        free = ShareLink.objects.working().filter(Q(max_views__isnull=True) | Q(view_count__lt=F("max_views")))
        known = list(free.filter(pk=link.pk).values_list("pk", flat=True))  # MySQL: no subquery of the changed table
        counted = ShareLink.objects.filter(
            Q(max_views__isnull=True) | Q(view_count__lt=F("max_views")), pk__in=known, revoked_at__isnull=True
        ).update(view_count=F("view_count") + 1)
        if not counted:
            raise Refused("gone")
        record(AuditLog.Action.ACCESS, link, actor=reader)
        return LinkView.objects.create(link=link, user=reader, ip=ip, user_agent=user_agent[:300])


def _check(link: ShareLink, password: str, ip: str | None) -> None:
    """Ten wrong passwords from one address, or a hundred from all of them, and the link waits ten minutes."""
    if not link.password:
        return
    limits = {f"links:misses:{link.pk}:{ip}": MISSES_ALLOWED, f"links:misses:{link.pk}": MISSES_ALLOWED * 10}
    if any(cache.get(key, 0) >= limit for key, limit in limits.items()):
        raise Refused("too_many")
    if not check_password(password, link.password):
        for key in limits:
            cache.add(key, 0, MISSES_SECONDS)
            cache.incr(key)
        raise Refused("wrong")


def _count_opening(link: ShareLink, ip: str | None) -> None:
    key = f"links:openings:{link.pk}:{ip}"
    cache.add(key, 0, MISSES_SECONDS)
    if cache.incr(key) > OPENINGS_ALLOWED:
        raise Refused("too_often")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
