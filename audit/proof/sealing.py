"""Sealing the audit log, and finding out whether it still is what was sealed.

A seal covers the rows between the last one of the seal before and its own last one. It holds an entry per row (16 bytes
of id, 16 bytes of digest over everything else in the row, see digests.py), and its signature (HMAC-SHA256 under a key
that is not in the database) covers the entries and the signature of the seal before. So nobody without the key can
change, delete, insert or move a row that was sealed, or make a seal for other rows. What the chain alone cannot tell is
that its end was cut off, seals and rows together: for that the seals are appended to a file outside as well. What
erasures made anonymous since is told from edits by redactions.py.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from audit.models import AuditLog, AuditSeal
from audit.proof.digests import FLAT, IN_PARTS, entries, plain, row_digest
from audit.proof.redactions import Redacted, explained, unfounded
from audit.proof.signing import is_signed, sign

ROWS_PER_SEAL = 10_000
SETTLE = timedelta(minutes=10)
"""A row is sealed when it is this old: one that is committed later than that, with its older id, counts as inserted."""

ENTRY = 32
BEGINNING = UUID(int=0)


class Kind:
    """What can have happened to a sealed log."""

    EDITED = "edited"
    DELETED = "deleted"
    INSERTED = "inserted"
    MOVED = "in another's place"
    UNPROVED = "without a valid seal"
    UNERASED = "made anonymous without an erasure"
    SEAL_FORGED = "seal not made with the key"
    SEAL_DELETED = "seal deleted"
    SEAL_MISSING = "seal before it missing"
    FILE_MISSING = "archive file missing"
    FILE_SWAPPED = "archive file is another one"
    FILE_CHANGED = "archive file changed"
    ARCHIVE_FORGED = "archive not made with the key"


class Finding(NamedTuple):
    """One row or seal that is not what it was."""

    kind: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a seal says, whether it was read from the database or from the file outside."""

    id: UUID
    created_at: datetime
    first_row: UUID
    last_row: UUID
    row_count: int
    digest: str
    previous_signature: str
    signature: str
    entries: bytes
    version: int

    @classmethod
    def of(cls, seal: AuditSeal) -> "Sealed":
        return cls(
            id=seal.pk,
            created_at=seal.created_at,
            first_row=seal.first_row,
            last_row=seal.last_row,
            row_count=seal.row_count,
            digest=seal.digest,
            previous_signature=seal.previous.signature if seal.previous else "",
            signature=seal.signature,
            entries=bytes(seal.entries),
            version=seal.version,
        )

    @classmethod
    def from_line(cls, line: str) -> "Sealed":
        """Raises ValueError for a line that is none of ours."""
        try:
            told = json.loads(line)
            return cls(
                id=UUID(told["id"]),
                created_at=datetime.fromisoformat(told["created_at"]),
                first_row=UUID(told["first_row"]),
                last_row=UUID(told["last_row"]),
                row_count=int(told["row_count"]),
                digest=str(told["digest"]),
                previous_signature=str(told["previous_signature"]),
                signature=str(told["signature"]),
                entries=bytes.fromhex(told["entries"]),
                version=int(told.get("version", FLAT)),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(str(error)) from error

    def line(self) -> str:
        told = {name: getattr(self, name) for name in self.__slots__} | {"entries": self.entries.hex()}
        return json.dumps(told, default=plain)

    @property
    def is_valid(self) -> bool:
        if len(self.entries) != self.row_count * ENTRY or _sha(self.entries) != self.digest:
            return False
        return is_signed(self._message(), self.signature)

    def signed(self) -> str:
        return sign(self._message())

    def _message(self) -> str:
        facts = [self.created_at, self.first_row, self.last_row, self.row_count, self.digest, self.previous_signature]
        version = [] if self.version == FLAT else [self.version]  # there was none when those were signed
        return json.dumps([str(self.id), *map(plain, facts), *version])

    def rows(self) -> dict[UUID, bytes]:
        parts = [self.entries[start : start + ENTRY] for start in range(0, len(self.entries), ENTRY)]
        return {UUID(bytes=part[:16]): part[16:] for part in parts}


def seal(*, settle: timedelta = SETTLE) -> list[AuditSeal]:
    """Seal what has come since the last seal and is older than `settle`. Reads without a lock; each seal is one insert.

    Of two that seal at once one fails with IntegrityError and has changed nothing.
    """
    until = first_id_at(timezone.now() - settle)
    last = AuditSeal.objects.select_related("previous").order_by("-pk").first()
    made: list[AuditSeal] = []
    while rows := list(entries(after=last.last_row if last else BEGINNING, before=until, limit=ROWS_PER_SEAL)):
        last = _make(rows, last)
        made.append(last)
    return made


def append_to(path: str) -> int:
    """Append to the file outside the seals made since its last one; returns how many. Raises OSError, ValueError."""
    with Path(path).open("a+", encoding="utf-8") as file:
        file.seek(0)
        last = max((Sealed.from_line(line).id for line in file if line.strip()), default=BEGINNING)
        missing = [Sealed.of(each) for each in AuditSeal.objects.select_related("previous").filter(pk__gt=last)]
        missing.sort(key=lambda each: each.id)
        file.writelines(f"{each.line()}\n" for each in missing)
    return len(missing)


def read_file(path: str) -> list[Sealed]:
    """The seals that were written to the file outside, oldest first. Raises OSError, ValueError."""
    with Path(path).open(encoding="utf-8") as file:
        return [Sealed.from_line(line) for line in file if line.strip()]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found. `waiting`: rows without a seal yet; `anonymous`: rows made so since they were sealed."""

    findings: list[Finding]
    seals: int
    rows: int
    waiting: int
    anonymous: int = 0


class Archive(Protocol):
    """Where rows are that left the log; see archiving.py."""

    erasures: dict[UUID, UUID | None]
    """Those among the rows that were read, and of whom each was."""

    def is_unread(self, seal: Sealed) -> bool:
        """Whether the rows of this seal are in a file that nobody can read."""

    def rows_of(self, seal: Sealed) -> Mapping[UUID, Mapping[str, Any]] | None:
        """The rows of a seal that a file holds, by id; None for a seal whose rows are in the log."""

    def findings(self) -> list[Finding]:
        """What is wrong with the files themselves."""


def verify(outside: Iterable[Sealed] = (), archive: Archive | None = None) -> Verdict:
    """Compare every sealed row with its seal; `outside` are the seals of the file. Reads each row once, in chunks."""
    kept = {each.id: each for each in outside if each.is_valid}
    here = {each.pk: Sealed.of(each) for each in AuditSeal.objects.select_related("previous")}
    forged = {pk for pk, each in here.items() if not each.is_valid or kept.get(pk, each) != each}
    findings = [Finding(Kind.SEAL_DELETED, pk) for pk in sorted(kept.keys() - here.keys())]
    findings += [Finding(Kind.SEAL_FORGED, pk) for pk in sorted(forged)]
    trusted = {pk: each for pk, each in here.items() if pk not in forged} | kept
    seals = [trusted[pk] for pk in sorted(trusted)]
    mismatches, after, signature = _Mismatches(), BEGINNING, ""
    for each in seals:
        if each.previous_signature != signature:
            findings += [] if forged else [Finding(Kind.SEAL_MISSING, each.id)]
            findings += _unproved(_ids().filter(pk__gt=after, pk__lt=each.first_row))
            after = UUID(int=each.first_row.int - 1)
        if archive is None or not archive.is_unread(each):
            mismatches.compare(each, after, archive.rows_of(each) if archive else None)
        after, signature = each.last_row, each.signature
    end = max((here[pk].last_row for pk in forged), default=after)
    findings += mismatches.findings() + _unproved(_ids().filter(pk__gt=after, pk__lte=end))
    distrusted = {finding.id for finding in findings}
    erasures = archive.erasures if archive else {}
    findings += [Finding(Kind.UNERASED, pk) for pk in unfounded(mismatches.redacted, distrusted, erasures)]
    findings += archive.findings() if archive else []
    rows = sum(each.row_count for each in seals)
    waiting = _ids().filter(pk__gt=max(after, end)).count()
    return Verdict(findings, len(seals), rows, waiting, len(mismatches.redacted))


class _Mismatches:
    """Rows that differ from their entries, told apart once all are known."""

    def __init__(self) -> None:
        self.wanted: dict[UUID, bytes] = {}
        self.found: dict[UUID, bytes] = {}
        self.redacted: list[Redacted] = []

    def compare(self, seal: Sealed, after: UUID, archived: Mapping[UUID, Mapping[str, Any]] | None = None) -> None:
        """The rows after one, up to the seal's last, with its entries. Rows of a file may still be in the log too."""
        expected, found, edited = seal.rows(), {}, {}
        filed = {pk: row_digest(row, seal.version) for pk, row in (archived or {}).items()}
        here = entries(after=after, until=seal.last_row, version=seal.version)
        for pk, digest in chain(filed.items(), (each for each in here if filed.get(each[0]) != each[1])):
            wanted = expected.pop(pk, None)
            if wanted != digest:
                found[pk] = digest
                if wanted is not None:
                    edited[pk] = wanted
        for row in explained(edited, seal.version, archived):
            self.redacted.append(row)
            del found[row.id], edited[row.id]
        self.found |= found
        self.wanted |= edited | expected  # what is left of these is not in the log any more

    def findings(self) -> list[Finding]:
        elsewhere = {digest for pk, digest in self.wanted.items() if self.found.get(pk) != digest}
        return [Finding(self._kind(pk, elsewhere), pk) for pk in sorted(self.wanted.keys() | self.found.keys())]

    def _kind(self, pk: UUID, elsewhere: set[bytes]) -> str:
        if pk not in self.found:
            return Kind.DELETED
        if self.found[pk] in elsewhere:
            return Kind.MOVED
        return Kind.EDITED if pk in self.wanted else Kind.INSERTED


def _ids() -> "QuerySet[AuditLog, UUID]":
    return AuditLog.objects.order_by("pk").values_list("pk", flat=True)


def _unproved(ids: "QuerySet[AuditLog, UUID]") -> list[Finding]:
    return [Finding(Kind.UNPROVED, pk) for pk in ids.iterator()]


def _make(rows: list[tuple[UUID, bytes]], previous: AuditSeal | None) -> AuditSeal:
    packed = b"".join(pk.bytes + digest for pk, digest in rows)
    made = AuditSeal(
        previous=previous,
        created_at=timezone.now(),
        first_row=rows[0][0],
        last_row=rows[-1][0],
        row_count=len(rows),
        digest=_sha(packed),
        entries=packed,
        version=IN_PARTS,
    )
    made.signature = Sealed.of(made).signed()
    made.save(force_insert=True)
    return made


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def first_id_at(moment: datetime) -> UUID:
    """The smallest UUIDv7 of that millisecond."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
