"""The trash: what a person deleted or owns, what went with it, and how long it stays."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, QuerySet, Value
from django.utils import timezone
from django.utils.text import capfirst

from promptlib.core.models import SoftDeleteModel
from promptlib.core.soft_delete import soft_delete_models


def kinds() -> list[type[SoftDeleteModel]]:
    """Models that stand in the trash by themselves: those whose queryset knows whose they are."""
    return [model for model in soft_delete_models() if hasattr(model.all_objects.all(), "owned_by")]


def lost(model: type[SoftDeleteModel], user: Any) -> "QuerySet[SoftDeleteModel]":
    """What of `model` the person may bring back."""
    return model.all_objects.owned_by(user).deleted().select_related("deleted_by")  # type: ignore[attr-defined]  # see kinds()


def may_restore(user: Any, deletion_id: UUID) -> bool:
    return any(lost(model, user).filter(deletion_id=deletion_id).exists() for model in kinds())


def restored_things(deletion_id: UUID) -> list[SoftDeleteModel]:
    """The things by themselves that one delete took, before it is undone."""
    return [row for model in kinds() for row in model.all_objects.filter(deletion_id=deletion_id)]


def companions(rows: Sequence[SoftDeleteModel]) -> dict[UUID | None, list[tuple[str, int]]]:
    """What went with each deletion besides the thing itself: kind and number; one query for all."""
    models = soft_delete_models()
    ids = {row.deletion_id for row in rows}
    groups = [
        model.all_objects.filter(deletion_id__in=ids)
        .order_by()
        .values("deletion_id")
        .annotate(model=Value(index), number=Count("pk"))
        .values_list("deletion_id", "model", "number")
        for index, model in enumerate(models)
    ]
    found: dict[UUID | None, list[tuple[str, int]]] = defaultdict(list)
    for deletion_id, index, number in groups[0].union(*groups[1:], all=True):
        model = models[index]
        number -= sum(isinstance(row, model) and row.deletion_id == deletion_id for row in rows)
        if number:
            names = model._meta.verbose_name if number == 1 else model._meta.verbose_name_plural
            found[deletion_id].append((capfirst(str(names)), number))
    return found


def days_left(row: SoftDeleteModel) -> int:
    """Whole days until the thing may be deleted for good; at least 0."""
    assert row.deleted_at is not None
    end = row.deleted_at + timedelta(days=settings.RETENTION_TRASH_DAYS)
    return max((end - timezone.now()).days, 0)
