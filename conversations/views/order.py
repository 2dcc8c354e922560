"""Remarks, tags, pins, following, and searching inside one conversation."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from conversations.models import Conversation, ConversationTag, Prompt, PromptComment
from conversations.order_forms import RemarkForm, TagForm
from conversations.services import order
from conversations.views import access
from conversations.views.context import thread_context
from promptlib.core.pagination import KeysetPage, capped_count
from promptlib.core.search import Snippet, snippets
from promptlib.core.toasts import notify

COUNTED = 1_000
PAGE_SIZE = 30


@login_required
@require_POST
def remark(request: HttpRequest, pk: UUID, prompt_pk: UUID) -> HttpResponse:
    prompt = access.comment_prompt(request, pk, prompt_pk)
    form = RemarkForm(request.POST)
    if not form.is_valid():
        context = thread_context(request, prompt.conversation) | {"remark_form": form, "remark_prompt": prompt.pk}
        return render(request, "conversations/detail.html", context, status=422)
    order.remark(prompt, text=form.cleaned_data["text"], by=request.user)
    return HttpResponseRedirect(prompt.get_absolute_url(), status=303)


@login_required
@require_POST
def delete_remark(request: HttpRequest, pk: UUID, prompt_pk: UUID, remark_pk: UUID) -> HttpResponse:
    """One's own, as long as one may still write one."""
    prompt = access.comment_prompt(request, pk, prompt_pk)
    get_object_or_404(PromptComment, pk=remark_pk, prompt=prompt, author=request.user.pk).delete()
    notify(request, _("The remark is deleted."))
    return HttpResponseRedirect(prompt.get_absolute_url(), status=303)


@login_required
@require_POST
def tag(request: HttpRequest, pk: UUID) -> HttpResponse:
    conversation = access.write(request, pk)
    form = TagForm(request.POST)
    if not form.is_valid():
        context = thread_context(request, conversation) | {"tag_form": form}
        return render(request, "conversations/detail.html", context, status=422)
    order.add_tag(conversation, form.cleaned_data["name"])
    return _to(conversation)


@login_required
@require_POST
def untag(request: HttpRequest, pk: UUID, tag_pk: UUID) -> HttpResponse:
    conversation = access.write(request, pk)
    get_object_or_404(ConversationTag, conversation=conversation, tag=tag_pk).delete()
    return _to(conversation)


@login_required
@require_POST
def pin(request: HttpRequest, pk: UUID) -> HttpResponse:
    conversation = access.read(request, pk)
    if not order.set_pinned(conversation, pinned=True, by=request.user):
        notify(request, _("Fifty conversations are pinned already. Unpin one of them first."))
    return _to(conversation)


@login_required
@require_POST
def unpin(request: HttpRequest, pk: UUID) -> HttpResponse:
    conversation = access.read(request, pk)
    order.set_pinned(conversation, pinned=False, by=request.user)
    return _to(conversation)


@login_required
@require_POST
def follow(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _set_following(request, pk, following=True)


@login_required
@require_POST
def unfollow(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _set_following(request, pk, following=False)


@login_required
@require_safe
def search(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Questions and answers of this conversation that hold the words, each a way to its place."""
    conversation = access.read(request, pk)
    text = request.GET.get("q", "").strip()
    prompts = Prompt.objects.filter(conversation=conversation)
    found = prompts.search(text).select_related("author") if text else prompts.none()
    ranking = ("-relevance", "-id") if text else ("-id",)
    page = KeysetPage(found, order=ranking, cursor=request.GET.get("cursor"), size=PAGE_SIZE)
    hits = [(prompt, prompt.found_url(text), _snippets(prompt, text)) for prompt in page.items]
    count, is_capped = capped_count(found, COUNTED)
    context = {"conversation": conversation, "q": text, "page": page, "hits": hits, "count": count}
    return render(request, "conversations/search.html", {**context, "is_capped": is_capped})


def _snippets(prompt: Prompt, text: str) -> list[Snippet]:
    return snippets(text, {_("Question"): prompt.input_text, _("Answer"): prompt.response_text})


def _set_following(request: HttpRequest, pk: UUID, *, following: bool) -> HttpResponse:
    conversation = access.read(request, pk)
    order.set_following(conversation, following=following, by=request.user)
    if request.htmx:  # type: ignore[attr-defined]  # of HtmxMiddleware
        context = {"conversation": conversation, "is_followed": following}
        return render(request, "conversations/_follow.html", context)
    return _to(conversation)


def _to(conversation: Conversation) -> HttpResponse:
    return HttpResponseRedirect(conversation.get_absolute_url(), status=303)
