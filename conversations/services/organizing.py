"""Starting a conversation, and keeping conversations in order."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from audit.context import acting_as
from conversations.models import AIModel, Conversation, Participant
from conversations.services.path import path_end

TITLE_CHARS = 80
TITLE_MAX_LENGTH = 300


@transaction.atomic
def start_conversation(
    *, owner: Any, title: str = "", first_text: str = "", model: AIModel | None = None, system_prompt: str = ""
) -> Conversation:
    """A conversation and its owner's seat. Without a title it is called by the first line of `first_text`."""
    conversation = Conversation.objects.create(
        owner=owner,
        title=title.strip()[:TITLE_MAX_LENGTH] or title_for(first_text),
        model=model,
        system_prompt=system_prompt,
    )
    Participant.objects.create(
        conversation=conversation, user=owner, role=Participant.Role.OWNER, last_read_at=timezone.now()
    )
    return conversation


def title_for(text: str) -> str:
    line = next((line for line in text.splitlines() if line.strip()), "")
    return Truncator(" ".join(line.split())).chars(TITLE_CHARS) or _("Untitled conversation")


@transaction.atomic
def rename(conversation: Conversation, *, title: str, revision: int, by: Any) -> bool:
    """False, and nothing changed, if somebody else changed the conversation since `revision`."""
    fresh = Conversation.objects.filter(pk=conversation.pk, revision=revision)
    with acting_as(by):
        if not fresh.update(title=title, revision=F("revision") + 1, updated_at=timezone.now()):
            return False
    conversation.title = title
    return True


def set_archived(conversation: Conversation, *, archived: bool) -> None:
    """Put the conversation away, or take it out again; one that is there already stays as it is."""
    if archived != (conversation.archived_at is not None):
        conversation.archived_at = timezone.now() if archived else None
        conversation.save(update_fields=["archived_at"])


def end_read(conversation: Conversation, *, by: Any, leaf: UUID) -> UUID | None:
    """The end of the way through `leaf`, on which this person is now; None if it is not in the conversation."""
    seat = Participant.objects.filter(conversation=conversation, user=by).first()
    end = path_end(conversation.pk, start=leaf, toward=seat.leaf_id if seat else None)
    return end.pk if end else None


def mark_read(conversation: Conversation, *, by: Any, leaf: UUID | None = None) -> None:
    """Nothing in the conversation is new to this person any more; `leaf` is the end of the way that they read.

    Reading is no change: it is not audited.
    """
    way = {"leaf": leaf} if leaf else {}
    Participant.objects.filter(conversation=conversation, user=by).update(last_read_at=timezone.now(), **way)
