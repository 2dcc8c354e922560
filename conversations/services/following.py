"""Reading along answers that another process writes: one thread looks for all readers of this one."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db.models.functions import Length

from conversations.models import Prompt
from conversations.services.broker import Channel
from promptlib.core.transactions import release_connection

LOOK_SECONDS = 0.4

logger = logging.getLogger(__name__)

_lock = threading.Lock()
_followed: dict[UUID, "_Followed"] = {}
_is_looking = False


class _Followed:
    """What is known of one answer, and how many follow it."""

    def __init__(self) -> None:
        self.channel = Channel()
        self.readers = 0
        self.length = 0


@contextmanager
def following(prompt_id: UUID) -> Iterator[Channel]:
    """A channel that follows what is saved of an answer, for as long as somebody is in here."""
    global _is_looking
    with _lock:
        followed = _followed.setdefault(prompt_id, _Followed())
        followed.readers += 1
        if not _is_looking:
            _is_looking = True
            threading.Thread(target=_look_again_and_again, name="answers-follow", daemon=True).start()
    try:
        yield followed.channel
    finally:
        with _lock:
            followed.readers -= 1
            if not followed.readers:
                _followed.pop(prompt_id, None)


def look() -> None:
    """One query, and one more for the texts that have grown."""
    with _lock:
        followed = dict(_followed)
    rows = Prompt.objects.filter(pk__in=followed).values_list("pk", "status", Length("response_text"))
    found = {pk: (status, length) for pk, status, length in rows}
    grown = [pk for pk, (_status, length) in found.items() if length > followed[pk].length]
    texts = dict(Prompt.objects.filter(pk__in=grown).values_list("pk", "response_text")) if grown else {}
    for pk, one in followed.items():
        if text := texts.get(pk):
            one.channel.write(text[one.length :])
            one.length = len(text)
        status, length = found.get(pk, ("", 0))
        if length <= one.length and status in ("", *Prompt.FINISHED):  # gone is an end, too
            one.channel.end()


def _look_again_and_again() -> None:
    global _is_looking
    while True:
        try:
            look()
        except Exception:
            logger.warning("Answers of other processes could not be followed; the next time will do.", exc_info=True)
        finally:
            release_connection()
        threading.Event().wait(LOOK_SECONDS)
        with _lock:
            if not _followed:
                _is_looking = False
                return
