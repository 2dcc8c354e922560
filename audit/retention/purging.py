"""Deleting for good, by deletion id.

A deletion first gets a `Purge`: from then on it cannot be restored, and whoever is interrupted leaves the mark behind,
so that the next one goes on. Then its rows go in batches, children before parents, each batch and its audit rows one
short transaction. So nobody ever sees half a thing: before the mark it is whole, after it, it is gone.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Exists, Model, OuterRef, QuerySet
from django.dispatch import receiver
from django.utils.translation import gettext as _

from audit.models import Purge
from audit.retention import holds
from audit.retention.removal import remove
from promptlib.core.deletion import Link, hanging, links_to
from promptlib.core.models import SoftDeleteModel
from promptlib.core.soft_delete import RestoreConflict, restoring, soft_delete_models
from promptlib.core.transactions import in_transaction


@dataclass
class Outcome:
    """What a purge did: rows gone per model label, and the deletions that stay, with why."""

    purged: list[UUID] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    held: list[UUID] = field(default_factory=list)
    in_use: list[UUID] = field(default_factory=list)


def purge(
    deletion_ids: Iterable[UUID],
    *,
    by: Any = None,
    reason: str = "",
    progress: Callable[[Outcome], None] = lambda outcome: None,
) -> Outcome:
    """Delete for good what these deletions took, and all that hangs on it.

    What a hold keeps, or something else still needs, stays whole and is told of. Killed at any moment it leaves nothing
    that can come back in part: `purge(unfinished())` goes on. `progress` is called after each batch.
    """
    outcome = Outcome()
    for deletion_id in deletion_ids:
        stays = in_transaction(lambda deletion_id=deletion_id: _begin(deletion_id, by, reason))  # type: ignore[misc]
        if stays is not None:
            getattr(outcome, stays).append(deletion_id)
            continue
        _finish(deletion_id, outcome, progress)
    return outcome


def unfinished() -> list[UUID]:
    """The deletions of which a purge was interrupted, or is at work just now."""
    return list(Purge.objects.order_by("pk").values_list("deletion_id", flat=True))


def without_purges(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """Rows of the trash without those that are being deleted for good and cannot be restored."""
    return rows.filter(~Exists(Purge.objects.filter(deletion_id=OuterRef("deletion_id"))))


@receiver(restoring, dispatch_uid="audit_refuse_to_restore_in_part")
def refuse_to_restore_in_part(deletion_id: UUID, **_kwargs: Any) -> None:
    """A restore holds its rows' locks when it asks: a purge that has no mark yet waits for it and finds nothing."""
    if Purge.objects.filter(deletion_id=deletion_id).exists():
        raise RestoreConflict([_("This is being deleted for good and cannot come back.")])


def _begin(deletion_id: UUID, by: Any, reason: str) -> str | None:
    """Mark the deletion; or the name of the list of the outcome for one that stays."""
    if Purge.objects.filter(deletion_id=deletion_id).exists():
        return None
    _lock(deletion_id)
    holds.lock()
    if holds.held([deletion_id]):
        return "held"
    if in_use([deletion_id]):
        return "in_use"
    Purge.objects.get_or_create(deletion_id=deletion_id, defaults={"by": by, "reason": reason})
    return None


def _lock(deletion_id: UUID) -> None:
    """Wait for a restore, which locks every row of the deletion in this order: one kind in common is enough."""
    for model in soft_delete_models():
        if list(_rows(model, deletion_id).select_for_update().values_list("pk", flat=True)):
            return


def in_use(deletion_ids: Collection[UUID]) -> set[UUID]:
    """Those at whose rows something points that nothing takes along: a person's templates at the person."""
    found: set[UUID] = set()
    for root in soft_delete_models():
        protectors = _protectors(root)
        if protectors and root.all_objects.filter(deletion_id__in=deletion_ids).exists():
            for model, path in protectors:
                rows = model._base_manager.filter(**{f"{path}__in": deletion_ids})
                found |= set(rows.order_by().values_list(path, flat=True))
    return found


@cache
def _protectors(root: type[SoftDeleteModel]) -> tuple[tuple[type[Model], str], ...]:
    """Models that keep a row of `root` from going, with their lookup to its deletion."""
    return tuple(
        (link.model, "__".join(filter(None, (link.field, lookup, "deletion_id"))))
        for model, lookup in (Link(root, ""), *hanging(root))
        for link in links_to(model).protect
    )


def _finish(deletion_id: UUID, outcome: Outcome, progress: Callable[[Outcome], None]) -> None:
    mark = Purge.objects.select_related("by").filter(deletion_id=deletion_id).first()
    if mark is None:  # another one was quicker
        return
    found = False
    for model in soft_delete_models():
        for removed in remove(_rows(model, deletion_id), by=mark.by, reason=mark.reason):
            outcome.rows.update(removed)
            found = found or removed.total() > 0
            progress(outcome)
    mark.delete()
    if found:
        outcome.purged.append(deletion_id)


def _rows(model: type[SoftDeleteModel], deletion_id: UUID) -> "QuerySet[SoftDeleteModel]":
    return model.all_objects.filter(deletion_id=deletion_id)
