"""Audit rows: written through the manager, read by those who may."""

from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db import models

if TYPE_CHECKING:
    from audit.models import AuditLog  # noqa: F401  # named in a type


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


class AuditLogManager(models.Manager.from_queryset(AuditLogQuerySet)):  # type: ignore[misc]  # made at run time
    """The log."""


def subject_of(instance: Any) -> UUID | None:
    """The template, conversation or person in whose history a row about `instance` is read."""
    return getattr(instance, "audit_subject", None)
