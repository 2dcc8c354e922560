"""Filters of the history."""

from datetime import timedelta
from typing import Any

import django_filters
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.models import AuditLog
from audit.registry import audited_models


def _kinds(_request: Any = None) -> "QuerySet[ContentType]":
    ids = [kind.pk for kind in ContentType.objects.get_for_models(*audited_models()).values()]
    return ContentType.objects.filter(pk__in=ids).order_by("model")


class AuditFilter(django_filters.FilterSet):
    """Who, what kind of thing, which action, since when, in which request."""

    who = django_filters.ModelChoiceFilter(
        field_name="actor_id",
        queryset=lambda _request: get_user_model().objects.order_by("display_name"),
        label=_("Person"),
        empty_label=_("Anyone"),
    )
    kind = django_filters.ModelChoiceFilter(
        field_name="content_type_id", queryset=_kinds, label=_("Kind of thing"), empty_label=_("Everything")
    )
    action = django_filters.ChoiceFilter(
        choices=AuditLog.Action.choices, label=_("Action"), empty_label=_("Any action")
    )
    days = django_filters.ChoiceFilter(
        choices=[("1", _("Last 24 hours")), ("7", _("Last 7 days")), ("30", _("Last 30 days"))],
        method="since",
        label=_("Period"),
        empty_label=_("Since the beginning"),
    )
    request_id = django_filters.CharFilter(field_name="cid", label=_("Request"))

    class Meta:
        model = AuditLog
        fields = ()

    def since(self, queryset: "QuerySet[AuditLog]", _name: str, value: str) -> "QuerySet[AuditLog]":
        return queryset.filter(timestamp__gte=timezone.now() - timedelta(days=int(value)))
