"""From what became of rows to rows of the log. `registry` connects what of it is about single models."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.dispatch import receiver

from audit import fields
from audit.models import AuditLog
from audit.services import record, record_many
from promptlib.core.changes import Changed, rows_changed, rows_created, rows_deleted
from promptlib.core.models import SoftDeleteModel

Action = AuditLog.Action
PERMISSION_FIELDS = {"is_staff", "is_superuser", "is_active", "groups", "user_permissions", "permissions"}

links: dict[type[models.Model], models.ManyToManyField] = {}
"""Table between two models → the relation as whose change its rows are told."""


# ---- one row -------------------------------------------------------------------------------------------------------


def note_change(
    sender: type[models.Model], instance: Any, using: str, update_fields: Any, raw: bool, **_kwargs: Any
) -> None:
    """Before a row is saved: what it is in the database is read for the columns that may change, and for no others.

    What is loaded from a fixture looks new and may be there already.
    """
    if (instance._state.adding and not raw) or instance.pk is None:
        return
    concerned = fields.fields_of(sender)
    if update_fields is not None:
        concerned = tuple(each for each in concerned if each.name in update_fields or each.attname in update_fields)
    names = [each.attname for each in concerned]
    before = sender._base_manager.using(using).filter(pk=instance.pk).values(*names).first() if names else None
    if before is not None:
        after = {each.attname: fields.as_read(each, getattr(instance, each.attname)) for each in concerned}
        if told := fields.difference(sender, before, after):
            record(_action(instance, told), instance, changes=told)


def note_creation(sender: type[models.Model], instance: Any, created: bool, **_kwargs: Any) -> None:
    if created:
        tell_created(sender, [instance])


def note_links(
    sender: type[models.Model],
    instance: Any,
    action: str,
    reverse: bool,
    model: type[models.Model],
    pk_set: set[Any] | None,
    using: str,
    *,
    field: models.ManyToManyField,
    **_kwargs: Any,
) -> None:
    """A many-to-many relation of Django's own: what was added, removed or cleared, told of whoever has the relation."""
    operation = {"post_add": "add", "post_remove": "delete", "pre_clear": "delete"}.get(action)
    if operation is None:
        return
    if action == "pre_clear":
        here, there = field.m2m_field_name(), field.m2m_reverse_field_name()
        here, there = (there, here) if reverse else (here, there)
        pk_set = set(sender._base_manager.using(using).filter(**{here: instance.pk}).values_list(there, flat=True))
    others = list(model._base_manager.using(using).filter(pk__in=pk_set or ()))
    if reverse:
        _tell_links(field, operation, {each: [instance] for each in others})
    elif others:
        _tell_links(field, operation, {instance: others})


# ---- many at once --------------------------------------------------------------------------------------------------


@receiver(rows_created, dispatch_uid="audit_rows_created")
def tell_created(sender: type[models.Model], instances: Sequence[Any], **_kwargs: Any) -> None:
    if field := links.get(sender):
        _tell_links(field, "add", _by_holder(field, instances))
    else:
        record_many(Action.CREATE, instances, changes=fields.beginning)


@receiver(rows_changed, dispatch_uid="audit_rows_changed")
def tell_changed(sender: type[models.Model], changes: Sequence[Changed], **_kwargs: Any) -> None:
    told = {id(each.instance): fields.difference(sender, each.before, each.after) for each in changes}
    by_action: dict[int, list[Any]] = defaultdict(list)
    for each in changes:
        if told[id(each.instance)]:
            by_action[_action(each.instance, told[id(each.instance)])].append(each.instance)
    for action, instances in by_action.items():
        record_many(action, instances, changes=lambda instance: told[id(instance)])


@receiver(rows_deleted, dispatch_uid="audit_rows_deleted")
def tell_deleted(
    sender: type[models.Model], instances: Sequence[Any], going: dict[type[models.Model], set[Any]], **_kwargs: Any
) -> None:
    """A link is told of where its holder stays: the holder's own end says the rest."""
    if field := links.get(sender):
        holders, name = going.get(field.model, set()), f"{field.m2m_field_name()}_id"
        staying = [row for row in instances if getattr(row, name) not in holders]
        _tell_links(field, "delete", _by_holder(field, staying))
    else:
        action = Action.PURGE if issubclass(sender, SoftDeleteModel) else Action.DELETE
        record_many(action, instances, changes=fields.end)


# ---- what they have in common ----------------------------------------------


def _action(instance: Any, told: dict[str, Any]) -> int:
    if "password" in told and isinstance(instance, get_user_model()):
        return Action.PASSWORD
    return Action.PERMISSION if PERMISSION_FIELDS & told.keys() else Action.UPDATE


def _by_holder(field: models.ManyToManyField, rows: Iterable[Any]) -> dict[Any, list[Any]]:
    """Who has the relation → what the rows between lead to; two queries at most."""
    rows = list(rows)
    models.prefetch_related_objects(rows, field.m2m_field_name(), field.m2m_reverse_field_name())
    found: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        found[getattr(row, field.m2m_field_name())].append(getattr(row, field.m2m_reverse_field_name()))
    return found


def _tell_links(field: models.ManyToManyField, operation: str, holders: dict[Any, list[Any]]) -> None:
    action = Action.PERMISSION if field.name in PERMISSION_FIELDS else Action.UPDATE
    told = {holder: fields.links(field.name, operation, others) for holder, others in holders.items()}
    record_many(action, list(holders), changes=told.__getitem__)
