"""Ending what nobody will end: interactions whose process died before it could save them."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Prompt
from conversations.services.finishing import UNFINISHED, finish

MARGIN_SECONDS = 60
BATCH = 200


def patience() -> timedelta:
    """How long an interaction may be silent before its process must be dead: no call may take longer."""
    return timedelta(seconds=settings.PROVIDER_TOTAL_SECONDS + MARGIN_SECONDS)


def sweep_orphans(older_than: timedelta | None = None) -> int:
    """Mark as interrupted what is unfinished and has not changed for `older_than`; returns how many. By index."""
    cutoff = timezone.now() - (patience() if older_than is None else older_than)
    lost = Prompt.all_objects.filter(status__in=UNFINISHED, updated_at__lt=cutoff).select_related("author")
    count = 0
    while batch := list(lost.order_by("pk")[:BATCH]):
        for prompt in batch:
            fields = {
                "error_code": "lost",
                "error_message": _(
                    "The server was stopped before the answer was whole. What had arrived is kept. Try again."
                ),
            }
            count += finish(prompt, Prompt.Status.INTERRUPTED, fields)
    return count
