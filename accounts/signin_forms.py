"""The sign-in library's forms in our words: labels beside the fields, and hints where they help."""

from typing import Any, ClassVar

from allauth.account import forms as allauth_forms
from django import forms
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Invitation, User
from promptlib.core.fields import normalize_key

Words = dict[str, Any]
"""Field names and the texts for them, most of them lazy."""

SIGN_UP_TRIES = 3


class PlainWords(forms.Form):
    """Takes placeholders and the library's hints away; `labels` and `hints` say what stands instead."""

    labels: ClassVar[Words] = {}
    hints: ClassVar[Words] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = self.labels.get(name, field.label)
            field.help_text = self.hints.get(name, "")


def _days() -> str:
    days = settings.SESSION_COOKIE_AGE // 86_400
    text = ngettext("Stay signed in on this device for %d day", "Stay signed in on this device for %d days", days)
    return text % days


def _reset_link() -> SafeString:
    address = reverse("account_reset_password")
    return format_html('<a class="link" href="{}">{}</a>', address, gettext("Forgotten?"))


EMAIL = _("E-mail address")
PASSWORD = _("Password")
NEW_PASSWORD = _("New password")
REPEATED = _("New password, once more")
STRENGTH = _("At least 10 characters, not only digits, and not a common one.")


class LoginForm(PlainWords, allauth_forms.LoginForm):
    labels: ClassVar[Words] = {"login": EMAIL, "password": PASSWORD, "remember": lazy(_days, str)()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs["autocomplete"] = "username"
        self.fields["password"].type_note = _reset_link()  # type: ignore[attr-defined]  # what our fields show
        self.fields["remember"].initial = True


class SignupForm(PlainWords, allauth_forms.SignupForm):
    """Name, e-mail address, password. By invitation only, the address must have one."""

    display_name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    account_already_exists: bool
    field_order = ("display_name", "email", "password1")
    labels: ClassVar[Words] = {"display_name": _("Your name"), "email": EMAIL, "password1": PASSWORD}
    hints: ClassVar[Words] = {"password1": STRENGTH}

    def clean_email(self) -> str:
        email = super().clean_email()
        if settings.REGISTRATION == "invite" and not self._is_invited(email):
            raise ValidationError(gettext("There is no invitation for this e-mail address."), code="not_invited")
        return email

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Two sign-ups for one address at once: the second gets the answer of an address that is taken."""
        for _attempt in range(SIGN_UP_TRIES):
            if self.account_already_exists:
                break
            try:
                with transaction.atomic():
                    return self.save(request), None
            except IntegrityError:  # the address, or a handle made from it, was taken in this moment
                key = normalize_key(self.cleaned_data["email"])
                self.account_already_exists = User.objects.filter(email_key=key).exists()
        else:
            raise RuntimeError("No free handle was found for a sign-up.")
        make_password(self.cleaned_data["password1"])  # takes the time that making an account would take
        return super().try_save(request)

    def _is_invited(self, email: str) -> bool:
        """An open invitation; or one that led to an account, whose owner is told by e-mail like anybody else."""
        invitations = Invitation.objects.filter(email_key=normalize_key(email))
        return invitations.filter(accepted_at=None).exists() or (self.account_already_exists and invitations.exists())


class AddEmailForm(PlainWords, allauth_forms.AddEmailForm):
    labels: ClassVar[Words] = {"email": _("New e-mail address")}
    hints: ClassVar[Words] = {"email": _("It replaces the old one as soon as you open the link that we send to it.")}


class ChangePasswordForm(PlainWords, allauth_forms.ChangePasswordForm):
    labels: ClassVar[Words] = {
        "oldpassword": _("Current password"),
        "password1": NEW_PASSWORD,
        "password2": REPEATED,
    }
    hints: ClassVar[Words] = {"password1": STRENGTH}


class SetPasswordForm(PlainWords, allauth_forms.SetPasswordForm):
    labels: ClassVar[Words] = {"password1": NEW_PASSWORD, "password2": REPEATED}
    hints: ClassVar[Words] = {"password1": STRENGTH}


class ResetPasswordForm(PlainWords, allauth_forms.ResetPasswordForm):
    labels: ClassVar[Words] = {"email": EMAIL}


class ResetPasswordKeyForm(PlainWords, allauth_forms.ResetPasswordKeyForm):
    labels: ClassVar[Words] = {"password1": NEW_PASSWORD, "password2": REPEATED}
    hints: ClassVar[Words] = {"password1": STRENGTH}


class ReauthenticateForm(PlainWords, allauth_forms.ReauthenticateForm):
    labels: ClassVar[Words] = {"password": PASSWORD}
