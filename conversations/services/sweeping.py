"""Ending what nobody will end: interactions whose process died before it could save them.

Whoever writes an answer, or has it in a queue, gives a sign of life: it touches the row now and then. A row without one
for `ORPHAN_SECONDS` has nobody.
"""

import logging
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Prompt
from conversations.services.finishing import UNFINISHED, finish
from promptlib.core.transactions import release_connection

BATCH = 200
LOOKS = 4
"""How often a watch looks while an interaction may be silent."""

logger = logging.getLogger(__name__)


def patience() -> timedelta:
    """How long an interaction may be silent before its process must be dead; room is left for clocks that differ."""
    return timedelta(seconds=1.5 * settings.ORPHAN_SECONDS)


def sweep_orphans(older_than: timedelta | None = None) -> int:
    """Mark as interrupted what is unfinished and has not changed for `older_than`; returns how many. By index."""
    cutoff = timezone.now() - (patience() if older_than is None else older_than)
    lost = Prompt.all_objects.filter(status__in=UNFINISHED, updated_at__lt=cutoff).select_related("author", "ai_model")
    count = 0
    while batch := list(lost.order_by("pk")[:BATCH]):
        count += _interrupt(batch)
    return count


class Watch:
    """Ends what stays silent while it watches. Only its own clock counts, so neither a database that was away for a
    while nor a machine that slept makes anybody's answer an orphan."""

    def __init__(self) -> None:
        self._since: dict[tuple[UUID, datetime], float] = {}

    def look(self) -> int:
        """One look at what is unfinished, by index; how many had been silent for too long."""
        now = monotonic()
        rows = Prompt.all_objects.filter(status__in=UNFINISHED).values_list("pk", "updated_at")
        self._since = {row: self._since.get(row, now) for row in rows}
        silent = [row for row, since in self._since.items() if now - since >= settings.ORPHAN_SECONDS]
        return sum(
            _interrupt(Prompt.all_objects.filter(pk=pk, updated_at=at).select_related("author", "ai_model"))
            for pk, at in silent
        )


def keep_sweeping() -> None:
    """Watch in the background for as long as this process lives; every worker does."""
    threading.Thread(target=_keep_sweeping, name="answers-sweep", daemon=True).start()


def _keep_sweeping() -> None:
    watch = Watch()
    while True:
        threading.Event().wait(settings.ORPHAN_SECONDS / LOOKS)
        try:
            if count := watch.look():
                logger.warning("Answers that a stopped process left: %d", count)
        except Exception:
            logger.warning("Nobody could look for orphaned answers; the next time will do.", exc_info=True)
        finally:
            release_connection()


def _interrupt(prompts: Iterable[Prompt]) -> int:
    fields = {
        "error_code": "lost",
        "error_message": _("The server was stopped before the answer was whole. What had arrived is kept. Try again."),
    }
    return sum(finish(prompt, Prompt.Status.INTERRUPTED, fields) for prompt in prompts)
