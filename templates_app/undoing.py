"""How changes of templates are taken back where setting a column back would be wrong."""

from dataclasses import replace
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from audit.history.changes import compared, listed
from audit.history.values import field_of
from audit.undo.fields import Outcome, Reversal, outcome_of
from audit.undo.steps import UndoRefused
from templates_app.merging import merge_fields
from templates_app.models import Label, PromptTemplate, Tag, TemplateVersion
from templates_app.services import LabelRefused, move_label, publish_version, set_tags
from templates_app.variables import ContractError
from templates_app.words import field_name


class NewVersion:
    """Versions never change: an earlier text comes back as a new version, merged with what was written since."""

    def outcome(self, thing: PromptTemplate, reversal: Reversal) -> Outcome:
        outcome = Outcome("current_version", _("Text"))
        before, after = (self._version(thing, key) for key in (reversal.before, reversal.after))
        current = thing.current_version
        if before is None or after is None or current is None:
            outcome.why = _("There was no version before.") if after else _("The version is gone.")
            return outcome
        mark = f"{reversal.key}:"
        chosen, written = (
            {key.removeprefix(mark): value for key, value in given.items() if key.startswith(mark)}
            for given in (reversal.choices, reversal.texts)
        )
        merge = merge_fields(after.content, current.content, before.content, chosen, written)
        outcome.now, outcome.target = current.content, merge.content
        outcome.was_changed_since = current.pk not in (after.pk, before.pk)
        outcome.conflicts = [replace(each, key=f"{mark}{each.key}") for each in merge.conflicts]
        outcome.details = _("Undid v%(number)d") % {"number": after.number}
        outcome.changes = list(self._changes(current.content, merge.content, reversal))
        return outcome

    def apply(self, thing: PromptTemplate, outcome: Outcome, *, by: Any, reason: str) -> None:
        note = f"{outcome.details}: {reason}"[:500] if reason else outcome.details
        try:
            publish_version(thing, author=by, base_revision=thing.revision, change_note=note, **outcome.target)
        except ContractError as error:
            raise UndoRefused([f"{thing}: {problem}" for problem in error.errors]) from error

    def _version(self, thing: PromptTemplate, key: Any) -> TemplateVersion | None:
        return TemplateVersion.objects.filter(template=thing, pk=key).first() if key else None

    def _changes(self, now: dict[str, Any], then: dict[str, Any], reversal: Reversal) -> Any:
        for name in TemplateVersion.CONTENT:
            if now[name] != then[name]:
                field = field_of(TemplateVersion, name)
                yield compared(field_name(name), field, now[name], then[name], reversal.names, name=name)


class TagsAgain:
    """Those that were added go, those that were taken off come back; other tags stay as they are now."""

    def outcome(self, thing: PromptTemplate, reversal: Reversal) -> Outcome:
        outcome = Outcome("tags", _("Tags"))
        worn = {tag.slug: tag.name for tag in thing.tags.order_by("name")}
        wanted = dict(worn)
        for operation in reversed(reversal.operations):
            for name in operation.get("objects", []):
                if operation.get("operation") == "add":
                    wanted.pop(Tag.slug_of(name), None)
                else:
                    wanted.setdefault(Tag.slug_of(name), name)
        outcome.now, outcome.target = list(worn.values()), list(wanted.values())
        if outcome.now != outcome.target:
            outcome.changes = [listed(outcome.label, outcome.now, outcome.target, name="tags")]
        return outcome

    def apply(self, thing: PromptTemplate, outcome: Outcome, *, by: Any, reason: str) -> None:
        if set_tags(thing, outcome.target):
            thing.revision += 1
            thing.save(update_fields=["revision"])


class LabelMoved:
    """A label moves with a reason and a move of its own in its list; a protected one waits for a second person."""

    def outcome(self, thing: Model, reversal: Reversal) -> Outcome:
        return outcome_of(thing, reversal)

    def apply(self, thing: Label, outcome: Outcome, *, by: Any, reason: str) -> None:
        point_label(thing, TemplateVersion.objects.get(pk=outcome.target), by=by, reason=reason)


def point_label(label: Label, version: TemplateVersion | None, *, by: Any, reason: str) -> None:
    template = PromptTemplate.objects.get(pk=label.template_id)
    try:
        move_label(template, name=label.name, version=version, by=by, reason=reason)
    except LabelRefused as refused:
        raise UndoRefused([f"{label}: {refused}"]) from refused


def remove_label(label: Label, *, by: Any, reason: str) -> None:
    point_label(label, None, by=by, reason=reason)


def make_label_again(label: Label, *, by: Any, reason: str) -> None:
    point_label(label, label.version, by=by, reason=reason)
