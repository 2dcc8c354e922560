"""What one decides about a link, and what a reader of it types."""

from datetime import datetime, timedelta

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

DAYS = [("1", _("after a day")), ("7", _("after a week")), ("30", _("after 30 days")), ("", _("never"))]


class LinkForm(forms.Form):
    name = forms.CharField(
        label=_("For whom"), required=False, max_length=120, help_text=_("To know it by in the list below.")
    )
    days = forms.ChoiceField(label=_("Expires"), required=False, choices=DAYS, initial="7")
    password = forms.CharField(
        label=_("Password"),
        required=False,
        min_length=6,
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=True),
        help_text=_("Six characters or more; tell it to the readers by another way."),
    )
    max_views = forms.IntegerField(label=_("Openings at most"), required=False, min_value=1, max_value=1_000_000)

    @property
    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class OpenForm(forms.Form):
    password = forms.CharField(
        label=_("Password"),
        required=False,
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
