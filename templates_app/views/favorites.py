"""One's favourites, in one's own order."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from promptlib.core.pagination import KeysetPage
from promptlib.core.transactions import in_transaction
from templates_app import services
from templates_app.models import Favorite, PromptTemplate
from templates_app.services.favorites import ORDER
from templates_app.views import access

PAGE_SIZE = 30


@login_required
@require_safe
def favorites(request: HttpRequest) -> HttpResponse:
    """Those that one still sees, new ones first until they are moved."""
    visible = PromptTemplate.objects.visible_to(request.user)
    mine = Favorite.objects.filter(user=request.user.pk, template__in=visible)
    mine = mine.select_related("template", "template__owner", "template__current_version")
    texts = ("system_prompt", "body", "examples", "variables", "parameters")
    mine = mine.defer(*(f"template__current_version__{name}" for name in texts), "template__metadata")
    page = KeysetPage(mine, order=ORDER, cursor=request.GET.get("cursor"), size=PAGE_SIZE)
    return render(request, "templates_app/favorites.html", {"page": page, "cursor": request.GET.get("cursor", "")})


@login_required
@require_POST
def raise_favorite(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _moved(request, pk, -1)


@login_required
@require_POST
def lower_favorite(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _moved(request, pk, 1)


def _moved(request: HttpRequest, pk: UUID, by: int) -> HttpResponse:
    """Back to the row, wherever it is now: at the place one was looking at."""
    template = access.visible(request, pk)
    in_transaction(lambda: services.move_favorite(template, user=request.user, by=by))
    return redirect(f"{reverse('templates_app:favorites')}#favorite-{template.pk}")
