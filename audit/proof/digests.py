"""What a row of the log says, as digests: of its lasting part, of who did it from where, and of what it tells.

The last two may be made anonymous when a person is erased; the digest of the whole is made of the three, so that it can
still be made when one of them is only known by its digest.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from audit.models import AuditLog, AuditRedaction

ANONYMOUS: dict[int, dict[str, Any]] = {
    AuditRedaction.Part.ACTOR: {
        "actor_name": "",
        "actor_email": None,
        "remote_addr": None,
        "remote_port": None,
        "user_agent": "",
    },
    AuditRedaction.Part.CONTENT: {
        "object_repr": "",
        "changes": None,
        "changes_text": "",
        "serialized_data": None,
        "additional_data": None,
        "reason": "",
    },
}
"""The columns of each part that can be made anonymous, and what stands in them then. Everything else in a row lasts."""

LASTING = ("content_type_id", "object_pk", "object_id", "subject_id", "action", "actor_id", "cid", "timestamp")
FIELDS = (
    *("serialized_data", "changes_text", "changes", "remote_addr", "remote_port", "additional_data", "actor_email"),
    *("content_type_id", "object_pk", "object_id", "object_repr", "subject_id", "action", "actor_id", "actor_name"),
    *("cid", "timestamp", "user_agent", "reason"),
)
"""Every column but the id, in the order in which they are digested: a new one needs a new version."""

CHUNK = 2_000
SIZE = 16
FLAT, IN_PARTS = 1, 2
"""How a seal's entries were made: one digest over all columns, or one over those of the three parts."""


class Digests(NamedTuple):
    """A row's digests, 16 bytes each."""

    flat: bytes
    lasting: bytes
    actor: bytes
    content: bytes

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Digests":
        parts = (FIELDS, LASTING, *ANONYMOUS.values())
        return cls(*(_digest([row[name] for name in names]) for names in parts))

    @classmethod
    def unpack(cls, packed: bytes) -> "Digests":
        """Raises TypeError for what is too short or too long."""
        return cls(*(packed[start : start + SIZE] for start in range(0, len(packed), SIZE)))

    def pack(self) -> bytes:
        return b"".join(self)

    def part(self, part: int) -> bytes:
        return self.actor if part == AuditRedaction.Part.ACTOR else self.content

    def whole(self, version: int) -> bytes:
        """What an entry of a seal of this version holds."""
        return self.flat if version == FLAT else _sha16(self.lasting + self.actor + self.content)


def row_digest(row: Mapping[str, Any], version: int = IN_PARTS) -> bytes:
    """A row's digest as an entry of a seal of this version holds it. `row` has every column but the id."""
    if version == FLAT:
        return _digest([row[name] for name in FIELDS])
    parts = (LASTING, *ANONYMOUS.values())
    return _sha16(b"".join(_digest([row[name] for name in names]) for names in parts))


def entries(
    *,
    after: UUID,
    before: UUID | None = None,
    until: UUID | None = None,
    limit: int | None = None,
    version: int = IN_PARTS,
) -> Iterator[tuple[UUID, bytes]]:
    """Ids and digests of the rows after one, in the order of their ids."""
    rows = AuditLog.objects.order_by("pk")
    rows = rows.filter(pk__lt=before) if before else rows
    rows = rows.filter(pk__lte=until) if until else rows
    left = CHUNK if limit is None else limit
    while left and (chunk := list(rows.filter(pk__gt=after).values("pk", *FIELDS)[: min(CHUNK, left)])):
        for row in chunk:
            yield row["pk"], row_digest(row, version)
        after = chunk[-1]["pk"]
        left -= len(chunk) if limit is not None else 0


def plain(value: Any) -> Any:
    """What JSON has no type for, alike on both databases."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value) if isinstance(value, UUID | date) else value


def _digest(values: list[Any]) -> bytes:
    text = json.dumps(values, default=plain, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return _sha16(text.encode())


def _sha16(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:SIZE]
