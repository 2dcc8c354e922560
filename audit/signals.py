"""What reaches the audit log by itself: changes of models, the trash, and sign-ins."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from audit.models import AuditLog
from audit.services import record, record_many
from promptlib.core.fields import normalize_key
from promptlib.core.soft_delete import restored, soft_deleted


@receiver(soft_deleted, dispatch_uid="audit_soft_deleted")
def log_soft_delete(instances: Sequence[Any], deletion_id: UUID, by: Any, reason: str, **_kwargs: Any) -> None:
    changes = {"deletion_id": [None, str(deletion_id)]}
    record_many(AuditLog.Action.DELETE, instances, changes=changes, reason=reason, actor=by)


@receiver(restored, dispatch_uid="audit_restored")
def log_restore(instances: Sequence[Any], deletion_id: UUID, by: Any, reason: str, **_kwargs: Any) -> None:
    changes = {"deletion_id": [str(deletion_id), None]}
    record_many(AuditLog.Action.RESTORE, instances, changes=changes, reason=reason, actor=by)


@receiver(user_logged_in, dispatch_uid="audit_signed_in")
def log_sign_in(user: Any, **_kwargs: Any) -> None:
    record(AuditLog.Action.SIGN_IN, user, actor=user, subject_id=user.pk)


@receiver(user_logged_out, dispatch_uid="audit_signed_out")
def log_sign_out(user: Any, **_kwargs: Any) -> None:
    if user is not None:
        record(AuditLog.Action.SIGN_OUT, user, actor=user, subject_id=user.pk)


@receiver(user_login_failed, dispatch_uid="audit_sign_in_failed")
def log_failed_sign_in(credentials: dict[str, Any], request: HttpRequest | None = None, **_kwargs: Any) -> None:
    """Logged under the person whose address was tried, or under the address alone where nobody has it."""
    tried = str(credentials.get("email") or credentials.get("username") or "")[:254]
    model = get_user_model()
    user = model.objects.filter(email_key=normalize_key(tried)).first() or model(
        email=tried, display_name=tried, pk=None
    )
    record(AuditLog.Action.SIGN_IN_FAILED, user, changes={"email": [None, tried]}, subject_id=user.pk)
