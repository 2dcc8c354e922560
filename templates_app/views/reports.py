"""Reviews that somebody reported, and what the curators make of them."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from promptlib.core.pagination import KeysetPage
from promptlib.core.soft_delete import RestoreConflict
from promptlib.core.toasts import notify
from templates_app import services
from templates_app.forms import ReportForm
from templates_app.models import PromptTemplate, Rating, RatingReport, TemplateVersion
from templates_app.views import access

PAGE_SIZE = 20
OPEN = "open"
Decision = RatingReport.Decision


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, pk: UUID, rating_pk: UUID) -> HttpResponse:
    """Tell the curators why a review of a public template does not belong there; once a person."""
    template = access.visible(request, pk)
    if template.visibility != PromptTemplate.Visibility.PUBLIC:
        raise Http404
    others = Rating.objects.filter(template=template, alive=1).exclude(user=request.user.pk).exclude(review="")
    rating = get_object_or_404(others.select_related("user", "version"), pk=rating_pk)
    mine = rating.reports.filter(user=request.user.pk).first()
    form = ReportForm(request.POST or None)
    if mine is None and form.is_bound and form.is_valid():
        services.report_rating(rating, user=request.user, reason=form.cleaned_data["reason"])
    elif mine is None or request.method != "POST":
        context = {"template": template, "rating": rating, "form": form, "mine": mine}
        return render(request, "templates_app/report.html", context, status=422 if form.is_bound else 200)
    notify(request, _("The curators will look at the review."))
    return redirect("templates_app:reviews", template.pk)


@login_required
@access.for_curators
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    chosen = request.GET.get("state", OPEN)
    chosen = chosen if chosen in Decision.values else OPEN
    reports = _reports(request).filter(decision="" if chosen == OPEN else chosen)
    if chosen != Decision.REMOVED:
        reports = reports.filter(rating__deleted_at__isnull=True)
    page = KeysetPage(reports, order=("-id",), cursor=request.GET.get("cursor"), size=PAGE_SIZE)
    labels = {OPEN: _("Open"), Decision.KEPT.value: _("Kept"), Decision.REMOVED.value: _("Removed")}
    tabs = [{"label": label, "url": f"?state={name}", "current": name == chosen} for name, label in labels.items()]
    return render(request, "templates_app/reports.html", {"page": page, "state": chosen, "tabs": tabs})


@login_required
@access.for_curators
@require_POST
def keep(request: HttpRequest, report_pk: UUID) -> HttpResponse:
    reported = get_object_or_404(_reports(request), pk=report_pk)
    try:
        services.keep_rating(reported, by=request.user)
    except RestoreConflict:
        notify(request, _("It stays removed: its author has written another review since."))
    else:
        notify(request, _("The review stays."))
    return redirect("templates_app:reports")


@login_required
@access.for_curators
@require_POST
def remove(request: HttpRequest, report_pk: UUID) -> HttpResponse:
    reported = get_object_or_404(_reports(request), pk=report_pk)
    services.remove_rating(reported, by=request.user)
    undo = reverse("templates_app:keep_report", args=[reported.pk])
    notify(request, _("The review is removed, its stars with it."), undo=undo)
    return redirect("templates_app:reports")


def _reports(request: HttpRequest) -> QuerySet[RatingReport]:
    """Of reviews of public templates: those a curator may see without having a right on the template."""
    templates = PromptTemplate.objects.visible_to(request.user).filter(visibility=PromptTemplate.Visibility.PUBLIC)
    texts = (f"rating__version__{name}" for name in TemplateVersion.CONTENT)
    related = ("user", "decided_by", "rating__user", "rating__template", "rating__version")
    return RatingReport.objects.filter(rating__template__in=templates).select_related(*related).defer(*texts)
