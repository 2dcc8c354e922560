"""Who may make an account, and that nobody learns from it who has one."""

from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Invitation, User
from tests.accounts.steps import is_signed_in, links, path, sign_in
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

NEW = {"display_name": "Ines Halden", "email": "ines@halden.example", "password1": PASSWORD}


@pytest.fixture(autouse=True)
def _base_url(settings):
    settings.BASE_URL = "https://prompts.example.org"


def sign_up(client=None, **changes):
    return (client or Client()).post("/accounts/signup/", NEW | changes)


def test_from_sign_up_to_the_first_page(client):
    answer = sign_up(client)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/confirm-email/")
    assert not is_signed_in(client)
    user = User.objects.get()
    assert (user.email, user.display_name, user.handle) == ("ines@halden.example", "Ines Halden", "ines")
    assert (mail.outbox[0].to, mail.outbox[0].subject) == (["ines@halden.example"], "Confirm your e-mail address")
    link = links(mail.outbox[0])[0]
    assert link.startswith("https://prompts.example.org/accounts/confirm-email/")
    assert "prompts.example.org" in mail.outbox[0].body
    assert "example.com" not in mail.outbox[0].body

    page = client.get(path(link))
    assert "Confirm the address" in page.content.decode()
    assert not EmailAddress.objects.filter(verified=True).exists()  # a mail scanner confirms nothing
    client.post(path(link))
    assert list(EmailAddress.objects.values_list("user__email", "verified", "primary")) == [(user.email, True, True)]
    assert is_signed_in(client)
    assert "no longer works" in Client().get(path(link)).content.decode()


def test_the_link_signs_in_only_the_browser_that_signed_up():
    sign_up()
    other = Client()
    other.post(path(links(mail.outbox[0])[0]))
    assert not is_signed_in(other)
    assert sign_in(other, "ines@halden.example").headers["Location"] == "/"
    assert is_signed_in(other)


def test_without_the_link_the_password_does_not_sign_in(client):
    sign_up()
    assert sign_in(client, "ines@halden.example").headers["Location"] == "/accounts/confirm-email/"
    assert not is_signed_in(client)


@pytest.mark.parametrize("written", ["ines@halden.example", "INES@Halden.Example"])
def test_a_taken_address_is_answered_like_a_free_one(written):
    UserFactory(email="Ines@halden.example", can_sign_in=True)
    free = sign_up(email="tom@halden.example")
    taken = sign_up(email=written)
    assert (taken.status_code, taken.headers["Location"]) == (free.status_code, free.headers["Location"])
    assert User.objects.count() == 2
    told = mail.outbox[1]
    assert (told.to, told.subject) == ([written.lower()], "You have an account already")
    assert links(told)[0] == "https://prompts.example.org/accounts/password/reset/"


def test_an_address_that_was_never_confirmed_is_taken_too():
    UserFactory(email="ines@halden.example")
    sign_up()
    assert (User.objects.count(), mail.outbox[0].subject) == (1, "You have an account already")


def test_the_address_of_a_deleted_account_is_free():
    gone = UserFactory(email="ines@halden.example", can_sign_in=True)
    gone.delete()
    client = Client()
    sign_up(client)
    client.post(path(links(mail.outbox[0])[0]))
    assert is_signed_in(client)
    assert User.all_objects.filter(email="ines@halden.example").count() == 2


@pytest.mark.parametrize("email", ["ıneſ@halden.example", "ines@ｈalden.example", "inés@halden.example"])
def test_look_alikes_are_refused(email):
    assert sign_up(email=email).status_code == 200
    assert not User.objects.exists()


def test_two_at_once_make_one_account(monkeypatch):
    """Between the form's check and the insert somebody else signs up with the same address."""
    form_class = "accounts.signin_forms.SignupForm"
    monkeypatch.setattr(f"{form_class}.validate_unique_email", lambda self, email: email)
    UserFactory(email="ines@halden.example", can_sign_in=True)
    assert sign_up().headers["Location"] == "/accounts/confirm-email/"
    assert (User.objects.count(), mail.outbox[0].subject) == (1, "You have an account already")


def test_a_weak_password_is_refused_at_its_field(client):
    form = sign_up(client, password1="1234567890").context["form"]
    assert set(form.errors) == {"password1"}


def test_a_mail_server_that_is_down_costs_no_page(client, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert sign_up(client).headers["Location"] == "/accounts/confirm-email/"
    page = client.get("/accounts/confirm-email/").content.decode()
    assert "The e-mail could not be sent" in page


# ---- REGISTRATION ----------------------------------------------------------


def test_closed_nobody_signs_up(client, settings):
    settings.REGISTRATION, settings.CONTACT = "closed", "Mara in room 4"
    assert "ask Mara in room 4" in client.get("/accounts/signup/").content.decode()
    sign_up(client)
    assert not User.objects.exists()
    assert "signup" not in client.get("/accounts/login/").content.decode()


def test_by_invitation_only_the_invited(client, settings):
    settings.REGISTRATION, settings.CONTACT = "invite", "Mara in room 4"
    Invitation.objects.create(email="Ines@Halden.example")
    assert "ask Mara in room 4" in client.get("/accounts/signup/").content.decode()
    stranger = sign_up(client, email="eve@halden.example")
    assert stranger.context["form"].errors == {"email": ["There is no invitation for this e-mail address."]}
    assert not User.objects.exists()
    assert sign_up(client).headers["Location"] == "/accounts/confirm-email/"
    assert User.objects.get().email == "ines@halden.example"
    assert Invitation.objects.get().accepted_at is not None


def test_by_invitation_a_taken_address_says_no_more_than_a_free_one(settings):
    settings.REGISTRATION = "invite"
    UserFactory(email="staff@halden.example", can_sign_in=True)  # made in the admin, without an invitation
    Invitation.objects.create(email="ines@halden.example")
    uninvited = [sign_up(email=email).context["form"].errors for email in ("staff@halden.example", "x@halden.example")]
    assert uninvited[0] == uninvited[1]
    first, again = sign_up(), sign_up()
    assert (first.status_code, first.headers["Location"]) == (again.status_code, again.headers["Location"])
    assert User.objects.count() == 2


def test_an_invitation_is_good_for_one_account(settings):
    settings.REGISTRATION = "invite"
    Invitation.objects.create(email="ines@halden.example")
    sign_up()
    User.objects.get().delete()
    assert "email" in sign_up().context["form"].errors


def test_the_invite_command_sends_a_link_that_knows_the_address(client, settings):
    settings.REGISTRATION = "invite"
    inviter = UserFactory(display_name="Tom Berg")
    out = StringIO()
    call_command("invite", "Ines@Halden.example", "--by", inviter.email.upper(), stdout=out)
    link = "https://prompts.example.org/accounts/signup/?email=ines%40halden.example"
    assert out.getvalue() == f"Invited ines@halden.example: {link}\n"
    assert (mail.outbox[0].to, links(mail.outbox[0])[0]) == (["ines@halden.example"], link)
    assert mail.outbox[0].body.startswith("Tom Berg invites you to promptlib")
    assert 'value="ines@halden.example"' in client.get(path(link)).content.decode()
    call_command("invite", "ines@halden.example", stdout=out)
    assert (Invitation.objects.count(), Invitation.objects.get().invited_by) == (1, inviter)
    sign_up()
    with pytest.raises(CommandError, match="There is an account"):
        call_command("invite", "ines@halden.example")


@pytest.mark.parametrize("email", ["nonsense", "ıneſ@halden.example"])
def test_nonsense_is_not_invited(email):
    with pytest.raises(CommandError):
        call_command("invite", email)
    assert not Invitation.objects.exists()
