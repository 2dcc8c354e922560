"""Moving old rows of the audit log to files, and finding them there.

A file holds the rows of whole seals. Only once it is written, on the disk, read again and found to be what was sealed
is it registered (`audit_archives`, append-only and signed); only then does the database let go of its rows. Killed at
any moment, the next run goes on: a file without a registration is written anew, registered rows that are still in the
log are removed. The seals stay, so that `verify_audit` proves what is in the files as it does what is in the log.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.models import AuditArchive, AuditLog, AuditSeal
from audit.proof import archive_files
from audit.proof.archive_files import UNREADABLE, Row
from audit.proof.digests import row_digest
from audit.proof.redactions import explained
from audit.proof.sealing import Finding, Kind, Sealed, first_id_at
from audit.proof.signing import is_signed, sign
from audit.services import record
from promptlib.core.transactions import in_transaction

SEALS_PER_FILE = 10
ROWS_AT_ONCE = 500


class NotArchived(Exception):
    """Why nothing (more) was moved; what was is whole."""


def archive(folder: Path, *, older_than: timedelta) -> Iterator[AuditArchive]:
    """Move what was sealed before; yields each file when its rows are out of the log. Raises NotArchived, OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone_in(folder):
        for registered in AuditArchive.objects.order_by("pk"):
            if _is_in_log(registered):  # the last run was killed
                _remove(registered, folder)
                yield registered
        while seals := _next_seals(older_than):
            registered = _register(_write(folder, seals), seals)
            _remove(registered, folder)
            yield registered


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise NotArchived("Another archive_audit is at work in this folder; let it.") from error
        yield  # the lock goes with the process, however that ends


def _next_seals(older_than: timedelta) -> list[Sealed]:
    last = AuditArchive.objects.order_by("-last_row").first()
    seals = AuditSeal.objects.select_related("previous").filter(last_row__lt=first_id_at(timezone.now() - older_than))
    seals = seals.filter(first_row__gt=last.last_row) if last else seals
    found = [Sealed.of(each) for each in seals.order_by("pk")[:SEALS_PER_FILE]]
    if forged := [each.id for each in found if not each.is_valid]:
        raise NotArchived(f"The seal {forged[0]} was not made with the key. Run verify_audit; nothing was moved.")
    return found


def _write(folder: Path, seals: list[Sealed]) -> Path:
    first, last = seals[0], seals[-1]
    days = f"{_day_of(first.first_row)}-{_day_of(last.last_row)}"
    path = folder / f"audit-{days}-{last.last_row.hex[-12:]}.jsonl.gz"
    part = path.with_suffix(".part")
    archive_files.write_file(part, seals)
    _check(part, seals)
    part.replace(path)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # the name as well
    finally:
        os.close(descriptor)
    return path


def _check(path: Path, seals: list[Sealed]) -> None:
    """Read the file again: each row must be what was sealed."""
    found = archive_files.seals_in(path)
    for seal in seals:
        pk, rows = next(found, (None, {}))
        wrong = {key for key, sealed in seal.rows().items() if key not in rows or _differs(rows[key], sealed, seal)}
        sealed = {key: entry for key, entry in seal.rows().items() if key in wrong and key in rows}
        wrong -= {row.id for row in explained(sealed, seal.version, rows)}
        wrong |= rows.keys() - seal.rows().keys()
        if pk != seal.id or wrong:
            raise NotArchived(
                f"{len(wrong):,} rows are not what was sealed, {min(wrong, default=pk)} among them. Run verify_audit;"
                " nothing of this was moved."
            )
    if not archive_files.is_signed_whole(path):
        raise NotArchived(f"{path} cannot be read back as it was written. Look at the disk; nothing of it was moved.")


def _differs(row: Row, sealed: bytes, seal: Sealed) -> bool:
    return row_digest(row, seal.version) != sealed


@transaction.atomic
def _register(path: Path, seals: list[Sealed]) -> AuditArchive:
    registered = AuditArchive(
        name=path.name,
        first_row=seals[0].first_row,
        last_row=seals[-1].last_row,
        row_count=sum(each.row_count for each in seals),
        digest=archive_files.digest_of(path),
        last_seal_id=seals[-1].id,
    )
    registered.signature = sign(_message(registered))
    registered.save(force_insert=True)
    record(AuditLog.Action.EXPORT, registered, changes={"rows": [None, registered.row_count]})
    return registered


def _message(registered: AuditArchive) -> str:
    facts = [registered.pk, registered.name, registered.first_row, registered.last_row, registered.row_count]
    return "\0".join(map(str, ["archive", *facts, registered.digest, registered.last_seal.signature]))


def _remove(registered: AuditArchive, folder: Path) -> None:
    """Take from the log what the file holds, and nothing else; only while the file is there as it was written."""
    path = folder / registered.name
    if not path.is_file() or archive_files.digest_of(path) != registered.digest:
        raise NotArchived(f"{path} is not there as it was written. Bring it back; its rows are still in the log.")
    for _seal, rows in archive_files.seals_in(path):
        ids = sorted(rows)
        for start in range(0, len(ids), ROWS_AT_ONCE):
            gone = AuditLog.objects.filter(pk__in=ids[start : start + ROWS_AT_ONCE])
            in_transaction(lambda gone=gone: gone._raw_delete(gone.db))  # type: ignore[misc]


def _is_in_log(registered: AuditArchive) -> bool:
    return AuditLog.objects.filter(pk__gte=registered.first_row, pk__lte=registered.last_row).exists()


def _day_of(row: UUID) -> str:
    return datetime.fromtimestamp((row.int >> 80) / 1000, tz=UTC).strftime("%Y%m%d")


# ---- what verify_audit asks ------------------------------------------------------------------------------------------


class Folder:
    """The registered files, for `sealing.verify`; without a path none can be read."""

    def __init__(self, path: str) -> None:
        self.path = Path(path) if path else None
        self.erasures: dict[UUID, UUID | None] = {}
        self.unread_rows = 0
        self._findings: list[Finding] = []
        self._files: dict[UUID, Iterator[tuple[UUID, dict[UUID, Row]]] | None] = {}

    @cached_property
    def registered(self) -> list[AuditArchive]:
        found = list(AuditArchive.objects.select_related("last_seal").order_by("first_row"))
        forged = [each for each in found if not is_signed(_message(each), each.signature)]
        self._findings += [Finding(Kind.ARCHIVE_FORGED, each.pk) for each in forged]
        return [each for each in found if each not in forged]

    def findings(self) -> list[Finding]:
        return self._findings

    def is_unread(self, seal: Sealed) -> bool:
        registered = self._of(seal)
        is_unread = registered is not None and self._file(registered) is None
        self.unread_rows += seal.row_count if is_unread else 0
        return is_unread

    def rows_of(self, seal: Sealed) -> Mapping[UUID, Row] | None:
        registered = self._of(seal)
        if registered is None:
            return None
        for pk, rows in self._file(registered) or ():  # each file is read once: seals are asked for in its order
            if pk == seal.id:
                told = ((key, row["subject_id"]) for key, row in rows.items() if _is_erasure(row))
                self.erasures.update(told)
                return rows
        return {}

    def _of(self, seal: Sealed) -> AuditArchive | None:
        return next((a for a in self.registered if a.first_row <= seal.first_row and seal.last_row <= a.last_row), None)

    def _file(self, registered: AuditArchive) -> Iterator[tuple[UUID, dict[UUID, Row]]] | None:
        if registered.pk not in self._files:
            kind = self._state_of(registered)
            if kind is not None and self.path is not None:
                self._findings.append(Finding(kind, registered.pk))
            is_readable = kind in (None, Kind.FILE_CHANGED) and self.path is not None
            self._files[registered.pk] = archive_files.seals_in(self.path / registered.name) if is_readable else None  # type: ignore[operator]
        return self._files[registered.pk]

    def _state_of(self, registered: AuditArchive) -> str | None:
        path = (self.path or Path()) / registered.name
        if not path.is_file():
            return Kind.FILE_MISSING
        if archive_files.digest_of(path) == registered.digest:
            return None
        try:
            told = archive_files.range_of(path)
        except UNREADABLE:
            return Kind.FILE_CHANGED
        return Kind.FILE_CHANGED if told == (registered.first_row, registered.last_row) else Kind.FILE_SWAPPED


def _is_erasure(row: Row) -> bool:
    return bool(row["action"] == AuditLog.Action.ERASE)
