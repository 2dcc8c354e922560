"""Whom one asks into a conversation."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Invitation, User, is_plain_email
from accounts.people import find_person
from conversations.models import Participant
from promptlib.core.fields import normalize_key

ROLES = [
    (Participant.Role.EDITOR.value, gettext_lazy("editor: asks")),
    (Participant.Role.COMMENTER.value, gettext_lazy("commenter: remarks")),
    (Participant.Role.VIEWER.value, gettext_lazy("viewer: reads")),
]


class InviteForm(forms.Form):
    """A person by handle or address; `person` is None for an address that has no account yet."""

    who = forms.CharField(
        label=gettext_lazy("Who"),
        max_length=254,
        widget=forms.TextInput(
            attrs={
                "autocapitalize": "none",
                "autocomplete": "off",
                "spellcheck": "false",
                "placeholder": gettext_lazy("@handle or e-mail address"),
            }
        ),
    )
    role = forms.ChoiceField(label=gettext_lazy("As"), choices=ROLES, initial=Participant.Role.VIEWER.value)

    def __init__(self, *args: Any, asked_by: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked_by = asked_by
        self.person: User | None = None

    def clean_who(self) -> str:
        text = self.cleaned_data["who"].strip()
        try:
            self.person = find_person(text, asked_by=self.asked_by)
        except ValidationError as error:
            if error.code != "nobody" or "@" not in text.removeprefix("@"):
                raise
            return self._address(text)
        if self.person.pk == self.asked_by.pk:
            raise ValidationError(_("That is you: you are in it already."))
        return text

    def _address(self, text: str) -> str:
        """An address to which a seat may be offered: whoever has it can still make an account."""
        email = User.objects.normalize_email(text)
        validate_email(email)
        if not is_plain_email(email):
            raise ValidationError(_("Write the address in plain letters."))
        is_invited = Invitation.objects.filter(email_key=normalize_key(email), accepted_at=None).exists()
        if settings.REGISTRATION == "closed" or (settings.REGISTRATION == "invite" and not is_invited):
            raise ValidationError(_("Nobody here has this address. Ask staff to invite them to promptlib first."))
        return email
