"""The name of a set of values, and who may use it."""

from django import forms
from django.utils.translation import gettext_lazy as _

from promptlib.core.fields import normalize_key
from templates_app.models import ValueSet


class ValueSetForm(forms.Form):
    """What a set of values is called. Its values are those of a `VariablesForm`."""

    prefix = "set"

    name = forms.CharField(
        label=_("Name"),
        max_length=ValueSet._meta.get_field("name").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Give it a name.")},
    )
    is_shared = forms.BooleanField(label=_("Everybody who sees the template may use it"), required=False)

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if not normalize_key(name):
            raise forms.ValidationError(_("Give it a name."))
        return name
