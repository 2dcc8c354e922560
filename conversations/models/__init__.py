"""Conversations, the interactions in them, and the models that answer."""

from conversations.models.ai_model import AIModel, AIModelPrice
from conversations.models.conversation import Conversation, Participant, ShareLink
from conversations.models.prompt import Prompt, PromptComment
from conversations.models.search import ConversationSearch, PromptSearch
from conversations.models.usage import ConversationActivity, ModelUsageDaily, UsageDaily, UserActivity

__all__ = [
    "AIModel",
    "AIModelPrice",
    "Conversation",
    "ConversationActivity",
    "ConversationSearch",
    "ModelUsageDaily",
    "Participant",
    "Prompt",
    "PromptComment",
    "PromptSearch",
    "ShareLink",
    "UsageDaily",
    "UserActivity",
]
