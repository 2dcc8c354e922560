"""What a person is asked before something is taken back, and what a page says it has shown."""

from django import forms
from django.utils.translation import gettext_lazy as _


class UndoForm(forms.Form):
    """Why; and what all of it was when it was shown."""

    reason = forms.CharField(
        label=_("Why"), max_length=500, help_text=_("This stands in the history, beside what you take back.")
    )
    seen = forms.CharField(widget=forms.HiddenInput)


class SeenForm(forms.Form):
    """Up to when a page told what changed."""

    until = forms.DateTimeField()
