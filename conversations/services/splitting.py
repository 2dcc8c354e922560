"""A way through a thread as a conversation of its own."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from uuid_utils.compat import uuid7

from audit.models import AuditLog
from audit.services import record
from conversations.models import Conversation, Participant, Prompt
from conversations.services.organizing import TITLE_MAX_LENGTH
from conversations.services.path import whole_tree
from promptlib.core.ids import as_uuid

SPLIT_FROM = "split_from"
"""The key in a conversation's metadata of the conversation and the interaction that it was split off from."""

COPIED_FROM = "copied_from"
"""The key in an interaction's metadata of the one that it is a copy of."""

PROVIDER = "copy"
"""What a copy has as its provider: nobody was called for it, so no limit counts it."""

BATCH = 500


@transaction.atomic
def split_off(prompt: Prompt, *, owner: Any) -> Conversation:
    """Copy what leads to `prompt`, itself included, into a conversation of `owner`'s own.

    A copy was not run: it keeps its texts and its model's name, but no tokens, cost, latency or template, which would
    count for the statistics a second time. The original, which it names, has them.
    """
    source = prompt.conversation
    conversation = Conversation.objects.create(
        owner=owner,
        title=(_("%(title)s, split off") % {"title": source.title})[:TITLE_MAX_LENGTH],
        system_prompt=source.system_prompt,
        model=source.model,
        parameters=source.parameters,
        metadata={SPLIT_FROM: {"conversation": str(source.pk), "prompt": str(prompt.pk)}},
    )
    Participant.objects.create(
        conversation=conversation, user=owner, role=Participant.Role.OWNER, last_read_at=timezone.now()
    )
    way = whole_tree(source.pk).way_up(prompt.pk)
    last: UUID | None = None
    for start in range(0, len(way), BATCH):
        originals = Prompt.objects.in_bulk(way[start : start + BATCH])
        copies = []
        for pk in way[start : start + BATCH]:
            copies.append(_copy(originals[pk], conversation, last))
            last = copies[-1].pk
        Prompt.objects.bulk_create(copies)
    told = {"interactions": [None, len(way)], "prompt": [None, str(prompt.pk)]}
    record(AuditLog.Action.EXPORT, source, changes=told, actor=owner)
    record(AuditLog.Action.IMPORT, conversation, changes=told, actor=owner)
    return conversation


def split_source(conversation: Conversation, reader: Any) -> Prompt | None:
    """The interaction up to which `conversation` was copied, if `reader` may see it; a query only for a copy."""
    known = conversation.metadata.get(SPLIT_FROM)
    if not isinstance(known, dict):
        return None
    pk = as_uuid(known.get("prompt"))
    if pk is None:
        return None
    return Prompt.objects.visible_to(reader).filter(pk=pk).select_related("conversation").first()


def _copy(original: Prompt, conversation: Conversation, parent: UUID | None) -> Prompt:
    status = original.status
    if status == Prompt.Status.COMPLETED:
        status = Prompt.Status.RECORDED
    elif status in (Prompt.Status.PENDING, Prompt.Status.STREAMING):
        status = Prompt.Status.INTERRUPTED
    return Prompt(
        pk=uuid7(),
        conversation=conversation,
        parent_id=parent,
        author_id=original.author_id,
        system_prompt=original.system_prompt,
        input_text=original.input_text,
        response_text=original.response_text,
        status=status,
        error_code=original.error_code,
        error_message=original.error_message,
        provider=PROVIDER,
        model=original.model,
        parameters=original.parameters,
        finish_reason=original.finish_reason,
        metadata={COPIED_FROM: str(original.pk)},
        created_at=original.created_at,
        completed_at=original.completed_at,
    )
