"""An erased person is nowhere in the database; what was handed over, and what they said among others, is."""

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import authenticate
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts import erasing, forgetting
from accounts.closing import close_account, finish
from accounts.erasing import HAND_OVER, PURGE
from accounts.models import Closure, Invitation, TeamMembership, User
from audit.context import acting
from audit.models import AuditLog
from audit.proof import sealing
from audit.retention.holds import TooLate, lift_hold, place_hold
from conversations.models import Conversation, Participant, Prompt, PromptComment, SeatOffer
from conversations.services import links
from templates_app import services
from templates_app.models import Favorite, PromptTemplate, Rating
from tests.accounts.test_own_data import make_client
from tests.factories import (
    ConversationFactory,
    FavoriteFactory,
    GrantFactory,
    ParticipantFactory,
    PromptFactory,
    RatingFactory,
    SuggestionFactory,
    TeamFactory,
    TemplateFactory,
    UserFactory,
    ValueSetFactory,
)
from tests.world import make_world

NOW = timedelta(seconds=-1)
ALL_GONE = {"templates": PURGE, "conversations": PURGE}
ALL_GIVEN = {"templates": HAND_OVER, "conversations": HAND_OVER}


@pytest.fixture
def ines() -> User:
    return UserFactory(
        handle="ines-wrackspurt", email="ines.wrackspurt@example.org", display_name="Ines Wrackspurt", can_sign_in=True
    )


def erased(person: User, plan: dict[str, str] | None = None, heir: User | None = None) -> User:
    close_account(person, by=person, days=0, is_erasure=True, plan=plan or ALL_GONE, heir=heir)
    call_command("close_accounts", stdout=StringIO())
    return User.all_objects.get(pk=person.pk)


def everything() -> Iterator[tuple[str, str]]:
    """Every row of every table, as one text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                yield table, " ".join(_text(value) for value in row)


def _text(value: Any) -> str:
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    try:
        return f"{text} {json.loads(text)}" if text[:1] in "[{" else text  # as words, where JSON escapes them
    except ValueError:
        return text


def where(*words: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table, text in everything():
        for word in words:
            if word.lower() in text.lower():
                found.setdefault(word, set()).add(table)
    return found


# ---- nothing personal is left ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_nothing_of_an_erased_person_is_left_in_any_table() -> None:
    """`make_world` has put words of the owner's into every kind of thing that somebody can have."""
    world = make_world()
    owner, viewer = world.people["owner"], world.people["viewer"]
    assert owner is not None and viewer is not None
    TeamMembership.objects.filter(user=viewer, team__slug="reapers").update(role="owner")
    _plant_more(owner, viewer)
    words = [word for word in world.secrets if word not in {"bramblewhisk", "Wrenfield"}]  # tags are the library's
    of_others = {"Juniperfall", "Bindlethorn"}  # a team's that goes on
    planted = {*words, "Winnie", "winifred", *PLANTED} - of_others
    assert set(where(*planted)) == planted
    assert erased(owner).display_name == "Former member"
    assert where(*planted) == {}
    assert set(where(*of_others)) == of_others


PLANTED = {
    *("Boskfield", "Crumpleton", "Danderwick", "Eddlestow", "Fossilbury", "Grubbinhold", "Harrowdale", "Inkhollow"),
    *(
        "Jostleby",
        "Kettlemarsh",
        "Lintgrove",
        "Nidderly",
        "Old-Winnie",
        "earlier.winifred",
        "192.0.2.77",
        "Quernbrowser",
    ),
}


def _plant_more(owner: User, viewer: User) -> None:
    """What an account gathers over time, in rows that are there and in what the log says of those that are not."""
    owner.preferences = {"note": "Boskfield"}
    owner.bio, owner.display_name = "Crumpleton", "Old-Winnie"
    owner.save()
    owner.email = "earlier.winifred@example.org"
    owner.save(update_fields=["email"])
    owner.email, owner.display_name = "winifred.of.the@example.org", "Winnie"
    owner.save()
    elsewhere = TemplateFactory(owner=viewer, visibility="public", title="Of the viewer")
    with acting(owner, ip="192.0.2.77", user_agent="Quernbrowser"):
        services.comment_suggestion(SuggestionFactory(template=elsewhere), author=owner, text="A remark that stays.")
        for each in (
            FavoriteFactory(template=elsewhere, user=owner),
            ValueSetFactory(template=elsewhere, user=owner, name="Danderwick"),
        ):
            each.delete()
        ValueSetFactory(template=elsewhere, user=owner, name="Eddlestow", values={"x": "Fossilbury"})
    TemplateFactory(owner=owner, title="Grubbinhold").hard_delete()
    thread = ConversationFactory(owner=viewer)
    ParticipantFactory(conversation=thread, user=owner, role="editor")
    links.make_link(thread, by=owner, name="Harrowdale")
    PromptFactory(conversation=thread, author=owner, status="draft", input_text="Inkhollow", response_text="")
    left = ConversationFactory(owner=viewer)
    ParticipantFactory(conversation=left, user=owner).delete()
    for email in ("winifred.of.the@example.org", "earlier.winifred@example.org"):
        SeatOffer.objects.create(conversation=left, email=email, invited_by=viewer)
        Invitation.objects.create(email=email, invited_by=viewer)
    authenticate(None, email="earlier.winifred@example.org", password="wrong")
    suggestion = SuggestionFactory(template=elsewhere, author=owner, message="Shorter.")
    services.accept_suggestion(suggestion, by=viewer, **_looked_at(suggestion))
    kind = ContentType.objects.get_for_model(User)
    told = {"content_type": kind, "object_id": str(owner.pk), "action_flag": CHANGE, "change_message": "Jostleby"}
    LogEntry.objects.create(user=viewer, object_repr="Kettlemarsh", **told)
    LogEntry.objects.create(user=owner, object_repr="Lintgrove", **{**told, "object_id": "1"})
    lift_hold(place_hold(subject=owner, reason="A case", by=viewer), reason="Over", by=viewer)
    EmailAddress.objects.create(user=owner, email="Nidderly@example.org")
    TeamFactory(name="Nidderly alone", members=[owner])


def _looked_at(suggestion: Any) -> dict[str, Any]:
    return {"seen_number": suggestion.template.current_version.number, "seen": suggestion.stamp}


# ---- what stays ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_they_said_among_others_stays_without_their_name(ines: User) -> None:
    template = TemplateFactory(visibility="public")
    rating = RatingFactory(template=template, user=ines, review="Works for me.")
    thread = ConversationFactory()
    ParticipantFactory(conversation=thread, user=ines, role="editor")
    asked = PromptFactory(conversation=thread, author=ines, input_text="Asked among others")
    remark = PromptComment.objects.create(prompt=asked, author=ines, text="A remark")
    FavoriteFactory(template=template, user=ines)
    tombstone = erased(ines)
    for row in (Rating.objects.get(pk=rating.pk).user, Prompt.objects.get(pk=asked.pk).author):
        assert (row.pk, str(row), row.is_deleted) == (ines.pk, "Former member", True)
    assert PromptComment.objects.get(pk=remark.pk).author == tombstone
    assert not Favorite.objects.filter(user=ines).exists()
    assert not Participant.objects.filter(user=ines).exists()
    assert (tombstone.email, tombstone.is_active, tombstone.has_usable_password()) == (
        f"{ines.pk.hex}@erased.invalid",
        False,
        False,
    )
    assert where("wrackspurt") == {}
    call_command("verify_stats", stdout=StringIO())


@pytest.mark.django_db
def test_what_is_handed_over_is_the_heirs_with_all_of_it(ines: User) -> None:
    heir = UserFactory()
    template = TemplateFactory(owner=ines, title="Kept", versions=2, visibility="shared")
    GrantFactory(template=template, user=heir)
    TemplateFactory(owner=ines, title="In the trash").delete(by=ines)
    twice = {"source": "shelf", "source_id": "1"}
    TemplateFactory(owner=heir, **twice)
    doubled = TemplateFactory(owner=ines, **twice)
    thread = ConversationFactory(owner=ines, title="Kept thread")
    prompt = PromptFactory(conversation=thread, author=ines)
    erased(ines, ALL_GIVEN, heir)
    kept = PromptTemplate.objects.get(pk=template.pk)
    assert (kept.owner, kept.title, kept.versions.count(), kept.grants.count()) == (heir, "Kept", 2, 0)
    assert PromptTemplate.objects.get(pk=doubled.pk).source_id is None
    assert not PromptTemplate.all_objects.filter(title="In the trash").exists()
    given = Conversation.objects.owned_by(heir).get()
    assert (given.pk, given.owner, [str(each.user) for each in given.participants.all()]) == (
        thread.pk,
        heir,
        [str(heir)],
    )
    assert Prompt.objects.visible_to(heir).get() == prompt
    told = AuditLog.objects.filter(object_pk=str(template.pk)).latest()
    assert (told.object_repr, told.changes) == ("Kept", {"owner": [str(ines.pk), str(heir.pk)]})
    assert where("wrackspurt") == {}
    call_command("verify_stats", stdout=StringIO())


# ---- the log ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_log_names_the_erasure_and_is_as_it_was_sealed(ines: User) -> None:
    staff = UserFactory(staff=True)
    with acting(ines, ip="192.0.2.7"):
        TemplateFactory(owner=ines)
        RatingFactory(user=ines)
    sealing.seal(settle=NOW)
    close_account(ines, by=staff, days=0, is_erasure=True, plan={"templates": PURGE}, reason="On request")
    call_command("close_accounts", stdout=StringIO())
    row = AuditLog.objects.get(action=AuditLog.Action.ERASE)
    assert (row.subject_id, row.object_repr, row.reason) == (ines.pk, "Former member", "On request")
    assert row.changes == {"templates": [None, "purge"], "asked_by": [None, str(staff.pk)]}
    acted = AuditLog.objects.filter(actor_id=ines.pk)
    assert acted.count() > 3
    assert set(acted.values_list("actor_name", "actor_email", "remote_addr", "user_agent")) == {("", None, None, "")}
    assert AuditLog.objects.filter(actor_id=staff.pk).exclude(actor_name="").exists()
    sealing.seal(settle=NOW)
    verdict = sealing.verify()
    assert (verdict.findings, verdict.waiting) == ([], 0)
    assert verdict.anonymous > 3


@pytest.mark.django_db
def test_each_model_with_a_key_to_people_is_decided_about() -> None:
    """What is new and goes with a person is deleted in an erasure; what stays says so."""
    assert {Rating, *(model for model in forgetting.KEPT if model._meta.model_name == "usagedaily")} == forgetting.KEPT
    models = {model for model, _field in forgetting.own_rows()}
    assert {Favorite, Participant, TeamMembership, EmailAddress} <= models
    assert not models & {Rating, Closure}


# ---- what stands in the way ------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_is_held_is_not_erased(ines: User) -> None:
    template = TemplateFactory(owner=ines)
    close_account(ines, by=ines, days=0, is_erasure=True, plan={"templates": PURGE})
    hold = place_hold(subject=template, reason="A case", by=UserFactory(staff=True))
    before = sorted(everything())
    with pytest.raises(CommandError, match="1 wait"):
        call_command("close_accounts", stdout=StringIO(), stderr=(told := StringIO()))
    assert told.getvalue() == f"{ines.pk}: a legal hold keeps something; not erased.\n"
    assert sorted(everything()) == before
    lift_hold(hold, reason="Over", by=UserFactory(staff=True))
    call_command("close_accounts", stdout=StringIO())
    assert not PromptTemplate.all_objects.filter(pk=template.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_a_hold_comes_too_late_for_what_an_erasure_has_begun_with(ines: User) -> None:
    others = TemplateFactory()
    for _ in range(2):
        TemplateFactory(owner=ines)
    closure = close_account(ines, by=ines, days=0, is_erasure=True, plan={"templates": PURGE})
    with patch.object(erasing, "BATCH", 1):
        next(True for _step in finish(closure) if PromptTemplate.objects.filter(owner=ines).count() == 1)
    left = PromptTemplate.objects.get(owner=ines)
    for subject in (ines, left):
        with pytest.raises(TooLate, match="is being deleted for good"):
            place_hold(subject=subject, reason="A case", by=UserFactory(staff=True))
    place_hold(subject=others, reason="A case", by=UserFactory(staff=True))
    call_command("close_accounts", stdout=StringIO())
    assert list(PromptTemplate.all_objects.all()) == [others]
    assert where("wrackspurt") == {}


@pytest.mark.django_db
def test_nothing_is_handed_over_to_who_is_gone(ines: User) -> None:
    heir = UserFactory()
    TemplateFactory(owner=ines)
    close_account(ines, by=ines, days=0, is_erasure=True, plan={"templates": HAND_OVER}, heir=heir)
    User.objects.filter(pk=heir.pk).update(is_active=False)
    before = sorted(everything())
    with pytest.raises(CommandError, match="1 wait"):
        call_command("close_accounts", stdout=StringIO(), stderr=StringIO())
    assert sorted(everything()) == before


@pytest.mark.django_db
def test_what_is_not_due_is_not_done(ines: User) -> None:
    close_account(ines, by=ines, is_erasure=True, plan={})
    before = sorted(everything())
    call_command("close_accounts", stdout=StringIO())
    assert sorted(everything()) == before
    User.objects.filter(pk=ines.pk).update(closes_at=timezone.now())
    call_command("close_accounts", "--dry-run", stdout=(told := StringIO()))
    assert told.getvalue() == f"{ines.pk}: would erase.\n"
    assert Closure.objects.count() == 1


# ---- broken off ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_an_erasure_that_is_broken_off_at_any_step_goes_on(ines: User) -> None:
    heir = UserFactory()
    for _ in range(3):
        TemplateFactory(owner=ines, versions=2)
        PromptFactory(conversation=ConversationFactory(owner=ines), author=ines)
        RatingFactory(user=ines)
    sealing.seal(settle=NOW)
    plan = {"templates": HAND_OVER, "conversations": PURGE}
    closure = close_account(ines, by=ines, days=0, is_erasure=True, plan=plan, heir=heir)
    with patch.object(erasing, "BATCH", 1):
        step = 0
        while Closure.objects.filter(pk=closure.pk).exists():
            step += 3  # each time it gets a little further, or does over what it did
            for _number, _step in zip(range(step), finish(closure), strict=False):
                pass
    assert step > 9
    assert where("wrackspurt") == {}
    assert (PromptTemplate.objects.filter(owner=heir).count(), Conversation.all_objects.count()) == (3, 0)
    assert AuditLog.objects.filter(action=AuditLog.Action.ERASE).count() == 1
    sealing.seal(settle=NOW)
    assert sealing.verify().findings == []
    call_command("verify_stats", stdout=StringIO())


@pytest.mark.django_db
def test_the_history_tells_what_a_former_member_did(ines: User) -> None:
    template = TemplateFactory(visibility="shared")
    GrantFactory(template=template, user=ines, role="editor")
    with acting(ines):
        services.publish_version(template, author=ines, base_revision=0, body="Another text.")
    erased(ines)
    page = make_client(template.owner).get(f"/templates/{template.pk}/history/").content.decode()
    assert "Former member" in page and "wrackspurt" not in page.lower()
    row = AuditLog.objects.filter(actor_id=ines.pk).latest()
    assert (row.who, AuditLog(actor_id=None).who) == ("Former member", "The program")
