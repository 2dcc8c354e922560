"""A conversation: reading it, and keeping it in order."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.models import AuditLog
from audit.timeline import timeline_page
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
    """Nothing here is new to the person any more. A script says so when the page was opened: a GET writes nothing."""
    conversation = access.read(request, pk)
    form = ReadingForm(request.POST)
    leaf = services.end_read(conversation, by=request.user, leaf=form.cleaned_data["leaf"]) if form.is_valid() else None
    services.mark_read(conversation, by=request.user, leaf=leaf)
    return HttpResponse(status=204)


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
    """Who did what here, for those who may change it; of invitations and links the owner alone reads."""
    conversation = access.write(request, pk)
    rows = AuditLog.objects.about(conversation.pk)
    if conversation.owner_id != request.user.pk:
        rows = rows.exclude_kinds(SeatOffer, ShareLink)
    page = timeline_page(rows, request.GET.get("cursor"))
    return render(request, "conversations/history.html", {"conversation": conversation, "page": page})


def _address(name: str, conversation: Conversation) -> str:
    return reverse(f"conversations:{name}", args=[conversation.pk])
