"""Signing in and out, with which address, from how many devices; and what the audit log keeps of it."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import AuditLog
from tests.accounts.steps import Actions, is_signed_in, logged, sign_in
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines():
    return UserFactory(email="Ines@Halden.example", display_name="Ines Halden", can_sign_in=True)


@pytest.mark.parametrize("written", ["ines@halden.example", "INES@HALDEN.EXAMPLE", " Ines@Halden.example "])
def test_the_address_in_any_case(client, ines, written):
    assert sign_in(client, written).headers["Location"] == "/"
    assert is_signed_in(client)
    row = AuditLog.objects.get(action=Actions.SIGN_IN)
    assert (row.actor_id, row.subject_id, row.remote_addr) == (ines.pk, ines.pk, "127.0.0.1")


def test_an_account_made_without_the_pages_confirms_its_address_first(client):
    UserFactory(email="Mixed@Case.example")
    assert sign_in(client, "mixed@case.example").headers["Location"] == "/accounts/confirm-email/"
    assert mail.outbox[0].to == ["mixed@case.example"]
    assert not is_signed_in(client)


@pytest.mark.parametrize("email", ["ines@halden.example", "nobody@halden.example"])
def test_a_wrong_password_and_an_unknown_address_sound_alike(client, ines, email):
    page = sign_in(client, email, "not-it-at-all")
    assert page.context["form"].non_field_errors() == ["That e-mail address and password do not belong together."]
    row = AuditLog.objects.get(action=Actions.SIGN_IN_FAILED)
    assert row.changes == {"email": [None, email]}
    assert row.subject_id == (ines.pk if email.startswith("ines") else None)
    assert "not-it-at-all" not in str(AuditLog.objects.values())


def test_a_deleted_person_stays_out_and_their_sessions_end(client, ines):
    sign_in(client, ines)
    assert is_signed_in(client)
    ines.delete(by=UserFactory())
    assert not is_signed_in(client)
    assert not UserSession.objects.exists()
    assert sign_in(client, ines).context["form"].non_field_errors()
    assert not is_signed_in(client)


def test_a_deleted_person_stays_out_even_if_an_address_was_left(client, ines):
    User.all_objects.filter(pk=ines.pk).update(deleted_at=timezone.now())
    assert EmailAddress.objects.filter(user_id=ines.pk).exists()
    assert sign_in(client, ines).headers["Location"] == "/accounts/inactive/"
    assert not is_signed_in(client)
    assert logged(Actions.SIGN_IN) == []


def test_a_restored_person_confirms_the_address_anew(client, ines):
    ines.delete()
    ines.restore()
    assert sign_in(client, ines).headers["Location"] == "/accounts/confirm-email/"
    assert not is_signed_in(client)


def test_a_closed_account_stays_out_and_its_sessions_end(client, ines):
    sign_in(client, ines)
    User.objects.filter(pk=ines.pk).update(is_active=False)
    assert not is_signed_in(client)
    assert sign_in(client, ines).headers["Location"] == "/accounts/inactive/"
    assert not is_signed_in(client)


def test_signing_out_takes_a_post(client, ines):
    sign_in(client, ines)
    assert "Sign out?" in client.get("/accounts/logout/").content.decode()
    assert is_signed_in(client)
    assert client.post("/accounts/logout/").headers["Location"] == "/accounts/login/"
    assert not is_signed_in(client)
    assert logged(Actions.SIGN_IN, Actions.SIGN_OUT) == [
        ("signed in", "Ines Halden", ""),
        ("signed out", "Ines Halden", ""),
    ]


def test_the_sixth_wrong_password_waits(client, ines):
    for _try in range(5):
        sign_in(client, ines, "wrong-wrong-wrong")
    page = sign_in(client, ines)
    assert page.context["form"].non_field_errors() == ["That was tried too often. Wait five minutes, then try again."]
    assert not is_signed_in(client)


def test_too_many_requests_get_a_page_of_ours(client):
    answers = [client.post("/accounts/signup/", {}) for _try in range(21)]
    assert (answers[19].status_code, answers[20].status_code) == (200, 429)
    assert "Too many tries" in answers[20].content.decode()


@pytest.mark.parametrize(("next_", "where"), [("/people/me/", "/people/me/"), ("https://evil.example/", "/")])
def test_it_goes_on_where_one_wanted_to_go_but_never_elsewhere(client, ines, next_, where):
    assert sign_in(client, ines, next=next_).headers["Location"] == where


@pytest.mark.parametrize(("remember", "age"), [({"remember": "on"}, 14 * 86_400), ({}, 0)])
def test_staying_signed_in_is_a_choice(client, ines, remember, age):
    sign_in(client, ines, **remember)
    cookie = client.cookies["sessionid"]
    assert (cookie["max-age"] or 0) == age
    assert cookie["httponly"] is True


# ---- devices ---------------------------------------------------------------


def test_signing_out_elsewhere(ines):
    here, there, stranger = Client(), Client(headers={"user-agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"}), Client()
    other = UserFactory(can_sign_in=True)
    for browser, user in ((here, ines), (there, ines), (stranger, other)):
        sign_in(browser, user)
    page = here.get("/accounts/sessions/").content.decode()
    assert page.count('<th scope="row">') == 2
    assert "Firefox on Linux" in page
    here.post("/accounts/sessions/")
    assert [is_signed_in(browser) for browser in (here, there, stranger)] == [True, False, True]
    assert logged(Actions.SIGN_OUT) == [
        ("signed out", "Ines Halden", "elsewhere: Mozilla/5.0 (X11; Linux) Firefox/140.0")
    ]


def test_changing_the_password_signs_out_elsewhere(ines):
    here, there = Client(), Client()
    sign_in(here, ines)
    sign_in(there, ines)
    new = "quite-another-horse"
    done = here.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert done.status_code == 302
    assert [is_signed_in(here), is_signed_in(there)] == [True, False]


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"HTTP_X_FORWARDED_FOR": "6.6.6.6, 192.0.2.7"}, "192.0.2.7"),
        ({"HTTP_X_FORWARDED_FOR": "nonsense"}, "0.0.0.0"),
        ({}, "127.0.0.1"),
        ({"REMOTE_ADDR": ""}, "0.0.0.0"),
    ],
)
def test_behind_a_proxy_the_address_is_the_one_it_saw(client, ines, settings, headers, address):
    settings.TRUSTED_PROXY_COUNT = 1
    client.post("/accounts/login/", {"login": ines.email, "password": PASSWORD}, **headers)
    assert UserSession.objects.get().ip == address


# ---- when somebody was last seen -------------------------------------------


def test_a_visit_is_noted_every_five_minutes(client, django_assert_num_queries):
    user = UserFactory(last_seen_at=None)
    client.force_login(user)
    rows = AuditLog.objects.count()
    client.get("/people/me/", headers={"hx-request": "true"})
    user.refresh_from_db()
    assert user.last_seen_at is None  # a fragment is no visit
    client.get("/people/me/")
    user.refresh_from_db()
    first = user.last_seen_at
    assert first is not None
    client.get("/people/me/")
    user.refresh_from_db()
    assert user.last_seen_at == first
    User.objects.filter(pk=user.pk).update(last_seen_at=timezone.now() - timedelta(minutes=6))
    client.get("/people/me/")
    user.refresh_from_db()
    assert user.last_seen_at > first
    assert AuditLog.objects.count() == rows
