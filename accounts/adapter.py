"""How the sign-in library behaves here: whom it lets in, what it says, and what reaches the audit log."""

import base64
import hashlib
import logging
import secrets
from collections.abc import Sequence
from smtplib import SMTPException
from typing import Any, ClassVar
from urllib.parse import urljoin, urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User, is_plain_email
from audit.context import acting_as
from audit.middleware import client_ip
from audit.models import AuditLog
from audit.services import record

logger = logging.getLogger(__name__)

UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104  # stands for no address; nothing listens there


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up follows `REGISTRATION`; a deleted person cannot sign in; links in e-mails start with `BASE_URL`."""

    error_messages: ClassVar[dict[str, str | Promise]] = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": gettext_lazy("This account is closed."),
        "duplicate_email": gettext_lazy("That is your address already."),
        "email_password_mismatch": gettext_lazy("That e-mail address and password do not belong together."),
        "email_taken": gettext_lazy("There is an account with this e-mail address."),
        "enter_current_password": gettext_lazy("That is not your current password."),
        "incorrect_code": gettext_lazy("That code is not right, or was used before. Type the one that shows now."),
        "incorrect_password": gettext_lazy("That is not your password."),
        "rate_limited": gettext_lazy("That was tried too often. Wait a minute, then try again."),
        "same_as_current": gettext_lazy("That is your address already."),
        "too_many_login_attempts": gettext_lazy("That was tried too often. Wait five minutes, then try again."),
    }

    # ---- who may come in ---------------------------------------------------

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.REGISTRATION != "closed"

    def clean_email(self, email: str) -> str:
        """Refuse look-alikes: an address must be written in the form under which it is unique."""
        if not is_plain_email(email):
            raise ValidationError(_("Write the address in plain letters, as your mail program shows it."))
        return super().clean_email(email)

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        if user.is_deleted:
            return self.respond_user_inactive(request, user)
        return super().pre_login(request, user, **kwargs)

    def get_client_ip(self, request: HttpRequest) -> str:
        """As in the audit log. A request without an address (by a socket, say) is nobody's in particular."""
        return client_ip(request) or UNKNOWN_ADDRESS

    # ---- people ------------------------------------------------------------

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        user.display_name = form.cleaned_data.get("display_name", "")
        return super().save_user(request, user, form, commit)

    def set_password(self, user: User, password: str) -> None:
        """Every change of an existing person's password comes through here."""
        signed_in = getattr(self.request, "user", None)
        by_themselves = signed_in is not None and signed_in.pk == user.pk
        user.set_password(password)
        reason = _("changed") if by_themselves else _("reset by a link in an e-mail")
        with acting_as(user, reason=reason):
            user.save(update_fields=["password"])

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        try:
            with transaction.atomic():
                return super().confirm_email(request, email_address)
        except IntegrityError:  # somebody else confirmed the same address in this moment
            self.add_message(
                request,
                messages.ERROR,
                "account/messages/email_confirmation_failed.txt",
                {"email": email_address.email},
            )
            return False

    # ---- e-mail ------------------------------------------------------------

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A mail server that does not answer costs the e-mail, not the page."""
        links = {name: public_url(value) for name, value in context.items() if name.endswith("_url") and value}
        context = {**context, **links, "base_url": settings.BASE_URL}
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, SMTPException):
            logger.exception("E-mail %s could not be sent", template_prefix)
            text = _("The e-mail could not be sent: the mail server does not answer. Try again later.")
            messages.error(self.request, text)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets of second factors are kept encrypted with `SECRET_KEY`; `SECRET_KEY_FALLBACKS` still open them."""

    error_messages: ClassVar[dict[str, str | Promise]] = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": gettext_lazy("You cannot remove your second factor."),
        "cannot_generate_recovery_codes": gettext_lazy("Recovery codes need a second factor: set one up first."),
        "incorrect_code": gettext_lazy("That code is not right, or was used before. Type the one that shows now."),
        "unverified_email": gettext_lazy("Confirm your e-mail address first: the link is in your mailbox."),
    }

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """A random secret, which no code fits, when the key it was encrypted with is gone."""
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            logger.warning("A second factor was encrypted with a SECRET_KEY that is not known any more")
            return base64.b32encode(secrets.token_bytes(20)).decode()


class SessionsAdapter(DefaultUserSessionsAdapter):
    """Signing out elsewhere is logged."""

    def end_sessions(self, sessions: Sequence[UserSession]) -> None:
        with transaction.atomic():
            super().end_sessions(sessions)
            for session in sessions:
                reason = _("elsewhere: %(device)s") % {"device": session.user_agent[:200]}
                record(AuditLog.Action.SIGN_OUT, session.user, subject_id=session.user_id, reason=reason)


def public_url(url: str) -> str:
    """The same page at `BASE_URL`, whatever host name the request came by."""
    path = urlsplit(url)._replace(scheme="", netloc="").geturl()
    return urljoin(f"{settings.BASE_URL}/", path)


def _cipher() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = (hashlib.sha256(f"second factor {key}".encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
