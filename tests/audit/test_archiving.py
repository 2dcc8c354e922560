"""Old rows of the log in files: proved as before, named when somebody changed them, and never lost on the way."""

import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import Error, transaction

from audit.models import AuditArchive, AuditLog, AuditRedaction, AuditSeal
from audit.proof import archive_files, archiving, redactions, sealing
from audit.proof.archiving import Folder
from audit.proof.sealing import Finding, Kind
from audit.services import record
from audit.triggers import TRIGGERS
from promptlib.core import sql
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
NOW = timedelta(seconds=-1)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "ROWS_PER_SEAL", 7)
    monkeypatch.setattr(archiving, "SEALS_PER_FILE", 2)
    monkeypatch.setattr(archiving, "ROWS_AT_ONCE", 4)


@pytest.fixture
def ids() -> list[UUID]:
    """The rows of a sealed log: 4 seals of 7 and what is left, in three files of 2 seals at most."""
    person = UserFactory(display_name="Ines")
    for number in range(31):
        record(
            AuditLog.Action.ACCESS,
            person,
            actor=person,
            changes={"read": [number, {"é": [1.5, None, "\ud83d\ude00"]}]},
            reason=f"Row {number}",
        )
    sealing.seal(settle=NOW)
    return list(AuditLog.objects.order_by("pk").values_list("pk", flat=True))


def move(folder: Path) -> list[AuditArchive]:
    return list(archiving.archive(folder, older_than=NOW))


def found(folder: Path) -> set[Finding]:
    return set(sealing.verify(archive=Folder(str(folder))).findings)


def in_files(folder: Path) -> list[UUID]:
    files = [folder / each.name for each in AuditArchive.objects.order_by("first_row")]
    return [pk for file in files for _seal, rows in archive_files.seals_in(file) for pk in rows]


def test_what_is_moved_is_in_the_files_and_no_longer_in_the_log_and_proved_as_before(
    tmp_path: Path, ids: list[UUID]
) -> None:
    before = sealing.verify()
    moved = move(tmp_path)
    assert [each.row_count for each in moved] == [14, 14, len(ids) - 28]
    assert in_files(tmp_path) == ids
    assert not AuditLog.objects.filter(pk__in=ids).exists()
    after = sealing.verify(archive=Folder(str(tmp_path)))
    assert (after.findings, after.rows, after.seals) == ([], before.rows, before.seals)
    assert move(tmp_path) == []
    told = AuditLog.objects.filter(action=AuditLog.Action.EXPORT).order_by("pk")
    assert [row.changes for row in told] == [{"rows": [None, each.row_count]} for each in moved]
    assert (tmp_path / moved[0].name).stat().st_mode & 0o077 == 0
    assert sealing.seal(settle=NOW)[0].previous == AuditSeal.objects.get(pk=moved[-1].last_seal_id)


def test_only_what_is_old_enough_and_sealed_is_moved(tmp_path: Path, ids: list[UUID]) -> None:
    record(AuditLog.Action.ACCESS, UserFactory())
    assert list(archiving.archive(tmp_path, older_than=timedelta(days=1))) == []
    move(tmp_path)
    assert AuditLog.objects.filter(action=AuditLog.Action.ACCESS).count() == 1


def test_the_database_lets_go_of_nothing_else(tmp_path: Path, ids: list[UUID]) -> None:
    move(tmp_path)
    kept = record(AuditLog.Action.ACCESS, UserFactory())
    for queryset in (AuditLog.objects.filter(pk=kept.pk), AuditArchive.objects.all()):
        with pytest.raises(Error, match="append-only"), transaction.atomic():
            queryset.delete()
    with pytest.raises(Error, match="append-only"), transaction.atomic():
        AuditArchive.objects.update(name="other")


STOPS = ["write_file", "digest_of", "_check", "_register", "_remove", "removing"]


@pytest.mark.parametrize("stop", STOPS)
def test_killed_at_any_moment_the_next_run_goes_on(
    tmp_path: Path, ids: list[UUID], stop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost, nothing is there twice once it is through, and the log is proved all the while."""

    def killed(*_args: Any, **_kwargs: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if stop == "removing":
            in_transaction, calls = archiving.in_transaction, iter(range(2))
            step = lambda work: in_transaction(work) if next(calls, None) is not None else killed()  # noqa: E731
            patched.setattr(archiving, "in_transaction", step)
        else:
            module = archive_files if hasattr(archive_files, stop) else archiving
            patched.setattr(module, stop, killed)
        with pytest.raises(KeyboardInterrupt):
            move(tmp_path)
    here = set(AuditLog.objects.filter(pk__in=ids).values_list("pk", flat=True))
    assert here | set(in_files(tmp_path)) == set(ids)
    assert found(tmp_path) == set()
    move(tmp_path)
    assert in_files(tmp_path) == ids
    assert not AuditLog.objects.filter(pk__in=ids).exists()
    assert found(tmp_path) == set()
    assert not list(tmp_path.glob("*.part"))


def rewrite(file: Path, change: Callable[[list[str]], None]) -> None:
    lines = gzip.decompress(file.read_bytes()).decode().splitlines()
    change(lines)
    file.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))


def edit(lines: list[str]) -> None:
    lines[3] = lines[3].replace("Row", "Raw").replace("Ines", "Ivan")
    assert "Ivan" in lines[3]


def edit_number(lines: list[str]) -> None:
    told = json.loads(lines[3])
    told["row"]["changes"]["read"][0] = 99
    lines[3] = json.dumps(told)


def remove(lines: list[str]) -> None:
    del lines[3]


def spoil(lines: list[str]) -> None:
    lines[3] = "{" + lines[3]


def insert(lines: list[str]) -> None:
    told = json.loads(lines[3])
    told["row"]["id"] = str(UUID(int=UUID(told["row"]["id"]).int + 1))
    lines.insert(4, json.dumps(told))


TAMPERINGS = [
    (edit, Kind.EDITED, 0),
    (edit_number, Kind.EDITED, 0),
    (remove, Kind.DELETED, 0),
    (spoil, Kind.DELETED, 0),
    (insert, Kind.INSERTED, 1),
]


@pytest.mark.parametrize(("change", "kind", "beside"), TAMPERINGS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_row_changed_in_a_file_is_named(
    tmp_path: Path, ids: list[UUID], change: Callable[[list[str]], None], kind: str, beside: int
) -> None:
    archive = move(tmp_path)[1]
    at = 3 - 2  # behind the head and the first seal
    rewrite(tmp_path / archive.name, change)
    row = UUID(int=ids[14 + at].int + beside)
    assert found(tmp_path) == {Finding(kind, row), Finding(Kind.FILE_CHANGED, archive.pk)}


def test_a_file_that_is_missing_or_another_one_is_named(tmp_path: Path, ids: list[UUID]) -> None:
    first, second, third = move(tmp_path)
    one, two, three = (tmp_path / each.name for each in (first, second, third))
    three.unlink()
    assert found(tmp_path) == {Finding(Kind.FILE_MISSING, third.pk)}
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)
    three.write_bytes(b"no file of ours")
    assert found(tmp_path) == {
        Finding(Kind.FILE_SWAPPED, first.pk),
        Finding(Kind.FILE_SWAPPED, second.pk),
        Finding(Kind.FILE_CHANGED, third.pk),
        *(Finding(Kind.DELETED, pk) for pk in ids[28:]),
    }


@pytest.mark.django_db(transaction=True)  # MySQL commits where a trigger is dropped
def test_a_log_that_is_not_what_was_sealed_is_not_moved(tmp_path: Path, ids: list[UUID]) -> None:
    sql.drop(TRIGGERS)
    try:
        AuditLog.objects.filter(pk=ids[16]).update(reason="Nothing")
    finally:
        sql.install(TRIGGERS)
    with pytest.raises(archiving.NotArchived, match=f"1 rows are not what was sealed, {ids[16]}"):
        move(tmp_path)
    assert in_files(tmp_path) == ids[:14]
    assert set(AuditLog.objects.filter(pk__in=ids).values_list("pk", flat=True)) == set(ids[14:])
    assert found(tmp_path) == {Finding(Kind.EDITED, ids[16])}


def test_whoever_registers_a_file_without_the_key_is_found(tmp_path: Path, ids: list[UUID]) -> None:
    forged = AuditArchive.objects.create(
        name="x.jsonl.gz",
        first_row=ids[0],
        last_row=ids[6],
        row_count=7,
        digest="0" * 64,
        last_seal=AuditSeal.objects.order_by("pk")[0],
        signature="0" * 64,
    )
    AuditLog.objects.filter(pk=ids[2]).delete()  # the trigger believes it
    assert found(tmp_path) == {Finding(Kind.ARCHIVE_FORGED, forged.pk), Finding(Kind.DELETED, ids[2])}


def test_rows_that_an_erasure_made_anonymous_are_proved_in_files_too(tmp_path: Path) -> None:
    person = UserFactory()
    row = record(AuditLog.Action.ACCESS, person, actor=person, reason="Once")
    sealing.seal(settle=NOW)
    erasure = record(AuditLog.Action.ERASE, person, subject_id=person.pk)
    redactions.redact(erasure, [row.pk], AuditRedaction.Part.ACTOR)
    sealing.seal(settle=NOW)
    move(tmp_path)
    assert not AuditLog.objects.filter(pk=erasure.pk).exists()
    verdict = sealing.verify(archive=Folder(str(tmp_path)))
    assert (verdict.findings, verdict.anonymous) == ([], 1)


def test_the_commands_move_check_and_say_what_they_could_not_read(tmp_path: Path, ids: list[UUID]) -> None:
    def run(name: str, **options: Any) -> str:
        out = StringIO()
        call_command(name, stdout=out, stderr=StringIO(), **options)
        return out.getvalue()

    with pytest.raises(CommandError, match="AUDIT_ARCHIVE_DIR"):
        run("archive_audit")
    said = run("archive_audit", folder=str(tmp_path), older_than=-1)
    assert f"Rows moved to {tmp_path}: {len(ids)}." in said
    assert "are as they were sealed" in run("verify_audit", archives=str(tmp_path))
    assert f"Rows in files that were not read (--archives): {len(ids)}." in run("verify_audit")
    next(tmp_path.glob("*.gz")).unlink()
    with pytest.raises(CommandError, match="1 findings"):
        run("verify_audit", archives=str(tmp_path))
