"""A conversation as whoever has the link reads it. The link is the right: nobody has to be signed in.

A GET shows a door; what opens it, counts and logs is a POST. So the previews of chat programs, and whoever prefetches
addresses, neither read nor use up a view. That this browser opened the link is in a signed cookie of its path.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.middleware import client_ip
from conversations.link_form import OpenForm
from conversations.models import LinkView, ShareLink
from conversations.services import links, load_window
from conversations.services.copying import copy_conversation
from promptlib.core.ids import as_uuid
from promptlib.core.toasts import notify

COOKIE = "opened"
OPEN_SECONDS = 12 * 3600


def private(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Kept by nobody, found by no search engine; the address, which is the right, goes to no other site.

    A page with a form says where it comes from to this site alone: without, no form could be checked.
    """

    @wraps(view)
    def answer(request: HttpRequest, token: str) -> HttpResponse:
        response = view(request, token)
        response.headers["Cache-Control"] = "private, no-store"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response

    return answer


@private
@require_safe
def read(request: HttpRequest, token: str) -> HttpResponse:
    link = links.find_link(token)
    if link is None:
        return _gone(request)
    if _opening(request, link) is None:
        if link.is_used_up:
            return _gone(request)
        return render(request, "conversations/shared_door.html", {"link": link, "token": token, "form": OpenForm()})
    at, before, after = (as_uuid(request.GET.get(name)) for name in ("at", "before", "after"))
    window = load_window(link.conversation, at=at, before=before, after=after)
    context = {"link": link, "token": token, "conversation": link.conversation, "window": window}
    response = render(request, "conversations/shared.html", context)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@private
@require_POST
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    link = links.find_link(token)
    if link is None:
        return _gone(request)
    form = OpenForm(request.POST)
    try:
        view = links.open_link(
            link,
            password=form.data.get("password", "")[:128],
            reader=request.user if request.user.is_authenticated else None,
            ip=client_ip(request),
            user_agent=request.headers.get("User-Agent", ""),
        )
    except links.Refused as refusal:
        return _refused(request, link, token, form, refusal.reason)
    home = reverse("conversations:shared", args=[token])
    response = HttpResponseRedirect(home, status=303)
    options: dict[str, Any] = {"httponly": True, "secure": request.is_secure(), "samesite": "Lax"}
    response.set_signed_cookie(COOKIE, str(view.pk), salt=COOKIE, max_age=OPEN_SECONDS, path=home, **options)
    return response


@private
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def copy(request: HttpRequest, token: str) -> HttpResponse:
    link = links.find_link(token)
    if link is None:
        return _gone(request)
    if _opening(request, link) is None:
        return HttpResponseRedirect(reverse("conversations:shared", args=[token]))
    if request.method != "POST":
        context = {"link": link, "token": token, "conversation": link.conversation}
        return render(request, "conversations/shared_copy.html", context)
    conversation = copy_conversation(link.conversation, owner=request.user)
    notify(request, _("This copy is yours alone. What is asked in the original from now on does not come here."))
    return HttpResponseRedirect(conversation.get_absolute_url(), status=303)


def _opening(request: HttpRequest, link: ShareLink) -> LinkView | None:
    """That this browser opened the link, within half a day."""
    pk = as_uuid(request.get_signed_cookie(COOKIE, None, salt=COOKIE, max_age=OPEN_SECONDS))
    return LinkView.objects.filter(pk=pk, link=link).first() if pk else None


def _refused(request: HttpRequest, link: ShareLink, token: str, form: OpenForm, reason: str) -> HttpResponse:
    if reason == "gone":
        return _gone(request)
    if reason == "too_many":
        form.add_error(None, _("That were many wrong passwords. Try again in ten minutes."))
    elif reason == "too_often":
        form.add_error(None, _("It was opened very often from where you are. Try again in ten minutes."))
    else:
        form.add_error("password", _("This is not the password. Ask whoever gave you the link."))
    status = 422 if reason == "wrong" else 429
    context = {"link": link, "token": token, "form": form}
    return render(request, "conversations/shared_door.html", context, status=status)


def _gone(request: HttpRequest) -> HttpResponse:
    """Revoked, expired, used up, or never there: the same page, which tells none of it."""
    return render(request, "conversations/shared_gone.html", status=404)
