"""Passkeys in Chromium with an authenticator that it pretends to have; the content security policy stays as it is."""

import pytest
from allauth.mfa.models import Authenticator

from audit.models import AuditLog
from tests.accounts.steps import logged
from tests.factories import PASSWORD, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

INTERNAL = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def sign_out(page):
    page.goto("/accounts/logout/")
    page.click("text=Sign out >> nth=-1")
    page.wait_for_url("**/accounts/login/")


def test_add_a_passkey_and_sign_in_with_it(page, settings):
    ines = UserFactory(email="ines@halden.example", display_name="Ines Halden", can_sign_in=True)
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    device = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": INTERNAL})["authenticatorId"]

    page.goto("/accounts/login/?next=/accounts/2fa/webauthn/add/")
    page.fill("[name=login]", ines.email)
    page.fill("[name=password]", PASSWORD)
    page.click("button.button--primary")
    page.fill("[name=password]", PASSWORD)  # adding one asks again
    page.click("button.button--primary")
    page.fill("[name=name]", "work laptop")
    page.click("#mfa_webauthn_add")
    page.wait_for_url("**/accounts/2fa/recovery-codes/")
    assert page.locator(".codes code").count() == 10
    page.goto("/accounts/2fa/webauthn/")
    assert page.locator("tbody tr").inner_text().split("\t")[:2] == ["work laptop", "alone"]

    sign_out(page)
    page.fill("[name=login]", ines.email)  # as the second step
    page.fill("[name=password]", PASSWORD)
    page.click("button.button--primary")
    page.wait_for_url("**/accounts/2fa/authenticate/")
    page.click("#mfa_webauthn_authenticate")
    page.wait_for_url(lambda url: "2fa" not in url)
    page.goto("/people/me/")
    assert page.input_value("[name=display_name]") == "Ines Halden"

    sign_out(page)
    page.goto("/accounts/login/?next=/people/me/")  # alone
    page.click("#passkey_login")
    page.wait_for_url(lambda url: "login" not in url)
    assert AuditLog.objects.filter(action=AuditLog.Action.SIGN_IN, actor=ines).count() == 3

    sign_out(page)
    Authenticator.objects.filter(type="webauthn").delete()  # the device has it still
    page.click("#passkey_login")
    page.wait_for_selector("[role=alert] >> text=That code is not right")
    assert logged(AuditLog.Action.SIGN_IN_FAILED) == [("failed to sign in", "Somebody", "wrong passkey")]

    devtools.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": device})
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": INTERNAL | {"isUserVerified": False}})
    page.click("#passkey_login")
    page.wait_for_selector("text=No passkey was used")


def test_without_a_script_the_password_is_enough(new_page):
    ines = UserFactory(can_sign_in=True)
    page = new_page(java_script_enabled=False)
    page.goto("/accounts/login/?next=/people/me/")
    assert not page.locator("#passkey_login").is_visible()
    page.fill("[name=login]", ines.email)
    page.fill("[name=password]", PASSWORD)
    page.click("button.button--primary")
    assert page.input_value("[name=handle]") == ines.handle
