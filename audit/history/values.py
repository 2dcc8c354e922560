"""How a value of the audit log reads: a foreign key by its name, a choice by its label, a date as people write it."""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format, number_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from audit.history.kinds import kind_of, readable, subject_of
from audit.models import AuditLog
from promptlib.core.merging import shown

HOUSEKEEPING = {"id", "deletion_id", "deleted_at", "deleted_by", "revision", "slug", "name_key", "email_key", "alive"}
NOTHING: tuple[Any, ...] = (None, "", "None", [], {})


def model_of(row: AuditLog) -> type[models.Model] | None:
    kind = ContentType.objects.get_for_id(row.content_type_id)
    try:
        return apps.get_model(kind.app_label, kind.model)
    except LookupError:
        return None


def field_of(model: type[models.Model] | None, name: str) -> Any:
    """The field of that name, or None where the model has it no longer."""
    try:
        return model._meta.get_field(name) if model else None
    except FieldDoesNotExist:
        return None


def label_of(model: type[models.Model] | None, name: str) -> str:
    return capfirst(str(getattr(field_of(model, name), "verbose_name", None) or name.replace("_", " ")))


def told_fields(model: type[models.Model] | None, row: AuditLog, user: Any) -> list[str]:
    """The fields of a row that mean something to this reader, in the model's own order."""
    left_out = set(HOUSEKEEPING)
    if model is not None:
        kind = kind_of(model)
        left_out |= kind.hidden
        if not (user.is_staff or row.actor_id == user.pk):
            left_out |= kind.private
    order = {each.name: place for place, each in enumerate(model._meta.get_fields())} if model else {}
    return sorted((row.changes or {}).keys() - left_out, key=lambda name: (order.get(name, 999), name))


class Names:
    """The names of what rows point at, asked for once a model; what the reader may not see has none."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self._wanted: dict[type[models.Model], set[Any]] = defaultdict(set)
        self._known: dict[tuple[type[models.Model], str], str] = {}

    def know(self, model: type[models.Model], key: Any, name: str) -> None:
        self._known[model, str(key)] = name

    def want(self, rows: Iterable[AuditLog]) -> None:
        """Look up all that the rows' changes point at: a query for each model that is pointed at."""
        rows = list(rows)
        for row in rows:
            if row.actor_id and row.actor_name:
                self.know(get_user_model(), row.actor_id, row.actor_name)
            if row.subject_id and str(row.subject_id) == row.object_pk and (model := model_of(row)):
                self.know(model, row.subject_id, row.object_repr)
        for row in rows:
            model = model_of(row)
            if model and row.subject_id and (subject := subject_of(model)):
                self._wanted[subject].add(row.subject_id)
            for name in told_fields(model, row, self.user):
                field, change = field_of(model, name), (row.changes or {})[name]
                if field is not None and (field.many_to_one or field.one_to_one) and isinstance(change, list):
                    self._wanted[field.related_model] |= {key for value in change if (key := _key(value))}
        for related, keys in self._wanted.items():
            missing = [key for key in keys if (related, str(key)) not in self._known]
            queryset = readable(related, self.user) if missing else None
            for thing in queryset.filter(pk__in=missing) if queryset is not None else ():
                self.know(related, thing.pk, str(thing))
        self._wanted.clear()

    def subject(self, row: AuditLog) -> models.Model | None:
        """What the row's thing belongs to, with nothing but its name, where the reader may know that."""
        model = model_of(row)
        subject = subject_of(model) if model else None
        name = self._known.get((subject, str(row.subject_id))) if subject else None
        if not subject or name is None:
            return None
        thing = subject(pk=row.subject_id)
        thing.__dict__["told_name"] = name
        return thing

    def name(self, model: type[models.Model], value: Any) -> str:
        """The name; of a value that is no key the value itself, as bulk actions write it."""
        key = _key(value)
        if key is None:
            return str(value)
        return self._known.get((model, str(key))) or _("one that you cannot see, or that is gone")


def spoken(field: Any, value: Any, names: Names) -> str:
    """The value in words; nothing for nothing."""
    if value in NOTHING:
        return ""
    if field is None:
        return shown(value)
    if field.many_to_one or field.one_to_one:
        return names.name(field.related_model, value)
    if choices := getattr(field, "flatchoices", None):
        labels = {str(key): str(label) for key, label in choices}
        return labels.get(str(value), str(value))
    if isinstance(field, models.BooleanField):
        return _("yes") if str(value) in ("True", "1") else _("no")
    if isinstance(field, models.DateTimeField | models.DateField):
        return dated(value)
    if isinstance(field, models.JSONField):
        return shown(value)
    if isinstance(field, models.IntegerField) and str(value).lstrip("-").isdigit():
        return number_format(str(value), use_l10n=True, force_grouping=True)
    return str(value)


def loaded(field: Any, value: Any) -> Any:
    """JSON that was written as a text, as it is."""
    if isinstance(field, models.JSONField) and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def dated(value: Any) -> str:
    moment: datetime | date | None = value if isinstance(value, date) else None
    if moment is None:
        try:
            moment = parse_datetime(str(value)) or parse_date(str(value))
        except ValueError:
            moment = None
    if isinstance(moment, datetime):
        moment = moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)
        return date_format(timezone.localtime(moment), "j F Y, H:i")
    return date_format(moment, "j F Y") if moment else str(value)


def _key(value: Any) -> Any:
    """A key of a row, as the log writes it: a UUID, or the number of a group; None where this is no key."""
    if isinstance(value, UUID | int):
        return value
    try:
        return UUID(str(value))
    except ValueError:
        return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else None
