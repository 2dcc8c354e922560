"""What people put in order: remarks on interactions, tags on conversations, pins on their own list."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from conversations.models import Conversation, ConversationTag, Participant, Prompt, PromptComment
from templates_app.models import Tag

PINS = 50


@transaction.atomic
def remark(prompt: Prompt, *, text: str, by: Any) -> PromptComment:
    comment: PromptComment = PromptComment.objects.create(prompt=prompt, author=by, text=text)
    return comment


@transaction.atomic
def add_tag(conversation: Conversation, name: str) -> bool:
    """Everybody in it sees the tag; False if it is there already, or the name holds nothing."""
    slug = Tag.slug_of(name)
    if not slug:
        return False
    tag = Tag.objects.get_or_create(slug=slug, defaults={"name": " ".join(name.split())[:80]})[0]
    return bool(ConversationTag.objects.get_or_create(conversation=conversation, tag=tag)[1])


def set_pinned(conversation: Conversation, *, pinned: bool, by: Any) -> bool:
    """Keep it at the top of one's own list, or no longer. False where fifty are there already."""
    seat = Participant.objects.get(conversation=conversation, user=by.pk)
    if pinned == (seat.pinned_at is not None):
        return True
    if pinned and Participant.objects.filter(user=by.pk, pinned_at__isnull=False).count() >= PINS:
        return False
    seat.pinned_at = timezone.now() if pinned else None
    seat.save(update_fields=["pinned_at"])
    return True


def set_following(conversation: Conversation, *, following: bool, by: Any) -> None:
    """Hear what changes here, or no longer. A person's own mark, as what they have read: it is not audited."""
    Participant.objects.filter(conversation=conversation, user=by).update(
        unfollowed_at=None if following else timezone.now()
    )
