"""How a view comes by a template: what the person may not see, change or own does not exist for them."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from templates_app.models import PromptTemplate, ValueSet
from templates_app.page_facts import with_facts
from templates_app.services.value_sets import value_sets_for

CURATE = "templates_app.curate_library"


def open_to_visitors(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """In place of `login_required`: with PUBLIC_LIBRARY whoever is not signed in reads what is public and published.

    What a visitor does not find may be there for somebody: it leads to the sign-in page, as everything else does.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if settings.PUBLIC_LIBRARY and request.method in {"GET", "HEAD"}:
            try:
                return view(request, *args, **kwargs)
            except (Http404, PermissionDenied):
                pass
        return redirect_to_login(request.get_full_path())

    return wrapped


def for_curators(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Inside `login_required`: what only those who keep the library see does not exist for others."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_perm(CURATE):
            raise Http404
        return view(request, *args, **kwargs)

    return wrapped


def visible(request: HttpRequest, pk: UUID) -> PromptTemplate:
    return _get(PromptTemplate.objects.visible_to(request.user), pk)


def visible_with_facts(request: HttpRequest, pk: UUID) -> PromptTemplate:
    """The same for the template's own page, which asks more about it."""
    return _get(with_facts(PromptTemplate.objects.visible_to(request.user), request.user), pk)


def editable(request: HttpRequest, pk: UUID) -> PromptTemplate:
    return _get(PromptTemplate.objects.editable_by(request.user), pk)


def owned(request: HttpRequest, pk: UUID) -> PromptTemplate:
    return _get(PromptTemplate.objects.owned_by(request.user), pk)


def value_set(request: HttpRequest, template: PromptTemplate, pk: UUID | str) -> ValueSet:
    """One of the person's own sets of values for the template, or one that is shared."""
    try:
        return get_object_or_404(value_sets_for(template, request.user), pk=pk)
    except ValidationError:  # not a key at all
        raise Http404 from None


def own_value_set(request: HttpRequest, template: PromptTemplate, pk: UUID) -> ValueSet:
    return get_object_or_404(template.value_sets, user=request.user, pk=pk)


def with_history(request: HttpRequest, pk: UUID) -> PromptTemplate:
    """For whoever may edit the template, and for staff who may see it."""
    queryset = PromptTemplate.objects.editable_by(request.user)
    if request.user.is_staff:
        queryset = queryset | PromptTemplate.objects.visible_to(request.user)
    return _get(queryset, pk)


def _get(queryset: QuerySet[Any], pk: UUID) -> PromptTemplate:
    return get_object_or_404(queryset.select_related("owner", "category", "current_version"), pk=pk)
