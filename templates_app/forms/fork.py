"""Forking a template."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from templates_app.models import PromptTemplate, TemplateVersion


class ForkForm(forms.Form):
    """Which version, and what the fork is called."""

    title = forms.CharField(label=_("Title"), max_length=PromptTemplate._meta.get_field("title").max_length)
    version = forms.IntegerField(label=_("Version"), min_value=1)

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, template: PromptTemplate, number: int | None = None
    ) -> None:
        current = template.current_version.number if template.current_version else None
        super().__init__(data, auto_id="fork-%s", initial={"title": template.title, "version": number or current})
        self.template = template
        self.fields["title"].widget.attrs["autocomplete"] = "off"

    def clean_title(self) -> str:
        return " ".join(self.cleaned_data["title"].split())

    def clean_version(self) -> TemplateVersion:
        version = self.template.versions.filter(number=self.cleaned_data["version"]).first()
        if version is None:
            raise forms.ValidationError(_("There is no such version."))
        return version
