"""A sealed log: left alone it verifies; whatever is done to it by SQL is found, row by row."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import override_settings
from uuid_utils.compat import uuid7

from accounts.models import User
from audit.models import AuditLog, AuditSeal
from audit.proof import digests, sealing
from audit.proof.sealing import Finding, Kind
from audit.services import record
from audit.triggers import TRIGGERS
from promptlib.core import sql
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
NOW = timedelta(seconds=-1)  # rows of this very millisecond too


@pytest.fixture(autouse=True)
def small_seals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "ROWS_PER_SEAL", 7)
    monkeypatch.setattr(digests, "CHUNK", 4)


def write(person: User, count: int, pause: float = 0) -> None:
    for number in range(count):
        time.sleep(pause)
        record(AuditLog.Action.ACCESS, person, changes={"read": [number, {"é": [1.5, None]}]}, reason=f"Row {number}")


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """30 rows or more in seals of 7, the triggers dropped; the file outside."""
    write(UserFactory(), 30)
    outside = tmp_path / "seals.jsonl"
    call_command("seal_audit", settle=-1, file=str(outside), stdout=StringIO())
    return outside


@pytest.fixture
def unguarded() -> Iterator[None]:
    """What somebody with the password of the database does first."""
    sql.drop(TRIGGERS)
    yield
    sql.install(TRIGGERS)


def run(statement: str, *params: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def raw(pk: UUID) -> object:
    return AuditLog._meta.pk.get_db_prep_value(pk, connection)


def edit(rows: list[UUID], chance: random.Random) -> set[Finding]:
    column = chance.choice(["object_repr", "actor_name", "reason", "cid"])
    pk = chance.choice(rows)
    run(f"UPDATE audit_logs SET {column} = 'Nobody' WHERE id = %s", raw(pk))
    return {Finding(Kind.EDITED, pk)}


def edit_changes(rows: list[UUID], chance: random.Random) -> set[Finding]:
    pk = chance.choice(rows)
    run("""UPDATE audit_logs SET changes = '{"read": [0, 0]}' WHERE id = %s""", raw(pk))
    return {Finding(Kind.EDITED, pk)}


def delete(rows: list[UUID], chance: random.Random) -> set[Finding]:
    gone = chance.sample(rows, chance.randint(1, 5))
    for pk in gone:
        run("DELETE FROM audit_logs WHERE id = %s", raw(pk))
    return {Finding(Kind.DELETED, pk) for pk in gone}


def insert(rows: list[UUID], chance: random.Random) -> set[Finding]:
    """A copy of a row, with an id between two others."""
    pk = UUID(int=chance.choice(rows[:-1]).int + 1)
    copy = AuditLog.objects.get(pk=chance.choice(rows))
    copy.pk, copy.reason = pk, "Never happened"
    AuditLog.objects.bulk_create([copy])
    return {Finding(Kind.INSERTED, pk)}


def swap(rows: list[UUID], chance: random.Random) -> set[Finding]:
    """Each row under the other's id."""
    one, other = chance.sample(rows, 2)
    between = uuid7()
    for old, new in ((one, between), (other, one), (between, other)):
        run("UPDATE audit_logs SET id = %s WHERE id = %s", raw(new), raw(old))
    return {Finding(Kind.MOVED, one), Finding(Kind.MOVED, other)}


def cut_the_tail(rows: list[UUID], chance: random.Random) -> set[Finding]:
    """The last rows and every seal that covers one of them."""
    gone = rows[-chance.randint(1, 20) :]
    seals = list(AuditSeal.objects.filter(last_row__gte=gone[0]).order_by("-pk"))
    run("DELETE FROM audit_logs WHERE id >= %s", raw(gone[0]))
    for seal in seals:
        run("DELETE FROM audit_seals WHERE id = %s", raw(seal.pk))
    return {Finding(Kind.DELETED, pk) for pk in gone} | {Finding(Kind.SEAL_DELETED, seal.pk) for seal in seals}


def rewrite_all(rows: list[UUID], _chance: random.Random) -> set[Finding]:
    """Every row, and every seal anew, as well as it goes without the key."""
    run("UPDATE audit_logs SET actor_name = 'Nobody'")
    seals = list(AuditSeal.objects.order_by("-pk"))
    for seal in seals:
        run("DELETE FROM audit_seals WHERE id = %s", raw(seal.pk))
    with override_settings(AUDIT_SEAL_KEYS=["guessed"]):
        made = sealing.seal(settle=NOW)
    forged = {Finding(Kind.SEAL_FORGED, seal.pk) for seal in made}
    deleted = {Finding(Kind.SEAL_DELETED, seal.pk) for seal in seals}
    return forged | deleted | {Finding(Kind.EDITED, pk) for pk in rows}


TAMPERINGS: list[Callable[[list[UUID], random.Random], set[Finding]]] = [
    *(edit, edit_changes, delete, insert, swap, cut_the_tail, rewrite_all)
]


def test_each_of_200_tamperings_is_found_and_named(sealed: Path, unguarded: None) -> None:
    outside = sealing.read_file(str(sealed))
    rows = list(AuditLog.objects.order_by("pk").values_list("pk", flat=True))
    for seed in range(200):
        chance = random.Random(seed)
        with transaction.atomic():
            expected = TAMPERINGS[seed % len(TAMPERINGS)](rows, chance)
            assert (seed, set(sealing.verify(outside).findings)) == (seed, expected)
            transaction.set_rollback(True)
    assert sealing.verify(outside) == sealing.Verdict([], len(outside), len(rows), 0)


@pytest.mark.parametrize("tamper", [edit, delete, insert, swap])
def test_the_seals_in_the_database_alone_tell_it_too(
    sealed: Path, unguarded: None, tamper: Callable[[list[UUID], random.Random], set[Finding]]
) -> None:
    rows = list(AuditLog.objects.order_by("pk").values_list("pk", flat=True))
    expected = tamper(rows, random.Random(1))
    assert set(sealing.verify().findings) == expected


def test_without_the_file_a_log_sealed_with_another_key_is_not_believed(sealed: Path, unguarded: None) -> None:
    rows = list(AuditLog.objects.order_by("pk").values_list("pk", flat=True))
    rewrite_all(rows, random.Random(1))
    seals = {Finding(Kind.SEAL_FORGED, pk) for pk in AuditSeal.objects.values_list("pk", flat=True)}
    assert set(sealing.verify().findings) == seals | {Finding(Kind.UNPROVED, pk) for pk in rows}


def test_a_seal_taken_out_of_the_middle_is_missed(sealed: Path, unguarded: None) -> None:
    first, second, third = AuditSeal.objects.order_by("pk")[:3]
    run("UPDATE audit_seals SET previous_id = NULL WHERE previous_id = %s", raw(second.pk))
    run("DELETE FROM audit_seals WHERE id = %s", raw(second.pk))
    found = set(sealing.verify().findings)
    assert Finding(Kind.SEAL_FORGED, third.pk) in found
    covered = AuditLog.objects.filter(pk__gt=first.last_row, pk__lte=third.last_row).values_list("pk", flat=True)
    assert {Finding(Kind.UNPROVED, pk) for pk in covered} <= found


def test_an_honest_log_written_by_eight_threads_while_it_is_sealed_verifies(tmp_path: Path) -> None:
    person = UserFactory()

    def write_some(_thread: int) -> None:
        try:
            write(person, 25, pause=0.12)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(write_some, thread) for thread in range(8)]
        while not all(each.done() for each in done):
            sealing.seal(settle=timedelta(seconds=2))
            time.sleep(0.1)
        assert AuditSeal.objects.exists()  # some were sealed while others were being written
        for each in done:
            each.result()
    sealing.seal(settle=NOW)
    verdict = sealing.verify()
    assert (verdict.findings, verdict.rows, verdict.waiting) == ([], AuditLog.objects.count(), 0)
    assert verdict.rows >= 200


def test_what_is_younger_than_it_takes_to_settle_waits() -> None:
    write(UserFactory(), 3)
    call_command("seal_audit", file="", stdout=StringIO())
    assert (AuditSeal.objects.count(), sealing.verify().waiting) == (0, AuditLog.objects.count())


def test_a_key_that_was_replaced_still_proves_what_it_sealed() -> None:
    write(UserFactory(), 3)
    with override_settings(AUDIT_SEAL_KEYS=["old"]):
        (first,) = sealing.seal(settle=NOW)
    with override_settings(AUDIT_SEAL_KEYS=["new", "old"]):
        write(UserFactory(), 3)
        sealing.seal(settle=NOW)
        assert sealing.verify().findings == []
    with override_settings(AUDIT_SEAL_KEYS=["new"]):
        assert sealing.verify().findings[0] == Finding(Kind.SEAL_FORGED, first.pk)


def test_the_commands_say_what_they_found(sealed: Path, unguarded: None) -> None:
    told = StringIO()
    call_command("verify_audit", file=str(sealed), stdout=told)
    count, seals = AuditLog.objects.count(), AuditSeal.objects.count()
    assert told.getvalue() == (
        f"Rows that wait for a seal: 0.\n{count} rows in {seals} seals are as they were sealed.\n"
    )
    row = AuditLog.objects.order_by("pk")[5]
    run("DELETE FROM audit_logs WHERE id = %s", raw(row.pk))
    told = StringIO()
    with pytest.raises(CommandError, match=f"1 findings among {count} sealed rows"):
        call_command("verify_audit", file=str(sealed), stdout=told)
    assert told.getvalue().splitlines()[0] == f"{row.pk}  deleted"


def test_a_file_that_could_not_be_written_catches_up(tmp_path: Path) -> None:
    write(UserFactory(), 9)
    with pytest.raises(CommandError, match="The seals are made, but could not be appended"):
        call_command("seal_audit", settle=-1, file=str(tmp_path / "none" / "seals.jsonl"), stdout=StringIO())
    outside = tmp_path / "seals.jsonl"
    call_command("seal_audit", settle=-1, file=str(outside), stdout=StringIO())
    assert [each.id for each in sealing.read_file(str(outside))] == list(
        AuditSeal.objects.order_by("pk").values_list("pk", flat=True)
    )
