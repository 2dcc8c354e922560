"""Proposing a change of a template, and talking about one."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from templates_app.forms.template import TemplateForm
from templates_app.forms.texts import TextField
from templates_app.models import PromptTemplate, Suggestion, SuggestionComment, TemplateVersion
from templates_app.services import version_content
from templates_app.variables import ContractError


class SuggestionForm(TemplateForm):
    """What somebody proposes in place of `base_version`: the texts, variables and settings of the edit page, and why.

    With `suggestion` it starts from that one. What it proposes must differ from that.
    """

    # What a suggestion does not change; None is Django's way to leave a field of the base class out.
    revision = base = merge = key = tags = change_note = None  # type: ignore[assignment]
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)
    message = TextField(
        label=_("Why"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What it improves, and how you noticed. Whoever decides reads it first."),
    )

    class Meta(TemplateForm.Meta):
        fields = ()  # type: ignore[assignment]

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        base_version: TemplateVersion,
        user: Any,
        suggestion: Suggestion | None = None,
        is_quiet: bool = False,
    ) -> None:
        self.base_version, self.suggestion = base_version, suggestion
        source = suggestion or base_version
        version = TemplateVersion(**{name: getattr(source, name) for name in TemplateVersion.CONTENT})
        instance = PromptTemplate(owner=user, current_version=version)
        super().__init__(data, instance=instance, user=user, is_quiet=is_quiet)
        if suggestion is not None:
            self.initial = {**self.initial, "message": suggestion.message, "seen": suggestion.stamp}

    def clean_message(self) -> str:
        message = self.cleaned_data["message"].strip()
        limit = Suggestion._meta.get_field("message").max_length or 10_000
        if len(message) > limit:
            raise forms.ValidationError(_("Say it in %(limit)s characters at most.") % {"limit": f"{limit:,}"})
        return message

    def is_valid(self) -> bool:
        return super().is_valid() and self._differs()

    def _differs(self) -> bool:
        base = {name: getattr(self.base_version, name) for name in TemplateVersion.CONTENT}
        try:
            proposed = version_content(**self.content)
        except ContractError as error:
            self.add_error(None, error.errors)
            return False
        if proposed not in (base, _completed(base)):
            return True
        number = self.base_version.number
        self.add_error(None, _("Nothing differs from version %(number)d yet.") % {"number": number})
        return False

    def _arrange(self, instance: PromptTemplate, user: Any) -> None:
        """There is nothing here that only the owner decides."""
        self._note_types()


def _completed(base: dict[str, Any]) -> dict[str, Any]:
    """The content as saving it again would spell it; an import may have stored a contract that cannot be used."""
    try:
        return version_content(**base)
    except ContractError:
        return base


class CommentForm(forms.Form):
    """Something to say about a suggestion."""

    text = forms.CharField(
        label=_("Comment"),
        max_length=SuggestionComment._meta.get_field("text").max_length,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write something first.")},
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="comment-%s")

    def clean_text(self) -> str:
        return self.cleaned_data["text"].replace("\r\n", "\n")


class AcceptanceForm(forms.Form):
    """What whoever accepts has looked at, and a word to the author."""

    seen = forms.CharField(widget=forms.HiddenInput, max_length=40)
    number = forms.IntegerField(widget=forms.HiddenInput, max_value=2**31)
    note = forms.CharField(
        label=_("A word to its author"),
        required=False,
        max_length=Suggestion._meta.get_field("decision_note").max_length,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, auto_id="accept-%s", **kwargs)
        self.fields["note"].type_note = _("optional")  # type: ignore[attr-defined]  # read by components/field.html

    def clean_note(self) -> str:
        return self.cleaned_data["note"].replace("\r\n", "\n")

    @property
    def is_stale(self) -> bool:
        """Whether it says nothing, or nonsense, about what was looked at."""
        return not {"seen", "number"}.isdisjoint(self.errors)


class RejectionForm(forms.Form):
    """Why a suggestion is not taken in."""

    reason = forms.CharField(
        label=_("Why not"),
        max_length=Suggestion._meta.get_field("decision_note").max_length,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Whoever suggested it reads this."),
        error_messages={"required": _("Say why: somebody took the time to suggest it.")},
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="reject-%s")

    def clean_reason(self) -> str:
        return self.cleaned_data["reason"].replace("\r\n", "\n")
