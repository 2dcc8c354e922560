"""Which models are audited: every one of ours, unless a trigger alone writes it."""

from functools import partial
from typing import cast

from django.apps import apps
from django.contrib.auth.models import Group
from django.db import models
from django.db.models.signals import m2m_changed, post_save, pre_save

from audit import recording
from audit.fields import names_of
from promptlib.core.changes import tracked
from promptlib.core.models import BaseModel, adopt


def audited_models() -> list[type[models.Model]]:
    """Every table whose changes are logged. A model opts out with `AUDITED = False` and says why beside it."""
    ours = [model for model in apps.get_models() if issubclass(model, BaseModel) and getattr(model, "AUDITED", True)]
    return [*ours, Group]


def audited_links() -> dict[type[models.Model], models.ManyToManyField]:
    """Tables between two models whose rows are logged as a change of the model that has the relation."""
    relations = [field for model in audited_models() for field in model._meta.local_many_to_many]
    tables = {cast("type[models.Model]", field.remote_field.through): field for field in relations}
    return {through: field for through, field in tables.items() if not _is_audited(through)}


def register() -> None:
    adopt(Group)
    for model in audited_models():
        tracked[model] = names_of(model)
        pre_save.connect(recording.note_change, sender=model, dispatch_uid=f"audit_change_{model._meta.label}")
        post_save.connect(recording.note_creation, sender=model, dispatch_uid=f"audit_creation_{model._meta.label}")
    for through, field in audited_links().items():
        recording.links[through] = field
        tracked[through] = frozenset(each.name for each in through._meta.concrete_fields if each.is_relation)
        uid = f"audit_links_{through._meta.label}"
        if through._meta.auto_created:
            m2m_changed.connect(partial(recording.note_links, field=field), through, weak=False, dispatch_uid=uid)
        else:
            post_save.connect(recording.note_creation, through, dispatch_uid=uid)


def _is_audited(model: type[models.Model]) -> bool:
    return issubclass(model, BaseModel) and getattr(model, "AUDITED", True)
