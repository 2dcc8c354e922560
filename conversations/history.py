"""What the history needs to know of conversations: how their rows read, and who may take back what."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from audit.history import kinds
from conversations.models import (
    AIModel,
    Conversation,
    ConversationTag,
    Participant,
    Prompt,
    PromptComment,
    SavedTemplate,
    SeatOffer,
    ShareLink,
)

CONVERSATION = frozenset({"title", "summary", "system_prompt", "model", "parameters", "archived_at"})


def register() -> None:
    kinds.register(Conversation, is_subject=True, right=_editable, restore_right=_owned, fields=CONVERSATION)
    kinds.register(
        Prompt,
        private=frozenset({"values"}),
        hidden=frozenset({"idempotency_key"}),
        right=_editable,
        fields=frozenset({"feedback", "feedback_note"}),
    )
    kinds.register(PromptComment, own="author", fields=frozenset({"text"}))
    kinds.register(
        Participant,
        right=_owned,
        fields=frozenset(),
        never=_("Places in a conversation are given and taken on its page of people."),
    )
    kinds.register(SeatOffer, right=_owned, fields=frozenset({"role"}))
    kinds.register(
        ShareLink,
        right=_owned,
        fields=frozenset({"name", "expires_at", "max_views"}),
        keeps_creation=_("Revoke the link on the page of links: what was opened by it stays known."),
    )
    kinds.register(ConversationTag, right=_editable, fields=frozenset())
    kinds.register(SavedTemplate, is_record=True, never=_("This only says where a template came from."))
    kinds.register(AIModel, names=lambda _user: AIModel.objects.all())


def _editable(user: Any) -> "QuerySet[Conversation]":
    conversations: QuerySet[Conversation] = Conversation.objects.editable_by(user)
    return conversations


def _owned(user: Any) -> "QuerySet[Conversation]":
    conversations: QuerySet[Conversation] = Conversation.all_objects.owned_by(user)
    return conversations
