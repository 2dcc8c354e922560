"""Archive and trash, for the owner; and the history of what happened."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from audit.history import page as history_page
from audit.models import AuditLog
from promptlib.core.toasts import notify
from templates_app import services
from templates_app.views import access


@login_required
@require_POST
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    template = access.owned(request, pk)
    services.move_to_trash(template, by=request.user)
    undo = reverse("audit:restore", args=[template.deletion_id])
    notify(request, _("“%(template)s” is in the trash.") % {"template": template}, undo=undo)
    return redirect("templates_app:list")


@login_required
@require_POST
def archive(request: HttpRequest, pk: UUID) -> HttpResponse:
    template = access.owned(request, pk)
    if not services.archive(template, by=request.user):
        raise Http404
    undo = reverse("templates_app:unarchive", args=[template.pk])
    notify(request, _("“%(template)s” is archived.") % {"template": template}, undo=undo)
    return redirect(template)


@login_required
@require_POST
def unarchive(request: HttpRequest, pk: UUID) -> HttpResponse:
    template = access.owned(request, pk)
    if not services.unarchive(template, by=request.user):
        raise Http404
    notify(request, _("“%(template)s” is back in the library.") % {"template": template})
    return redirect(template)


@login_required
@require_safe
def history(request: HttpRequest, pk: UUID) -> HttpResponse:
    template = access.with_history(request, pk)
    page = history_page.HistoryPage(request, AuditLog.objects.about(template.pk), about=template)
    return render(request, "templates_app/history.html", {"template": template, "history": page})


@login_required
@require_safe
def export_history(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    template = access.with_history(request, pk)
    return history_page.export(request, AuditLog.objects.about(template.pk), about=template)
