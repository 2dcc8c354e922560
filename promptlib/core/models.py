"""What every table shares: a time-ordered key, timestamps, statistics that only triggers write, and soft delete."""

from collections.abc import Iterable
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Case, Value, When
from django.db.models.functions import Now
from django.utils import timezone

from promptlib.core import soft_delete
from promptlib.core.changes import accounted, delete_row
from promptlib.core.fields import UUIDField, UUIDv7Field
from promptlib.core.querysets import AliveManager, LoggedQuerySet, SoftDeleteQuerySet
from promptlib.core.restoring import WayBack


class BaseModel(models.Model):
    """A row with a UUIDv7 key and two timestamps. Its managers' querysets are `LoggedQuerySet`s."""

    STATISTICS: ClassVar[tuple[str, ...]] = ()
    """Fields that database triggers keep. A save never writes them, so a stale object cannot undo a count."""

    HOUSEKEEPING: ClassVar[tuple[str, ...]] = ()
    """Fields whose change is none that anybody looks for in a history."""

    HELD_BY: ClassVar[tuple[str, ...]] = ()
    """Lookups of the person, template or conversation whose legal hold keeps a row from being deleted for good."""

    id = UUIDv7Field()
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    objects: ClassVar[models.Manager] = models.Manager.from_queryset(LoggedQuerySet)()

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        if update_fields is not None:
            update_fields = {*update_fields, "updated_at"}
        elif self.STATISTICS and not self._state.adding and not kwargs.get("force_insert"):
            update_fields = {
                field.name
                for field in self._meta.concrete_fields
                if not field.primary_key and not field.generated and field.name not in self.STATISTICS
            } - {field.name for field in self._meta.concrete_fields if field.attname in self.get_deferred_fields()}
        with transaction.atomic(using=kwargs.get("using"), savepoint=False), accounted():  # with its audit row
            super().save(*args, update_fields=update_fields, **kwargs)

    def delete(self, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        return delete_row(self, using, keep_parents)


class SoftDeleteModel(BaseModel):
    """A row that deleting moves to the trash. `objects` holds the living rows, `all_objects` every row."""

    WAYS_BACK: ClassVar[dict[str, WayBack]] = {}
    """For each unique constraint among living rows: what may be done where another has the place of a deleted one."""

    OWNER: ClassVar[str] = "owner"
    """The lookup of the person whose it is."""

    TITLE: ClassVar[str] = ""
    """The column that people tell things of one owner apart by, if there is one."""

    EXCERPT: ClassVar[str] = ""
    """The column by whose beginning one recognises it."""

    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    deletion_id = UUIDField(null=True, blank=True, editable=False, db_index=True)
    alive = models.GeneratedField(
        expression=Case(When(deleted_at__isnull=True, then=Value(1))),
        output_field=models.SmallIntegerField(),
        db_persist=False,
    )

    objects: ClassVar[models.Manager[Self]] = AliveManager.from_queryset(SoftDeleteQuerySet)()  # type: ignore[assignment]
    all_objects: ClassVar[models.Manager[Self]] = models.Manager.from_queryset(SoftDeleteQuerySet)()

    class Meta:
        abstract = True

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    def delete(self, *args: Any, by: Any = None, reason: str = "", **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Move this row and all that hangs on it to the trash; raises ProtectedError as Django's delete does."""
        return soft_delete.delete([self], by=by, reason=reason)

    def restore(self, *, by: Any = None, reason: str = "") -> int:
        """Bring back exactly what went with this row's deletion; raises `RestoreConflict` and changes nothing."""
        if self.deletion_id is None:
            return 0
        return soft_delete.restore(self.deletion_id, by=by, reason=reason)

    def hard_delete(self) -> tuple[int, dict[str, int]]:
        """Delete this row and all that hangs on it for good."""
        return super().delete()

    @property
    def name_along(self) -> str:
        """What it is called where it is named among what went with something else."""
        return str(self)

    @property
    def stays_with(self) -> list[str]:
        """What waits with it in the trash without being deleted itself, with numbers: "4 versions"."""
        return []

    @classmethod
    def soft_delete_parents(cls) -> tuple[str, ...]:
        """Foreign keys whose target must be alive for a row of this model to come back."""
        return ()


def adopt(model: type[models.Model]) -> None:
    """Let a model of Django's own write and delete as ours do, in one transaction with what is told of it."""
    save = model.save

    def told_save(self: models.Model, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic(using=kwargs.get("using"), savepoint=False):
            save(self, *args, **kwargs)

    model.save, model.delete = told_save, delete_row  # type: ignore[assignment,method-assign]  # that is the point
    type(model._default_manager)._queryset_class = LoggedQuerySet  # type: ignore[attr-defined]  # not in the stubs
