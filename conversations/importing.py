"""Putting conversations of other services into the database: each of them whole, audited, and only once.

A conversation knows its place at the source (`source`, `source_id`), an interaction the messages it was made of
(`metadata["imported"]`). So a repeated import changes nothing, and one of a conversation that has grown adds what is
new. What people did here since (titles, further questions, feedback) is left alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import DatabaseError
from django.utils import timezone
from django.utils.translation import gettext as _
from uuid_utils.compat import uuid7

from audit.models import AuditLog
from audit.services import record_many
from conversations.importers import BadThread, ConversationRecord
from conversations.importers.assembling import TurnRecord
from conversations.models import Conversation, ConversationTag, Participant, Prompt, PromptComment
from promptlib.core.transactions import GAVE_WAY, in_transaction
from templates_app.models import Tag

BATCH = 500
IMPORTED = "imported"
"""The key in an interaction's metadata of the messages it was made of."""


class Kind(StrEnum):
    """What became of a conversation."""

    CREATED = "created"
    EXTENDED = "extended"
    SAME = "same"
    TRASHED = "trashed"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the conversation at `place`, and how many interactions were added to it."""

    kind: Kind
    place: str
    title: str = ""
    reason: str = ""
    conversation: Conversation | None = None
    added: int = 0


def import_conversations(
    records: Iterable[ConversationRecord | BadThread], *, owner: Any, note: str = "", dry_run: bool = False
) -> Iterator[Outcome]:
    """Make or extend `owner`'s conversation for each record, and say of each, in order, what became of it.

    Each conversation is one transaction, its rows of the audit log included: an import that is ended half-way leaves
    whole conversations, and the same import again completes it. A dry run writes nothing.
    """
    for record in records:
        if isinstance(record, BadThread):
            yield Outcome(Kind.BAD, record.place, record.title, record.reason)
            continue
        try:
            yield in_transaction(lambda record=record: _take_in(record, owner, note, dry_run))  # type: ignore[misc]
        except DatabaseError as error:
            if error.args and error.args[0] in GAVE_WAY:
                raise
            reason = _("The database refuses it: %(reason)s") % {"reason": error.args[-1] if error.args else error}
            yield Outcome(Kind.BAD, record.place, record.title, reason)


def _take_in(record: ConversationRecord, owner: Any, note: str, dry_run: bool) -> Outcome:
    rows = Conversation.all_objects.filter(owner=owner, source=record.source, source_id=record.source_id)
    known = list((rows if dry_run else rows.select_for_update()).order_by("deleted_at"))
    alive = next((conversation for conversation in known if not conversation.is_deleted), None)
    if known and alive is None:
        return Outcome(Kind.TRASHED, record.place, record.title, conversation=known[0])
    if dry_run:
        fresh = _Interactions(alive, record, owner).fresh if alive else record.turns
        kind = Kind.CREATED if alive is None else Kind.EXTENDED if fresh else Kind.SAME
        return Outcome(kind, record.place, record.title, conversation=alive, added=len(fresh))
    conversation = alive or _start(record, owner, note)
    added = _Interactions(conversation, record, owner).store(note)
    kind = Kind.CREATED if alive is None else Kind.EXTENDED if added else Kind.SAME
    return Outcome(kind, record.place, record.title, conversation=conversation, added=added)


def _start(record: ConversationRecord, owner: Any, note: str) -> Conversation:
    metadata = dict(record.metadata)
    conversation = Conversation(
        owner=owner,
        title=record.title,
        summary=record.summary,
        system_prompt=record.system_prompt,
        parameters=record.parameters,
        metadata={**metadata, "model": record.model} if record.model else metadata,
        source=record.source,
        source_id=record.source_id,
        archived_at=timezone.now() if record.is_archived else None,
        created_at=record.created_at or timezone.now(),
    )
    Conversation.objects.unlogged("told as imported, below").bulk_create([conversation])
    seat = Participant(
        conversation=conversation,
        user=owner,
        role=Participant.Role.OWNER,
        last_read_at=timezone.now(),
        pinned_at=timezone.now() if record.is_pinned else None,
    )
    Participant.objects.bulk_create([seat])
    _tag(conversation, record.tags)
    changes = {
        name: [None, getattr(record, name)] for name in ("title", "source", "source_id") if getattr(record, name)
    }
    record_many(AuditLog.Action.IMPORT, [conversation], changes=changes, reason=note)
    return conversation


def _tag(conversation: Conversation, names: tuple[str, ...]) -> None:
    wanted = {slug: name for name in names if (slug := Tag.slug_of(name))}
    known = {tag.slug: tag for tag in Tag.objects.filter(slug__in=wanted)}
    for slug in wanted.keys() - known.keys():
        known[slug] = Tag.objects.get_or_create(slug=slug, defaults={"name": wanted[slug][:80]})[0]
    ConversationTag.objects.bulk_create(ConversationTag(conversation=conversation, tag=tag) for tag in known.values())


class _Interactions:
    """The interactions of one conversation: those that are here, and those that the record has besides."""

    def __init__(self, conversation: Conversation | None, record: ConversationRecord, owner: Any) -> None:
        self.conversation, self.record, self.owner = conversation, record, owner
        self.known: dict[str, Prompt] = {}
        self.unanswered: dict[str, Prompt] = {}
        if conversation is not None:
            self._look_up(conversation)
        self.fresh = [turn for turn in record.turns if turn.key not in self.known or self._is_news(turn)]

    def store(self, note: str) -> int:
        """Add what is new; an interaction that had no answer when it was imported gets the one that came since."""
        keys: dict[str, UUID] = {key: prompt.pk for key, prompt in self.known.items()}
        made, answered = [], []
        for turn in self.fresh:
            ids = [turn.key, *(message["id"] for message in reversed(turn.messages[:-1]))]
            waiting = self.unanswered.pop(next((key for key in ids if key in self.unanswered), ""), None)
            if waiting is not None:
                keys[turn.key] = waiting.pk
                self._fill(waiting, turn, keys)
                answered.append(waiting)
                continue
            prompt = Prompt(id=uuid7(), conversation=self.conversation, author=self.owner)
            keys[turn.key] = prompt.pk
            self._fill(prompt, turn, keys)
            made.append(prompt)
        self._mark_attempts(made)
        Prompt.objects.unlogged("told as imported, below").bulk_create(made, batch_size=BATCH)
        at_hand = {turn.key: Prompt(pk=keys[turn.key], conversation=self.conversation) for turn in self.fresh}
        remarks = [(at_hand[turn.key], *comment) for turn in self.fresh for comment in turn.comments]
        PromptComment.objects.bulk_create(
            PromptComment(prompt=prompt, author=self.owner, text=text[:10_000], created_at=at or timezone.now())
            for prompt, text, at in remarks
        )
        record_many(AuditLog.Action.IMPORT, made, changes=_told, reason=note)
        for prompt in answered:
            prompt.save(update_fields=[*_FILLED, "parent", "metadata"])
        return len(made) + len(answered)

    def _look_up(self, conversation: Conversation) -> None:
        rows = Prompt.all_objects.filter(conversation=conversation).only(
            "id", "metadata", "input_text", "response_text", "model", "parent"
        )
        for prompt in rows.order_by("pk").iterator(chunk_size=BATCH):
            imported = prompt.metadata.get(IMPORTED)
            if not isinstance(imported, dict) or not isinstance(imported.get("key"), str):
                continue
            self.known[imported["key"]] = prompt
            if not prompt.response_text or not prompt.input_text:
                self.unanswered[imported["key"]] = prompt

    def _is_news(self, turn: TurnRecord) -> bool:
        """Whether the half that is missing here, question or answer, has come."""
        here = self.unanswered.get(turn.key)
        if here is None:
            return False
        return bool((turn.response_text and not here.response_text) or (turn.input_text and not here.input_text))

    def _fill(self, prompt: Prompt, turn: TurnRecord, keys: dict[str, UUID]) -> None:
        prompt.parent_id = keys.get(turn.parent or "")
        prompt.input_text = prompt.input_text or turn.input_text
        prompt.response_text = prompt.response_text or turn.response_text
        prompt.system_prompt = turn.system_prompt
        prompt.status, prompt.error_message = turn.status, turn.error
        prompt.provider, prompt.model = self.record.source, prompt.model or turn.model
        prompt.input_tokens, prompt.output_tokens = turn.input_tokens, turn.output_tokens
        prompt.finish_reason, prompt.feedback = turn.finish_reason, turn.feedback
        prompt.created_at = turn.created_at or self.record.created_at or timezone.now()
        prompt.completed_at = turn.completed_at
        for name, value in turn.columns.items():
            setattr(prompt, name, value)
        if IMPORTED not in prompt.metadata:
            kept = {"key": turn.key, "messages": turn.messages} if turn.messages else {"key": turn.key}
            prompt.metadata = {**prompt.metadata, IMPORTED: kept}

    def _mark_attempts(self, made: list[Prompt]) -> None:
        """Several first questions are attempts at one: the way through a thread goes by these marks."""
        roots = [prompt for prompt in made if prompt.parent_id is None]
        elders = [prompt for prompt in self.known.values() if prompt.parent_id is None]
        first = elders[0] if elders else roots[0] if roots else None
        others = [prompt for prompt in roots if prompt is not first]
        if first is None or not others:
            return
        for prompt in others:
            prompt.metadata["attempt_of"] = str(first.pk)
        first.metadata["attempts"] = [*first.metadata.get("attempts", []), *(str(prompt.pk) for prompt in others)]
        if elders:
            first.save(update_fields=["metadata"])


_FILLED = (
    "input_text",
    "response_text",
    "system_prompt",
    "status",
    "error_message",
    "provider",
    "model",
    "input_tokens",
    "output_tokens",
    "finish_reason",
    "feedback",
    "created_at",
    "completed_at",
)


def _told(prompt: Prompt) -> dict[str, Any]:
    facts = ("input_text", "status", "model")
    return {name: [None, str(getattr(prompt, name))[:1000]] for name in facts if getattr(prompt, name)}
