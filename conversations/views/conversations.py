"""A conversation: reading it, and keeping it in order."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.history import page as history_page
from audit.models import AuditLog
from conversations import services
from conversations.forms import ReadingForm, RenameForm
from conversations.models import Conversation, SeatOffer, ShareLink
from conversations.views import access
from conversations.views.context import thread_context
from promptlib.core.toasts import notify


@login_required
@require_GET
def detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    conversation = access.read(request, pk)
    return render(request, "conversations/detail.html", thread_context(request, conversation))


@login_required
@require_POST
def mark_read(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Nothing here is new to the person any more. A script says so when the page was opened, and a button
    where there is none: a GET writes nothing."""
    conversation = access.read(request, pk)
    form = ReadingForm(request.POST)
    leaf = services.end_read(conversation, by=request.user, leaf=form.cleaned_data["leaf"]) if form.is_valid() else None
    services.mark_read(conversation, by=request.user, leaf=leaf)
    if request.htmx:  # type: ignore[attr-defined]  # of HtmxMiddleware
        return HttpResponse(status=204)
    return HttpResponseRedirect(conversation.get_absolute_url(), status=303)


@login_required
@require_http_methods(["GET", "POST"])
def rename(request: HttpRequest, pk: UUID) -> HttpResponse:
    conversation = access.write(request, pk)
    before, revision = conversation.title, conversation.revision
    form = RenameForm(request.POST or None, instance=conversation, initial={"revision": revision})
    context = {"conversation": conversation, "form": form, "title": before, "revision": revision}
    if not form.is_valid():
        return render(request, "conversations/rename.html", context, status=422 if form.is_bound else 200)
    conversation.title = before
    data = form.cleaned_data
    if not services.rename(conversation, title=data["title"], revision=data["revision"], by=request.user):
        return render(request, "conversations/rename.html", {**context, "is_stale": True}, status=409)
    return HttpResponseRedirect(conversation.get_absolute_url(), status=303)


@login_required
@require_POST
def archive(request: HttpRequest, pk: UUID) -> HttpResponse:
    conversation = access.write(request, pk)
    services.set_archived(conversation, archived=True)
    notify(request, _("Archived “%(title)s”.") % {"title": conversation}, undo=_address("unarchive", conversation))
    return redirect("conversations:list")


@login_required
@require_POST
def unarchive(request: HttpRequest, pk: UUID) -> HttpResponse:
    conversation = access.write(request, pk)
    services.set_archived(conversation, archived=False)
    notify(request, _("“%(title)s” is out of the archive.") % {"title": conversation})
    return HttpResponseRedirect(conversation.get_absolute_url(), status=303)


@login_required
@require_POST
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    conversation = access.own(request, pk)
    conversation.delete(by=request.user)
    undo = reverse("audit:restore", args=[conversation.deletion_id]) if conversation.deletion_id else ""
    notify(request, _("Moved “%(title)s” to the trash.") % {"title": conversation}, undo=undo)
    return redirect("conversations:list")


@login_required
@require_GET
def history(request: HttpRequest, pk: UUID) -> HttpResponse:
    conversation = access.write(request, pk)
    page = history_page.HistoryPage(request, _told(conversation, request.user), about=conversation)
    return render(request, "conversations/history.html", {"conversation": conversation, "history": page})


@login_required
@require_GET
def export_history(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    conversation = access.write(request, pk)
    return history_page.export(request, _told(conversation, request.user), about=conversation)


def _told(conversation: Conversation, user: Any) -> QuerySet[AuditLog]:
    """Who did what here, for those who may change it; of invitations and links the owner alone reads."""
    rows = AuditLog.objects.about(conversation.pk)
    return rows if conversation.owner_id == user.pk else rows.exclude_kinds(SeatOffer, ShareLink)


def _address(name: str, conversation: Conversation) -> str:
    return reverse(f"conversations:{name}", args=[conversation.pk])
