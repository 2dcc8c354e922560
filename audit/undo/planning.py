"""From rows of the log to what taking them back would do, and doing it: all of it or nothing."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from audit.context import acting_as, undoing
from audit.history.kinds import kind_of
from audit.history.values import Names, field_of, model_of
from audit.models import AuditLog
from audit.undo.fields import Outcome, Reversal, outcome_of, python
from audit.undo.reasons import CHANGED, MADE, Action, is_set_back
from audit.undo.rights import field_right
from audit.undo.steps import MakeAgain, Remove, Restore, SetBack, Step, UndoRefused
from promptlib.core.merging import Conflict
from promptlib.core.models import SoftDeleteModel

ROWS_MAX = 5_000
"""So many rows of one request are taken back at once."""


class Plan:
    """What taking `rows` back would do: of one event, or of all that one request did.

    Rows come oldest first and `user` may take back each of them. With `lock` the things are held for the transaction.
    """

    def __init__(
        self,
        rows: Sequence[AuditLog],
        *,
        user: Any,
        choices: Mapping[str, str] | None = None,
        texts: Mapping[str, str] | None = None,
        lock: bool = False,
    ) -> None:
        self.rows = rows
        self.user = user
        self._choices, self._texts, self._lock = choices or {}, texts or {}, lock
        self.names = Names(user)
        self.names.want(rows)
        self._of_thing: dict[tuple[int, str], list[AuditLog]] = defaultdict(list)
        for row in rows:
            self._of_thing[row.content_type_id, row.object_pk].append(row)
        self._things = self._loaded()
        self.steps = [step for step in self._steps() if step is not None]

    @property
    def needed(self) -> list[Step]:
        return [step for step in self.steps if step.is_needed]

    @property
    def refused(self) -> list[Step]:
        return [step for step in self.steps if not step.is_needed]

    @property
    def conflicts(self) -> list[Conflict]:
        return [each for step in self.needed for outcome in step.outcomes for each in outcome.conflicts]

    @property
    def stamp(self) -> str:
        """What all of it is now. Another one later means that what was shown is out of date."""
        return hashlib.sha256(json.dumps([each.state for each in self.steps], default=str).encode()).hexdigest()

    def apply(self, *, reason: str) -> None:
        """Do it, in the caller's transaction, the last change first; raises UndoRefused, and nothing is done."""
        first = self.rows[0]
        told = {"undoes": str(first.pk), "at": first.timestamp.isoformat(), "rows": len(self.rows)}
        with transaction.atomic(), acting_as(self.user), undoing(told, reason=reason):
            for step in self.needed:
                step.apply(by=self.user, reason=reason)

    # ---- the steps -----------------------------------------------------------

    def _steps(self) -> Iterator[Step | None]:
        made: dict[type[models.Model], list[tuple[AuditLog, Any]]] = defaultdict(list)
        deleted: list[AuditLog] = []
        later: list[Step | None] = []
        going = self._going()
        for key, rows in reversed(self._of_thing.items()):
            thing, model = self._things.get(key), model_of(rows[0])
            assert model is not None  # the rows can be taken back
            if thing is not None and not self._is_own(model, thing):
                later.append(SetBack(rows[-1], rows[-1].object_repr, why=_("You may not change it now.")))
                continue
            actions = {row.action for row in rows}
            if rows[0].subject_id in going and rows[0].object_pk != str(rows[0].subject_id):
                continue  # it goes with what it belongs to
            if actions & {*MADE, Action.RESTORE} and Action.DELETE not in actions:
                made[model].append((rows[0], thing))
            elif Action.DELETE in actions and not actions & set(MADE):
                deleted += [row for row in rows if row.action == Action.DELETE]
            elif actions <= set(CHANGED):
                later.append(self._set_back(rows, thing))
        yield from later
        yield from self._removals(made)
        yield from self._returns(deleted)

    def _is_own(self, model: type[models.Model], thing: Any) -> bool:
        """Of things that one person alone may change: whether it is theirs."""
        own = kind_of(model).own
        return not own or self.user.is_staff or getattr(thing, f"{own}_id") == self.user.pk

    def _going(self) -> set[UUID]:
        """The templates, conversations and people that were made or restored by these rows, and go again."""
        return {
            row.subject_id
            for row in self.rows
            if row.action in {*MADE, Action.RESTORE} and row.subject_id and str(row.subject_id) == row.object_pk
        }

    def _set_back(self, rows: Sequence[AuditLog], thing: Any) -> Step:
        row = rows[-1]
        if thing is None:
            return SetBack(row, row.object_repr, why=_("It is gone."))
        if getattr(thing, "deleted_at", None) is not None:
            return SetBack(row, str(thing), why=_("It is in the trash. Restore it first."))
        return SetBack(row, str(thing), outcomes=list(self._outcomes(rows, thing)), thing=thing)

    def _outcomes(self, rows: Sequence[AuditLog], thing: Any) -> Iterator[Outcome]:
        specialities = kind_of(type(thing)).specialities
        for name in dict.fromkeys(name for row in rows for name in row.changes or {} if is_set_back(row, name)):
            with_it = [row for row in rows if name in (row.changes or {})]
            changes = [(row.changes or {})[name] for row in with_it]
            pairs = [change for change in changes if isinstance(change, list)]
            reversal = Reversal(
                name,
                pairs[0][0] if pairs else None,
                pairs[-1][1] if pairs else None,
                key=f"{thing.pk}:{name}",
                names=self.names,
                choices=self._choices,
                texts=self._texts,
                operations=tuple(change for change in changes if isinstance(change, Mapping)),
            )
            special = specialities.get(name)
            outcome: Outcome = special.outcome(thing, reversal) if special else outcome_of(thing, reversal)
            if not field_right(with_it[0], name, self.user):
                outcome.why = _("It takes another right than yours to change this.")
            yield outcome

    def _removals(self, made: Mapping[type[models.Model], list[tuple[AuditLog, Any]]]) -> Iterator[Step]:
        for model, rows in made.items():
            present = [(row, thing) for row, thing in rows if _is_there(thing)]
            for row, thing in rows:
                if not _is_there(thing):
                    yield Remove(row, row.object_repr, why=_("It is gone, or in the trash, already."))
            if present and (issubclass(model, SoftDeleteModel) or len(present) == 1):
                yield Remove(present[0][0], str(present[0][1]), things=[thing for _row, thing in present])
            else:
                for row, thing in present:
                    yield Remove(row, str(thing), things=[thing])

    def _returns(self, deleted: Sequence[AuditLog]) -> Iterator[Step]:
        from_trash: dict[UUID, list[AuditLog]] = defaultdict(list)
        for row in deleted:
            change = (row.changes or {}).get("deletion_id")
            if change is None:
                yield self._made_again(row)
            else:
                from_trash[UUID(change[1])].append(row)
        waiting = {each: rows for each, rows in from_trash.items() if self._waits(each, rows)}
        for each, rows in from_trash.items():
            if each not in waiting:
                yield Restore(rows[0], rows[0].object_repr, why=_("It is back already, or was deleted for good."))
        if waiting:
            first = next(iter(waiting.values()))[0]
            count = sum(map(len, waiting.values()))
            yield Restore(first, first.object_repr, deletions=list(waiting), count=count)

    def _waits(self, deletion: UUID, rows: Sequence[AuditLog]) -> bool:
        things = [self._things.get((row.content_type_id, row.object_pk)) for row in rows]
        return any(getattr(thing, "deletion_id", None) == deletion for thing in things)

    def _made_again(self, row: AuditLog) -> Step:
        model = model_of(row)
        assert model is not None  # the row can be taken back
        if self._things.get((row.content_type_id, row.object_pk)) is not None:
            return MakeAgain(row, row.object_repr, why=_("It is back already."))
        values: dict[str, Any] = {}
        try:
            for name, change in (row.changes or {}).items():
                field = field_of(model, name)
                if field is not None and field.concrete:
                    values[field.attname] = python(field, change[0])
            thing = model(pk=model._meta.pk.to_python(row.object_pk), **values)
        except (ValidationError, ValueError, TypeError, ArithmeticError):
            return MakeAgain(row, row.object_repr, why=_("The log’s values do not fit any more."))
        if not self._is_own(model, thing):
            return MakeAgain(row, row.object_repr, why=_("You may not change it now."))
        return MakeAgain(row, row.object_repr, thing=thing)

    # ---- what is there now ---------------------------------------------------

    def _loaded(self) -> dict[tuple[int, str], Any]:
        """The things as they are now, in the trash or not: a query for each kind."""
        keys: dict[int, set[str]] = defaultdict(set)
        for kind, key in self._of_thing:
            keys[kind].add(key)
        found = {}
        for kind, pks in sorted(keys.items()):
            row = next(row for row in self.rows if row.content_type_id == kind)
            model = model_of(row)
            assert model is not None  # the rows can be taken back
            queryset = model._base_manager.filter(pk__in=pks).order_by("pk")
            for thing in queryset.select_for_update() if self._lock else queryset:
                found[kind, str(thing.pk)] = thing
        return found


def _is_there(thing: Any) -> bool:
    return thing is not None and getattr(thing, "deleted_at", None) is None


__all__ = ["ROWS_MAX", "Plan", "UndoRefused"]
