"""Profile, preferences, the page that others see; and that every page of the sign-in library stands in our shell."""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings as django_settings
from django.core import mail
from django.template.loader import get_template
from django.test import Client

from accounts.models import User
from audit.models import AuditLog
from tests.accounts.steps import links, path, prove, set_up_app, sign_in
from tests.factories import PASSWORD, TemplateFactory, UserFactory

pytestmark = pytest.mark.django_db

PROFILE = {"display_name": "Ines Halden", "handle": "ines", "bio": "Writes."}
PREFERENCES = {"timezone": "Europe/Oslo", "locale": "en", "theme": "dark", "rows_per_page": "60", "shortcuts": "on"}


@pytest.fixture
def ines(client):
    user = UserFactory(handle="ines", display_name="Ines", email="ines@halden.example", can_sign_in=True)
    client.force_login(user)
    return user


# ---- profile ---------------------------------------------------------------


def test_the_profile_saves_what_was_changed(client, ines):
    User.objects.filter(pk=ines.pk).update(is_staff=True)  # meanwhile, elsewhere
    answer = client.post("/people/me/", PROFILE)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/people/me/")
    ines.refresh_from_db()
    assert (ines.display_name, ines.handle, ines.bio, ines.is_staff) == ("Ines Halden", "ines", "Writes.", True)
    row = AuditLog.objects.filter(action=AuditLog.Action.UPDATE).latest("id")
    assert row.changes == {"display_name": ["Ines", "Ines Halden"], "bio": ["", "Writes."]}


def test_nothing_changed_writes_nothing(client, ines):
    before, rows = ines.updated_at, AuditLog.objects.count()
    client.post("/people/me/", PROFILE | {"display_name": "Ines", "bio": ""})
    ines.refresh_from_db()
    assert (ines.updated_at, AuditLog.objects.count()) == (before, rows)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"handle": "tom"}, "handle"),
        ({"handle": "me"}, "handle"),
        ({"handle": "Ines H"}, "handle"),
        ({"handle": ""}, "handle"),
        ({"display_name": ""}, "display_name"),
        ({"bio": "x" * 2001}, "bio"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(client, ines, change, field):
    UserFactory(handle="tom")
    answer = client.post("/people/me/", PROFILE | change)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
    assert 'href="/people/ines/"' in answer.content.decode()  # the refused handle is not shown as one's own
    ines.refresh_from_db()
    assert (ines.handle, ines.display_name) == ("ines", "Ines")


def test_the_handle_of_a_deleted_person_is_free(client, ines):
    UserFactory(handle="tom").delete()
    client.post("/people/me/", PROFILE | {"handle": "tom"})
    ines.refresh_from_db()
    assert ines.handle == "tom"


def test_nobody_gets_the_handle_that_stands_for_oneself():
    assert User.free_handle("me") == "me-2"


@pytest.mark.parametrize("url", ["/people/me/", "/people/me/preferences/", "/people/ines/"])
def test_strangers_are_sent_to_the_sign_in(client, url):
    UserFactory(handle="ines")
    assert client.get(url).headers["Location"] == f"/accounts/login/?next={url}"
    assert client.post(url).status_code == 302


# ---- preferences -----------------------------------------------------------


def test_preferences_are_kept_beside_others(client, ines):
    ines.preferences = {"pinned": ["x"]}
    ines.save(update_fields=["preferences"])
    client.cookies["theme"] = "light"
    answer = client.post("/people/me/preferences/", PREFERENCES)
    assert answer.headers["Location"] == "/people/me/preferences/"
    assert answer.cookies["theme"]["max-age"] == 0
    ines.refresh_from_db()
    assert (ines.timezone, ines.locale, ines.rows_per_page) == ("Europe/Oslo", "en", 60)
    assert ines.preferences == {"pinned": ["x"], "theme": "dark", "rows_per_page": 60, "shortcuts": True}
    assert '<html lang="en" data-theme="dark">' in client.get("/people/me/").content.decode()
    client.post("/people/me/preferences/", {k: v for k, v in PREFERENCES.items() if k != "shortcuts"})
    assert 'data-shortcuts="off"' in client.get("/people/me/").content.decode()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"locale": "xx"}, "locale"),
        ({"theme": "pink"}, "theme"),
        ({"rows_per_page": "9999"}, "rows_per_page"),
    ],
)
def test_a_preference_that_does_not_exist(client, ines, change, field):
    answer = client.post("/people/me/preferences/", PREFERENCES | change)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])


def test_a_list_is_as_long_as_one_likes(client, ines):
    TemplateFactory.create_batch(17, owner=ines)
    assert len(client.get("/templates/").context["page"].items) == 17
    client.post("/people/me/preferences/", PREFERENCES | {"rows_per_page": "15"})
    assert len(client.get("/templates/").context["page"].items) == 15


def test_times_are_shown_in_the_persons_zone(client, ines):
    User.objects.filter(pk=ines.pk).update(timezone="Asia/Kathmandu")
    browser = Client()
    sign_in(browser, ines)
    html = browser.get("/accounts/sessions/").content.decode()
    assert "+05:45" in html


# ---- what others see -------------------------------------------------------


def test_the_page_of_a_person(client, ines):
    tom = UserFactory(handle="tom", display_name="Tom <b>", bio="Likes\n<script>", email="secret@x.example")
    html = client.get("/people/tom/").content.decode()
    assert "Tom &lt;b&gt;" in html
    assert "Likes<br>&lt;script&gt;" in html
    assert "secret@x.example" not in html
    assert tom.get_absolute_url() == "/people/tom/"
    assert "Change your profile</a>" not in html
    assert "Change your profile</a>" in client.get("/people/ines/").content.decode()


def test_nobody_and_the_deleted_are_not_found(client, ines):
    UserFactory(handle="gone").delete()
    assert [client.get(f"/people/{handle}/").status_code for handle in ("gone", "nobody")] == [404, 404]


# ---- all pages of the sign-in library --------------------------------------


def check_shell(response, html_check, name, title):
    html = response.content.decode()
    assert response.status_code == 200, (name, response.headers)
    assert len(re.findall(r"<h1[ >]", html)) == 1
    assert title in html
    assert 'class="wordmark"' in html
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", html)
    for attributes, content in re.findall(r"<script([^>]*)>(.*?)</script>", html, re.DOTALL):
        assert 'type="application/json"' in attributes or not content.strip(), name
    html_check(response, name)


@pytest.mark.html_check
@pytest.mark.parametrize(
    ("url", "title"),
    [
        ("login/", "Sign in"),
        ("signup/", "Sign up"),
        ("confirm-email/", "Look into your mailbox"),
        ("confirm-email/xx/", "This link no longer works"),
        ("inactive/", "This account is closed"),
        ("password/reset/", "Forgotten your password?"),
        ("password/reset/done/", "Look into your mailbox"),
        ("password/reset/key/1-2/", "This link no longer works"),
        ("password/reset/key/done/", "Your new password is set"),
    ],
)
def test_pages_at_the_door(client, html_check, url, title):
    check_shell(client.get(f"/accounts/{url}"), html_check, f"door-{url}", title)


@pytest.mark.html_check
@pytest.mark.parametrize(("registration", "title"), [("closed", "Sign-up is closed"), ("invite", "an invitation")])
def test_pages_at_a_narrower_door(client, html_check, settings, registration, title):
    settings.REGISTRATION = registration
    check_shell(client.get("/accounts/signup/"), html_check, f"door-signup-{registration}", title)


@pytest.mark.html_check
def test_pages_with_a_link_from_an_email(client, html_check):
    client.post("/accounts/signup/", {"display_name": "A", "email": "a@x.example", "password1": PASSWORD})
    client.post("/accounts/password/reset/", {"email": "a@x.example"})
    confirm, reset = (path(links(message)[0]) for message in mail.outbox)
    check_shell(client.get(confirm), html_check, "confirm", "Confirm your e-mail address")
    check_shell(client.get(reset, follow=True), html_check, "reset", "Set a new password")


@pytest.mark.html_check
def test_pages_of_the_account(client, ines, html_check):
    pages = {
        "/people/me/": "Profile",
        "/people/me/preferences/": "Preferences",
        "/people/ines/": "@ines",
        "/accounts/email/": "E-mail address",
        "/accounts/password/change/": "Password",
        "/accounts/2fa/": "Second factor",
        "/accounts/2fa/webauthn/": "Passkeys",
        "/accounts/sessions/": "Where you are signed in",
        "/accounts/logout/": "Sign out?",
        "/accounts/reauthenticate/": "Is it you?",
    }
    for url, title in pages.items():
        check_shell(client.get(url), html_check, f"account-{url}", title)
    for url, title in {"totp/activate/": "Set up an authenticator app", "webauthn/add/": "Add a passkey"}.items():
        check_shell(prove(client, f"/accounts/2fa/{url}"), html_check, f"account-{url}", title)


@pytest.mark.html_check
def test_pages_of_an_account_with_second_factors(client, ines, html_check):
    secret, codes = set_up_app(client)
    assert (len(secret), len(codes)) == (32, 10)
    key = Authenticator.objects.create(user=ines, type="webauthn", data={"name": "<laptop>", "credential": {}})
    pages = {
        "2fa/": "10 codes are left.",
        "2fa/recovery-codes/": "They are not shown again.",
        "2fa/recovery-codes/generate/": "Make new recovery codes?",
        "2fa/totp/deactivate/": "Remove the authenticator app?",
        "2fa/webauthn/": "&lt;laptop&gt;",
        f"2fa/webauthn/keys/{key.pk}/edit/": "Rename the passkey",
        f"2fa/webauthn/keys/{key.pk}/remove/": "Remove “&lt;laptop&gt;”?",
        "2fa/reauthenticate/": "Is it you?",
    }
    for url, title in pages.items():
        check_shell(client.get(f"/accounts/{url}"), html_check, f"factor-{url}", title)
    key.delete()
    browser = Client()
    sign_in(browser, ines)
    check_shell(browser.get("/accounts/2fa/authenticate/"), html_check, "factor-authenticate", "Your second factor")


def test_another_persons_passkey_is_not_found(client, ines):
    prove(client, "/accounts/2fa/totp/activate/")
    key = Authenticator.objects.create(user=UserFactory(), type="webauthn", data={"name": "x", "credential": {}})
    for page in ("edit", "remove"):
        assert client.get(f"/accounts/2fa/webauthn/keys/{key.pk}/{page}/").status_code == 404
        assert client.post(f"/accounts/2fa/webauthn/keys/{key.pk}/{page}/", {"name": "y"}).status_code == 404
    key.refresh_from_db()
    assert key.data["name"] == "x"


def test_every_page_the_library_has_is_in_our_shell():
    """Also those that no address leads to today: all of them extend one of the three layouts, and those are ours."""
    ours = django_settings.BASE_DIR / "accounts" / "templates" / "allauth"
    for layout in ("base", "entrance", "manage"):
        assert get_template(f"allauth/layouts/{layout}.html").origin.name == str(ours / f"layouts/{layout}.html")
    theirs = ours.__class__(__import__("allauth").__file__).parent / "templates" / "allauth" / "elements"
    missing = {file.name for file in theirs.glob("*.html")} - {file.name for file in (ours / "elements").glob("*.html")}
    assert missing == set()


def test_a_page_of_the_library_that_we_did_not_rewrite(rf):
    """Drawn through the elements alone."""
    from django.contrib.auth.models import AnonymousUser
    from django.shortcuts import render

    request = rf.get("/")
    request.user = AnonymousUser()
    html = render(request, "account/email.html", {"emailaddresses": [], "can_add_email": True}).content.decode()
    assert 'class="page__title"' in html
    assert 'class="button button--primary"' in html
