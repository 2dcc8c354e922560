"""Who is in a conversation, and as what: for its owner; and leaving, for everybody else in it."""

from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from conversations.models import Conversation, Participant, SeatOffer
from conversations.people_form import ROLES, InviteForm
from conversations.services import people
from conversations.views import access
from promptlib.core.pagination import KeysetPage
from promptlib.core.toasts import notify


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The page, for everybody in the conversation; a POST invites, and is the owner's."""
    if request.method != "POST":
        return _page(request, access.read(request, pk))
    conversation = access.own_alive(request, pk)
    form = InviteForm(request.POST, asked_by=request.user)
    if not form.is_valid():
        return _page(request, conversation, form=form, status=422)
    role = form.cleaned_data["role"]
    words = {"who": form.person or form.cleaned_data["who"]}
    if form.person is None:
        people.offer(conversation, email=form.cleaned_data["who"], role=role, by=request.user)
        notify(request, _("A place is kept for %(who)s, who has been written to.") % words)
    elif people.invite(conversation, person=form.person, role=role, by=request.user):
        notify(request, _("%(who)s is in the conversation, and has been written to.") % words)
    else:
        notify(request, _("%(who)s was in the conversation already.") % words)
    return redirect("conversations:people", pk)


@login_required
@require_POST
def change(request: HttpRequest, pk: UUID, seat_pk: UUID) -> HttpResponse:
    seat = _seat(request, pk, seat_pk)
    role = request.POST.get("role", "")
    if role not in dict(ROLES):
        raise Http404
    try:
        if people.change_role(seat, role):
            words = {"who": seat.user, "role": Participant.Role(role).label}
            notify(request, _("%(who)s: %(role)s from now on.") % words)
    except people.NotPossible:
        return _needs_owner(request, seat.conversation)
    return redirect("conversations:people", pk)


@login_required
@require_POST
def remove(request: HttpRequest, pk: UUID, seat_pk: UUID) -> HttpResponse:
    seat = _seat(request, pk, seat_pk)
    try:
        if people.remove(seat):
            notify(request, _("%(who)s is no longer in the conversation.") % {"who": seat.user})
    except people.NotPossible:
        return _needs_owner(request, seat.conversation)
    return redirect("conversations:people", pk)


@login_required
@require_POST
def leave(request: HttpRequest, pk: UUID) -> HttpResponse:
    conversation = access.read(request, pk)
    try:
        people.remove(conversation.participants.select_related("conversation").get(user=request.user.pk))
    except people.NotPossible:
        return _needs_owner(request, conversation)
    notify(request, _("You have left “%(title)s”.") % {"title": conversation})
    return redirect("conversations:list")


@login_required
@require_POST
def hand_over(request: HttpRequest, pk: UUID, seat_pk: UUID) -> HttpResponse:
    seat = _seat(request, pk, seat_pk)
    me = get_user_model().objects.get(pk=request.user.pk)
    try:
        if not people.hand_over(seat.conversation, to=seat.user, by=me):
            raise Http404
    except people.NotPossible:
        problem = _("%(who)s has imported this conversation too, and can own only one of the two.")
        return _page(request, seat.conversation, status=409, problem=problem % {"who": seat.user})
    notify(request, _("%(who)s owns the conversation now; you are an editor.") % {"who": seat.user})
    return redirect("conversations:people", pk)


@login_required
@require_POST
def withdraw(request: HttpRequest, pk: UUID, offer_pk: UUID) -> HttpResponse:
    conversation = access.own_alive(request, pk)
    kept = get_object_or_404(SeatOffer, pk=offer_pk, conversation=conversation)
    kept.delete()
    notify(request, _("No place is kept for %(who)s any more.") % {"who": kept.email})
    return redirect("conversations:people", pk)


def _page(
    request: HttpRequest, conversation: Conversation, *, form: Any = None, status: int = 200, problem: str = ""
) -> HttpResponse:
    seats = Participant.objects.living().filter(conversation=conversation).select_related("user")
    mine = seats.get(user=request.user.pk)
    is_owner = mine.role == Participant.Role.OWNER
    context = {
        "conversation": conversation,
        "page": KeysetPage(seats, order=("id",), cursor=request.GET.get("cursor")),
        # Whom the owner wrote to is the owner's: the addresses are of people who may never come.
        "offers": SeatOffer.objects.filter(conversation=conversation).order_by("id") if is_owner else (),
        "is_owner": is_owner,
        "form": form or InviteForm(asked_by=request.user),
        "roles": ROLES,
        "problem": problem,
    }
    return render(request, "conversations/people.html", context, status=status)


def _needs_owner(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    problem = _("A conversation needs an owner. Hand it over to somebody first.")
    return _page(request, conversation, status=409, problem=problem)


def _seat(request: HttpRequest, pk: UUID, seat_pk: UUID) -> Participant:
    conversation = access.own_alive(request, pk)
    seats = Participant.objects.living().select_related("conversation", "user")
    return get_object_or_404(seats, pk=seat_pk, conversation=conversation)
