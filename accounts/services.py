"""Invitations: who may make an account where registration is by invitation."""

import logging
from smtplib import SMTPException
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Invitation, User, is_plain_email
from promptlib.core.fields import normalize_key

logger = logging.getLogger(__name__)


def invite_person(*, email: str, invited_by: User | None = None) -> Invitation:
    """Let `email` sign up, and tell it so. An open invitation is sent again; one whose account is gone is opened anew.

    Raises ValidationError for what is no address, or has an account.
    """
    email = User.objects.normalize_email(email)
    validate_email(email)
    if not is_plain_email(email):
        raise ValidationError(_("Write the address in plain letters."))
    key = normalize_key(email)
    if User.objects.filter(email_key=key).exists():
        raise ValidationError(_("There is an account with this e-mail address."))
    with transaction.atomic():
        invitation = Invitation.objects.select_for_update().filter(email_key=key).first()
        if invitation is None:
            invitation = Invitation.objects.create(email=email, invited_by=invited_by)
        elif invitation.accepted_at:
            invitation.accepted_at = None
            invitation.save(update_fields=["accepted_at"])
    send_invitation(invitation)
    return invitation


def invitation_url(invitation: Invitation) -> str:
    return f"{settings.BASE_URL}{reverse('account_signup')}?{urlencode({'email': invitation.email})}"


def send_invitation(invitation: Invitation) -> bool:
    """Whether the mail server took it. The invitation stands in any case."""
    context = {"invitation": invitation, "url": invitation_url(invitation), "base_url": settings.BASE_URL}
    text = render_to_string("accounts/email/invitation.txt", context)
    try:
        send_mail(_("You are invited to promptlib"), text, None, [invitation.email])
    except (OSError, SMTPException):
        logger.exception("The invitation could not be sent")
        return False
    return True
