"""What the pages over everything ask for."""

from datetime import date, timedelta

from django import forms
from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

PERIODS = (7, 30, 365)


class SearchForm(forms.Form):
    """Words, and one kind of thing or all."""

    q = forms.CharField(label=_("Search everything"), max_length=400, required=False)
    kind = forms.ChoiceField(
        choices=[(name, name) for name in ("", "templates", "conversations", "prompts")], required=False
    )


class PeriodForm(forms.Form):
    """The days that a report covers, and for staff whose."""

    days = forms.TypedChoiceField(
        choices=[(days, days) for days in PERIODS], coerce=int, required=False, empty_value="30"
    )
    person = forms.ModelChoiceField(
        get_user_model().objects.order_by("display_name"),
        label=_("Person"),
        required=False,
        to_field_name="handle",
        empty_label=_("Everybody"),
    )

    def first_day(self) -> date:
        """The first day (UTC) of the period; 30 days where the choice makes no sense."""
        days = int(self.cleaned_data.get("days") or 30)
        return timezone.now().date() - timedelta(days=days - 1)
