"""Moving a label."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from templates_app.models import LabelMove, PromptTemplate, TemplateVersion
from templates_app.services import clean_label_name

CHOICES_MAX = 200


class LabelReasonForm(forms.Form):
    """Which label, and why."""

    name = forms.CharField(label=_("Label"), max_length=60)
    reason = forms.CharField(
        label=_("Reason"), required=False, max_length=LabelMove._meta.get_field("reason").max_length
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, template: PromptTemplate, **options: Any) -> None:
        super().__init__(data, auto_id="label-%s", **options)
        self.template = template

    def clean_name(self) -> str:
        """One of the template's labels as it is, for an imported one may be spelt freely; else a name for a new one."""
        name = self.cleaned_data["name"]
        return name if self.template.labels.filter(name=name).exists() else clean_label_name(name)


class LabelMoveForm(LabelReasonForm):
    """A label, the version that it is to point at, and why."""

    field_order = ("name", "version", "reason")

    version = forms.TypedChoiceField(label=_("Version"), coerce=int)

    def __init__(self, data: Mapping[str, Any] | None = None, *, template: PromptTemplate, **options: Any) -> None:
        super().__init__(data, template=template, **options)
        self.fields["name"].widget.attrs |= {"list": "label-names", "autocomplete": "off"}
        self.fields["name"].help_text = _("production, staging, or a name of your own.")
        self.fields["reason"].help_text = _("Stands in the label's history.")
        chosen = str(self["version"].value() or "")
        numbers = list(template.versions.order_by("-number").values_list("number", flat=True)[:CHOICES_MAX])
        if chosen.isdecimal() and len(chosen) < 10 and int(chosen) not in numbers:
            numbers += template.versions.filter(number=int(chosen)).values_list("number", flat=True)
        self.fields["version"].choices = [(number, f"v{number}") for number in numbers]  # type: ignore[attr-defined]

    def clean_version(self) -> TemplateVersion:
        return self.template.versions.get(number=self.cleaned_data["version"])
