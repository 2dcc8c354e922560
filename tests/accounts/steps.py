"""What people do at the door, as the tests of several files need it."""

import re
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from audit.models import AuditLog
from tests.factories import PASSWORD

Actions = AuditLog.Action


def sign_in(client: Client, user: User | str, password: str = PASSWORD, **data: Any) -> HttpResponse:
    email = user if isinstance(user, str) else user.email
    return client.post("/accounts/login/", {"login": email, "password": password, **data})


def current_code(secret: str) -> str:
    """What an authenticator app with this secret shows now."""
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def prove(client: Client, url: str) -> HttpResponse:
    """GET a page that asks for the password first."""
    question = client.get(url)
    if question.status_code == 302:
        client.post(question.headers["Location"], {"password": PASSWORD})
        return client.get(url)
    return question


def set_up_app(client: Client) -> tuple[str, list[str]]:
    """Set up an authenticator app for whoever is signed in; its secret and the recovery codes that came with it."""
    page = prove(client, "/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    done = client.post("/accounts/2fa/totp/activate/", {"code": current_code(secret)})
    assert done.headers["Location"] == "/accounts/2fa/recovery-codes/"
    return secret, client.get("/accounts/2fa/recovery-codes/").context["unused_codes"]


def forget_used_codes() -> None:
    """A code works once in half a minute; a test does not wait for the next."""
    cache.clear()


def factors(user: User) -> list[str]:
    return sorted(Authenticator.objects.filter(user=user).values_list("type", flat=True))


def is_signed_in(client: Client) -> bool:
    return client.get("/people/me/").status_code == 200


def links(mail: EmailMessage) -> list[str]:
    return re.findall(r"https?://\S+", mail.body)


def path(url: str) -> str:
    return re.sub(r"^https?://[^/]+", "", url)


def logged(*actions: int) -> list[tuple[str, str, str]]:
    """(action, whom it is about, reason) of the audit rows of these actions, oldest first."""
    rows = AuditLog.objects.filter(action__in=actions).order_by("id")
    return [(row.get_action_display(), row.object_repr, row.reason) for row in rows]
