"""What taking rows back would do to one thing, or to several of a kind: shown first, then done."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError
from django.db.models.deletion import Collector
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.history.changes import Change
from audit.history.kinds import kind_of
from audit.models import AuditLog
from audit.undo.fields import Outcome, checked, plain
from promptlib.core import soft_delete
from promptlib.core.merging import Conflict
from promptlib.core.models import SoftDeleteModel


class UndoRefused(Exception):
    """Something stands in the way; `reasons` says what, in sentences. Nothing was changed."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = list(reasons)


@dataclass
class Step:
    """`row` tells of the thing; `why` says why it stays as it is, if it must."""

    row: AuditLog
    title: str = ""
    verb: str = ""
    why: str = ""
    note: str = ""
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def is_needed(self) -> bool:
        return not self.why

    @property
    def changes(self) -> list[Change]:
        return [change for each in self.outcomes for change in each.changes]

    @property
    def conflicts(self) -> list[Conflict]:
        return [conflict for each in self.outcomes for conflict in each.conflicts]

    @property
    def changed_since(self) -> list[str]:
        """Fields that somebody changed after what is to be taken back."""
        return [each.label for each in self.outcomes if each.was_changed_since]

    @property
    def staying(self) -> list[str]:
        """Fields that stay as they are, and why."""
        return [f"{each.label}: {each.why}" for each in self.outcomes if each.why]

    @property
    def state(self) -> list[Any]:
        """What the thing is now, as far as this matters: where it changes, what was shown is out of date."""
        return [self.row.object_pk, self.why]

    def apply(self, *, by: Any, reason: str) -> None:
        raise NotImplementedError


@dataclass
class SetBack(Step):
    """Fields of one thing get the values that they had."""

    thing: Any = None

    def __post_init__(self) -> None:
        self.verb = _("is set back")
        if not self.why and not any(each.is_needed for each in self.outcomes):
            reasons = [f"{each.label}: {each.why}" for each in self.outcomes if each.why]
            self.why = " ".join(reasons) or _("It is as it was before already.")

    @property
    def state(self) -> list[Any]:
        return [*super().state, *([each.name, plain(each.now), each.why] for each in self.outcomes)]

    def apply(self, *, by: Any, reason: str) -> None:
        specialities = kind_of(type(self.thing)).specialities
        needed = [each for each in self.outcomes if each.is_needed and each.now != each.target]
        plain_ones = [each for each in needed if each.name not in specialities]
        if plain_ones:
            self._set(plain_ones)
        for each in needed:
            if each.name in specialities:
                specialities[each.name].apply(self.thing, each, by=by, reason=reason)

    def _set(self, outcomes: Sequence[Outcome]) -> None:
        """The revision moves on, so that an edit page that is open does not put the other value back unseen."""
        names = [each.name for each in outcomes]
        for each in outcomes:
            setattr(self.thing, self.thing._meta.get_field(each.name).attname, each.target)
        if problems := checked(self.thing, names):
            raise UndoRefused([f"{self.title}: {problem}" for problem in problems])
        if any(each.name == "revision" for each in self.thing._meta.concrete_fields):
            self.thing.revision += 1
            names.append("revision")
        self.thing.save(update_fields=names)


@dataclass
class Remove(Step):
    """What was made goes: to the trash where it has one, with what hangs on it."""

    things: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.why:
            return
        model = type(self.things[0])
        goes_to_trash = issubclass(model, SoftDeleteModel)
        self.verb = _("goes to the trash") if goes_to_trash else _("is removed")
        if len(self.things) > 1:
            self.title = f"{len(self.things):,} {model._meta.verbose_name_plural}"
            self.verb = _("go to the trash") if goes_to_trash else _("are removed")
        try:
            self.note = _gone_too(self.things) if goes_to_trash else ""
            if not goes_to_trash and kind_of(model).remove is None and (hanging := _hanging(self.things[0])):
                self.why = _("Other things hang on it by now: %(things)s.") % {"things": ", ".join(hanging)}
        except ProtectedError as error:
            names = sorted({str(each) for each in error.protected_objects})[:5]
            self.why = _("Other things need it: %(things)s.") % {"things": ", ".join(names)}

    @property
    def state(self) -> list[Any]:
        return [*super().state, *sorted(str(each.pk) for each in self.things), self.note]

    def apply(self, *, by: Any, reason: str) -> None:
        remove = kind_of(type(self.things[0])).remove
        if remove is not None:
            for thing in self.things:
                remove(thing, by=by, reason=reason)
        elif isinstance(self.things[0], SoftDeleteModel):
            soft_delete.delete(self.things, by=by, reason=reason)
        else:
            for thing in self.things:
                thing.delete()


@dataclass
class Restore(Step):
    """What was deleted comes back, with what went along."""

    deletions: list[UUID] = field(default_factory=list)
    count: int = 1

    def __post_init__(self) -> None:
        self.verb = _("comes back from the trash") if len(self.deletions) == 1 else _("come back from the trash")
        if self.why:
            return
        if len(self.deletions) > 1:
            self.title = ngettext("%(count)s thing", "%(count)s things", self.count) % {"count": f"{self.count:,}"}
        elif conflicts := soft_delete.conflicts(self.deletions[0]):
            self.why = " ".join(map(str, conflicts)) + " " + _("The trash asks what to do about it.")

    @property
    def state(self) -> list[Any]:
        return [*super().state, *map(str, self.deletions), self.count]

    def apply(self, *, by: Any, reason: str) -> None:
        try:
            for deletion in self.deletions:
                soft_delete.restore(deletion, by=by, reason=reason)
        except soft_delete.RestoreConflict as conflict:
            raise UndoRefused([str(each) for each in conflict.conflicts]) from conflict


@dataclass
class MakeAgain(Step):
    """What was removed at once, without a trash, is made again as the log tells it."""

    thing: Any = None

    def __post_init__(self) -> None:
        self.verb = _("is made again")
        if not self.why and self.thing is not None and kind_of(type(self.thing)).make_again is None:
            self.why = " ".join(checked(self.thing, [each.name for each in self.thing._meta.fields]))

    def apply(self, *, by: Any, reason: str) -> None:
        if (make_again := kind_of(type(self.thing)).make_again) is not None:
            make_again(self.thing, by=by, reason=reason)
            return
        try:
            with transaction.atomic():
                self.thing.save(force_insert=True)
        except (IntegrityError, ValidationError) as error:
            raise UndoRefused([_("%(thing)s: its place is taken.") % {"thing": self.title}]) from error


def _gone_too(things: Sequence[Any]) -> str:
    """What goes to the trash along with them; raises ProtectedError."""
    found = soft_delete.collect([each for each in things if each.deleted_at is None])
    parts = []
    for model, rows in found.items():
        number = len(rows) - (len(things) if model is type(things[0]) else 0)
        if number > 0:
            parts.append(f"{number:,} {model._meta.verbose_name if number == 1 else model._meta.verbose_name_plural}")
    return _("With it: %(things)s.") % {"things": ", ".join(parts)} if parts else ""


def _hanging(thing: models.Model) -> list[str]:
    """What deleting the thing would take along or cut off."""
    collector = Collector(using="default", origin=thing)
    collector.collect([thing])
    models_ = {model for model, rows in collector.data.items() if any(row.pk != thing.pk for row in rows)}
    models_ |= {queryset.model for queryset in collector.fast_deletes if queryset.exists()}
    return sorted(capfirst(str(model._meta.verbose_name_plural)) for model in models_)
