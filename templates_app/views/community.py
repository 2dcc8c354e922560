"""What people do with a template that need not be theirs: read what others say of it, rate it, keep it."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from promptlib.core.toasts import notify
from templates_app import services
from templates_app.forms import RatingForm
from templates_app.models import PromptTemplate
from templates_app.reviews import ReviewsPage
from templates_app.views import access, detail


@access.open_to_visitors
@require_safe
def reviews(request: HttpRequest, pk: UUID) -> HttpResponse:
    template = access.visible(request, pk)
    page = ReviewsPage(template, request.user, request.GET.dict())
    return render(request, "templates_app/reviews.html", {"template": template, "page": page})


@login_required
@require_POST
def rate(request: HttpRequest, pk: UUID) -> HttpResponse:
    template = _of_somebody_else(request, pk)
    form = RatingForm(request.POST, template=template)
    if not form.is_valid():
        fragment = "templates_app/_reviews.html"
        return detail.page(request, template, rating_form=form, fragment=fragment, status=422)
    services.rate_template(template, user=request.user, **form.cleaned_data)
    notify(request, _("Your rating is saved."))
    return _reviews(request, pk)


@login_required
@require_POST
def withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    template = _of_somebody_else(request, pk)
    rating = services.withdraw_rating(template, user=request.user)
    if rating is None:
        raise Http404
    notify(request, _("Your rating is withdrawn."), undo=reverse("audit:restore", args=[rating.deletion_id]))
    return _reviews(request, pk)


@login_required
@require_POST
def favorite(request: HttpRequest, pk: UUID) -> HttpResponse:
    template = access.visible(request, pk)
    is_favorite = services.toggle_favorite(template, user=request.user)
    if request.htmx:  # type: ignore[attr-defined]  # of HtmxMiddleware
        return render(request, "templates_app/_favorite.html", {"template": template, "is_favorite": is_favorite})
    return redirect(template)


def _of_somebody_else(request: HttpRequest, pk: UUID) -> PromptTemplate:
    template = access.visible(request, pk)
    if template.owner_id == request.user.pk:
        raise Http404
    return template


def _reviews(request: HttpRequest, pk: UUID) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]  # of HtmxMiddleware
        return detail.page(request, access.visible(request, pk), fragment="templates_app/_reviews.html")
    return redirect(f"{access.visible(request, pk).get_absolute_url()}#reviews")
