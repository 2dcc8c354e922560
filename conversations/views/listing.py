"""The list of conversations, and the way to a new one."""

from typing import Any
from uuid import uuid4

from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from conversations import services
from conversations.filters import ConversationFilter
from conversations.forms import StartForm
from conversations.models import Conversation, ConversationTag, Participant
from conversations.services.order import PINS
from promptlib.core.pagination import KeysetPage, capped_count
from promptlib.core.search import highlight

PEOPLE_SHOWN = 4
COUNTED = 1_000
PAGE_SIZE = 30


@login_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The person's conversations: by last activity, or with `q` by relevance."""
    text = request.GET.get("q", "").strip()
    seats = Participant.objects.filter(user=request.user.pk)
    chosen = ConversationFilter(request.GET, queryset=seats, request=request)
    seats = chosen.qs if chosen.is_valid() else seats.none()
    pinned: list[Participant] = []
    if text:
        page = _found(request, seats, text)
    else:
        pinned = _pinned(request, seats)
        if not request.GET.get("state"):
            seats = seats.filter(pinned_at__isnull=True)
        order = ("-last_activity_at", "-conversation")
        size = request.user.rows_per_page or PAGE_SIZE  # type: ignore[union-attr]  # signed in
        page = KeysetPage(_with_people(seats), order=order, cursor=request.GET.get("cursor"), size=size)
    count, is_capped = capped_count(page.queryset, COUNTED)
    top = [{**_row(seat.conversation, seat), "is_pinned": True} for seat in pinned]
    context = {
        "page": page,
        "rows": top + _rows(page, text),
        "count": count + len(top),
        "is_capped": is_capped,
        "q": text,
    }
    name = "_results" if getattr(request, "htmx", None) else "list"
    status = 200 if chosen.is_valid() else 422
    return render(request, f"conversations/{name}.html", {**context, "filter": chosen}, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    form = StartForm(request.POST or None, initial={"key": uuid4().hex})
    if not form.is_valid():
        return render(request, "conversations/new.html", {"form": form}, status=422 if form.is_bound else 200)
    data = form.cleaned_data
    if data["input_text"]:
        target = services.Target(title=data["title"])
        try:
            prompt = services.ask(
                target=target, author=request.user, text=data["input_text"], model=data["model"], key=data["key"]
            )
        except services.LimitReached as error:
            form.add_error(None, error.message)
            return render(request, "conversations/new.html", {"form": form}, status=422)
        conversation = prompt.conversation
    else:
        conversation = services.start_conversation(owner=request.user, title=data["title"], model=data["model"])
    return HttpResponseRedirect(conversation.get_absolute_url(), status=303)


def _pinned(request: HttpRequest, seats: QuerySet[Participant]) -> list[Participant]:
    """Fifty at most, above the first page of the others; none where the filter asks for a state."""
    if request.GET.get("cursor") or request.GET.get("state"):
        return []
    return list(_with_people(seats.filter(pinned_at__isnull=False).order_by("-pinned_at"))[:PINS])


def _found(request: HttpRequest, seats: QuerySet[Participant], text: str) -> KeysetPage[Any]:
    mine = Conversation.objects.visible_to(request.user).filter(pk__in=seats.values("conversation"))
    found = mine.search(text).select_related("owner").prefetch_related(*_around())
    size = request.user.rows_per_page or PAGE_SIZE  # type: ignore[union-attr]  # signed in
    return KeysetPage(found, order=("-relevance", "-id"), cursor=request.GET.get("cursor"), size=size)


def _with_people(seats: QuerySet[Participant]) -> QuerySet[Participant]:
    return seats.prefetch_related("conversation", *_around("conversation__"))


def _around(conversation: str = "") -> "list[Prefetch[Any]]":
    """Who is in it, and its tags."""
    return [
        Prefetch(
            f"{conversation}participants",
            Participant.objects.living().select_related("user").order_by("created_at", "pk"),
        ),
        Prefetch(f"{conversation}tag_rows", ConversationTag.objects.select_related("tag").order_by("tag__slug")),
    ]


def _rows(page: KeysetPage[Any], text: str) -> list[dict[str, Any]]:
    """What a row shows, from seats or, where something was searched for, from conversations."""
    if text:
        return [{**_row(found, None), "title": highlight(found.title, text)} for found in page.items]
    return [_row(seat.conversation, seat) for seat in page.items]


def _row(conversation: Conversation, seat: Participant | None) -> dict[str, Any]:
    people = [each.user for each in conversation.participants.all()]
    active = conversation.last_prompt_at or conversation.created_at
    is_unread = seat is not None and (seat.last_read_at is None or seat.last_read_at < active)
    return {
        "conversation": conversation,
        "title": conversation.title,
        "people": people[:PEOPLE_SHOWN],
        "more_people": max(0, len(people) - PEOPLE_SHOWN),
        "tags": [each.tag for each in conversation.tag_rows.all()],
        "active_at": active,
        "is_unread": is_unread,
    }
