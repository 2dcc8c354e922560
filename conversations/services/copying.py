"""Continuing what one was shown as a conversation of one's own."""

from typing import Any
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from conversations.models import Conversation, Prompt
from conversations.services.organizing import start_conversation

BATCH = 500
Status = Prompt.Status


@transaction.atomic
def copy_conversation(original: Conversation, *, owner: Any) -> Conversation:
    """What a reader sees of it, with all branches: questions, answers, models, times.

    Nothing of people, money, settings or templates goes along. The answers count as recorded: nobody ran them again.
    """
    conversation = start_conversation(owner=owner, title=original.title, model=original.model)
    ids: dict[UUID, UUID] = {}
    rows = Prompt.objects.filter(conversation=original, status__in=Prompt.FINISHED).order_by("pk")
    batch: list[Prompt] = []
    for prompt in rows.only("parent", "input_text", "response_text", "model", "created_at", "metadata").iterator(BATCH):
        batch.append(_copied(prompt, conversation, owner, ids))
        if len(batch) == BATCH:
            _store(batch)
            batch = []
    _store(batch)
    return conversation


def _copied(prompt: Prompt, conversation: Conversation, owner: Any, ids: dict[UUID, UUID]) -> Prompt:
    ids[prompt.pk] = uuid7()
    attempts = {}
    if first := _known(prompt.metadata.get("attempt_of"), ids):
        attempts = {"attempt_of": first}
    return Prompt(
        pk=ids[prompt.pk],
        conversation=conversation,
        author=owner,
        parent_id=ids.get(prompt.parent_id) if prompt.parent_id else None,
        input_text=prompt.input_text,
        response_text=prompt.response_text,
        model=prompt.model,
        status=Status.RECORDED,
        created_at=prompt.created_at,
        completed_at=prompt.created_at,
        metadata={"copied": True, **attempts},
    )


def _known(pk: str | None, ids: dict[UUID, UUID]) -> str | None:
    try:
        return str(ids[UUID(pk)]) if pk else None
    except (KeyError, ValueError):
        return None


def _store(batch: list[Prompt]) -> None:
    Prompt.objects.bulk_create(batch, batch_size=BATCH)
