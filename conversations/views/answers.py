"""Answers of several models to one question: read side by side, and the better one picked."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from conversations import services
from conversations.models import Prompt
from conversations.views import access
from conversations.views.context import answers_context
from promptlib.core.toasts import notify


@login_required
@require_safe
def index(request: HttpRequest, pk: UUID, prompt_pk: UUID) -> HttpResponse:
    prompt = access.read_prompt(request, pk, prompt_pk)
    return render(request, "conversations/answers.html", answers_context(request, prompt))


@login_required
@require_POST
def pick(request: HttpRequest, pk: UUID, prompt_pk: UUID) -> HttpResponse:
    prompt = access.write_prompt(request, pk, prompt_pk)
    if not prompt.is_finished or not prompt.response_text:
        notify(request, _("This answer is not there yet. Pick one that is."))
        return asked_several(prompt)
    services.pick(prompt, by=request.user)
    notify(request, _("The conversation goes on from this answer."))
    return HttpResponseRedirect(prompt.get_absolute_url(), status=303)


def asked_several(prompt: Prompt) -> HttpResponse:
    """To the answers, side by side."""
    url = reverse("conversations:answers", args=[prompt.conversation_id, prompt.pk])
    return HttpResponseRedirect(url, status=303)
