"""What would become of one field: set back, merged with what was changed since, or to be decided."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.history.changes import Change, compared
from audit.history.values import Names, field_of, label_of, loaded, spoken
from promptlib.core.merging import Conflict, Merger


@dataclass
class Outcome:
    """What a field is `now`, and what it would be: `target`. `why` says why it stays as it is, if it must."""

    name: str
    label: str
    now: Any = None
    target: Any = None
    was_changed_since: bool = False
    why: str = ""
    changes: list[Change] = field(default_factory=list)
    """From what is now to what would be."""
    conflicts: list[Conflict] = field(default_factory=list)
    details: Any = None
    """Of a speciality's own: what it needs to make it so."""

    @property
    def is_needed(self) -> bool:
        return not self.why and (self.now != self.target or bool(self.conflicts))


@dataclass(frozen=True)
class Reversal:
    """One field of one thing: what the rows to be taken back made of it, and what the form decided."""

    name: str
    before: Any
    after: Any
    key: str
    names: Names
    choices: Mapping[str, str]
    texts: Mapping[str, str]
    operations: tuple[Mapping[str, Any], ...] = ()
    """Of a many-to-many relation: what was added or deleted, in order."""


class FieldMerger(Merger):
    """Merges values of one field of a model, whose conflicts are told in its words."""

    def __init__(self, field: Any, reversal: Reversal, model: type[models.Model]) -> None:
        super().__init__(reversal.choices, reversal.texts)
        self._field, self._names, self._label = field, reversal.names, label_of(model, reversal.name)

    def label(self, field_name: str) -> str:
        key = field_name.rpartition("-")[2] if "-" in field_name.rpartition(":")[2] else ""
        return f"{self._label}: {key}" if key else self._label

    def shown(self, field_name: str, value: Any) -> str:
        return spoken(self._field, value, self._names)


def outcome_of(thing: models.Model, reversal: Reversal) -> Outcome:
    """What setting this field back would make of the thing as it is now. A text that was changed since is merged."""
    model, name = type(thing), reversal.name
    field = field_of(model, name)
    outcome = Outcome(name, label_of(model, name))
    try:
        before, after = python(field, reversal.before), python(field, reversal.after)
    except (ValidationError, ValueError, TypeError, ArithmeticError):
        outcome.why = _("The log’s value does not fit the field any more.")
        return outcome
    outcome.now = outcome.target = getattr(thing, field.attname)
    if field.is_relation and before is not None and not _exists(field, before):
        outcome.why = _("What it was is gone meanwhile.")
        return outcome
    outcome.was_changed_since = outcome.now not in (after, before)
    if outcome.now == after:
        outcome.target = before
    elif outcome.now != before:
        merger = FieldMerger(field, reversal, model)
        outcome.target = merger.field(reversal.key, after, outcome.now, before, is_text=is_prose(field))
        outcome.conflicts = merger.merge.conflicts
    if outcome.now != outcome.target:
        now, target = plain(outcome.now), plain(outcome.target)
        outcome.changes = [compared(outcome.label, field, now, target, reversal.names, name=name)]
    return outcome


def python(field: Any, value: Any) -> Any:
    """A value of the log as the model's field holds it; raises what conversions raise."""
    if value is None or (value == "None" and field.null):
        return "" if isinstance(field, models.CharField | models.TextField) and not field.null else None
    if field.is_relation:
        return field.target_field.to_python(value)
    if isinstance(field, models.JSONField):
        return loaded(field, value)
    if isinstance(field, models.DateTimeField):
        return _aware(value)
    return field.to_python(value)


def plain(value: Any) -> Any:
    """A value of a model as the log writes it."""
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | float | list | dict | str) else str(value)


def is_prose(field: Any) -> bool:
    """A text that can be merged: not a choice, a key or an address."""
    if isinstance(field, models.EmailField | models.URLField | models.SlugField) or field.unique or field.choices:
        return False
    return isinstance(field, models.TextField) or (
        isinstance(field, models.CharField) and (field.max_length or 0) >= 100
    )


def checked(thing: models.Model, names: Iterable[str]) -> list[str]:
    """What the model says against the values that these fields have now: nothing where they are fine."""
    others = [each.name for each in thing._meta.fields if each.name not in set(names)]
    try:
        thing.clean_fields(exclude=others)
        thing.validate_constraints()
    except ValidationError as error:
        return error.messages
    return []


def _exists(field: Any, key: Any) -> bool:
    return bool(field.related_model._default_manager.filter(pk=key).exists())


def _aware(value: Any) -> datetime:
    moment = datetime.fromisoformat(str(value))
    return moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)
