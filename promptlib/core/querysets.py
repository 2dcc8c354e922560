"""Querysets of things that can be in the trash."""

from typing import TYPE_CHECKING, Any, Self, cast
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef

from promptlib.core import soft_delete

if TYPE_CHECKING:
    from promptlib.core.models import SoftDeleteModel


class SoftDeleteQuerySet(models.QuerySet):
    """Deleting moves the rows to the trash, one deletion id for all of them."""

    def alive(self) -> Self:
        return self.filter(deleted_at__isnull=True)

    def deleted(self) -> Self:
        return self.filter(deleted_at__isnull=False)

    def heads(self) -> Self:
        """Of each delete the row that it was about, without what went along: what stands in the trash by itself."""
        rows = self.filter(deletion_id__isnull=False)  # it has an index
        model = cast("type[SoftDeleteModel]", self.model)
        fields: list[Any] = [field for field in model._meta.concrete_fields if field.name != "deleted_by"]
        own = [field for field in fields if field.related_model is model]
        for field in [*soft_delete.cascades(model), *own]:
            target = field.related_model._base_manager.filter(pk=OuterRef(field.attname))
            rows = rows.exclude(Exists(target.filter(deletion_id=OuterRef("deletion_id"))))
        others = self.model._base_manager.filter(deletion_id=OuterRef("deletion_id"), pk__lt=OuterRef("pk"))
        return rows.exclude(Exists(others))

    def delete(self, *, by: Any = None, reason: str = "") -> tuple[int, dict[str, int]]:
        return soft_delete.delete(cast("list[SoftDeleteModel]", list(self)), by=by, reason=reason)

    delete.alters_data = True  # type: ignore[attr-defined]  # Django's mark: templates may not call it
    delete.queryset_only = True  # type: ignore[attr-defined]  # as on Django's own: not on managers

    def hard_delete(self) -> tuple[int, dict[str, int]]:
        """Delete the rows for good, with Django's own collector."""
        return super().delete()

    hard_delete.alters_data = True  # type: ignore[attr-defined]  # as above

    def restore(self, *, by: Any = None, reason: str = "") -> int:
        """Undo the deletions that these rows went with; returns how many rows came back."""
        ids: list[UUID] = sorted(set(self.deleted().values_list("deletion_id", flat=True)))
        return sum(soft_delete.restore(deletion_id, by=by, reason=reason) for deletion_id in ids)

    restore.alters_data = True  # type: ignore[attr-defined]  # as above


class AliveManager(models.Manager):
    """Rows that are not in the trash."""

    def get_queryset(self) -> models.QuerySet:
        return super().get_queryset().filter(deleted_at__isnull=True)
