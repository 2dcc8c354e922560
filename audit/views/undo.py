"""Taking back what a row of the history tells: what that would do is shown first."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from audit.forms import UndoForm
from audit.history.kinds import kind_of
from audit.history.sentences import bulk_sentence
from audit.history.timeline import Event, told_all
from audit.history.values import model_of
from audit.models import AuditLog
from audit.undo.planning import ROWS_MAX, Plan, UndoRefused
from audit.undo.reasons import why_not
from audit.undo.rights import undoable
from promptlib.core.merging import posted_choices
from promptlib.core.toasts import notify

SHOWN_STEPS = 100


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One row alone."""
    return _undo(request, _row(request, pk), whole=False)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def whole(request: HttpRequest, pk: UUID) -> HttpResponse:
    """All that was done with this row in one request, by the same person."""
    return _undo(request, _row(request, pk), whole=True)


def _row(request: HttpRequest, pk: UUID) -> AuditLog:
    """A row that the person may take back, or at least read as their own or as staff: then they are told why not."""
    row = AuditLog.objects.filter(pk=pk).first()
    may_read = row is not None and AuditLog.objects.visible_to(request.user).filter(pk=pk).exists()
    if row is None or not (may_read or undoable([row], request.user) or _is_of_request(row, request.user)):
        raise Http404
    return row


def _is_of_request(row: AuditLog, user: Any) -> bool:
    """Whether the person may take back something else of the same request."""
    return bool(undoable(_rows(row, whole=True), user))


def _rows(row: AuditLog, *, whole: bool) -> Sequence[AuditLog]:
    if not whole or not row.cid or not row.actor_id:
        return [row]
    return list(AuditLog.objects.filter(cid=row.cid, actor_id=row.actor_id).order_by("pk")[:ROWS_MAX])


def _undo(request: HttpRequest, row: AuditLog, *, whole: bool) -> HttpResponse:
    rows = _rows(row, whole=whole)
    able = undoable(rows, request.user)
    form = UndoForm(request.POST if request.method == "POST" else None)
    reasons: list[str] = []
    with transaction.atomic():
        plan = _plan(request, [each for each in rows if each.pk in able])
        is_stale = form.is_bound and request.POST.get("seen") != plan.stamp
        if form.is_valid() and not is_stale and plan.needed:
            try:
                plan.apply(reason=form.cleaned_data["reason"])
            except UndoRefused as refused:
                reasons = refused.reasons
            else:
                notify(request, _("Undone. The history says so, and it can be taken back from there."))
                return redirect(_next(request))
    left = [each for each in rows if each.pk not in able and not (plan.needed and _is_record(each))]
    context = {
        "plan": plan,
        "form": form,
        "event": _told(row if row.pk in able or not plan.rows else plan.rows[0], rows, request.user),
        "steps": plan.needed[:SHOWN_STEPS],
        "left": _why_left(left),
        "count": len(rows),
        "is_stale": is_stale,
        "reasons": reasons,
        "next": _next(request),
    }
    status = 409 if is_stale or reasons else 422 if form.errors else 200
    return render(request, "audit/undo.html", context, status=status)


def _told(row: AuditLog, rows: Sequence[AuditLog], user: Any) -> Event:
    """The event in a sentence: that of all of it, where one request did the same to many.

    A request may hold rows that this person does not read: it is told by one that they do.
    """
    event = told_all([row], user)[0]
    same = [each for each in rows if (each.action, each.content_type_id) == (row.action, row.content_type_id)]
    if len({each.subject_id for each in same}) > 1:
        return replace(event, sentence=bulk_sentence(row, event.actor.display_name, len(same)))
    return event


def _plan(request: HttpRequest, rows: Sequence[AuditLog]) -> Plan:
    chosen = posted_choices(request.POST)
    return Plan(rows, user=request.user, **chosen, lock=request.method == "POST")


def _why_left(rows: Sequence[AuditLog]) -> list[str]:
    """Why some of it stays, each reason once."""
    return list(dict.fromkeys(why_not(row) or _("You may not change all of it.") for row in rows))


def _is_record(row: AuditLog) -> bool:
    model = model_of(row)
    return model is not None and kind_of(model).is_record


def _next(request: HttpRequest) -> str:
    """The history that the person came from."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return reverse("audit:history")
