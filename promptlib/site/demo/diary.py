"""When things of the demonstration happened: keys and moments in the past, and the events that the audit log tells."""

import secrets
import zlib
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.utils import timezone

from audit.models import AuditLog
from audit.services import Past
from promptlib.core.querysets import LoggedQuerySet

EARLY = time(5)
"""Whatever has no time of its own happens in the two hours after this one, before anybody runs anything."""


class Diary:
    """Gives rows their day and remembers what to tell of them."""

    def __init__(self, today: date) -> None:
        self.today = today
        self.events: list[Past] = []
        self._now = timezone.now()
        self._count = 0

    def moment(self, days_ago: int, at: time) -> datetime:
        """That time of that day in UTC; what would not have happened yet has just happened."""
        return min(datetime.combine(self.today - timedelta(days=days_ago), at, UTC), self._now)

    def early(self, days_ago: int, name: str) -> datetime:
        """A time of that morning, always the same one for the same name."""
        return self.moment(days_ago, EARLY) + timedelta(seconds=zlib.crc32(name.encode()) % 7200)

    def dated(self, at: datetime, updated_at: datetime | None = None) -> dict[str, Any]:
        """The columns that put a new row there in time, its key too: lists go by keys."""
        return {"id": self._key(at), "created_at": at, "updated_at": updated_at or at}

    def tell(
        self,
        instance: Model,
        actor: Any,
        at: datetime,
        *names: str,
        action: int = AuditLog.Action.CREATE,
        changes: dict[str, Any] | None = None,
    ) -> None:
        """Note what happened; `names` are fields whose values were given."""
        given = {name: [None, str(value)] for name in names if (value := getattr(instance, name)) not in (None, "")}
        self.events.append(Past(at, action, instance, actor, {**given, **(changes or {})}))

    def _key(self, at: datetime) -> UUID:
        """A UUIDv7 of that millisecond (RFC 9562), rising with every call."""
        self._count += 1
        head = int(at.timestamp() * 1000) << 80 | 0x7 << 76 | (self._count & 0xFFF) << 64
        return UUID(int=head | 0b10 << 62 | secrets.randbits(62))


def insert(rows: Iterable[Model]) -> None:
    """Insert rows of one model with the `updated_at` that they carry: on insert Django writes the time of today."""
    rows = list(rows)
    if not rows:
        return
    rows_of: Any = LoggedQuerySet(type(rows[0]))
    invented = rows_of.unlogged("invented; record_past tells of it as of the past")
    dates = [row.updated_at for row in rows]  # type: ignore[attr-defined]  # a BaseModel has it
    invented.bulk_create(rows)
    for row, updated_at in zip(rows, dates, strict=True):
        row.updated_at = updated_at  # type: ignore[attr-defined]  # as above
    invented.bulk_update(rows, ["updated_at"], batch_size=200)
