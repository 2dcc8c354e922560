"""Filters of every history: who, what kind of thing, which thing, which action, when, in which request."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import django_filters
from django import forms
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from audit.models import PLANTED, AuditLog
from audit.registry import audited_models

SLACK = timedelta(seconds=5)
"""A row's id and its time are made one after the other, at most so far apart."""

ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


class PersonField(forms.CharField):
    """Somebody by handle, name or id; for staff by e-mail address too, and whoever is in the trash."""

    user: Any = None

    def clean(self, value: Any) -> Any:
        text = super().clean(value).removeprefix("@")
        if not text:
            return None
        wanted = Q(handle=text.lower()) | Q(display_name__iexact=text)
        people: Any = get_user_model().objects
        if getattr(self.user, "is_staff", False):
            wanted |= Q(email__iexact=text)
            people = get_user_model().all_objects
        if ID.fullmatch(text):
            wanted = Q(pk=UUID(text))
        found = people.filter(wanted).order_by("-handle").values_list("pk", flat=True)[:50]
        if not found:
            raise ValidationError(_("Nobody here is called so. Write the whole name, or the @handle."))
        return list(found)


class PersonFilter(django_filters.Filter):
    """Rows that somebody wrote."""

    field_class = PersonField

    @property
    def field(self) -> forms.Field:
        field: PersonField = super().field
        field.user = getattr(getattr(self.parent, "request", None), "user", None)
        return field

    def filter(self, qs: "QuerySet[AuditLog]", value: Any) -> "QuerySet[AuditLog]":
        if not value:
            return qs
        return qs.filter(actor_id=value[0]) if len(value) == 1 else qs.filter(actor_id__in=value)


def _kinds() -> list[tuple[str, str]]:
    kinds = ContentType.objects.get_for_models(*audited_models())
    names = [(str(kind.pk), capfirst(str(model._meta.verbose_name))) for model, kind in kinds.items()]
    return sorted(names, key=lambda each: each[1])


class AuditFilter(django_filters.FilterSet):
    """Who, what kind of thing, which thing, which action, when, in which request."""

    who = PersonFilter(label=_("Person"))
    kind = django_filters.ChoiceFilter(
        field_name="content_type_id", choices=_kinds, label=_("Kind of thing"), empty_label=_("Everything")
    )
    action = django_filters.ChoiceFilter(
        choices=AuditLog.Action.choices, label=_("Action"), empty_label=_("Any action")
    )
    days = django_filters.ChoiceFilter(
        choices=[("1", _("Last 24 hours")), ("7", _("Last 7 days")), ("30", _("Last 30 days"))],
        method="in_days",
        label=_("Period"),
        empty_label=_("Since the beginning"),
    )
    since = django_filters.DateFilter(method="from_day", label=_("From"))
    until = django_filters.DateFilter(method="to_day", label=_("To"))
    object = django_filters.CharFilter(method="about_thing", label=_("Thing, by its id or address"))
    request_id = django_filters.CharFilter(field_name="cid", label=_("Request"), max_length=64)
    event = django_filters.UUIDFilter(field_name="pk", label=_("One event"))

    class Meta:
        model = AuditLog
        fields = ()

    @property
    def is_active(self) -> bool:
        return any(self.data.get(name) for name in self.filters)

    @property
    def is_by_request(self) -> bool:
        """Whether rows stand one by one: a request's own page, or a single event."""
        return bool(self.data.get("request_id") or self.data.get("event"))

    @property
    def is_detailed(self) -> bool:
        return any(self.data.get(name) for name in ("since", "until", "object", "request_id"))

    def in_days(self, queryset: "QuerySet[AuditLog]", _name: str, value: str) -> "QuerySet[AuditLog]":
        return happened_since(queryset, timezone.now() - timedelta(days=int(value)))

    def from_day(self, queryset: "QuerySet[AuditLog]", _name: str, value: date) -> "QuerySet[AuditLog]":
        return happened_since(queryset, _midnight(value))

    def to_day(self, queryset: "QuerySet[AuditLog]", _name: str, value: date) -> "QuerySet[AuditLog]":
        return happened_before(queryset, _midnight(value + timedelta(days=1)))

    def about_thing(self, queryset: "QuerySet[AuditLog]", _name: str, value: str) -> "QuerySet[AuditLog]":
        """An id, or an address that holds one: the last in it. Of a thing with a history of its own, all of that."""
        keys = ID.findall(value)
        if not keys:
            return queryset.filter(object_pk=value.strip())  # a group has a number
        key = UUID(keys[-1])
        whole = queryset.filter(subject_id=key)
        return whole if whole.exists() else queryset.filter(object_pk=str(key))


def happened_since(queryset: "QuerySet[AuditLog]", moment: datetime) -> "QuerySet[AuditLog]":
    """A row's id grows with the time it was written, so a period is a range of every index that ends in the id."""
    return queryset.filter(timestamp__gte=moment, pk__gte=_id_at(moment - SLACK))


def happened_before(queryset: "QuerySet[AuditLog]", moment: datetime) -> "QuerySet[AuditLog]":
    """The same; rows that were brought in with their history have ids of the day they came."""
    planted = AuditLog.objects.filter(cid__gte=PLANTED, cid__lt=f"{PLANTED}g").order_by("-cid")
    last = planted.values_list("pk", flat=True).first()
    bound = max(_id_at(moment + SLACK), last) if last else _id_at(moment + SLACK)
    return queryset.filter(timestamp__lt=moment, pk__lte=bound)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _id_at(moment: datetime) -> UUID:
    """The smallest UUIDv7 of that millisecond (RFC 9562)."""
    return UUID(int=max(int(moment.timestamp() * 1000), 0) << 80)
