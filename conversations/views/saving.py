"""Making a template of an interaction. The form is the library's editor; what varies is proposed, and explained."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from conversations.models import Prompt
from conversations.saving_page import TEXTS_AGAIN, proposed_form
from conversations.services.saving import propose_template, save_as_template
from conversations.views import access
from promptlib.core.toasts import notify
from templates_app.forms import TemplateForm
from templates_app.forms.sides import read_key
from templates_app.models import PromptTemplate
from templates_app.words import COMMON_LANGUAGES
from templates_app.writing_page import WritingPage


@login_required
@require_http_methods(["GET", "POST"])
def save(request: HttpRequest, pk: UUID, prompt_pk: UUID) -> HttpResponse:
    prompt = access.read_prompt(request, pk, prompt_pk)
    if request.method != "POST":
        proposal = propose_template(prompt, by=request.user)
        form = proposed_form(prompt, proposal, _new(request), user=request.user)
        return _page(request, prompt, form, proposal=proposal)
    form = TemplateForm(request.POST, instance=_new(request), user=request.user)
    if not form.is_valid():
        return _page(request, prompt, form, status=422)
    key, note = read_key(form.cleaned_data["key"]), form.cleaned_data["change_note"]
    try:
        made = save_as_template(
            prompt, owner=request.user, details=form.details, content=form.content, change_note=note, pk=key
        )
    except IntegrityError:  # the same page was sent twice
        made = get_object_or_404(PromptTemplate.objects.owned_by(request.user), pk=key)
    notify(request, _("“%(template)s” is in your library.") % {"template": made})
    return redirect(made)


@login_required
@require_POST
def again(request: HttpRequest, pk: UUID, prompt_pk: UUID, part: str) -> HttpResponse:
    """The form as it was posted: with a row for every variable, with one example more, with what it becomes."""
    prompt = access.read_prompt(request, pk, prompt_pk)
    if part not in TEXTS_AGAIN:
        raise Http404
    form = TemplateForm(request.POST, instance=_new(request), user=request.user, is_quiet=True)
    pair = form.examples.add_pair() if part == "examples" else None
    if not getattr(request, "htmx", None):
        return _page(request, prompt, form)
    context = {"page": WritingPage(form, None, request.user), "form": form, "urls": _urls(prompt)}
    context |= {"pair": pair, "number": len(form.examples.pairs)}
    return render(request, TEXTS_AGAIN[part], context)


def _new(request: HttpRequest) -> PromptTemplate:
    return PromptTemplate(owner=request.user)  # type: ignore[misc]  # signed in


def _urls(prompt: Prompt) -> dict[str, str]:
    args = [prompt.conversation_id, prompt.pk]
    parts = {"find": "variables", "add": "examples", "preview": "preview"}
    urls = {name: reverse("conversations:save_template_again", args=[*args, part]) for name, part in parts.items()}
    return {**urls, "save": reverse("conversations:save_template", args=args)}


def _page(
    request: HttpRequest, prompt: Prompt, form: TemplateForm, *, proposal: object = None, status: int = 200
) -> HttpResponse:
    context = {
        "prompt": prompt,
        "form": form,
        "proposal": proposal,
        "page": WritingPage(form, None, request.user),
        "urls": _urls(prompt),
        "languages": COMMON_LANGUAGES,
        "status": status,
    }
    return render(request, "conversations/save_template.html", context, status=status)
