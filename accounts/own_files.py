"""What this app and the audit log keep of a person, as files of their download."""

from collections.abc import Iterator
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.utils.translation import gettext_lazy as _

from accounts import personal_data
from accounts.models import Invitation, TeamMembership, User
from accounts.personal_data import File, as_json, lines_of
from audit.models import AuditLog


def profile(person: User, _by: Any) -> Iterator[str]:
    """Everything in the person's own row but the password's hash, and what belongs to signing in."""
    names = ("id", "email", "handle", "display_name", "bio", "timezone", "locale", "preferences", "created_at")
    told: dict[str, Any] = {name: getattr(person, name) for name in names}
    told |= {name: getattr(person, name) for name in ("is_active", "is_staff", "last_login", "last_seen_at")}
    told["groups"] = [group.name for group in person.groups.order_by("name")]
    addresses = EmailAddress.objects.filter(user=person).order_by("pk")
    told["email_addresses"] = list(addresses.values("email", "verified", "primary"))
    factors = Authenticator.objects.filter(user=person).order_by("pk")
    told["second_factors"] = [
        {
            "type": each.type,
            "name": each.data.get("name", "") if each.type == Authenticator.Type.WEBAUTHN else "",
            "created_at": each.created_at,
            "last_used_at": each.last_used_at,
        }
        for each in factors
    ]
    yield as_json(told, indent=2) + "\n"


FILES = (
    File(
        "profile.json",
        _("Your profile, preferences, e-mail addresses and kinds of second factor. No passwords, no secrets."),
        profile,
    ),
    File(
        "devices.jsonl",
        _("Where you are signed in: device, IP address, times."),
        lines_of(
            lambda person: UserSession.objects.filter(user=person), "user_agent", "ip", "created_at", "last_seen_at"
        ),
    ),
    File(
        "teams.jsonl",
        _("The teams that you are in, and as what."),
        lines_of(lambda person: TeamMembership.objects.filter(user=person), "team__name", "role", "created_at"),
    ),
    File(
        "invitations.jsonl",
        _("Whom you have invited to promptlib."),
        lines_of(lambda person: Invitation.objects.filter(invited_by=person), "email", "created_at", "accepted_at"),
    ),
    File(
        "activity.jsonl",
        _("What you did, as the audit log tells it: when, from where, to what, and what you changed."),
        lines_of(
            lambda person: AuditLog.objects.filter(actor_id=person.pk),
            *("timestamp", "action", "content_type__model", "object_pk", "object_repr", "changes", "reason"),
            *("remote_addr", "user_agent"),
        ),
    ),
)


def register() -> None:
    personal_data.register(*FILES)
