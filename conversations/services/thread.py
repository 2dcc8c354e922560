"""A conversation as it is read: a window of turns on one way through its tree."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Prefetch

from conversations.models import Conversation, Prompt, PromptComment
from conversations.services.path import path_down, path_up, siblings_of

WINDOW = 30
AFTER = 15


@dataclass(frozen=True, slots=True)
class Turn:
    """One interaction and its place. `siblings`: all answers to the question; `is_new`: first since the last visit."""

    prompt: Prompt
    number: int
    siblings: list[UUID]
    is_new: bool = False

    @property
    def place(self) -> int:
        return self.siblings.index(self.prompt.pk) + 1

    @property
    def previous_sibling(self) -> UUID | None:
        return self.siblings[self.place - 2] if self.place > 1 else None

    @property
    def next_sibling(self) -> UUID | None:
        return self.siblings[self.place] if self.place < len(self.siblings) else None


@dataclass(frozen=True, slots=True)
class Window:
    """Turns in order. `earlier` and `later` are the interactions to go on from, None at the beginning and the end."""

    turns: list[Turn] = field(default_factory=list)
    earlier: UUID | None = None
    later: UUID | None = None

    @property
    def leaf(self) -> Prompt | None:
        """The last interaction shown: the next question follows it."""
        return self.turns[-1].prompt if self.turns else None

    @property
    def is_unfinished(self) -> bool:
        waiting = (Prompt.Status.PENDING, Prompt.Status.STREAMING)
        return any(turn.prompt.status in waiting for turn in self.turns)


def load_window(
    conversation: Conversation,
    *,
    at: UUID | None = None,
    before: UUID | None = None,
    read_at: datetime | None = None,
    reader: Any = None,
) -> Window:
    """The newest 30 turns; with `at`, turns around that interaction; with `before`, the turns that lead up to it.

    Costs the same in a conversation of ten and of ten thousand: four or five queries. An `at` or `before` that is not
    in the conversation is ignored.
    """
    known = set(conversation.prompts.filter(pk__in=[pk for pk in (at, before) if pk]).values_list("pk", flat=True))
    after: list[UUID] = []
    if at in known and at:
        after = path_down(conversation.pk, start=at, limit=AFTER + 1)
        path = path_up(conversation.pk, end=at, limit=WINDOW - min(len(after), AFTER) + 1)
    elif before in known and before:
        path = path_up(conversation.pk, end=before, limit=WINDOW + 2)[:-1]
        after = [before]
    else:
        path = path_up(conversation.pk, limit=WINDOW + 1)
    room = WINDOW - (min(len(after), AFTER) if at in known else 0)
    has_earlier = len(path) > room
    shown = path[-room:] + (after[:AFTER] if at in known else [])
    has_later = bool(after[AFTER:]) if at in known else bool(after)
    turns = _turns(conversation, shown, starts=not has_earlier, read_at=read_at, reader=reader)
    return Window(turns, shown[0] if has_earlier else None, shown[-1] if has_later and shown else None)


def load_turn(prompt: Prompt) -> Turn:
    """One turn alone, for the fragment that replaces it."""
    loaded = _load([prompt.pk])[0]
    number = Prompt.objects.filter(conversation=prompt.conversation_id, pk__lte=prompt.pk).count()
    return Turn(loaded, number, siblings_of([loaded])[loaded.pk])


def _turns(
    conversation: Conversation, path: list[UUID], *, starts: bool, read_at: datetime | None, reader: Any
) -> list[Turn]:
    prompts = _load(path)
    siblings = siblings_of(prompts)
    first = 1 if starts or not prompts else conversation.prompts.filter(pk__lte=prompts[0].pk).count()
    new = _first_new(prompts, read_at, reader)
    return [
        Turn(prompt, number, siblings[prompt.pk], is_new=prompt.pk == new)
        for number, prompt in enumerate(prompts, start=first)
    ]


def _load(pks: list[UUID]) -> list[Prompt]:
    comments = PromptComment.objects.select_related("author")
    found = (
        Prompt.objects.filter(pk__in=pks)
        .select_related("author", "ai_model", "template_version__template")
        .prefetch_related(Prefetch("comments", queryset=comments))
    )
    by_id = {prompt.pk: prompt for prompt in found}
    return [by_id[pk] for pk in pks if pk in by_id]


def _first_new(prompts: list[Prompt], read_at: datetime | None, reader: Any) -> UUID | None:
    """The first interaction by somebody else since the last visit, unless all that is shown is new."""
    if read_at is None or not prompts or prompts[0].created_at > read_at:
        return None
    fresh = (prompt for prompt in prompts if prompt.created_at > read_at)
    return next((prompt.pk for prompt in fresh if prompt.author_id != getattr(reader, "pk", None)), None)
