"""Asking: every way in which an interaction begins.

The row is saved as `pending` (or as `draft`, when somebody records the answer by hand) and committed; only then is a
model called, by a thread of its own. Sent twice with one key, a question is one row and one call.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from audit.context import acting_as
from audit.models import AuditLog
from audit.services import record
from conversations.models import AIModel, Conversation, Participant, Prompt
from conversations.services import limits, producer
from conversations.services.messages import fill
from conversations.services.organizing import mark_read, start_conversation
from conversations.services.path import path_end
from promptlib.core.transactions import in_transaction
from templates_app.models import TemplateVersion
from templates_app.variables import clean_values, parse_contract

EDITED = "edited_from"
"""The key in a question's metadata of the one that it was made from."""


class RefusedValues(ValueError):
    """Values that a contract does not take; `errors` has a sentence for each variable, by name."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{name}: {reason}" for name, reason in errors.items()))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a question goes: a conversation, or a new one called `title`.

    `after` is the interaction that it follows, whatever followed that one before. Else it stands at the end of the way
    through `leaf`, by default the way that the author read last.
    """

    conversation: Conversation | None = None
    title: str = ""
    after: UUID | None = None
    leaf: UUID | None = None


def ask(*, target: Target, author: Any, text: str, model: AIModel | None, key: str = "") -> Prompt:
    """The next question of a conversation. Without a model it is a draft that waits for a recorded answer."""
    system_prompt = target.conversation.system_prompt if target.conversation else ""
    return _save(target, Prompt(author=author, input_text=text, system_prompt=system_prompt), model, key)


def run_version(
    *,
    version: TemplateVersion,
    values: Mapping[str, Any],
    target: Target,
    author: Any,
    model: AIModel | None,
    key: str = "",
) -> Prompt:
    """Run a version. A new conversation takes over its system prompt and its template's title.

    The contract is checked here, whoever asks; raises RefusedValues, and then nothing was run.
    """
    values, errors = clean_values(parse_contract(version.variables), values)
    if errors:
        raise RefusedValues(errors)
    filled = fill(version, values)
    inherited = target.conversation.system_prompt if target.conversation else ""
    prompt = Prompt(
        author=author,
        template_version=version,
        values=values,
        input_text=filled.body,
        system_prompt=filled.system_prompt or inherited,
        parameters={name: value for name, value in version.parameters.items() if name != "model"},
    )
    return _save(target, prompt, model, key)


def retry(prompt: Prompt, *, author: Any, model: AIModel | None, key: str = "") -> Prompt:
    """Ask the same again: another answer beside `prompt`, which stays as it is."""
    again = Prompt(
        author=author,
        parent_id=prompt.parent_id,
        template_version_id=prompt.template_version_id,
        values=prompt.values,
        input_text=prompt.input_text,
        system_prompt=prompt.system_prompt,
        parameters=prompt.parameters,
    )
    return _save(Target(prompt.conversation), again, model, key, beside=prompt)


def edit(prompt: Prompt, *, author: Any, text: str, model: AIModel | None, key: str = "") -> Prompt:
    """Ask something else in the place of `prompt`, which stays as it is, with all that followed it."""
    is_same = text == prompt.input_text
    edited = Prompt(
        author=author,
        parent_id=prompt.parent_id,
        template_version_id=prompt.template_version_id if is_same else None,
        values=prompt.values if is_same else {},
        input_text=text,
        system_prompt=prompt.system_prompt,
        parameters=prompt.parameters,
        metadata={} if is_same else {EDITED: str(prompt.pk)},
    )
    return _save(Target(prompt.conversation), edited, model, key, beside=prompt)


@transaction.atomic
def record_answer(prompt: Prompt, *, text: str, by: Any, model_name: str = "") -> bool:
    """Keep the answer that somebody got elsewhere; False if this interaction has one already."""
    now = timezone.now()
    waiting = Prompt.objects.filter(pk=prompt.pk, status=Prompt.Status.DRAFT)
    fields = {"response_text": text, "model": model_name, "completed_at": now, "updated_at": now}
    with acting_as(by):
        return bool(waiting.update(status=Prompt.Status.RECORDED, **fields))


def _save(target: Target, prompt: Prompt, model: AIModel | None, key: str, beside: Prompt | None = None) -> Prompt:
    prompt.idempotency_key = key[:64] or None
    if known := _known(prompt):
        return known
    _choose(prompt, model)
    try:
        in_transaction(lambda: _insert(target, prompt, model, beside))
    except IntegrityError:
        if known := _known(prompt):  # the same question was quicker
            return known
        raise
    return prompt


def _known(prompt: Prompt) -> Prompt | None:
    if prompt.idempotency_key is None:
        return None
    return Prompt.all_objects.filter(author=prompt.author, idempotency_key=prompt.idempotency_key).first()


def _choose(prompt: Prompt, model: AIModel | None) -> None:
    prompt.status = Prompt.Status.PENDING if model else Prompt.Status.DRAFT
    if model is not None:
        prompt.ai_model, prompt.provider, prompt.model = model, model.provider, model.name


def _insert(target: Target, prompt: Prompt, model: AIModel | None, beside: Prompt | None) -> None:
    # Whoever asks in a conversation waits for the one before, so that the second question follows the first.
    conversation = target.conversation and Conversation.objects.select_for_update().get(pk=target.conversation.pk)
    conversation = conversation or start_conversation(
        owner=prompt.author,
        title=target.title,
        first_text=prompt.input_text,
        model=model,
        system_prompt=prompt.system_prompt,
    )
    prompt.pk, prompt.conversation = uuid7(), conversation  # a second attempt is made of new rows
    prompt._state.adding = True
    if beside is None:
        prompt.parent_id = target.after or _end(conversation, target, prompt.author)
        if target.after:
            _part_ways(conversation, target.after)
    elif not prompt.parent_id:
        _join_family(prompt, beside)
    if model is not None:
        limits.hold(prompt, model)
    prompt.save(force_insert=True)
    mark_read(conversation, by=prompt.author, leaf=prompt.pk)
    if model is not None:
        record(AuditLog.Action.RUN, prompt, changes={"model": [None, model.name]}, actor=prompt.author)
        producer.start_on_commit(prompt.pk)


def _end(conversation: Conversation, target: Target, author: Any) -> UUID | None:
    """What was asked since the author looked is followed too: of two who ask at once the second follows the first."""
    read = Participant.objects.filter(conversation=conversation, user=author).values_list("leaf", flat=True).first()
    if end := path_end(conversation.pk, start=target.leaf or read, toward=read):
        return end.pk
    return conversation.prompts.order_by("-pk").values_list("pk", flat=True).first()


def _part_ways(conversation: Conversation, after: UUID) -> None:
    """What has no parent and so far simply came next is named as a follower, now that there will be another one."""
    following = Prompt.all_objects.filter(conversation=conversation, pk__gt=after).order_by("pk").first()
    if following is None or following.parent_id or following.metadata.get("attempt_of"):
        return
    family = [following.pk, *map(UUID, following.metadata.get("attempts", []))]
    Prompt.all_objects.filter(pk__in=family, parent=None).update(parent=after)


def _join_family(prompt: Prompt, beside: Prompt) -> None:
    """A first question has no parent that its answers could share: they name each other (see `path`)."""
    first_id = UUID(beside.metadata["attempt_of"]) if beside.metadata.get("attempt_of") else beside.pk
    first = Prompt.all_objects.select_for_update().get(pk=first_id)
    prompt.metadata = {**prompt.metadata, "attempt_of": str(first_id)}
    attempts = [*first.metadata.get("attempts", []), str(prompt.pk)]
    quiet = Prompt.all_objects.unlogged("the new interaction's own row says whose attempt it is")
    quiet.filter(pk=first_id).update(metadata={**first.metadata, "attempts": attempts})
