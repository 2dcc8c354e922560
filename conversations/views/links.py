"""The links by which others read a conversation, for its owner."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from conversations.link_form import LinkForm
from conversations.models import Conversation, ShareLink
from conversations.services import links
from conversations.views import access
from promptlib.core.pagination import KeysetPage
from promptlib.core.toasts import notify


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The page; a POST makes a link and shows its address, this once."""
    conversation = access.own_alive(request, pk)
    if request.method != "POST":
        return _page(request, conversation)
    form = LinkForm(request.POST)
    if not form.is_valid():
        return _page(request, conversation, form=form, status=422)
    chosen = {name: form.cleaned_data[name] for name in ("name", "password", "max_views")}
    link, token = links.make_link(conversation, by=request.user, expires_at=form.expires_at, **chosen)
    url = f"{settings.BASE_URL}{reverse('conversations:shared', args=[token])}"
    return _page(request, conversation, made=link, url=url, status=201)


@login_required
@require_safe
def show(request: HttpRequest, pk: UUID, link_pk: UUID) -> HttpResponse:
    """Who opened it, the latest first."""
    link = _link(request, pk, link_pk)
    views = link.views.select_related("user")
    page = KeysetPage(views, order=("-id",), cursor=request.GET.get("cursor"))
    return render(request, "conversations/link.html", {"conversation": link.conversation, "link": link, "page": page})


@login_required
@require_POST
def revoke(request: HttpRequest, pk: UUID, link_pk: UUID) -> HttpResponse:
    link = _link(request, pk, link_pk)
    if links.revoke(link):
        notify(request, _("The link is revoked: nobody reads by it any more."))
    return redirect("conversations:links", pk)


def _page(
    request: HttpRequest, conversation: Conversation, *, form: Any = None, status: int = 200, **made: Any
) -> HttpResponse:
    rows = ShareLink.objects.filter(conversation=conversation).select_related("created_by")
    context = {
        "conversation": conversation,
        "page": KeysetPage(rows, order=("-id",), cursor=request.GET.get("cursor")),
        "form": form or LinkForm(),
        **made,
    }
    return render(request, "conversations/links.html", context, status=status)


def _link(request: HttpRequest, pk: UUID, link_pk: UUID) -> ShareLink:
    conversation = access.own_alive(request, pk)
    return get_object_or_404(ShareLink.objects.select_related("conversation"), pk=link_pk, conversation=conversation)
