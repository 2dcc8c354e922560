"""From a tree of messages to interactions: a question, and the way of messages that answers it.

An interaction begins at a message of the person and goes on to where the next question begins, or the way ends. Where
ways part in between (an answer regenerated, a question edited), each way is an interaction of its own: siblings under
one parent. What came before the first question (a system message, a greeting) belongs to it. So each message of the
source is in at least one interaction, under its own id.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from conversations.importers.threads import ASSISTANT, SYSTEM, Message, Thread
from templates_app.importers.records import clean_text, cut, short_hash, storable

TITLE_MAX_LENGTH = 300
SOURCE_ID_MAX_LENGTH = 200


@dataclass(slots=True)
class TurnRecord:
    """One interaction. `key` names it within its conversation: the id of the last message on its way.

    `parent` is the key of the interaction it follows. `messages` are those of its way, in order, as they are kept in
    its metadata. `is_on_path`: on the way that was shown last.
    """

    key: str
    parent: str | None
    input_text: str
    response_text: str
    system_prompt: str = ""
    status: str = "recorded"
    error: str = ""
    model: str = ""
    created_at: datetime | None = None
    completed_at: datetime | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    finish_reason: str = ""
    feedback: int | None = None
    is_on_path: bool = False
    messages: list[dict[str, Any]] = field(default_factory=list)
    columns: dict[str, Any] = field(default_factory=dict)
    """What else the interaction's row holds, by column, where the source says it."""
    comments: list[tuple[str, datetime | None]] = field(default_factory=list)


@dataclass(slots=True)
class ConversationRecord:
    """One conversation, ready to be stored: texts cleaned, lengths within their columns, parents before children."""

    place: str
    source: str
    source_id: str
    title: str
    summary: str = ""
    system_prompt: str = ""
    model: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    is_archived: bool = False
    is_pinned: bool = False
    tags: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    turns: list[TurnRecord] = field(default_factory=list)

    @property
    def message_ids(self) -> set[str]:
        return {message["id"] for turn in self.turns for message in turn.messages}


def assemble(thread: Thread) -> ConversationRecord:
    """Interactions in an order in which a parent stands before its children, and the way shown last stands last."""
    tree = _Tree(thread)
    turns = list(tree.turns())
    systems = [message.text for message in tree.ordered if message.role == SYSTEM and message.text.strip()]
    asked = next((turn.input_text for turn in turns if turn.input_text.strip()), "")
    system_prompt = str(thread.parameters.pop("system_prompt", "")) or (systems[0] if systems else "")
    times = [message.at for message in tree.ordered if message.at]
    return ConversationRecord(
        thread.place,
        thread.source,
        _source_id(thread, tree.ordered),
        cut(clean_text(thread.title), TITLE_MAX_LENGTH) or cut(clean_text(asked), 80) or _("Untitled conversation"),
        summary=clean_text(thread.summary).strip(),
        system_prompt=clean_text(system_prompt),
        model=thread.model[:120],
        created_at=thread.created_at or (min(times) if times else None),
        updated_at=thread.updated_at or (max(times) if times else None),
        is_archived=thread.is_archived,
        is_pinned=thread.is_pinned,
        tags=tuple(dict.fromkeys(cut(clean_text(tag), 60) for tag in thread.tags if tag.strip())),
        parameters=storable(thread.parameters),
        metadata=storable(thread.extra),
        turns=turns,
    )


class _Tree:
    def __init__(self, thread: Thread) -> None:
        self.thread = thread
        self.by_id: dict[str, Message] = {}
        for message in thread.messages:
            self.by_id.setdefault(message.id, message)
        self.children: dict[str | None, list[Message]] = {}
        for message in self.by_id.values():
            self.children.setdefault(self._parent(message), []).append(message)
        self.ordered = list(self._walk())
        self.path = self._shown_path()

    def turns(self) -> Iterator[TurnRecord]:
        """Depth first; of several ways the one that was shown last comes last."""
        waiting: list[tuple[list[Message], str | None]] = [([root], None) for root in self._stacked(None)]
        while waiting:
            way, parent = waiting.pop()
            here = way[-1]
            followers = self._stacked(here.id)
            questions = [message for message in followers if message.is_question]
            answers = [message for message in followers if not message.is_question]
            ends_here = bool(questions) or not followers
            if ends_here and self._is_preamble(way) and followers:
                waiting += [([*way, question], parent) for question in questions]
            elif ends_here:
                yield self._turn(way, parent)
                waiting += [([question], here.id) for question in questions]
            waiting += [([*way, answer], parent) for answer in answers]

    def _turn(self, way: list[Message], parent: str | None) -> TurnRecord:
        asked = [message for message in way if message.is_question and message.text]
        said = [message for message in way if message.role == ASSISTANT and message.is_shown and message.text]
        last = next((message for message in reversed(way) if message.role == ASSISTANT), way[-1])
        times = [message.at for message in way if message.at]
        answered = [message.ended_at or message.at for message in said if message.at]
        systems = [message.text for message in way if message.role == SYSTEM and message.text.strip()]
        error = next((message.error for message in way if message.error), "")
        judged = next((message for message in reversed(way) if message.feedback), None)
        return TurnRecord(
            way[-1].id,
            parent,
            clean_text("\n\n".join(message.text for message in asked)),
            clean_text("" if error else "\n\n".join(message.text for message in said)),
            system_prompt=clean_text("\n\n".join(systems)),
            status="failed" if error else "interrupted" if last.is_cut_off and not said else "recorded",
            error=clean_text(error),
            model=next((message.model for message in reversed(way) if message.model), "")[:120],
            created_at=times[0] if times else self.thread.created_at,
            completed_at=answered[-1] if answered else None,
            input_tokens=_sum(message.input_tokens for message in way),
            output_tokens=_sum(message.output_tokens for message in way),
            finish_reason=next((message.finish_reason for message in reversed(way) if message.finish_reason), "")[:64],
            feedback=judged.feedback if judged else None,
            is_on_path=way[-1].id in self.path,
            messages=[_kept(message) for message in way],
            columns={"feedback_note": clean_text(judged.feedback_note)} if judged and judged.feedback_note else {},
        )

    def _is_preamble(self, way: list[Message]) -> bool:
        """What stands before the first question and shows nothing."""
        return not any(message.is_question or (message.is_shown and message.text) for message in way)

    def _parent(self, message: Message) -> str | None:
        """None for a message whose parent is missing or itself, and where parents go round in a circle."""
        parent = message.parent
        if parent not in self.by_id:
            return None
        seen = {message.id}
        while parent in self.by_id and parent is not None:
            if parent in seen:
                return None if message.id == min(seen) else message.parent
            seen.add(parent)
            parent = self.by_id[parent].parent
        return message.parent

    def _walk(self) -> Iterator[Message]:
        waiting = list(reversed(self.children.get(None, [])))
        while waiting:
            message = waiting.pop()
            yield message
            waiting += reversed(self.children.get(message.id, []))

    def _shown_path(self) -> set[str]:
        """From the source's leaf, or from the newest message that nothing follows, up to the root."""
        leaf = self.thread.leaf if self.thread.leaf in self.by_id else None
        if leaf is None and self.ordered:
            ends = [message for message in self.ordered if message.id not in self.children]
            leaf = max(enumerate(ends), key=lambda each: (each[1].at.timestamp() if each[1].at else 0, each[0]))[1].id
        path: set[str] = set()
        while leaf is not None and leaf not in path:
            path.add(leaf)
            leaf = self._parent(self.by_id[leaf])
        return path

    def _stacked(self, key: str | None) -> list[Message]:
        """The followers of a message, to be taken from the end of a stack: as they stand, the way shown last."""
        return sorted(self.children.get(key, []), key=lambda message: message.id in self.path)[::-1]


def _kept(message: Message) -> dict[str, Any]:
    """A message as an interaction's metadata keeps it: what says nothing is left out."""
    facts = {
        "id": message.id,
        "role": message.role,
        "kind": message.kind if message.kind != "text" else "",
        "text": message.text,
        "parent": message.parent or "",
        "name": message.name,
        "model": message.model,
        "at": message.at.isoformat() if message.at else "",
        "ended_at": message.ended_at.isoformat() if message.ended_at else "",
        "hidden": message.is_hidden,
        "attachments": message.attachments,
        "error": message.error,
        "extra": message.extra,
    }
    kept: dict[str, Any] = storable({key: value for key, value in facts.items() if value})
    return kept


def _source_id(thread: Thread, messages: list[Message]) -> str:
    """The id at the source; for a conversation without one, one made of its first message."""
    known = clean_text(thread.source_id).strip()
    if not known:
        first = messages[0] if messages else None
        made_of = (thread.title, str(thread.created_at), first.id if first else "", first.text if first else "")
        return f"#{short_hash(chr(31).join(made_of))}"
    if len(known) <= SOURCE_ID_MAX_LENGTH:
        return known
    return f"{known[: SOURCE_ID_MAX_LENGTH - 12]} #{short_hash(known)}"


def _sum(counts: Iterator[int | None]) -> int | None:
    known = [number for number in counts if number is not None]
    return sum(known) if known else None
