"""Staff looking at what is not theirs to see but as staff leaves a row too: its owner can read who looked, and when."""

from datetime import timedelta
from typing import Any

from django.db.models import Model
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import AuditLog
from audit.services import record
from promptlib.core.admin import row_shown

AGAIN_AFTER = timedelta(hours=1)


@receiver(row_shown, dispatch_uid="audit_row_shown")
def note_row_shown(instance: Model, user: Any, **_kwargs: Any) -> None:
    """What a model says is hidden from the person: not the same as what they own, nor what everybody reads anyway."""
    is_hidden_from = getattr(instance, "is_hidden_from", None)
    if is_hidden_from is not None and is_hidden_from(user):
        note_access(user, instance, reason=_("as staff, in the admin"))


def note_access(person: Any, thing: Any, *, reason: str) -> bool:
    """Log the look, in one row for each thing, person and hour; False if that row is there. One query, by index."""
    known = AuditLog.objects.filter(object_pk=str(thing.pk), actor_id=person.pk, action=AuditLog.Action.ACCESS)
    if known.filter(timestamp__gt=timezone.now() - AGAIN_AFTER).exists():
        return False
    record(AuditLog.Action.ACCESS, thing, actor=person, reason=reason)
    return True
