"""The labels of a template: where they point, who moved them and why, and what waits for a second person."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from promptlib.core.toasts import notify
from templates_app import services
from templates_app.forms.labels import LabelMoveForm, LabelReasonForm
from templates_app.labels_page import LabelsPage, may_decide, may_protect
from templates_app.models import LabelMove, PromptTemplate
from templates_app.views import access


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def labels(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Whoever sees the template reads its labels; who edits it moves them."""
    if request.method != "POST":
        return _page(request, access.visible(request, pk))
    template = access.editable(request, pk)
    form = LabelMoveForm(request.POST, template=template)
    if not form.is_valid():
        return _page(request, template, form=form, status=422)
    return _moved(request, template, form, lambda: services.move_label(template, by=request.user, **form.cleaned_data))


@login_required
@require_POST
def remove(request: HttpRequest, pk: UUID) -> HttpResponse:
    template = access.editable(request, pk)
    form = _reasoned(request, template)
    move = {**form.cleaned_data, "version": None}
    return _moved(request, template, None, lambda: services.move_label(template, by=request.user, **move))


@login_required
@require_POST
def protect(request: HttpRequest, pk: UUID) -> HttpResponse:
    template = _of_protector(request, pk)
    name = _reasoned(request, template).cleaned_data["name"]
    if services.protect_label(template, name=name):
        notify(request, _("From now on “%(label)s” moves only when a second person approves.") % {"label": name})
    return redirect("templates_app:labels", pk)


@login_required
@require_POST
def unprotect(request: HttpRequest, pk: UUID) -> HttpResponse:
    template = _of_protector(request, pk)
    asked = _reasoned(request, template).cleaned_data
    return _moved(request, template, None, lambda: services.unprotect_label(template, by=request.user, **asked))


@login_required
@require_POST
def approve(request: HttpRequest, pk: UUID, move_pk: UUID) -> HttpResponse:
    return _decided(request, pk, move_pk, services.approve_move, _("Approved."))


@login_required
@require_POST
def reject(request: HttpRequest, pk: UUID, move_pk: UUID) -> HttpResponse:
    return _decided(request, pk, move_pk, services.reject_move, _("Rejected. The label stays where it is."))


@login_required
@require_POST
def withdraw(request: HttpRequest, pk: UUID, move_pk: UUID) -> HttpResponse:
    template = access.visible(request, pk)
    get_object_or_404(LabelMove, template=template, pk=move_pk, author=request.user)
    return _answer(
        request, template, lambda: services.withdraw_move(template, move_pk, by=request.user), _("Withdrawn.")
    )


def _decided(
    request: HttpRequest, pk: UUID, move_pk: UUID, decide: Callable[..., LabelMove], said: str
) -> HttpResponse:
    """By an editor, or by a curator who sees the template."""
    template = access.visible(request, pk)
    if not may_decide(request.user, template):
        raise Http404
    get_object_or_404(LabelMove, template=template, pk=move_pk)
    return _answer(request, template, lambda: decide(template, move_pk, by=request.user), said)


def _answer(request: HttpRequest, template: PromptTemplate, decide: Callable[[], Any], said: str) -> HttpResponse:
    try:
        decide()
    except services.LabelRefused as refusal:
        return _page(request, template, refusal=str(refusal), status=409)
    notify(request, said)
    return redirect("templates_app:labels", template.pk)


def _moved(
    request: HttpRequest,
    template: PromptTemplate,
    form: LabelMoveForm | None,
    move: Callable[[], LabelMove | None],
) -> HttpResponse:
    try:
        moved = move()
    except services.LabelRefused as refusal:
        return _page(request, template, form=form, refusal=str(refusal), status=409)
    if moved is not None:
        notify(request, _told(moved))
    return redirect("templates_app:labels", template.pk)


def _told(moved: LabelMove) -> str:
    if moved.status == LabelMove.Status.WAITING:
        return _("This waits until somebody else approves it.")
    if moved.to_version is None:
        return _("“%(label)s” is removed.") % {"label": moved.name}
    return _("“%(label)s” is on v%(number)s now.") % {"label": moved.name, "number": moved.to_version.number}


def _of_protector(request: HttpRequest, pk: UUID) -> PromptTemplate:
    template = access.visible(request, pk)
    if not may_protect(request.user, template):
        raise Http404
    return template


def _reasoned(request: HttpRequest, template: PromptTemplate) -> LabelReasonForm:
    """The label of a button, which is one of the template's; and the reason, cut to what fits."""
    data = {"name": request.POST.get("name", ""), "reason": request.POST.get("reason", "")[:500]}
    form = LabelReasonForm(data, template=template)
    if not form.is_valid() or not template.labels.filter(name=form.cleaned_data["name"]).exists():
        raise Http404
    return form


def _page(
    request: HttpRequest,
    template: PromptTemplate,
    *,
    form: LabelMoveForm | None = None,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    page = LabelsPage(template, request.user, form=form, query=request.GET.dict())
    context = {"template": template, "page": page, "refusal": refusal}
    return render(request, "templates_app/labels.html", context, status=status)
