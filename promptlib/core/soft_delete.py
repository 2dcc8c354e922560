"""Moving things to the trash and back.

One delete has one deletion id. Django's own collector finds what hangs on the deleted rows, so PROTECT still protects;
rows without soft delete (labels, grants, favourites) stay where they are and come back with their parent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from django.apps import apps
from django.db import IntegrityError, router, transaction
from django.db.models import CASCADE, QuerySet
from django.db.models.deletion import Collector
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext as _
from uuid_utils.compat import uuid7

from promptlib.core.restoring import Answers, Conflict, Found, answer, conflicts_of

if TYPE_CHECKING:
    from promptlib.core.models import SoftDeleteModel

T = TypeVar("T")
BATCH = 500

soft_deleted = Signal()
"""Sent per batch and model, inside the transaction: sender, instances, deletion_id, by, reason."""

restored = Signal()
"""Sent per batch and model, inside the transaction: sender, instances, deletion_id, by, reason."""

restoring = Signal()
"""Sent before a restore changes anything, its rows being locked: deletion_id. A receiver may raise RestoreConflict."""


class RestoreConflict(Exception):
    """Something stands in the way of a restore: in sentences `conflicts`, and of them what one may decide, `found`.

    Nothing was changed.
    """

    def __init__(self, reasons: Sequence[Conflict | str]) -> None:
        self.found = [each for each in reasons if isinstance(each, Conflict)]
        self.conflicts = [str(each) for each in reasons]
        super().__init__(" ".join(self.conflicts))


class _Collector(Collector):
    def can_fast_delete(self, objs: Any, from_field: Any = None) -> bool:
        return False  # every row is looked at, so that each one is marked and audited


def soft_delete_models() -> list[type[SoftDeleteModel]]:
    from promptlib.core.models import SoftDeleteModel

    return [model for model in apps.get_models() if issubclass(model, SoftDeleteModel)]


def delete(instances: Iterable[SoftDeleteModel], *, by: Any = None, reason: str = "") -> tuple[int, dict[str, int]]:
    """Move `instances` and all that hangs on them to the trash, as one deletion.

    Returns what Django's delete returns: the number of rows and the number per model label.
    """
    living = [instance for instance in instances if instance.deleted_at is None]
    deletion_id = uuid7()
    return _move(living, {row.pk: deletion_id for row in living}, by, reason)


def delete_each(instances: Iterable[SoftDeleteModel], *, by: Any = None, reason: str = "") -> dict[Any, UUID]:
    """As `delete`, but what hangs on each of `instances` goes and comes back with that one alone.

    Returns the deletion of each by its key.
    """
    living = [instance for instance in instances if instance.deleted_at is None]
    deletions = {row.pk: uuid7() for row in living}
    _move(living, deletions, by, reason)
    return deletions


def _move(
    living: Sequence[SoftDeleteModel], deletions: Mapping[Any, UUID], by: Any, reason: str
) -> tuple[int, dict[str, int]]:
    if not living:
        return 0, {}
    now = timezone.now()
    counts: dict[str, int] = {}
    using = router.db_for_write(type(living[0]))
    with transaction.atomic(using=using):
        _lock(living, using)
        for model, deletion_id, batch in _deletion_batches(collect(living), deletions):
            queryset = model.all_objects.using(using).filter(pk__in=[row.pk for row in batch])
            pks = set(queryset.filter(deleted_at__isnull=True).select_for_update().values_list("pk", flat=True))
            taken = [row for row in batch if row.pk in pks]  # another delete may have been quicker
            quiet = queryset.unlogged("soft_deleted tells it as a deletion")
            quiet.filter(pk__in=pks).update(deleted_at=now, deleted_by=by, deletion_id=deletion_id)
            for row in taken:
                row.deleted_at, row.deleted_by, row.deletion_id = now, by, deletion_id
            if taken:
                soft_deleted.send(model, instances=taken, deletion_id=deletion_id, by=by, reason=reason)
                counts[model._meta.label] = counts.get(model._meta.label, 0) + len(taken)
    return sum(counts.values()), counts


def _lock(rows: Iterable[SoftDeleteModel], using: str) -> None:
    """A child that is restored meanwhile locks its parent too: it is back before the look at what hangs on it."""
    models: dict[type[SoftDeleteModel], list[Any]] = {}
    for row in rows:
        models.setdefault(type(row), []).append(row.pk)
    for model, pks in models.items():
        for batch in _batches(pks):
            locked = model.all_objects.using(using).select_for_update().filter(pk__in=batch)
            list(locked.order_by("pk").values_list("pk", flat=True))


def _deletion_batches(
    found: Mapping[type[SoftDeleteModel], list[SoftDeleteModel]], deletions: Mapping[Any, UUID]
) -> Iterator[tuple[type[SoftDeleteModel], UUID, Sequence[SoftDeleteModel]]]:
    """The rows by model and by the deletion they belong to: their own, or that of what they hang on."""
    known, first = dict(deletions), next(iter(deletions.values()))

    def deletion_of(row: SoftDeleteModel) -> UUID:
        if row.pk not in known:
            parents = (getattr(row, field.attname) for field in cascades(type(row)))
            known[row.pk] = next((deletion_of(rows[pk]) for pk in parents if pk in rows), first)
        return known[row.pk]

    rows = {row.pk: row for batch in found.values() for row in batch}
    for model, all_rows in found.items():
        groups: dict[UUID, list[SoftDeleteModel]] = {}
        for row in all_rows:
            groups.setdefault(deletion_of(row), []).append(row)
        for deletion_id, group in groups.items():
            for batch in _batches(group):
                yield model, deletion_id, batch


def cascades(model: type[SoftDeleteModel]) -> list[Any]:
    """Foreign keys with whose target a row of `model` goes to the trash."""
    from promptlib.core.models import SoftDeleteModel

    fields: list[Any] = [field for field in model._meta.concrete_fields if field.is_relation]
    cascading = [field for field in fields if field.remote_field.on_delete is CASCADE]
    return [field for field in cascading if issubclass(field.related_model, SoftDeleteModel)]


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


def restore(deletion_id: UUID, *, by: Any = None, reason: str = "", answers: Answers | None = None) -> int:
    """Bring back every row that went with `deletion_id`, and what `answers` say should come along.

    Raises `RestoreConflict` and changes nothing. Returns 0 where somebody restored it before, or deleted it for good.
    """
    answers = answers or Answers()
    try:
        with transaction.atomic():
            return _restore(deletion_id, answers, by, reason)
    except IntegrityError as error:  # somebody took a place between the look and the write
        with transaction.atomic():
            found = list(conflicts_of(_locked(deletion_id), deletion_id))
        raise RestoreConflict(found or [_("Somebody changed it at the same moment. Try again.")]) from error


def conflicts(deletion_id: UUID) -> list[Conflict]:
    """What stands in the way of a restore now."""
    with transaction.atomic():
        return list(conflicts_of(_locked(deletion_id), deletion_id))


def _restore(deletion_id: UUID, answers: Answers, by: Any, reason: str) -> int:
    found = _locked(deletion_id)
    if not any(found.values()):
        return 0
    restoring.send(None, deletion_id=deletion_id)
    count = sum(_restore(parent, answers, by, reason) for parent in _parents(found, deletion_id, answers))
    for rival in _rivals(found, deletion_id, answers):
        delete([rival], by=by, reason=reason)
    answer(found, answers)
    if standing := list(conflicts_of(found, deletion_id)):
        raise RestoreConflict(standing)
    for model, rows in found.items():
        for batch in _batches(rows):
            pks = [row.pk for row in batch]
            quiet = model.all_objects.unlogged("restored tells it as a restore")
            quiet.filter(pk__in=pks).update(deleted_at=None, deleted_by=None, deletion_id=None)
            for row in batch:
                row.deleted_at = row.deleted_by = row.deletion_id = None
            restored.send(model, instances=batch, deletion_id=deletion_id, by=by, reason=reason)
            count += len(batch)
    return count


def _parents(found: Found, deletion_id: UUID, answers: Answers) -> set[UUID]:
    if not answers.parents:
        return set()
    parents = (each.parent for each in conflicts_of(found, deletion_id))
    return {each.deletion_id for each in parents if each is not None and each.deletion_id in answers.parents}


def _rivals(found: Found, deletion_id: UUID, answers: Answers) -> list[SoftDeleteModel]:
    if not answers.replaced:
        return []
    standing = (each.rival for each in conflicts_of(found, deletion_id) if each.way.can_replace)
    return [rival for rival in standing if rival is not None and rival.pk in answers.replaced]


def _locked(deletion_id: UUID) -> dict[type[SoftDeleteModel], list[SoftDeleteModel]]:
    return {model: list(deleted_rows(model, deletion_id)) for model in soft_delete_models()}


def deleted_rows(model: type[SoftDeleteModel], deletion_id: UUID) -> QuerySet[SoftDeleteModel]:
    """The rows of `model` that one delete took, locked for the transaction where the database can."""
    return model.all_objects.select_for_update().filter(deletion_id=deletion_id).order_by("pk")


def _batches(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    return (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))
