"""Closing an account: signed out at once, kept by whoever changes their mind, closed when the days are over."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import teams
from accounts.closing import CannotClose, close_account, keep_account
from accounts.models import Closure, TeamMembership, User
from accounts.people import find_person
from audit.models import AuditLog
from templates_app.models import PromptTemplate
from tests.factories import PASSWORD, ConversationFactory, TeamFactory, TemplateFactory, UserFactory
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines() -> User:
    return UserFactory(display_name="Ines Okafor", handle="ines", bio="Writes.", can_sign_in=True)


@pytest.fixture
def staff() -> User:
    return UserFactory(staff=True, can_sign_in=True)


def browser(person: User) -> Client:
    """Of somebody who has just typed the password."""
    return World({"person": person}).client("person")


def sign_in(person: User) -> Client:
    client = Client()
    client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    return client


def rows(person: User) -> list[tuple[str, str | None, str]]:
    told = AuditLog.objects.filter(subject_id=person.pk, content_type__model__in=("user", "closure"))
    return [(row.get_action_display(), row.actor_name or None, row.content_type.model) for row in told.order_by("id")]


# ---- one's own -------------------------------------------------------------------------------------------------------


def test_closing_signs_out_everywhere_writes_and_can_be_taken_back(
    ines: User, django_capture_on_commit_callbacks: object
) -> None:
    elsewhere, here = sign_in(ines), browser(ines)
    before = len(rows(ines))
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        answer = here.post(reverse("accounts:close"), {"fate": "close"}, follow=True)
    assert answer.redirect_chain == [(reverse("account_login"), 302)]
    assert "Your account closes on" in answer.content.decode()
    for client in (elsewhere, here):
        assert client.get(reverse("accounts:profile")).headers["Location"].startswith(reverse("account_login"))
    assert rows(ines)[before:][:2] == [("created", "Ines Okafor", "closure"), ("changed", "Ines Okafor", "user")]
    [letter] = mail.outbox
    assert (letter.to, letter.subject) == ([ines.email], "Your account will be closed")
    ines.refresh_from_db()
    assert timedelta(days=13) < ines.closes_at - timezone.now() <= timedelta(days=14)  # type: ignore[operator]

    again = sign_in(ines)
    for address in ("/", reverse("accounts:profile"), reverse("templates_app:list")):
        assert again.get(address).headers["Location"] == reverse("accounts:closing")
    assert "Keep my account" in again.get(reverse("accounts:closing")).content.decode()
    again.post(reverse("accounts:keep"))
    ines.refresh_from_db()
    assert (ines.closes_at, Closure.objects.count()) == (None, 0)
    assert "Ines Okafor" in again.get(reverse("accounts:profile")).content.decode()


def test_once_the_days_are_over_nobody_signs_in_and_all_that_was_made_stays(ines: User) -> None:
    template = TemplateFactory(owner=ines)
    close_account(ines, by=ines, days=0)
    call_command("close_accounts", stdout=(told := StringIO()))
    assert told.getvalue() == f"{ines.pk}: closed.\n"
    ines.refresh_from_db()
    assert (ines.is_active, ines.closes_at, ines.display_name, Closure.objects.count()) == (
        False,
        None,
        "Ines Okafor",
        0,
    )
    assert PromptTemplate.objects.get(pk=template.pk).owner == ines
    assert sign_in(ines).get(reverse("accounts:profile")).headers["Location"].startswith(reverse("account_login"))


def test_others_see_that_it_is_closed_and_cannot_name_them(ines: User) -> None:
    close_account(ines, by=ines)
    text = browser(UserFactory()).get(ines.get_absolute_url()).content.decode()
    assert "Closed account" in text
    assert [word for word in ("Ines", "Writes.") if word in text] == []
    with pytest.raises(ValidationError, match="Nobody here goes by"):
        find_person("@ines", asked_by=UserFactory())


def test_the_page_asks_what_becomes_of_each_kind_of_things(ines: User) -> None:
    TemplateFactory(owner=ines, visibility="public")
    ConversationFactory(owner=ines)
    client = browser(ines)
    page = client.get(reverse("accounts:close")).content.decode()
    assert "Templates: 1" in page and "1 of them is used by others." in page and "Conversations: 1" in page
    refused = {
        "Choose what becomes of these.": {"fate": "erase", "conversations": "purge"},
        "Name somebody to whom it is handed over.": {
            "fate": "erase",
            "templates": "hand_over",
            "conversations": "purge",
        },
        "That is the account that is to be closed.": {
            "fate": "erase",
            "templates": "hand_over",
            "conversations": "purge",
            "heir": "@ines",
        },
    }
    for words, data in refused.items():
        answer = client.post(reverse("accounts:close"), data)
        assert (answer.status_code, words in answer.content.decode()) == (422, True), words
    heir = UserFactory(handle="noor")
    client.post(
        reverse("accounts:close"),
        {"fate": "erase", "templates": "hand_over", "conversations": "purge", "heir": "@noor"},
    )
    closure = Closure.objects.get()
    assert (closure.is_erasure, closure.heir) == (True, heir)
    assert closure.plan == {"templates": "hand_over", "conversations": "purge"}


# ---- what must be done first -----------------------------------------------------------------------------------------


def test_the_only_owner_of_a_team_hands_it_over_first(ines: User) -> None:
    other = UserFactory()
    team = TeamFactory(name="Support", members=[ines, other])
    TeamMembership.objects.filter(user=ines).update(role="owner")
    answer = browser(ines).post(reverse("accounts:close"), {"fate": "close"})
    assert answer.status_code == 409
    assert "The team “Support” has no other owner: hand it over first." in answer.content.decode()
    teams.hand_over(team, to=other, by=ines)
    assert close_account(ines, by=ines)


def test_an_owner_who_leaves_does_not_count_as_one(ines: User) -> None:
    other = UserFactory()
    team = TeamFactory(members=[ines, other])
    TeamMembership.objects.update(role="owner")
    close_account(ines, by=ines)
    with pytest.raises(teams.LastOwner):
        teams.remove_member(team, person=other)
    with pytest.raises(CannotClose):
        close_account(other, by=other)


def test_the_last_administrator_makes_another_one_first(staff: User) -> None:
    with pytest.raises(CannotClose, match="There is no other administrator"):
        close_account(staff, by=staff)
    UserFactory(staff=True)
    assert close_account(staff, by=staff)


# ---- staff -----------------------------------------------------------------------------------------------------------


def test_staff_close_an_account_with_a_reason_and_only_they_take_it_back(ines: User, staff: User) -> None:
    client, address = browser(staff), reverse("accounts:account", args=["ines"])
    assert client.post(address, {"fate": "close", "days": 3}).status_code == 422
    client.post(address, {"fate": "close", "days": 3, "reason": "Left the company"})
    closure = Closure.objects.get()
    assert (closure.asked_by, closure.reason) == (staff, "Left the company")
    row = AuditLog.objects.get(object_pk=str(closure.pk), action=AuditLog.Action.CREATE)
    assert (row.actor_id, row.subject_id, row.changes["reason"]) == (staff.pk, ines.pk, [None, "Left the company"])
    theirs = sign_in(ines)
    assert "Keep my account" not in theirs.get(reverse("accounts:closing")).content.decode()
    theirs.post(reverse("accounts:keep"))
    assert Closure.objects.count() == 1
    client.post(reverse("accounts:account_keep", args=["ines"]))
    assert Closure.objects.count() == 0
    assert not keep_account(ines, by=staff)


def test_staff_give_somebody_their_data_with_a_reason(ines: User, staff: User) -> None:
    client, address = browser(staff), reverse("accounts:account_data", args=["ines"])
    assert client.post(address, {}).status_code == 422
    answer = client.post(address, {"reason": "By letter"})
    assert b"".join(answer.streaming_content).startswith(b"PK")  # type: ignore[arg-type]
    row = AuditLog.objects.get(action=AuditLog.Action.EXPORT, subject_id=ines.pk)
    assert (row.actor_id, row.reason) == (staff.pk, "By letter")


def test_staff_without_the_right_to_close_accounts_see_no_such_page(ines: User) -> None:
    helper = UserFactory(is_staff=True)
    client = browser(helper)
    assert client.get(reverse("accounts:account", args=["ines"])).status_code == 404
    assert client.post(reverse("accounts:account_data", args=["ines"]), {"reason": "x"}).status_code == 404
    assert "Look after the account" not in client.get(ines.get_absolute_url()).content.decode()
    assert "Look after the account" in browser(UserFactory(staff=True)).get(ines.get_absolute_url()).content.decode()
