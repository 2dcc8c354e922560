"""Erasures make parts of the log anonymous, and nothing else; what passes itself off as an erasure is found."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from django.db import Error, transaction
from django.test import override_settings

from accounts.models import User
from audit.context import acting
from audit.models import AuditLog, AuditRedaction
from audit.proof import digests, redactions, sealing
from audit.proof.digests import ANONYMOUS, FIELDS, FLAT
from audit.proof.redactions import ACTOR, CONTENT, redact
from audit.proof.sealing import Finding, Kind
from audit.services import record
from audit.triggers import TRIGGERS
from promptlib.core import sql
from tests.audit.test_sealing import NOW, raw, run
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def small_seals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "ROWS_PER_SEAL", 7)
    monkeypatch.setattr(redactions, "BATCH", 3)


@pytest.fixture
def person() -> User:
    return UserFactory(display_name="Ines Okafor", email="ines@example.com")


@pytest.fixture
def theirs(person: User) -> list[UUID]:
    """Five rows of what the person did, among those of others."""
    made = []
    for number in range(5):
        with acting(person, ip="192.0.2.7", user_agent="Firefox"):
            made.append(record(AuditLog.Action.ACCESS, person, changes={"n": [number, "é"]}, reason=f"Row {number}").pk)
        record(AuditLog.Action.ACCESS, UserFactory(), reason="Another's")
    return made


def erasure_of(person: User) -> AuditLog:
    return record(AuditLog.Action.ERASE, person, subject_id=person.pk)


def table() -> dict[UUID, dict[str, object]]:
    return {row.pop("pk"): row for row in AuditLog.objects.values("pk", *FIELDS)}


def test_a_redaction_makes_the_parts_it_names_anonymous_and_nothing_else(person: User, theirs: list[UUID]) -> None:
    erasure, before = erasure_of(person), table()
    assert redact(erasure, theirs, ACTOR) == 5
    expected = {pk: row | (ANONYMOUS[ACTOR] if pk in theirs else {}) for pk, row in before.items()}
    assert table() == expected
    assert redact(erasure, theirs[:2], ACTOR, CONTENT) == 2  # the actors are anonymous already
    assert table() == {pk: row | (ANONYMOUS[CONTENT] if pk in theirs[:2] else {}) for pk, row in expected.items()}
    kept = set(AuditRedaction.objects.values_list("row_id", "part", "erasure_id"))
    assert kept == {(pk, ACTOR, erasure.pk) for pk in theirs} | {(pk, CONTENT, erasure.pk) for pk in theirs[:2]}


@pytest.mark.parametrize("version", ["of one digest", "in parts"])
def test_sealed_rows_that_an_erasure_made_anonymous_verify(
    person: User, theirs: list[UUID], version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        if version == "of one digest":
            patched.setattr(sealing, "IN_PARTS", FLAT)
            patched.setattr(sealing, "entries", partial(digests.entries, version=FLAT))
        sealing.seal(settle=NOW)
    erasure = erasure_of(person)
    redact(erasure, theirs, ACTOR)
    redact(erasure, theirs[:2], CONTENT)
    verdict = sealing.verify()
    assert (verdict.findings, verdict.anonymous) == ([], 5)
    sealing.seal(settle=NOW)  # the erasure itself
    verdict = sealing.verify()
    assert (verdict.findings, verdict.anonymous, verdict.waiting) == ([], 5, 0)


def test_rows_that_are_made_anonymous_before_they_are_sealed_verify(person: User, theirs: list[UUID]) -> None:
    redact(erasure_of(person), theirs, ACTOR, CONTENT)
    sealing.seal(settle=NOW)
    verdict = sealing.verify()
    assert (verdict.findings, verdict.anonymous) == ([], 0)


def test_two_erasures_may_share_a_row(person: User, theirs: list[UUID]) -> None:
    other = UserFactory()
    with acting(person):
        row = record(AuditLog.Action.UPDATE, other, changes={"display_name": ["A", "B"]})
    sealing.seal(settle=NOW)
    assert redact(erasure_of(person), [row.pk], ACTOR) == redact(erasure_of(other), [row.pk], CONTENT) == 1
    assert sealing.verify().findings == []


# ---- what the database refuses ---------------------------------------------------------------------------------------

REFUSED = {
    "made anonymous without a redaction": "UPDATE audit_logs SET reason = '' WHERE reason = 'Another''s'",
    "a part that no redaction names": "UPDATE audit_logs SET actor_name = '' WHERE reason = 'Row 1'",
    "another value than the anonymous one": "UPDATE audit_logs SET reason = 'Nothing' WHERE object_repr = ''",
    "the case of letters": "UPDATE audit_logs SET object_pk = UPPER(object_pk)",
    "the case of letters of a part": "UPDATE audit_logs SET reason = UPPER(reason)",
    "a letter that weighs nothing": "UPDATE audit_logs SET object_repr = '\u200b' WHERE object_repr = ''",
    "what lasts": "UPDATE audit_logs SET action = 1 WHERE object_repr = ''",
    "a redaction changed": "UPDATE audit_redactions SET part = 1",
    "a redaction deleted": "DELETE FROM audit_redactions",
    "a row deleted": "DELETE FROM audit_logs WHERE object_repr = ''",
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_database_refuses(person: User, theirs: list[UUID], what: str) -> None:
    redact(erasure_of(person), theirs[:1], CONTENT)
    before = table()
    with pytest.raises(Error, match="append-only"), transaction.atomic():
        run(REFUSED[what])
    assert table() == before


@pytest.mark.parametrize("what", ["for no erasure", "who acted, for another's erasure"])
def test_the_database_refuses_a_redaction(person: User, theirs: list[UUID], what: str) -> None:
    other = UserFactory()
    erasure = record(AuditLog.Action.PURGE, person) if what == "for no erasure" else erasure_of(other)
    before = table()
    with pytest.raises(Error, match="for an erasure in the log only"), transaction.atomic():
        redact(erasure, theirs, ACTOR)
    assert (table(), AuditRedaction.objects.count()) == (before, 0)


# ---- what somebody does who has the password of the database, but not the key ----------------------------------------


def forge_without_redaction(rows: list[UUID], _erasure: UUID) -> set[Finding]:
    AuditLog.objects.filter(pk=rows[4]).update(**ANONYMOUS[CONTENT])
    return {Finding(Kind.EDITED, rows[4])}


def forge_with_another_key(rows: list[UUID], erasure: UUID) -> set[Finding]:
    with override_settings(AUDIT_SEAL_KEYS=["guessed"]):
        redact(AuditLog.objects.get(pk=erasure), [rows[4]], CONTENT)
    return {Finding(Kind.EDITED, rows[4])}


def forge_from_anothers_redaction(rows: list[UUID], _erasure: UUID) -> set[Finding]:
    copy = AuditRedaction.objects.get(row_id=rows[0], part=CONTENT)
    copy.pk, copy.row_id = UUID(int=copy.pk.int + 1), rows[4]
    AuditRedaction.objects.bulk_create([copy])
    AuditLog.objects.filter(pk=rows[4]).update(**ANONYMOUS[CONTENT])
    return {Finding(Kind.EDITED, rows[4])}


def edit_before(rows: list[UUID], erasure: UUID) -> set[Finding]:
    """An edit does not vanish in an erasure that comes after it."""
    run("UPDATE audit_logs SET reason = 'Nobody' WHERE id = %s", raw(rows[4]))
    redact(AuditLog.objects.get(pk=erasure), [rows[4]], CONTENT)
    return {Finding(Kind.EDITED, rows[4])}


def edit_what_lasts(rows: list[UUID], _erasure: UUID) -> set[Finding]:
    run("UPDATE audit_logs SET action = 1 WHERE id = %s", raw(rows[0]))
    return {Finding(Kind.EDITED, rows[0])}


def edit_what_was_made_anonymous(rows: list[UUID], _erasure: UUID) -> set[Finding]:
    run("UPDATE audit_logs SET object_repr = 'Somebody else' WHERE id = %s", raw(rows[0]))
    return {Finding(Kind.EDITED, rows[0])}


def edit_the_other_part(rows: list[UUID], _erasure: UUID) -> set[Finding]:
    run("UPDATE audit_logs SET object_repr = '', reason = 'It was you' WHERE id = %s", raw(rows[3]))
    return {Finding(Kind.EDITED, rows[3])}


def delete_a_redaction(rows: list[UUID], _erasure: UUID) -> set[Finding]:
    AuditRedaction.objects.filter(row_id=rows[0], part=CONTENT).delete()
    return {Finding(Kind.EDITED, rows[0])}


def delete_the_erasure(rows: list[UUID], erasure: UUID) -> set[Finding]:
    run("DELETE FROM audit_logs WHERE id = %s", raw(erasure))
    return {Finding(Kind.DELETED, erasure)} | {Finding(Kind.UNERASED, pk) for pk in rows[:4]}


def make_another_of_the_erasure(rows: list[UUID], erasure: UUID) -> set[Finding]:
    run("UPDATE audit_logs SET subject_id = %s WHERE id = %s", raw(UUID(int=1)), raw(erasure))
    return {Finding(Kind.EDITED, erasure)} | {Finding(Kind.UNERASED, pk) for pk in rows[:4]}


def swap(rows: list[UUID], _erasure: UUID) -> set[Finding]:
    one, other, between = rows[0], rows[1], UUID(int=7)
    for old, new in ((one, between), (other, one), (between, other)):
        run("UPDATE audit_logs SET id = %s WHERE id = %s", raw(new), raw(old))
    return {Finding(Kind.EDITED, one), Finding(Kind.EDITED, other)}


FORGERIES: list[Callable[[list[UUID], UUID], set[Finding]]] = [
    *(forge_without_redaction, forge_with_another_key, forge_from_anothers_redaction, edit_before, edit_what_lasts),
    *(edit_what_was_made_anonymous, edit_the_other_part, delete_a_redaction, delete_the_erasure),
    *(make_another_of_the_erasure, swap),
]


def test_each_forged_anonymisation_is_found_and_named(person: User, theirs: list[UUID]) -> None:
    sealing.seal(settle=NOW)
    erasure = erasure_of(person)
    redact(erasure, theirs[:4], ACTOR)
    redact(erasure, theirs[:2], CONTENT)
    sealing.seal(settle=timedelta(seconds=-1))
    assert sealing.verify().findings == []
    sql.drop(TRIGGERS)
    try:
        for forge in FORGERIES:
            with transaction.atomic():
                expected = forge(theirs, erasure.pk)
                assert (forge.__name__, set(sealing.verify().findings)) == (forge.__name__, expected)
                transaction.set_rollback(True)
    finally:
        sql.install(TRIGGERS)


def test_a_redaction_that_the_key_signed_for_anothers_erasure_is_not_believed(theirs: list[UUID]) -> None:
    erasure = erasure_of(UserFactory())
    sealing.seal(settle=NOW)
    sql.drop(TRIGGERS)
    try:
        redact(erasure, theirs[:1], ACTOR)
    finally:
        sql.install(TRIGGERS)
    assert sealing.verify().findings == [Finding(Kind.UNERASED, theirs[0])]


def test_every_column_of_the_log_is_digested() -> None:
    columns = {field.attname for field in AuditLog._meta.concrete_fields} - {"id"}
    assert set(FIELDS) == {*digests.LASTING, *ANONYMOUS[ACTOR], *ANONYMOUS[CONTENT]} == columns
