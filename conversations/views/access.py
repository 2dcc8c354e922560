"""Where every view of a conversation begins: at what the person may see, change or own. All else does not exist."""

from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from conversations.models import Conversation, Prompt


def read(request: HttpRequest, pk: UUID) -> Conversation:
    return get_object_or_404(Conversation.objects.visible_to(request.user).select_related("owner", "model"), pk=pk)


def write(request: HttpRequest, pk: UUID) -> Conversation:
    return get_object_or_404(Conversation.objects.editable_by(request.user).select_related("model"), pk=pk)


def own(request: HttpRequest, pk: UUID) -> Conversation:
    return get_object_or_404(Conversation.objects.owned_by(request.user), pk=pk)


def own_alive(request: HttpRequest, pk: UUID) -> Conversation:
    """Not one in the trash: who reads it is decided once it is back."""
    return get_object_or_404(Conversation.objects.owned_by(request.user).alive().select_related("owner"), pk=pk)


def comment_prompt(request: HttpRequest, pk: UUID, prompt_pk: UUID) -> Prompt:
    prompts = Prompt.objects.commentable_by(request.user).select_related("conversation")
    return get_object_or_404(prompts, pk=prompt_pk, conversation=pk)


def read_prompt(request: HttpRequest, pk: UUID, prompt_pk: UUID) -> Prompt:
    prompts = Prompt.objects.visible_to(request.user).select_related("conversation")
    return get_object_or_404(prompts, pk=prompt_pk, conversation=pk)


def write_prompt(request: HttpRequest, pk: UUID, prompt_pk: UUID) -> Prompt:
    prompts = Prompt.objects.editable_by(request.user).select_related("conversation", "ai_model", "author")
    return get_object_or_404(prompts, pk=prompt_pk, conversation=pk)


def delete_prompt(request: HttpRequest, pk: UUID, prompt_pk: UUID) -> Prompt:
    prompts = Prompt.objects.deletable_by(request.user).select_related("conversation", "author")
    return get_object_or_404(prompts, pk=prompt_pk, conversation=pk)
