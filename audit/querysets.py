"""Audit rows: written through the manager, read by those who may."""

from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from auditlog.models import LogEntryManager
from django.contrib.contenttypes.models import ContentType
from django.db import models

from promptlib.core.models import SoftDeleteModel

if TYPE_CHECKING:
    from audit.models import AuditLog

PERMISSION_FIELDS = {"is_staff", "is_superuser", "is_active", "groups", "user_permissions", "permissions"}
LONG_TEXT = 500


class AuditLogQuerySet(models.QuerySet["AuditLog"]):
    """The log."""

    def about(self, subject_id: UUID) -> Self:
        """The history of one template, conversation or person, with all that belongs to it."""
        return self.filter(subject_id=subject_id)

    def exclude_kinds(self, *models: type[models.Model]) -> Self:
        kinds = ContentType.objects.get_for_models(*models).values()
        return self.exclude(content_type__in=[kind.pk for kind in kinds])

    def visible_to(self, user: Any) -> Self:
        """Staff read the whole log, others their own actions. Owners reach a thing's history through the thing."""
        return self if user.is_staff else self.filter(actor_id=user.pk)


class AuditLogManager(LogEntryManager.from_queryset(AuditLogQuerySet)):  # type: ignore[misc]  # a class made at run time
    """auditlog's signal receivers write here; each row also learns whose history it belongs to."""

    def log_create(self, instance: Any, force_log: bool = False, **kwargs: Any) -> "AuditLog | None":
        """As auditlog's. A row that is deleted for good is a purge; a change of rights is a permission change."""
        action, actions = kwargs["action"], self.model.Action
        changes = kwargs.get("changes") or {}
        if action == actions.DELETE and isinstance(instance, SoftDeleteModel):
            kwargs["action"] = actions.PURGE
        if action == actions.UPDATE and PERMISSION_FIELDS & changes.keys():
            kwargs["action"] = actions.PERMISSION
        if action in {actions.CREATE, actions.DELETE}:
            kwargs["changes"] = {name: [_short(value) for value in pair] for name, pair in changes.items()}
        kwargs.setdefault("subject_id", subject_of(instance))
        return super().log_create(instance, force_log=force_log, **kwargs)

    def log_m2m_changes(
        self, changed_queryset: Any, instance: Any, operation: str, field_name: str, **kwargs: Any
    ) -> "AuditLog | None":
        if field_name in PERMISSION_FIELDS:
            kwargs["action"] = self.model.Action.PERMISSION
        kwargs.setdefault("subject_id", subject_of(instance))
        return super().log_m2m_changes(changed_queryset, instance, operation, field_name, **kwargs)


def subject_of(instance: Any) -> UUID | None:
    """The template, conversation or person in whose history a row about `instance` is read."""
    return getattr(instance, "audit_subject", None)


def _short(value: Any) -> Any:
    """A created row holds its own long texts, and a purged one may no longer be read: the log keeps their beginning."""
    if isinstance(value, str) and len(value) > LONG_TEXT:
        return f"{value[:LONG_TEXT]}… ({len(value):,})"
    return value
