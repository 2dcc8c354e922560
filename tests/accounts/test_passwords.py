"""Forgotten, changed and set passwords; changed addresses; what is logged and who is told."""

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts.models import User
from audit.models import AuditLog
from tests.accounts.steps import Actions, is_signed_in, links, logged, path, sign_in
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

NEW = "quite-another-horse"


@pytest.fixture(autouse=True)
def _base_url(settings):
    settings.BASE_URL = "https://prompts.example.org"


@pytest.fixture
def ines():
    return UserFactory(email="ines@halden.example", display_name="Ines Halden", can_sign_in=True)


def ask_for_link(email, client=None):
    return (client or Client()).post("/accounts/password/reset/", {"email": email})


def open_link(client, message):
    return client.get(path(links(message)[0]), follow=True)


def test_from_the_forgotten_password_to_the_new_one(client, ines):
    old_browser = Client()
    sign_in(old_browser, ines)
    ask_for_link("INES@halden.example")
    assert links(mail.outbox[0])[0].startswith("https://prompts.example.org/accounts/password/reset/key/")
    form = open_link(client, mail.outbox[0])
    done = client.post(form.request["PATH_INFO"], {"password1": NEW, "password2": NEW})
    assert done.headers["Location"] == "/accounts/password/reset/key/done/"
    assert not is_signed_in(client)
    assert not is_signed_in(old_browser)
    sign_in(client, ines, NEW)
    assert is_signed_in(client)
    assert "no longer works" in open_link(Client(), mail.outbox[0]).content.decode()
    rows = AuditLog.objects.filter(action=Actions.PASSWORD).values_list("actor", "subject_id", "reason")
    assert list(rows) == [(ines.pk, ines.pk, "reset by a link in an e-mail")]
    assert NEW not in str(list(AuditLog.objects.values()))
    assert (mail.outbox[1].to, mail.outbox[1].subject) == ([ines.email], "A new password was set")


def test_an_unknown_address_is_answered_like_a_known_one(ines):
    known, unknown = ask_for_link(ines.email), ask_for_link("nobody@halden.example")
    assert (known.status_code, known.headers["Location"]) == (unknown.status_code, unknown.headers["Location"])
    assert mail.outbox[1].subject == "There is no account with this address"
    assert links(mail.outbox[1])[0] == "https://prompts.example.org/accounts/signup/"


@pytest.mark.parametrize("registration", ["invite", "closed"])
def test_a_stranger_is_not_sent_to_a_sign_up_that_is_not_open(settings, registration):
    settings.REGISTRATION = registration
    ask_for_link("nobody@halden.example")
    assert links(mail.outbox[0]) == ["https://prompts.example.org"]


@pytest.mark.parametrize("how", ["deleted", "closed"])
def test_who_may_not_sign_in_gets_no_link(ines, how):
    if how == "deleted":
        ines.delete()
    else:
        User.objects.filter(pk=ines.pk).update(is_active=False)
    ask_for_link(ines.email)
    assert [message.subject for message in mail.outbox] == ["There is no account with this address"]


def test_a_link_sent_before_the_account_was_deleted_opens_nothing(client, ines):
    ask_for_link(ines.email)
    ines.delete()
    assert "no longer works" in open_link(client, mail.outbox[0]).content.decode()


def test_a_look_alike_gets_no_link_to_somebody_elses_account(ines):
    UserFactory(email="mike@example.org", can_sign_in=True)
    ask_for_link("mıke@example.org")
    ask_for_link("miKe@ｅxample.org")
    assert mail.outbox == []


def test_changing_it_takes_the_old_one_and_is_logged(client, ines):
    sign_in(client, ines)
    change = "/accounts/password/change/"
    wrong = client.post(change, {"oldpassword": "not-it-at-all", "password1": NEW, "password2": NEW})
    assert wrong.context["form"].errors == {"oldpassword": ["That is not your current password."]}
    client.post(change, {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    ines.refresh_from_db()
    assert ines.check_password(NEW)
    assert logged(Actions.PASSWORD) == [("changed the password", "Ines Halden", "changed")]
    assert [message.subject for message in mail.outbox] == ["Your password was changed"]
    assert "From Django" not in mail.outbox[0].body
    assert links(mail.outbox[0])[0] == "https://prompts.example.org/accounts/password/reset/"


def test_setting_a_first_one(client, ines):
    ines.set_unusable_password()
    ines.save(update_fields=["password"])
    client.force_login(ines)
    assert client.get("/accounts/password/change/").headers["Location"] == "/accounts/password/set/"
    client.post("/accounts/password/set/", {"password1": NEW, "password2": NEW})
    ines.refresh_from_db()
    assert ines.check_password(NEW)
    assert [message.subject for message in mail.outbox] == ["A password was set"]


# ---- the e-mail address ----------------------------------------------------


def change_address(client, email, password=PASSWORD):
    question = client.post("/accounts/email/", {"action_add": "", "email": email})
    if "reauthenticate" in question.headers.get("Location", ""):
        return client.post(question.headers["Location"], {"password": password})
    return question


def test_a_new_address_replaces_the_old_one_once_it_is_confirmed(client, ines):
    client.force_login(ines)
    change_address(client, "Ines@New.example")
    ines.refresh_from_db()
    assert ines.email == "ines@halden.example"
    assert mail.outbox[0].to == ["ines@new.example"]
    assert "waits to be confirmed" in client.get("/accounts/email/").content.decode()
    client.post(path(links(mail.outbox[0])[0]))
    ines.refresh_from_db()
    assert (ines.email, ines.email_key) == ("ines@new.example", "ines@new.example")
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [("ines@new.example", True, True)]
    assert (mail.outbox[1].to, mail.outbox[1].subject) == (["ines@halden.example"], "Your e-mail address was changed")
    assert sign_in(Client(), "ines@halden.example").status_code == 200
    assert sign_in(Client(), "ines@new.example").headers["Location"] == "/"
    changes = list(AuditLog.objects.filter(action=Actions.UPDATE).values_list("changes", flat=True))
    assert {"confirmed_email": [None, "ines@new.example"]} in changes
    assert any(change.get("email") == ["ines@halden.example", "ines@new.example"] for change in changes)


def test_changing_the_address_asks_for_the_password(client, ines):
    client.force_login(ines)
    change_address(client, "ines@new.example", "not-it-at-all")
    assert mail.outbox == []
    assert EmailAddress.objects.count() == 1


def test_the_change_can_be_called_off(client, ines):
    client.force_login(ines)
    change_address(client, "ines@new.example")
    client.post("/accounts/email/", {"action_remove": "", "email": "ines@new.example"})
    assert list(EmailAddress.objects.values_list("email", flat=True)) == ["ines@halden.example"]
    ines.refresh_from_db()
    assert ines.email == "ines@halden.example"


def test_somebody_elses_address_cannot_be_taken(client, ines):
    other = UserFactory(email="tom@halden.example", can_sign_in=True)
    client.force_login(ines)
    change_address(client, other.email)
    for message in mail.outbox:
        client.post(path(links(message)[0]))
    ines.refresh_from_db()
    assert ines.email == "ines@halden.example"
    assert EmailAddress.objects.get(user=other).verified
