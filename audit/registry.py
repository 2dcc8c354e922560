"""Which models are audited: every one of ours, unless a trigger alone writes it."""

from auditlog.registry import auditlog
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import models

from promptlib.core.models import BaseModel

HOUSEKEEPING = {"created_at", "updated_at", "last_login", "last_seen_at", "email_key", "content_hash"}
SECRETS = {"password", "token_hash"}


def audited_models() -> list[type[models.Model]]:
    """Every table whose changes are logged. A model opts out with `AUDITED = False` and says why beside it."""
    ours = [model for model in apps.get_models() if issubclass(model, BaseModel) and getattr(model, "AUDITED", True)]
    return [*ours, Group]


def register() -> None:
    for model in audited_models():
        names = {field.name for field in model._meta.get_fields() if isinstance(field, models.Field)}
        skipped = HOUSEKEEPING | set(getattr(model, "STATISTICS", ()))
        skipped |= {field.name for field in model._meta.fields if field.generated}
        auditlog.register(
            model,
            exclude_fields=sorted((names & skipped) | {relation.name for relation in model._meta.related_objects}),
            mask_fields=sorted(names & SECRETS),
            m2m_fields=_audited_m2m(model),
        )


def _audited_m2m(model: type[models.Model]) -> set[str]:
    if model is Group:
        return {"permissions"}
    if model is get_user_model():
        return {"groups", "user_permissions"}
    return {field.name for field in model._meta.many_to_many if field.name == "tags"}
