"""With whom a template is shared."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.forms import PersonField
from accounts.models import Team
from templates_app.models import Grant, PromptTemplate


class VisibilityForm(forms.Form):
    visibility = forms.ChoiceField(
        label=gettext_lazy("Who sees it"),
        choices=PromptTemplate.Visibility.choices,
        widget=forms.RadioSelect,
    )


class GrantForm(forms.Form):
    """A right for a person or for one of the asker's own teams."""

    who = PersonField(label=gettext_lazy("Person"), required=False)
    team = forms.ModelChoiceField(Team.objects.none(), label=gettext_lazy("or team"), required=False)
    role = forms.ChoiceField(label=gettext_lazy("As"), choices=Grant.Role.choices, initial=Grant.Role.VIEWER.value)

    def __init__(self, *args: Any, asked_by: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked_by = asked_by
        self.fields["who"].asked_by = asked_by  # type: ignore[attr-defined]
        team: Any = self.fields["team"]
        team.queryset = Team.objects.visible_to(asked_by)
        team.empty_label = _("No team")
        if not self.is_bound and not team.queryset.exists():
            del self.fields["team"]

    def clean_who(self) -> Any:
        person = self.cleaned_data["who"]
        if person is not None and person.pk == self.asked_by.pk:
            raise forms.ValidationError(_("That is you: what is yours needs no sharing with you."))
        return person

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not self.errors and bool(data.get("who")) == bool(data.get("team")):
            raise forms.ValidationError(_("Name one person, or choose one team."))
        return data
