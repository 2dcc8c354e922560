"""One interaction: asking it, reading it, asking again, stopping, recording and judging the answer."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from conversations import services
from conversations.forms import AskForm, FeedbackForm, RecordForm, RetryForm
from conversations.models import AIModel, Prompt
from conversations.views import access
from conversations.views.answers import asked_several
from conversations.views.context import thread_context, turn_context
from promptlib.core.toasts import notify


@login_required
@require_POST
def ask(request: HttpRequest, pk: UUID) -> HttpResponse:
    conversation = access.write(request, pk)
    form = AskForm(request.POST)
    if form.is_valid():
        data = form.cleaned_data
        here = set(
            conversation.prompts.filter(pk__in=filter(None, (data["after"], data["leaf"]))).values_list("pk", flat=True)
        )
        target = services.Target(conversation, **{name: data[name] for name in ("after", "leaf") if data[name] in here})
        try:
            return _ask(target, request.user, data)
        except services.LimitReached as error:
            form.add_error(None, error.message)
    return render(request, "conversations/detail.html", thread_context(request, conversation, form), status=422)


@login_required
@require_GET
def show(request: HttpRequest, pk: UUID, prompt_pk: UUID) -> HttpResponse:
    """The turn alone, for the page that waits for its answer; to a reader without a script, its place in the page."""
    prompt = access.read_prompt(request, pk, prompt_pk)
    if not getattr(request, "htmx", None):
        return HttpResponseRedirect(prompt.get_absolute_url())
    return render(request, "conversations/_turn_answer.html", turn_context(request, prompt))


@login_required
@require_POST
def retry(request: HttpRequest, pk: UUID, prompt_pk: UUID) -> HttpResponse:
    prompt = access.write_prompt(request, pk, prompt_pk)
    form = RetryForm(request.POST, prompt=prompt)
    if not form.is_valid():
        notify(request, _("That model is not available any more. Choose another one."))
        return _to(prompt)
    data = form.cleaned_data
    try:
        return _asked(services.retry(prompt, author=request.user, model=data["model"], key=data["key"]))
    except services.LimitReached as error:
        notify(request, error.message)
        return _to(prompt)


@login_required
@require_POST
def stop(request: HttpRequest, pk: UUID, prompt_pk: UUID) -> HttpResponse:
    prompt = access.write_prompt(request, pk, prompt_pk)
    services.stop(prompt, by=request.user)
    return HttpResponse(status=204) if getattr(request, "htmx", None) else _to(prompt)


@login_required
@require_POST
def record(request: HttpRequest, pk: UUID, prompt_pk: UUID) -> HttpResponse:
    prompt = access.write_prompt(request, pk, prompt_pk)
    form = RecordForm(request.POST)
    if not form.is_valid():
        context = thread_context(request, prompt.conversation) | {"record_form": form, "record_prompt": prompt.pk}
        return render(request, "conversations/detail.html", context, status=422)
    data = form.cleaned_data
    if not services.record_answer(
        prompt, text=data["response_text"], by=request.user, model_name=data["model_name"].strip()
    ):
        notify(request, _("This question has an answer already; yours was not kept over it."))
    return _to(prompt)


@login_required
@require_POST
def feedback(request: HttpRequest, pk: UUID, prompt_pk: UUID) -> HttpResponse:
    prompt = access.write_prompt(request, pk, prompt_pk)
    form = FeedbackForm(request.POST)
    if not form.is_valid():
        notify(request, " ".join(str(message) for messages in form.errors.values() for message in messages))
        return _to(prompt)
    data = form.cleaned_data
    services.give_feedback(prompt, feedback=data["feedback"], note=data["feedback_note"])
    if getattr(request, "htmx", None):
        return render(request, "conversations/_turn.html", turn_context(request, prompt))
    return _to(prompt)


def _ask(target: services.Target, author: Any, data: dict[str, Any]) -> HttpResponse:
    """One model's answer is read in the thread, those of several side by side."""

    def first(model: AIModel | None, key: str) -> Prompt:
        return services.ask(target=target, author=author, text=data["input_text"], model=model, key=key)

    models, key = data["models"], data["key"]
    if len(models) > 1:
        return asked_several(services.ask_several(first, models=models, author=author, key=key))
    return _asked(first(models[0] if models else None, key))


def _asked(prompt: Prompt) -> HttpResponse:
    """To the end of the thread: what was just asked stands there."""
    return HttpResponseRedirect(f"{prompt.conversation.get_absolute_url()}#p-{prompt.pk}", status=303)


def _to(prompt: Prompt) -> HttpResponse:
    return HttpResponseRedirect(prompt.get_absolute_url(), status=303)
