"""How a view comes by a template: what the person may not see, change or own does not exist for them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from templates_app.models import PromptTemplate


def visible(request: HttpRequest, pk: UUID) -> PromptTemplate:
    return _get(PromptTemplate.objects.visible_to(request.user), pk)


def editable(request: HttpRequest, pk: UUID) -> PromptTemplate:
    return _get(PromptTemplate.objects.editable_by(request.user), pk)


def owned(request: HttpRequest, pk: UUID) -> PromptTemplate:
    return _get(PromptTemplate.objects.owned_by(request.user), pk)


def with_history(request: HttpRequest, pk: UUID) -> PromptTemplate:
    """For whoever may edit the template, and for staff who may see it."""
    queryset = PromptTemplate.objects.editable_by(request.user)
    if request.user.is_staff:
        queryset = queryset | PromptTemplate.objects.visible_to(request.user)
    return _get(queryset, pk)


def _get(queryset: QuerySet[Any], pk: UUID) -> PromptTemplate:
    return get_object_or_404(queryset.select_related("owner", "category", "current_version"), pk=pk)
