"""What others ask while one has the thread open: asked for every two seconds, no connection is held in between."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from conversations.services import load_turn
from conversations.services.news import news_since
from conversations.views import access
from conversations.views.context import turn_context
from promptlib.core.ids import as_uuid


@login_required
@require_safe
def news(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The turns that follow the page (`leaf`), of what is newer than `after`; 204 where there is nothing."""
    conversation = access.read(request, pk)
    after, leaf = (as_uuid(request.GET.get(name)) for name in ("after", "leaf"))
    found = news_since(conversation, after=after, leaf=leaf)
    if not found.following and not found.elsewhere:
        return HttpResponse(status=204)
    context = turn_context(request, found.following[0]) if found.following else {"conversation": conversation}
    turns = [load_turn(prompt) for prompt in found.following]
    return render(request, "conversations/_thread_news.html", {**context, "turns": turns, "news": found})
