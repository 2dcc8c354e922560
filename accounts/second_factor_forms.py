"""The forms for codes and passkeys in our words. A wrong passkey is logged like a wrong code."""

from typing import Any, ClassVar

from allauth.mfa.base import forms as code_forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.webauthn import forms as passkey_forms
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.signin_forms import PlainWords, Words
from audit.models import AuditLog
from audit.services import record

CODE = gettext_lazy("Code")


class CodeForm(PlainWords):
    labels: ClassVar[Words] = {"code": CODE}
    hints: ClassVar[Words] = {"code": gettext_lazy("Six digits from your authenticator app, or a recovery code.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs |= {"inputmode": "numeric", "autofocus": True}


class AuthenticateForm(CodeForm, code_forms.AuthenticateForm):
    """The second step of signing in."""


class ReauthenticateForm(CodeForm, code_forms.ReauthenticateForm):
    """Once more, before something delicate."""


class ActivateTOTPForm(CodeForm, totp_forms.ActivateTOTPForm):
    hints: ClassVar[Words] = {"code": gettext_lazy("The six digits that the app shows now.")}


class AddPasskeyForm(PlainWords, passkey_forms.AddWebAuthnForm):
    labels: ClassVar[Words] = {
        "name": gettext_lazy("Name"),
        "passwordless": gettext_lazy("Sign in with this passkey alone, without the password"),
    }
    hints: ClassVar[Words] = {
        "name": gettext_lazy("Where it lives, such as “work laptop”."),
        "passwordless": gettext_lazy("The device then asks for a fingerprint, a face or a PIN."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].initial = True


class EditPasskeyForm(PlainWords, passkey_forms.EditWebAuthnForm):
    labels: ClassVar[Words] = {"name": gettext_lazy("Name")}


class LoggedPasskey(forms.Form):
    """Logs a passkey that does not fit, under whom it was tried for."""

    user: User | None

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()  # type: ignore[misc]  # of the form this is mixed into
        except ValidationError:
            user = self.user or User(pk=None, display_name=_("Somebody"))
            record(AuditLog.Action.SIGN_IN_FAILED, user, reason=_("wrong passkey"))
            raise


class AuthenticatePasskeyForm(LoggedPasskey, passkey_forms.AuthenticateWebAuthnForm):
    """A passkey as the second step of signing in."""


class ReauthenticatePasskeyForm(LoggedPasskey, passkey_forms.ReauthenticateWebAuthnForm):
    """A passkey once more, before something delicate."""


class LoginPasskeyForm(LoggedPasskey, passkey_forms.LoginWebAuthnForm):
    """A passkey in place of address and password."""
