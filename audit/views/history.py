"""The history of the installation, for staff; everybody else sees their own actions."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.filters import AuditFilter
from audit.models import AuditLog
from audit.timeline import timeline_page


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    filters = AuditFilter(request.GET, queryset=AuditLog.objects.visible_to(request.user), request=request)
    rows = filters.qs if filters.is_valid() else AuditLog.objects.none()
    page = timeline_page(rows, request.GET.get("cursor"), request.user.rows_per_page or 30)  # type: ignore[union-attr]  # signed in
    return render(request, "audit/history.html", {"filter": filters, "page": page})
