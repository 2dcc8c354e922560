"""What people say about themselves, how they like the pages, and whom they name."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import RESERVED_HANDLES, ROWS_PER_PAGE, Team, TeamMembership, User
from accounts.people import find_person

THEMES = (
    ("system", gettext_lazy("As the system")),
    ("light", gettext_lazy("Light")),
    ("dark", gettext_lazy("Dark")),
)


def time_zones(current: str) -> list[str]:
    """The zones that a place names, UTC, and whatever is chosen now."""
    places = (name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
    return sorted({*places, "UTC", current})


class ProfileForm(forms.ModelForm):
    """Saves only what was changed."""

    class Meta:
        model = User
        fields = ("display_name", "handle", "bio")
        widgets = {"display_name": forms.TextInput(attrs={"autocomplete": "name"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["display_name"].required = True
        self.fields["handle"].required = True
        self.fields["handle"].widget.attrs |= {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}
        self.fields["handle"].help_text = _(
            "Your short name, as in @ines: small letters, digits and hyphens. Links to your old one stop working."
        )
        self.fields["bio"].help_text = _("What others should know: your team, what you write prompts for.")

    def clean_handle(self) -> str:
        handle = self.cleaned_data["handle"]
        taken = User.objects.filter(handle=handle).exclude(pk=self.instance.pk).exists()
        if taken or (handle in RESERVED_HANDLES and "handle" in self.changed_data):
            raise forms.ValidationError(_("This handle is taken."))
        return handle

    def save(self, commit: bool = True) -> User:
        if self.changed_data:
            self.instance.save(update_fields=self.changed_data)
        return self.instance


class PreferencesForm(forms.ModelForm):
    """Time zone and language are columns; the rest stands in `preferences`, beside what this form does not know."""

    theme = forms.ChoiceField(label=gettext_lazy("Theme"), choices=THEMES, widget=forms.RadioSelect)
    rows_per_page = forms.TypedChoiceField(
        label=gettext_lazy("Rows on a page of a list"), coerce=int, choices=[(n, str(n)) for n in ROWS_PER_PAGE]
    )
    shortcuts = forms.BooleanField(
        label=gettext_lazy("Keyboard shortcuts of a single letter"),
        required=False,
        help_text=gettext_lazy("Turn them off if you speak to your computer. Ctrl K and ⌘K work in any case."),
    )

    class Meta:
        model = User
        fields = ("timezone", "locale")

    PREFERENCES = ("theme", "rows_per_page", "shortcuts")

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        preferences = self.instance.preferences
        device = request.COOKIES.get("theme")
        self.initial["theme"] = device if device in dict(THEMES) else preferences.get("theme", "system")
        self.initial["rows_per_page"] = self.instance.rows_per_page or 30
        self.initial["shortcuts"] = preferences.get("shortcuts") not in (False, "off")
        self.fields["timezone"] = forms.ChoiceField(
            label=_("Time zone"),
            choices=[(name, name.replace("_", " ")) for name in time_zones(self.instance.timezone)],
            help_text=_("Times on all pages are shown in it."),
        )
        self.fields["locale"] = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
        if len(settings.LANGUAGES) == 1:
            self.fields["locale"].help_text = _("There is only one so far.")
        self.order_fields(["timezone", "locale", *self.PREFERENCES])

    def save(self, commit: bool = True) -> User:
        chosen = {name: self.cleaned_data[name] for name in self.PREFERENCES}
        before = dict(self.instance.preferences)
        self.instance.preferences = before | chosen
        changed = [name for name in self.changed_data if name in self.Meta.fields]
        if self.instance.preferences != before:
            changed.append("preferences")
        if changed:
            self.instance.save(update_fields=changed)
        return self.instance


class PersonField(forms.CharField):
    """Somebody who may sign in, by handle or e-mail address. The form says who asks: `asked_by`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, **kwargs)
        self.asked_by: Any = None
        attrs = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}
        self.widget.attrs |= {**attrs, "placeholder": _("@handle or e-mail address")}

    def clean(self, value: Any) -> User | None:
        text = super().clean(value)
        return find_person(text, asked_by=self.asked_by) if text else None


class TeamForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=Team._meta.get_field("name").max_length)
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("What the team does. Only its members read this."),
    )

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())


class MemberForm(forms.Form):
    who = PersonField(label=gettext_lazy("Who"))
    role = forms.ChoiceField(
        label=gettext_lazy("As"), choices=TeamMembership.Role.choices, initial=TeamMembership.Role.MEMBER
    )

    def __init__(self, *args: Any, asked_by: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["who"].asked_by = asked_by  # type: ignore[attr-defined]
