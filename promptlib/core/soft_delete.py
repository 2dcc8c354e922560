"""Moving things to the trash and back.

One delete has one deletion id. Django's own collector finds what hangs on the deleted rows, so PROTECT still protects;
rows without soft delete (labels, grants, favourites) stay where they are and come back with their parent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import router, transaction
from django.db.models import CheckConstraint, QuerySet
from django.db.models.deletion import Collector
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext as _
from uuid_utils.compat import uuid7

if TYPE_CHECKING:
    from promptlib.core.models import SoftDeleteModel

BATCH = 500

soft_deleted = Signal()
"""Sent per batch and model, inside the transaction: sender, instances, deletion_id, by, reason."""

restored = Signal()
"""Sent per batch and model, inside the transaction: sender, instances, deletion_id, by, reason."""


class RestoreConflict(Exception):
    """Something stands in the way of a restore; `conflicts` says what, in sentences. Nothing was changed."""

    def __init__(self, conflicts: Sequence[str]) -> None:
        super().__init__(" ".join(conflicts))
        self.conflicts = list(conflicts)


class _Collector(Collector):
    def can_fast_delete(self, objs: Any, from_field: Any = None) -> bool:
        return False  # every row is looked at, so that each one is marked and audited


def soft_delete_models() -> list[type[SoftDeleteModel]]:
    from promptlib.core.models import SoftDeleteModel

    return [model for model in apps.get_models() if issubclass(model, SoftDeleteModel)]


def delete(instances: Iterable[SoftDeleteModel], *, by: Any = None, reason: str = "") -> tuple[int, dict[str, int]]:
    """Move `instances` and all that hangs on them to the trash.

    Returns what Django's delete returns: the number of rows and the number per model label.
    """
    living = [instance for instance in instances if instance.deleted_at is None]
    if not living:
        return 0, {}
    deletion_id, now = uuid7(), timezone.now()
    counts: dict[str, int] = {}
    using = router.db_for_write(type(living[0]))
    with transaction.atomic(using=using):
        for model, rows in collect(living).items():
            for batch in _batches(rows):
                queryset = model.all_objects.using(using).filter(pk__in=[row.pk for row in batch])
                pks = set(queryset.filter(deleted_at__isnull=True).select_for_update().values_list("pk", flat=True))
                taken = [row for row in batch if row.pk in pks]  # another delete may have been quicker
                queryset.filter(pk__in=pks).update(deleted_at=now, deleted_by=by, deletion_id=deletion_id)
                for row in taken:
                    row.deleted_at, row.deleted_by, row.deletion_id = now, by, deletion_id
                if taken:
                    soft_deleted.send(model, instances=taken, deletion_id=deletion_id, by=by, reason=reason)
                    counts[model._meta.label] = counts.get(model._meta.label, 0) + len(taken)
    return sum(counts.values()), counts


def collect(instances: Sequence[SoftDeleteModel]) -> dict[type[SoftDeleteModel], list[SoftDeleteModel]]:
    """The living rows that deleting `instances` would take, per model; raises ProtectedError."""
    from promptlib.core.models import SoftDeleteModel

    collector = _Collector(using=router.db_for_write(type(instances[0])), origin=instances[0])
    collector.collect(instances)
    found: dict[type[SoftDeleteModel], list[SoftDeleteModel]] = {
        model: [row for row in cast("Iterable[SoftDeleteModel]", rows) if row.deleted_at is None]
        for model, rows in collector.data.items()
        if issubclass(model, SoftDeleteModel)
    }
    return {model: rows for model, rows in found.items() if rows}


def restore(deletion_id: UUID, *, by: Any = None, reason: str = "") -> int:
    """Bring back every row that went with `deletion_id`; raises `RestoreConflict` and changes nothing."""
    count = 0
    with transaction.atomic():
        found = {model: list(deleted_rows(model, deletion_id)) for model in soft_delete_models()}
        conflicts = [text for model, rows in found.items() for row in rows for text in _conflicts(row, deletion_id)]
        if conflicts:
            raise RestoreConflict(conflicts)
        for model, rows in found.items():
            for batch in _batches(rows):
                pks = [row.pk for row in batch]
                model.all_objects.filter(pk__in=pks).update(deleted_at=None, deleted_by=None, deletion_id=None)
                for row in batch:
                    row.deleted_at = row.deleted_by = row.deletion_id = None
                restored.send(model, instances=batch, deletion_id=deletion_id, by=by, reason=reason)
                count += len(batch)
    return count


def deleted_rows(model: type[SoftDeleteModel], deletion_id: UUID) -> QuerySet[SoftDeleteModel]:
    """The rows of `model` that one delete took, locked for the transaction where the database can."""
    return model.all_objects.select_for_update().filter(deletion_id=deletion_id)


def _conflicts(row: SoftDeleteModel, deletion_id: UUID) -> list[str]:
    """Why `row` cannot come back: its parent is still in the trash, or its place was taken meanwhile."""
    for name in row.soft_delete_parents():
        parent = getattr(row, name)
        if parent is not None and parent.deleted_at is not None and parent.deletion_id != deletion_id:
            return [_("Restore “%(parent)s” first: “%(row)s” belongs to it.") % {"parent": parent, "row": row}]
    was_deleted_at, row.deleted_at = row.deleted_at, None
    try:
        return [f"{row}: {message}" for message in _taken(row)]
    finally:
        row.deleted_at = was_deleted_at


def _taken(row: SoftDeleteModel) -> Iterator[str]:
    """What another row has meanwhile. Checks within the row hold as they held: asking for each would cost a query."""
    for model, constraints in row.get_constraints():
        for constraint in constraints:
            if not isinstance(constraint, CheckConstraint):
                try:
                    constraint.validate(model, row)
                except ValidationError as error:
                    yield from error.messages


def _batches(rows: Sequence[SoftDeleteModel]) -> Iterator[Sequence[SoftDeleteModel]]:
    return (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))
