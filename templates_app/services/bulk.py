"""One action on many templates, and its undo: each one transaction, audited per template."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.context import acting_as
from templates_app.models import BulkAction, PromptTemplate
from templates_app.services.bulk_kinds import KINDS, Kind

SELECTION_LIMIT = 1_000
"""As many templates as one action takes."""


@dataclass(frozen=True)
class Outcome:
    """How many templates an action changed, found so already, and was not allowed; what undoes it, if anything did."""

    action: BulkAction | None
    done: int
    unchanged: int
    skipped: int


@dataclass(frozen=True)
class Undone:
    """How many templates are as before, and how many were left alone: changed since, gone, or no longer one's own."""

    restored: int
    left: int
    is_repeated: bool = False


@transaction.atomic
def act_on_many(name: str, pks: Iterable[UUID], *, by: Any, choice: Any = None) -> Outcome:
    """Do `name` (of KINDS) to those of the templates on which the person may; the others are counted, not named.

    `choice`: for tag and untag names, for shelve a category or None, for visibility its name, for share role with user
    or team. What does not exist is counted like what one may not change.
    """
    kind = KINDS[name]
    wanted = list(dict.fromkeys(pks))[:SELECTION_LIMIT]
    templates = _permitted(kind, wanted, by)
    with acting_as(by):
        before = kind.apply(templates, choice, by)
    action = BulkAction.objects.create(user=by, action=name, before=before) if before else None
    return Outcome(action, len(before), len(templates) - len(before), len(wanted) - len(templates))


@transaction.atomic
def undo_many(action: BulkAction, *, by: Any) -> Undone:
    """Put back what the action changed, once: of two at the same time only one does. Raises RestoreConflict."""
    locked = BulkAction.objects.select_for_update().get(pk=action.pk, user=by)
    if locked.undone_at is not None:
        return Undone(0, 0, is_repeated=True)
    kind = KINDS[locked.action]
    templates = _permitted(kind, [UUID(entry["id"]) for entry in locked.before], by)
    with acting_as(by):
        restored = kind.undo(templates, locked.before, by)
    locked.undone_at = timezone.now()
    locked.save(update_fields=["undone_at"])
    return Undone(restored, len(locked.before) - restored)


def permitted(name: str, pks: Iterable[UUID], by: Any) -> set[UUID]:
    """On which of the templates the person may do it."""
    return set(
        getattr(PromptTemplate.objects, KINDS[name].right)(by).filter(pk__in=list(pks)).values_list("pk", flat=True)
    )


def _permitted(kind: Kind, pks: list[UUID], by: Any) -> list[PromptTemplate]:
    """Locked in the order of their keys, so that two selections that overlap wait for each other and do not block."""
    allowed = getattr(PromptTemplate.objects, kind.right)(by)
    first = list(allowed.filter(pk__in=pks).values_list("pk", flat=True))
    locked = {each.pk: each for each in PromptTemplate.objects.select_for_update().filter(pk__in=first).order_by("pk")}
    still = allowed.filter(pk__in=list(locked)).values_list("pk", flat=True)
    return [locked[pk] for pk in sorted(still)]
