"""What of a row the log tells: each field before and after, as JSON keeps it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db import models
from django.db.models.expressions import DatabaseDefault
from django.utils.timezone import is_aware, make_naive

from audit.masking import mask
from promptlib.core.changes import tracked

HOUSEKEEPING = {"created_at", "updated_at", "last_login", "last_seen_at", "email_key", "content_hash", "revision"}
SECRETS = {"password", "token_hash"}
LONG_TEXT = 500

_fields: dict[type[models.Model], tuple[models.Field, ...]] = {}


def fields_of(model: type[models.Model]) -> tuple[models.Field, ...]:
    """The columns whose changes are told, in the model's order."""
    if model not in _fields:
        _fields[model] = tuple(each for each in model._meta.concrete_fields if each.name in tracked[model])
    return _fields[model]


def names_of(model: type[models.Model]) -> frozenset[str]:
    """Every column that people or the program fill: none that a trigger, the database or a clock keeps."""
    skipped = {*HOUSEKEEPING, *getattr(model, "STATISTICS", ()), *getattr(model, "HOUSEKEEPING", ())}
    return frozenset(
        field.name
        for field in model._meta.concrete_fields
        if field.name not in skipped and not field.primary_key and not field.generated
    )


def beginning(instance: models.Model) -> dict[str, list[Any]]:
    """What a new row says; texts are cut, for the row itself holds them."""
    return {name: [None, value] for name, value in _content(instance)}


def end(instance: models.Model) -> dict[str, list[Any]]:
    """What a row said that is going for good; texts are cut, for nobody may read it any more."""
    return {name: [value, None] for name, value in _content(instance)}


def difference(model: type[models.Model], before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """Both are column → value; what is equal is left out."""
    return {
        field.name: [_told(field, before[field.attname]), _told(field, after[field.attname])]
        for field in fields_of(model)
        if field.attname in before and before[field.attname] != after[field.attname]
    }


def as_read(field: models.Field, value: Any) -> Any:
    """What was set, as the database gives it back; an expression stays one."""
    return value if hasattr(value, "resolve_expression") else field.to_python(value)


def links(field: str, operation: str, objects: Iterable[Any]) -> dict[str, Any]:
    """A change of a many-to-many relation: `operation` is `add` or `delete`."""
    return {field: {"type": "m2m", "operation": operation, "objects": [str(each) for each in objects]}}


def _content(instance: models.Model) -> Iterable[tuple[str, Any]]:
    for field in fields_of(type(instance)):
        value = getattr(instance, field.attname)
        if value not in (None, "", {}, []) and not isinstance(value, DatabaseDefault):
            yield field.name, _short(_told(field, value))


def _told(field: models.Field, value: Any) -> Any:
    if field.name in SECRETS:
        return mask(value)
    if isinstance(value, datetime):
        return str(make_naive(value, UTC) if is_aware(value) else value)
    if value is None or isinstance(value, bool | int | float | list | dict):
        return value
    return str(value)


def _short(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONG_TEXT:
        return f"{value[:LONG_TEXT]}… ({len(value):,})"
    return value
