"""Conversations, the interactions in them, and the models that answer."""

from conversations.models.ai_model import AIModel, AIModelPrice
from conversations.models.conversation import (
    Conversation,
    ConversationTag,
    LinkView,
    Participant,
    SeatOffer,
    ShareLink,
)
from conversations.models.imports import ConversationImport, ImportPart
from conversations.models.prompt import Prompt, PromptComment, SavedTemplate
from conversations.models.search import ConversationSearch, PromptSearch
from conversations.models.usage import ConversationActivity, ModelUsageDaily, UsageDaily, UsageLimit, UserActivity

__all__ = [
    "AIModel",
    "AIModelPrice",
    "Conversation",
    "ConversationActivity",
    "ConversationImport",
    "ConversationSearch",
    "ConversationTag",
    "ImportPart",
    "LinkView",
    "ModelUsageDaily",
    "Participant",
    "Prompt",
    "PromptComment",
    "PromptSearch",
    "SavedTemplate",
    "SeatOffer",
    "ShareLink",
    "UsageDaily",
    "UsageLimit",
    "UserActivity",
]
