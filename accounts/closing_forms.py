"""What is asked of whoever closes an account: their own, or as staff somebody else's."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.erasing import HAND_OVER, PURGE, estates_of
from accounts.forms import PersonField
from accounts.models import User

CLOSE, ERASE = "close", "erase"


class ClosingForm(forms.Form):
    """Close or erase; for an erasure, what becomes of each kind of things that the person owns."""

    fate = forms.ChoiceField(
        label=gettext_lazy("What is to happen"),
        widget=forms.RadioSelect,
        choices=[
            (CLOSE, gettext_lazy("Close the account. What was made in it stays as it is.")),
            (ERASE, gettext_lazy("Close the account, and erase me.")),
        ],
        initial=CLOSE,
    )
    heir = PersonField(
        label=gettext_lazy("To whom it is handed over"),
        required=False,
        help_text=gettext_lazy("They own it afterwards, and see all of it. They are told by e-mail."),
    )

    def __init__(self, *args: Any, person: User, asked_by: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        self.fields["heir"].asked_by = asked_by  # type: ignore[attr-defined]
        self.estates = [estate.name for estate, _count, _shared in estates_of(person)]
        for estate, count, shared in estates_of(person):
            note = ngettext("%d of them is used by others.", "%d of them are used by others.", shared) % shared
            self.fields[estate.name] = forms.ChoiceField(
                label=f"{estate.label}: {count:,}",
                required=False,
                widget=forms.RadioSelect,
                choices=[(HAND_OVER, _("Hand over")), (PURGE, _("Delete for good"))],
                help_text=note if shared else "",
            )
        self.order_fields(["fate", *self.estates, "heir"])

    @property
    def estate_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.estates]

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        plan = {name: told.get(name) for name in self.estates} if told.get("fate") == ERASE else {}
        for name, fate in plan.items():
            if not fate:
                self.add_error(name, _("Choose what becomes of these."))
        heir = told.get("heir")
        if HAND_OVER in plan.values() and "heir" not in self.errors:
            if heir is None:
                self.add_error("heir", _("Name somebody to whom it is handed over."))
            elif heir.pk == self.person.pk:
                self.add_error("heir", _("That is the account that is to be closed."))
        return told

    def wish(self) -> dict[str, Any]:
        """What `close_account` is told."""
        is_erasure = self.cleaned_data["fate"] == ERASE
        plan = {name: self.cleaned_data[name] for name in self.estates} if is_erasure else {}
        return {"is_erasure": is_erasure, "plan": plan, "heir": self.cleaned_data.get("heir")}


class ReasonForm(forms.Form):
    """Why staff do something with somebody's account."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        help_text=gettext_lazy("It stays in the audit log, even when the person is erased: do not name them here."),
    )


class StaffClosingForm(ReasonForm, ClosingForm):
    """As the person's own, with the reason and the day."""

    days = forms.IntegerField(
        label=gettext_lazy("In how many days"),
        min_value=0,
        max_value=365,
        help_text=gettext_lazy("Until then the person is signed out, and you can take it back."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["days"].initial = settings.ACCOUNT_GRACE_DAYS
        closed, _erased = self.fields["fate"].choices  # type: ignore[attr-defined]
        self.fields["fate"].choices = [closed, (ERASE, _("Close the account, and erase the person."))]  # type: ignore[attr-defined]
        self.order_fields(["fate", *self.estates, "heir", "days", "reason"])

    def wish(self) -> dict[str, Any]:
        return {**super().wish(), "days": self.cleaned_data["days"], "reason": self.cleaned_data["reason"]}
