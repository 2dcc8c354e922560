"""Audit rows for those who may read them."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from auditlog.models import LogEntryManager
from django.db import models

if TYPE_CHECKING:
    from audit.models import AuditLog


class AuditLogQuerySet(models.QuerySet["AuditLog"]):
    """The log, newest first."""

    def about(self, subject_id: UUID) -> "AuditLogQuerySet":
        """The history of one template, conversation or person, with all that belongs to it."""
        return self.filter(subject_id=subject_id)

    def visible_to(self, user: Any) -> "AuditLogQuerySet":
        """Staff read the whole log; everybody else their own actions. Owners reach a thing's history through the thing."""
        if user.is_staff:
            return self
        return self.filter(actor_id=user.pk)


class AuditLogManager(LogEntryManager.from_queryset(AuditLogQuerySet)):  # type: ignore[misc]  # a class made at run time
    """auditlog writes through `log_create`, readers start at the queryset."""
