"""Whether those who read along still may: one query a second for all readers of this process together."""

import threading
from collections import Counter
from time import monotonic
from typing import Any
from uuid import UUID

from conversations.models import Participant
from promptlib.core.transactions import release_connection

FRESH_SECONDS = 1.0
BATCH = 500

_lock = threading.Lock()
_readers: Counter[tuple[UUID, UUID]] = Counter()
_seated: set[tuple[UUID, UUID]] = set()
_asked_at = 0.0


class Reader:
    """Somebody who reads a conversation for longer than one query takes: a stream, an export."""

    def __init__(self, conversation_id: UUID, user_id: Any) -> None:
        self.place = (conversation_id, user_id)
        with _lock:
            _readers[self.place] += 1
            _seated.add(self.place)  # the view has just looked

    def may_read(self) -> bool:
        """As of a second ago. Holds no connection afterwards; of those who ask at once, one looks for all."""
        if monotonic() - _asked_at >= FRESH_SECONDS and _lock.acquire(blocking=False):
            try:
                _look()
            finally:
                _lock.release()
                release_connection()
        return self.place in _seated

    def close(self) -> None:
        with _lock:
            _readers[self.place] -= 1
            if _readers[self.place] <= 0:
                del _readers[self.place]
                _seated.discard(self.place)


def _look() -> None:
    global _asked_at, _seated
    _asked_at = monotonic()
    places = list(_readers)
    found: set[tuple[UUID, UUID]] = set()
    for start in range(0, len(places), BATCH):
        some = places[start : start + BATCH]
        seats = Participant.objects.filter(
            conversation__in={conversation for conversation, _user in some},
            user__in={user for _conversation, user in some},
            conversation__deleted_at__isnull=True,
            user__is_active=True,
            user__deleted_at__isnull=True,
        )
        found.update(seats.values_list("conversation_id", "user_id"))
    _seated = found & set(places)
