"""Rating a template."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from templates_app.models import PromptTemplate, Rating


class RatingForm(forms.Form):
    """Stars, a review, and the model that it was tried with."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    score = forms.TypedChoiceField(
        label=_("Your rating"),
        coerce=int,
        choices=[(5, _("5, keeps its promise")), (4, _("4")), (3, _("3")), (2, _("2")), (1, _("1, no use to me"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how many stars you give.")},
    )
    review = forms.CharField(
        label=_("Review"),
        required=False,
        max_length=Rating._meta.get_field("review").max_length,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What worked, what did not. Everybody who sees the template reads it."),
    )
    model = forms.CharField(
        label=_("Model"),
        required=False,
        max_length=Rating._meta.get_field("model").max_length,
        help_text=_("The one you tried it with, if you know."),
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, template: PromptTemplate, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, auto_id="rate-%s", initial=initial)
        self.template = template

    def clean_review(self) -> str:
        return self.cleaned_data["review"].replace("\r\n", "\n")

    def clean_version(self) -> Any:
        version = self.template.versions.filter(number=self.cleaned_data["version"]).first()
        if version is None:
            raise forms.ValidationError(_("There is no such version."))
        return version
