"""What people write beside an interaction, and the word they find a conversation by."""

from django import forms
from django.utils.translation import gettext_lazy as _


class RemarkForm(forms.Form):
    text = forms.CharField(max_length=10_000, error_messages={"required": _("Write the remark.")})


class TagForm(forms.Form):
    name = forms.CharField(max_length=80)
