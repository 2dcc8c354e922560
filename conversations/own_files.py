"""What conversations keep of a person, as files of their download."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts import personal_data
from accounts.models import User
from accounts.personal_data import File, lines_of
from conversations.exporters import FORMATS, export
from conversations.models import (
    Conversation,
    ConversationImport,
    LinkView,
    Participant,
    Prompt,
    PromptComment,
    SeatOffer,
    ShareLink,
    UsageDaily,
)

_INTERACTION = (
    *("conversation_id", "created_at", "system_prompt", "values", "input_text", "response_text"),
    *("status", "error_message", "provider", "model", "parameters", "input_tokens", "output_tokens", "latency_ms"),
    *("cost", "currency", "feedback", "feedback_note"),
)


def conversations(person: User, by: Any) -> Iterator[str]:
    """In the format that holds everything; so the file can be imported again."""
    own = Conversation.objects.visible_to(person).owned_by(person).order_by("pk")
    pks = list(own.values_list("pk", flat=True))
    return (data.decode() for data in export(pks, FORMATS["json"], reader=person, by=by).chunks)


FILES = (
    File(
        "conversations.json",
        _("Your conversations with all branches and remarks, in promptlib’s own format: it can be imported again."),
        conversations,
    ),
    File(
        "interactions-in-the-trash.jsonl",
        _("Your own interactions in the trash, and all of your conversations in the trash."),
        lines_of(
            lambda person: Prompt.all_objects.filter(deleted_at__isnull=False).filter(
                Q(author=person) | Q(conversation__owner=person)
            ),
            *_INTERACTION,
            "deleted_at",
        ),
    ),
    File(
        "asked-elsewhere.jsonl",
        _("What you asked in other people’s conversations, with the answers."),
        lines_of(
            lambda person: Prompt.objects.filter(author=person).exclude(conversation__owner=person), *_INTERACTION
        ),
    ),
    File(
        "places.jsonl",
        _("The conversations that you are in, and as what."),
        lines_of(
            lambda person: Participant.objects.filter(user=person, conversation__deleted_at__isnull=True),
            *(
                "conversation_id",
                "conversation__title",
                "role",
                "last_read_at",
                "pinned_at",
                "unfollowed_at",
                "created_at",
            ),
        ),
    ),
    File(
        "remarks.jsonl",
        _("Your remarks on interactions."),
        lines_of(
            lambda person: PromptComment.objects.filter(author=person),
            *("prompt_id", "prompt__conversation_id", "text", "created_at"),
        ),
    ),
    File(
        "links.jsonl",
        _("Links to read that you made; the links themselves are not kept."),
        lines_of(
            lambda person: ShareLink.objects.filter(created_by=person),
            *("conversation_id", "name", "expires_at", "max_views", "view_count", "revoked_at", "created_at"),
        ),
    ),
    File(
        "links-opened.jsonl",
        _("Other people’s links that you opened while you were signed in."),
        lines_of(lambda person: LinkView.objects.filter(user=person), "ip", "user_agent", "created_at"),
    ),
    File(
        "places-offered.jsonl",
        _("Addresses that you offered a place in a conversation."),
        lines_of(
            lambda person: SeatOffer.objects.filter(invited_by=person),
            *("conversation_id", "email", "role", "created_at"),
        ),
    ),
    File(
        "conversation-imports.jsonl",
        _("Files that you uploaded, and what became of each conversation; the files themselves are not kept."),
        lines_of(
            lambda person: ConversationImport.objects.filter(owner=person),
            *("filename", "format", "status", "outcomes", "error", "created_at", "finished_at"),
        ),
    ),
    File(
        "use.jsonl",
        _("How much you used, by day and model."),
        lines_of(
            lambda person: UsageDaily.objects.filter(user=person),
            *("day", "provider", "model", "runs", "failures", "input_tokens", "output_tokens", "cost"),
        ),
    ),
)


def register() -> None:
    personal_data.register(*FILES)
