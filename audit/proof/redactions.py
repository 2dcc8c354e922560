"""Making rows of the log anonymous when a person is erased, and telling such rows from forged ones.

A row of `audit_redactions` says which part of which row an erasure made anonymous, and keeps the digests of the row as
it was, signed with the key of the seals. The database lets nothing else be changed in the log, and a check of the log
believes a row that is not what was sealed only where all of this fits together, see `explained`.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from audit.models import AuditLog, AuditRedaction
from audit.proof.digests import ANONYMOUS, FIELDS, Digests
from audit.proof.signing import is_signed, sign

ACTOR, CONTENT = AuditRedaction.Part.ACTOR, AuditRedaction.Part.CONTENT
BATCH = 500


@transaction.atomic
def redact(erasure: AuditLog, ids: Sequence[UUID], *parts: int) -> int:
    """Make `parts` of the rows anonymous; what is so already stays as it is. Returns how many parts were made so.

    `erasure` is the row of the log that says who was erased. One call is one transaction: give it a few hundred ids.
    """
    made: list[AuditRedaction] = []
    for row in AuditLog.objects.select_for_update().filter(pk__in=ids).values("pk", *FIELDS):
        told = [part for part in parts if not _is_anonymous(row, part)]
        before = Digests.of(row).pack() if told else b""
        made += [_redaction(row["pk"], part, erasure.pk, before) for part in told]
    AuditRedaction.objects.bulk_create(made, batch_size=BATCH)
    for part in parts:
        rows = AuditLog.objects.filter(pk__in=[each.row_id for each in made if each.part == part])
        rows.update(**ANONYMOUS[part])
    return len(made)


def _redaction(row_id: UUID, part: int, erasure_id: UUID, before: bytes) -> AuditRedaction:
    redaction = AuditRedaction(row_id=row_id, part=part, erasure_id=erasure_id, before=before)
    redaction.signature = sign(_message(redaction))
    return redaction


def _message(redaction: AuditRedaction) -> str:
    facts = [redaction.pk, redaction.row_id, int(redaction.part), redaction.erasure_id, bytes(redaction.before).hex()]
    return json.dumps(["redaction", *facts], default=str)


# ---- whether a row that is not what was sealed is what an erasure left -----------------------------------------------


class Redacted(NamedTuple):
    """A row that signed redactions account for, if the erasures they name are in the log."""

    id: UUID
    actor_id: UUID | None
    erasures: dict[int, UUID]
    """Part → the erasure that made it anonymous."""


def explained(
    sealed: Mapping[UUID, bytes], version: int, archived: Mapping[UUID, Mapping[str, Any]] | None = None
) -> Iterator[Redacted]:
    """Of rows that are not what was sealed, those that redactions account for.

    `sealed` are their entries, made by a seal of `version`. An entry must have been made of the digests that the first
    redaction of the row keeps; what lasts and what was not redacted must have these digests still, and what was
    redacted must be anonymous. So neither an edit before an erasure nor one after it passes for the erasure's. Rows
    that left the log for a file are `archived`.
    """
    ids = sorted(sealed)
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        kept: dict[UUID, list[AuditRedaction]] = defaultdict(list)
        for redaction in AuditRedaction.objects.filter(row_id__in=batch).order_by("pk"):
            if is_signed(_message(redaction), redaction.signature):
                kept[redaction.row_id].append(redaction)
        rows = [*AuditLog.objects.filter(pk__in=list(kept)).values("pk", *FIELDS)]
        rows += [{"pk": pk, **archived[pk]} for pk in kept if archived and pk in archived]
        for row in rows:
            redactions = kept[row["pk"]]
            if _accounts_for(row, redactions, sealed[row["pk"]], version):
                yield Redacted(row["pk"], row["actor_id"], {each.part: each.erasure_id for each in redactions})


def unfounded(
    rows: Iterable[Redacted], distrusted: set[UUID], archived: Mapping[UUID, UUID | None] | None = None
) -> Iterator[UUID]:
    """The rows among these whose erasure is not in the log, not to be trusted, or one of somebody else.

    `archived`: erasures that left the log for a file, and of whom each was.
    """
    rows = list(rows)
    named = sorted({pk for row in rows for pk in row.erasures.values()} - distrusted)
    subjects = {pk: subject for pk, subject in (archived or {}).items() if pk not in distrusted}
    for start in range(0, len(named), BATCH):
        found = AuditLog.objects.filter(pk__in=named[start : start + BATCH], action=AuditLog.Action.ERASE)
        subjects |= dict(found.values_list("pk", "subject_id"))
    for row in rows:
        for part, erasure_id in row.erasures.items():
            is_theirs = part == CONTENT or row.actor_id in (None, subjects.get(erasure_id))
            if erasure_id not in subjects or not is_theirs:
                yield row.id
                break


def _accounts_for(row: Mapping[str, Any], redactions: list[AuditRedaction], sealed: bytes, version: int) -> bool:
    try:
        before = Digests.unpack(bytes(redactions[0].before))
    except TypeError:
        return False
    now, redacted = Digests.of(row), {each.part for each in redactions}
    return (
        before.whole(version) == sealed
        and now.lasting == before.lasting
        and all(_is_anonymous(row, part) for part in redacted)
        and all(now.part(part) == before.part(part) for part in ANONYMOUS.keys() - redacted)
    )


def _is_anonymous(row: Mapping[str, Any], part: int) -> bool:
    return all(row[name] == value for name, value in ANONYMOUS[part].items())
