"""The history of the installation, for staff; everybody else sees their own actions."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.history import page as history_page
from audit.models import AuditLog


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    rows = AuditLog.objects.visible_to(request.user)
    history = history_page.HistoryPage(request, rows, is_personal=not request.user.is_staff)
    return render(request, "audit/history.html", {"history": history})


@login_required
@require_safe
def export(request: HttpRequest) -> HttpResponseBase:
    return history_page.export(request, AuditLog.objects.visible_to(request.user), about=request.user)
