"""Moving to the trash: conversations at once; an interaction alone, or with all that follows it."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from conversations.models import Conversation, Prompt
from conversations.services.finishing import UNFINISHED
from conversations.services.path import whole_tree
from conversations.services.stopping import stop
from promptlib.core import soft_delete
from promptlib.core.transactions import in_transaction


def move_to_trash(pks: Iterable[UUID], *, by: Any) -> list[UUID]:
    """Those of the conversations that are the person's own, each to be restored alone; returns their deletions."""

    def work() -> list[UUID]:
        own = Conversation.objects.owned_by(by).filter(pk__in=list(pks)).order_by("pk")
        return list(soft_delete.delete_each(own, by=by).values())

    return in_transaction(work)


def what_follows(prompt: Prompt) -> list[UUID]:
    """What follows it on any way. One query, of the whole conversation's keys."""
    tree = whole_tree(prompt.conversation_id)
    return [pk for pk in tree.below(prompt.pk) if pk != prompt.pk] if prompt.pk in tree else []


def remove(prompt: Prompt, *, by: Any, reason: str = "") -> UUID | None:
    """The interaction alone: what follows it stays, and follows what stood before. Returns the deletion."""
    return _remove([prompt], by, reason)


def remove_with_following(prompt: Prompt, *, by: Any, reason: str = "") -> UUID | None:
    """With all that follows it, of which the person may delete each: else it raises PermissionError."""
    pks = what_follows(prompt)
    rows = list(Prompt.objects.deletable_by(by).filter(pk__in=pks).order_by("pk"))
    if len(rows) < len(pks):
        raise PermissionError("Some of what follows is others'.")
    return _remove([prompt, *rows], by, reason)


def _remove(prompts: list[Prompt], by: Any, reason: str) -> UUID | None:
    """An answer that is being written is stopped first; what had arrived is kept with it."""
    for prompt in prompts:
        if prompt.status in UNFINISHED:
            stop(prompt, by=by)
    in_transaction(lambda: soft_delete.delete(prompts, by=by, reason=reason))
    return prompts[0].deletion_id
