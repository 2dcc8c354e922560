"""The ways through a thread: a question edited, two ways compared, one split off; and an answer as plain text."""

from uuid import UUID, uuid4

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from conversations import services
from conversations.forms import EditForm
from conversations.views import access
from promptlib.core.toasts import notify


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: UUID, prompt_pk: UUID) -> HttpResponse:
    prompt = access.write_prompt(request, pk, prompt_pk)
    initial = {"input_text": prompt.input_text, "key": uuid4().hex}
    preferred = prompt.ai_model or prompt.conversation.model
    form = EditForm(request.POST or None, preferred=preferred, initial=initial)
    if form.is_valid():
        data = form.cleaned_data
        try:
            asked = services.edit(
                prompt, author=request.user, text=data["input_text"], model=data["model"], key=data["key"]
            )
            return HttpResponseRedirect(asked.get_absolute_url(), status=303)
        except services.LimitReached as error:
            form.add_error(None, error.message)
    context = {"prompt": prompt, "conversation": prompt.conversation, "form": form}
    return render(request, "conversations/edit.html", context, status=422 if form.is_bound else 200)


@login_required
@require_GET
def compare(request: HttpRequest, pk: UUID, left: UUID, right: UUID) -> HttpResponse:
    conversation = access.read(request, pk)
    comparison = services.compare(conversation, left, right)
    if comparison is None:
        raise Http404
    context = {"conversation": conversation, "comparison": comparison}
    return render(request, "conversations/compare.html", context)


@login_required
@require_POST
def split(request: HttpRequest, pk: UUID, prompt_pk: UUID) -> HttpResponse:
    """Whoever may read may take a copy along; it is theirs alone."""
    prompt = access.read_prompt(request, pk, prompt_pk)
    conversation = services.split_off(prompt, owner=request.user)
    notify(request, _("This is a conversation of your own now. The one it came from is as it was."))
    return HttpResponseRedirect(conversation.get_absolute_url(), status=303)


@login_required
@require_GET
def raw(request: HttpRequest, pk: UUID, prompt_pk: UUID) -> HttpResponse:
    """The answer as the model wrote it. No browser takes it for anything but text."""
    prompt = access.read_prompt(request, pk, prompt_pk)
    headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": 'inline; filename="answer.txt"'}
    return HttpResponse(prompt.response_text, content_type="text/plain; charset=utf-8", headers=headers)
