"""One question to several models: answers that stand beside each other, and the choice of the better."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from conversations.models import AIModel, Conversation, Participant, Prompt
from conversations.services.asking import retry
from conversations.services.judging import give_feedback
from conversations.services.path import siblings_of
from promptlib.core.transactions import in_transaction

SHOWN = 4


def ask_several(first: Callable[[AIModel, str], Prompt], *, models: Sequence[AIModel], author: Any, key: str) -> Prompt:
    """Ask the first model by `first` (given it and a key) and the others the same; returns the first one's interaction.

    All of them or none: limits hold for the questions together, and sent twice with one key they are asked once.
    """

    def work() -> Prompt:
        prompt = first(models[0], _key(key, 0))
        for place, model in enumerate(models[1:], start=1):
            retry(prompt, author=author, model=model, key=_key(key, place))
        return prompt

    return in_transaction(work)


def answers_beside(prompt: Prompt) -> list[UUID]:
    """The answers that stand beside each other: the newest four to the same words, `prompt` always among them."""
    family = siblings_of([prompt])[prompt.pk]
    same = Prompt.objects.filter(pk__in=family, input_text=prompt.input_text).order_by("-pk")
    newest = list(same.values_list("pk", flat=True)[:SHOWN])
    shown = newest if prompt.pk in newest else [*newest[: SHOWN - 1], prompt.pk]
    return sorted(shown)


@transaction.atomic
def pick(prompt: Prompt, *, by: Any) -> None:
    """This answer is the better one: it is judged helpful, the conversation goes on from it, and what it was preferred
    to is kept with it."""
    Conversation.objects.select_for_update().get(pk=prompt.conversation_id)
    fresh = Prompt.objects.select_for_update().get(pk=prompt.pk)
    others = [str(pk) for pk in answers_beside(fresh) if pk != fresh.pk]
    fresh.metadata = {**fresh.metadata, "preferred_to": others}
    fresh.save(update_fields=["metadata"])
    if fresh.feedback != Prompt.Feedback.GOOD:
        give_feedback(fresh, feedback=Prompt.Feedback.GOOD)
    Participant.objects.filter(conversation=fresh.conversation_id, user=by).update(leaf=fresh)


def _key(key: str, place: int) -> str:
    return f"{key[:60]}.{place}" if key else ""
