"""What is asked before something comes back from the trash, or goes for good."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from promptlib.core.restoring import Answers, Conflict

KEEP, DETACH, REPLACE = "keep", "detach", "replace"


class ReasonForm(forms.Form):
    """Why. Staff have to say it."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=400, required=False)

    def __init__(self, *args: Any, is_required: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = is_required
        self.fields["reason"].type_note = _("goes into the history")  # type: ignore[attr-defined]  # see core.forms


class RestoreForm(ReasonForm):
    """One field for each thing that stands in the way. `blocked` are those about which this person cannot decide."""

    def __init__(
        self, *args: Any, conflicts: Sequence[Conflict] = (), may_restore: Callable[[UUID], bool], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.blocked: list[str] = []
        self._sources: dict[str, Conflict] = {}
        for conflict in conflicts:
            self._ask(conflict, may_restore)
        if not self.fields["reason"].required:
            del self.fields["reason"]

    @property
    def is_answered(self) -> bool:
        """Whether anything that this form asks for was sent: else it is asked for the first time."""
        return any(self.add_prefix(name) in self.data for name in self._sources or self.fields)

    @property
    def keeps_the_other(self) -> bool:
        return KEEP in self.cleaned_data.values()

    @property
    def answers(self) -> Answers:
        names: dict[tuple[UUID, str], str] = {}
        parents, detached, replaced = set(), set(), set()
        for name, conflict in self._sources.items():
            value = self.cleaned_data[name]
            if conflict.parent is not None and conflict.parent.deletion_id is not None:
                parents.add(conflict.parent.deletion_id)
            elif conflict.way.rename:
                names[conflict.row.pk, conflict.way.rename] = value
            elif value == DETACH:
                detached.add(conflict.row.pk)
            elif value == REPLACE and conflict.rival is not None:
                replaced.add(conflict.rival.pk)
        return Answers(names, frozenset(parents), frozenset(detached), frozenset(replaced))

    def clean(self) -> dict[str, Any] | None:
        for text in self.blocked:
            self.add_error(None, text)
        return super().clean()

    def _ask(self, conflict: Conflict, may_restore: Callable[[UUID], bool]) -> None:
        if conflict.parent is not None:
            assert conflict.parent.deletion_id is not None
            if not may_restore(conflict.parent.deletion_id):
                self.blocked.append(conflict.text)
                return
            name, field = f"parent-{conflict.parent.deletion_id.hex}", _parent_field(conflict)
        elif conflict.way.rename:
            name, field = f"{conflict.way.rename}-{conflict.row.pk.hex}", _name_field(conflict)
        else:
            name, field = f"place-{conflict.row.pk.hex}", _place_field(conflict)
        self.fields[name], self._sources[name] = field, conflict
        self.order_fields([*self._sources, "reason"])


class PurgeForm(ReasonForm):
    """`sure` is sent by the page that says what goes; `until` keeps what came into the trash after that page."""

    sure = forms.BooleanField(widget=forms.HiddenInput, initial=True)
    until = forms.DateTimeField(widget=forms.HiddenInput, required=False)

    @property
    def is_sent(self) -> bool:
        return "sure" in self.data


def _parent_field(conflict: Conflict) -> forms.Field:
    label = _("Restore “%(parent)s” too, with what went with it") % {"parent": conflict.parent}
    error = _("Without it “%(row)s” has no place to come back to.") % {"row": conflict.row}
    return forms.BooleanField(label=label, help_text=conflict.text, initial=True, error_messages={"required": error})


def _name_field(conflict: Conflict) -> forms.Field:
    column: Any = conflict.row._meta.get_field(conflict.way.rename)
    field = column.formfield()
    field.label = capfirst(_("new %(name)s") % {"name": column.verbose_name})
    field.required, field.help_text = True, conflict.text
    value = getattr(conflict.row, column.name)
    is_title = column.name == conflict.row.TITLE
    field.initial = _("%(title)s (restored)") % {"title": value[: column.max_length - 20]} if is_title else value
    return field


def _place_field(conflict: Conflict) -> forms.Field:
    row, rival = conflict.row, conflict.rival
    choices = []
    if conflict.way.detach:
        choices.append((DETACH, _("Keep both: “%(row)s” comes back without its tie to the import") % {"row": row}))
    else:
        choices.append((KEEP, _("Keep “%(rival)s”, and leave this one in the trash") % {"rival": rival}))
    if conflict.way.can_replace:
        choices.append((REPLACE, _("Restore this one, and move the newer “%(rival)s” to the trash") % {"rival": rival}))
    return forms.ChoiceField(
        label=conflict.text, choices=choices, initial=choices[0][0], widget=forms.RadioSelect, required=True
    )
