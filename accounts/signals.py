"""What the sign-in library tells: to the audit log, to invitations; and what ends with a person's account."""

from collections.abc import Sequence
from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed, user_signed_up
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_used
from allauth.usersessions.models import UserSession
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Invitation, User
from audit.models import AuditLog
from audit.services import record
from promptlib.core.fields import normalize_key
from promptlib.core.soft_delete import soft_deleted

# ---- second factors: rows of the log are written where the factor is, so that the admin's changes are logged too


@receiver(post_save, sender=Authenticator, dispatch_uid="accounts_second_factor_added")
def log_second_factor_added(instance: Authenticator, created: bool, raw: bool = False, **_kwargs: Any) -> None:
    if created and not raw:
        _log_second_factor(instance, [None, _name(instance)])


@receiver(post_delete, sender=Authenticator, dispatch_uid="accounts_second_factor_removed")
def log_second_factor_removed(instance: Authenticator, **_kwargs: Any) -> None:
    _log_second_factor(instance, [_name(instance), None])


@receiver(authenticator_used, dispatch_uid="accounts_second_factor_used")
def log_recovery_code_used(user: User, authenticator: Authenticator, **_kwargs: Any) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        reason = _("used a recovery code")
        record(AuditLog.Action.SECOND_FACTOR, user, actor=user, subject_id=user.pk, reason=reason)


@receiver(authentication_failed, dispatch_uid="accounts_second_factor_failed")
def log_wrong_code(user: User, **_kwargs: Any) -> None:
    record(AuditLog.Action.SIGN_IN_FAILED, user, subject_id=user.pk, reason=_("wrong code"))


def _log_second_factor(authenticator: Authenticator, change: list[str | None]) -> None:
    user = User.all_objects.get(pk=authenticator.user_id)
    record(AuditLog.Action.SECOND_FACTOR, user, subject_id=user.pk, changes={"second_factor": change})


def _name(authenticator: Authenticator) -> str:
    """The kind of a second factor and, of a passkey, the name that was given to it: never what is secret in it."""
    kind = {
        Authenticator.Type.TOTP: _("authenticator app"),
        Authenticator.Type.RECOVERY_CODES: _("recovery codes"),
        Authenticator.Type.WEBAUTHN: _("passkey"),
    }[Authenticator.Type(authenticator.type)]
    name = authenticator.data.get("name") if authenticator.type == Authenticator.Type.WEBAUTHN else ""
    return f"{kind}: {name}" if name else str(kind)


# ---- e-mail addresses and invitations --------------------------------------


@receiver(email_confirmed, dispatch_uid="accounts_email_confirmed")
def log_email_confirmed(email_address: EmailAddress, **_kwargs: Any) -> None:
    user = User.all_objects.get(pk=email_address.user_id)
    changes = {"confirmed_email": [None, email_address.email]}
    record(AuditLog.Action.UPDATE, user, actor=user, subject_id=user.pk, changes=changes)


@receiver(post_save, sender=EmailAddress, dispatch_uid="accounts_email_added")
def log_email_added(instance: EmailAddress, created: bool, raw: bool = False, **_kwargs: Any) -> None:
    if created and not raw:
        _log_email(instance, [None, instance.email])


@receiver(post_delete, sender=EmailAddress, dispatch_uid="accounts_email_removed")
def log_email_removed(instance: EmailAddress, origin: Any = None, **_kwargs: Any) -> None:
    if not isinstance(origin, User):  # else it goes with the person
        _log_email(instance, [instance.email, None])


def _log_email(address: EmailAddress, change: list[str | None]) -> None:
    """One may sign in with it, and a link to a new password goes there."""
    user = User.all_objects.get(pk=address.user_id)
    record(AuditLog.Action.UPDATE, user, subject_id=user.pk, changes={"email_address": change})


@receiver(user_signed_up, dispatch_uid="accounts_invitation_accepted")
def accept_invitation(user: User, **_kwargs: Any) -> None:
    for invitation in Invitation.objects.filter(email_key=normalize_key(user.email), accepted_at=None):
        invitation.accepted_at = timezone.now()
        invitation.save(update_fields=["accepted_at"])


# ---- the end of an account -------------------------------------------------


@receiver(soft_deleted, sender=User, dispatch_uid="accounts_person_deleted")
def close_doors(instances: Sequence[User], **_kwargs: Any) -> None:
    """A deleted person is signed out everywhere, and the address is free; restored, they confirm it anew."""
    for session in UserSession.objects.filter(user__in=instances):
        session.end()
    EmailAddress.objects.filter(user__in=instances).delete()
