"""Rating a template, and reporting a review."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from templates_app.models import PromptTemplate, Rating, RatingReport


class RatingForm(forms.Form):
    """Stars, a review, and the model and the task that it was tried with."""

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
    task = forms.CharField(
        label=_("Used for"),
        required=False,
        max_length=Rating._meta.get_field("task").max_length,
        help_text=_("In a few words: tickets from Germany, a speech at a wedding."),
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, template: PromptTemplate, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, auto_id="rate-%s", initial=initial)
        self.template = template

    def clean_task(self) -> str:
        return " ".join(self.cleaned_data["task"].split())

    def clean_review(self) -> str:
        return self.cleaned_data["review"].replace("\r\n", "\n")

    def clean_version(self) -> Any:
        version = self.template.versions.filter(number=self.cleaned_data["version"]).first()
        if version is None:
            raise forms.ValidationError(_("There is no such version."))
        return version


class ReportForm(forms.Form):
    """Why a review does not belong in the library."""

    reason = forms.CharField(
        label=_("What is wrong with it"),
        max_length=RatingReport._meta.get_field("reason").max_length,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The curators read this; its author does not."),
        error_messages={"required": _("Say what is wrong with it, so that somebody can judge.")},
    )

    def clean_reason(self) -> str:
        return self.cleaned_data["reason"].replace("\r\n", "\n")
