"""Authenticator apps and recovery codes: they let in, once; nothing else does; and the log knows."""

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client, override_settings

from audit.models import AuditLog
from tests.accounts.steps import (
    Actions,
    current_code,
    factors,
    forget_used_codes,
    is_signed_in,
    links,
    logged,
    path,
    prove,
    set_up_app,
    sign_in,
)
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines():
    return UserFactory(email="ines@halden.example", display_name="Ines Halden", can_sign_in=True)


@pytest.fixture
def armed(ines):
    """Ines with an app: (her, its secret, her recovery codes); the codes she typed may be typed again."""
    browser = Client()
    sign_in(browser, ines)
    secret, codes = set_up_app(browser)
    mail.outbox.clear()
    forget_used_codes()
    return ines, secret, codes


def test_setting_up_asks_for_the_password_and_shows_a_picture(client, ines):
    client.force_login(ines)
    question = client.get("/accounts/2fa/totp/activate/")
    assert question.headers["Location"].startswith("/accounts/reauthenticate/?next=")
    wrong = client.post(question.headers["Location"], {"password": "not-it-at-all"})
    assert wrong.context["form"].errors == {"password": ["That is not your password."]}
    assert client.get("/accounts/2fa/totp/activate/").status_code == 302
    right = client.post(question.headers["Location"], {"password": PASSWORD})
    assert right.headers["Location"] == "/accounts/2fa/totp/activate/"
    page = client.get("/accounts/2fa/totp/activate/")
    assert '<img class="qr" src="data:image/svg+xml;base64,' in page.content.decode()
    assert "style=" not in page.content.decode()
    assert client.post("/accounts/2fa/totp/activate/", {"code": "000000"}).context["form"].errors["code"]
    assert factors(ines) == []


def test_signing_in_takes_the_code(armed):
    ines, secret, _codes = armed
    browser = Client()
    assert sign_in(browser, ines).headers["Location"] == "/accounts/2fa/authenticate/"
    assert not is_signed_in(browser)
    wrong = browser.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert wrong.context["form"].errors["code"]
    assert not is_signed_in(browser)
    assert logged(Actions.SIGN_IN_FAILED) == [("failed to sign in", "Ines Halden", "wrong code")]
    assert browser.post("/accounts/2fa/authenticate/", {"code": current_code(secret)}).headers["Location"] == "/"
    assert is_signed_in(browser)


def test_a_code_works_once(armed):
    ines, secret, _codes = armed
    first, second = Client(), Client()
    code = current_code(secret)
    for browser in (first, second):
        sign_in(browser, ines)
        browser.post("/accounts/2fa/authenticate/", {"code": code})
    assert [is_signed_in(first), is_signed_in(second)] == [True, False]


def test_a_recovery_code_works_once(armed):
    ines, _secret, codes = armed
    assert len(set(codes)) == 10
    first, second = Client(), Client()
    for browser in (first, second):
        sign_in(browser, ines)
        browser.post("/accounts/2fa/authenticate/", {"code": codes[3]})
    assert [is_signed_in(first), is_signed_in(second)] == [True, False]
    assert logged(Actions.SECOND_FACTOR)[-1] == ("changed the second factor", "Ines Halden", "used a recovery code")
    assert "9 codes are left." in first.get("/accounts/2fa/").content.decode()


def test_the_sixth_wrong_code_waits(armed):
    ines, secret, _codes = armed
    browser = Client()
    sign_in(browser, ines)
    for _try in range(5):
        browser.post("/accounts/2fa/authenticate/", {"code": "000000"})
    browser.post("/accounts/2fa/authenticate/", {"code": current_code(secret)})
    assert not is_signed_in(browser)


def test_recovery_codes_are_shown_once_to_keep(client, ines):
    client.force_login(ines)
    page = prove(client, "/accounts/2fa/totp/activate/")
    code = current_code(page.context["form"].secret)
    shown = client.post("/accounts/2fa/totp/activate/", {"code": code}, follow=True)
    codes = shown.context["unused_codes"]
    html = shown.content.decode()
    assert all(f"<code>{code}</code>" in html for code in codes)
    assert f'href="data:text/plain;charset=utf-8,{"".join(f"{code}%0A" for code in codes)}" download=' in html
    again = client.get("/accounts/2fa/recovery-codes/").content.decode()
    assert not any(code in again for code in codes)
    assert client.get("/accounts/2fa/recovery-codes/download/").status_code == 403


def test_new_codes_end_the_old_ones(armed):
    ines, secret, codes = armed
    browser = Client()
    sign_in(browser, ines)
    browser.post("/accounts/2fa/authenticate/", {"code": current_code(secret)})
    generate = "/accounts/2fa/recovery-codes/generate/"
    browser.post(browser.post(generate).headers["Location"], {"password": PASSWORD})
    fresh = browser.post(generate, follow=True).context["unused_codes"]
    assert not set(codes) & set(fresh)
    other = Client()
    sign_in(other, ines)
    other.post("/accounts/2fa/authenticate/", {"code": codes[0]})
    assert not is_signed_in(other)
    other.post("/accounts/2fa/authenticate/", {"code": fresh[0]})
    assert is_signed_in(other)


def test_the_secrets_are_encrypted_and_never_logged(armed):
    _ines, secret, codes = armed
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored
    rows = str(list(AuditLog.objects.values()))
    assert not any(text in rows for text in (secret, PASSWORD, *codes, *stored.split("'")[3::4]))
    assert AuditLog.objects.filter(action=Actions.SECOND_FACTOR).count() == 2


@pytest.mark.parametrize(("fallbacks", "inside"), [(["k" * 60], True), ([], False)])
def test_a_changed_key_opens_them_only_with_its_forerunner(armed, settings, fallbacks, inside):
    ines, _secret, codes = armed
    old = settings.SECRET_KEY
    with override_settings(SECRET_KEY="n" * 60, SECRET_KEY_FALLBACKS=[old] if fallbacks else []):
        browser = Client()
        sign_in(browser, ines)
        browser.post("/accounts/2fa/authenticate/", {"code": codes[0]})
        assert is_signed_in(browser) is inside


@pytest.mark.django_db(transaction=True)  # the e-mail goes out after the commit
def test_adding_and_removing_is_logged_and_told(client, ines):
    sign_in(client, ines)
    set_up_app(client)
    client.post("/accounts/2fa/totp/deactivate/")
    assert factors(ines) == []
    changes = AuditLog.objects.filter(action=Actions.SECOND_FACTOR).order_by("id").values_list("changes", "actor")
    assert [(change["second_factor"], actor) for change, actor in changes] == [
        ([None, "authenticator app"], ines.pk),
        ([None, "recovery codes"], ines.pk),
        (["authenticator app", None], ines.pk),
        (["recovery codes", None], ines.pk),
    ]
    subjects = [message.subject for message in mail.outbox]
    assert subjects == ["An authenticator app was set up", "The authenticator app was removed"]
    assert {tuple(message.to) for message in mail.outbox} == {("ines@halden.example",)}


def test_resetting_the_password_does_not_go_round_the_code(armed):
    ines, _secret, _codes = armed
    browser = Client()
    browser.post("/accounts/password/reset/", {"email": ines.email})
    page = browser.get(path(links(mail.outbox[0])[0]), follow=True)
    new = "quite-another-horse"
    browser.post(page.request["PATH_INFO"], {"password1": new, "password2": new})
    assert not is_signed_in(browser)
    assert sign_in(browser, ines, new).headers["Location"] == "/accounts/2fa/authenticate/"
    assert not is_signed_in(browser)


def test_changing_the_address_with_a_second_factor(armed):
    ines, secret, _codes = armed
    browser = Client()
    sign_in(browser, ines)
    browser.post("/accounts/2fa/authenticate/", {"code": current_code(secret)})
    add = {"action_add": "", "email": "ines@new.example"}
    question = browser.post("/accounts/email/", add)
    browser.post(question.headers["Location"], {"password": PASSWORD})
    assert [message.to for message in mail.outbox] == [["ines@new.example"]]
