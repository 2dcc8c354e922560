"""Who sees a template: its owner says so."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from promptlib.core.pagination import KeysetPage
from promptlib.core.toasts import notify
from templates_app import services
from templates_app.forms.sharing import GrantForm, VisibilityForm
from templates_app.models import Grant, PromptTemplate


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def sharing(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The page; a POST sets the visibility."""
    template = _owned(request, pk)
    if request.method != "POST":
        return _page(request, template)
    form = VisibilityForm(request.POST)
    if not form.is_valid():
        return _page(request, template, form=form)
    if services.set_visibility(template, form.cleaned_data["visibility"]):
        notify(request, _seen_by(template))
    return redirect("templates_app:share", pk)


@login_required
@require_POST
def add(request: HttpRequest, pk: UUID) -> HttpResponse:
    template = _owned(request, pk)
    form = GrantForm(request.POST, asked_by=request.user)
    if not form.is_valid():
        return _page(request, template, grant_form=form)
    whom = {"user": form.cleaned_data["who"], "team": form.cleaned_data["team"]}
    grant = services.grant_right(template, role=form.cleaned_data["role"], **whom)
    words = {"who": grant.user or grant.team, "role": grant.get_role_display()}
    notify(request, _("Shared with %(who)s as %(role)s.") % words)
    return redirect("templates_app:share", pk)


@login_required
@require_POST
def change(request: HttpRequest, pk: UUID, grant_pk: UUID) -> HttpResponse:
    grant = _grant(request, pk, grant_pk)
    role = request.POST.get("role", "")
    if role not in Grant.Role.values:
        raise Http404
    if services.change_right(grant, role):
        words = {"who": grant.user or grant.team, "role": grant.get_role_display()}
        notify(request, _("%(who)s: %(role)s from now on.") % words)
    return redirect("templates_app:share", pk)


@login_required
@require_POST
def remove(request: HttpRequest, pk: UUID, grant_pk: UUID) -> HttpResponse:
    grant = _grant(request, pk, grant_pk)
    if services.take_right(grant):
        notify(request, _("No longer shared with %(who)s.") % {"who": grant.user or grant.team})
    return redirect("templates_app:share", pk)


def _page(request: HttpRequest, template: PromptTemplate, *, form: Any = None, grant_form: Any = None) -> HttpResponse:
    grants = Grant.objects.living().filter(template=template).select_related("user", "team")
    context = {
        "template": template,
        "page": KeysetPage(grants, order=("-id",), cursor=request.GET.get("cursor")),
        "form": form or VisibilityForm(initial={"visibility": template.visibility}),
        "grant_form": grant_form or GrantForm(asked_by=request.user),
        "roles": Grant.Role.choices,
    }
    return render(request, "templates_app/sharing.html", context, status=422 if form or grant_form else 200)


def _owned(request: HttpRequest, pk: UUID) -> PromptTemplate:
    """Not one in the trash: nobody sees that."""
    return get_object_or_404(PromptTemplate.objects.owned_by(request.user).alive(), pk=pk)


def _grant(request: HttpRequest, pk: UUID, grant_pk: UUID) -> Grant:
    template = _owned(request, pk)
    return get_object_or_404(Grant.objects.select_related("template", "user", "team"), pk=grant_pk, template=template)


def _seen_by(template: PromptTemplate) -> str:
    return {
        "private": _("Only you see it now."),
        "shared": _("Those you share it with see it now."),
        "public": _("Everybody here sees it now."),
    }[template.visibility]
