"""A conversation as it is read: a window of turns on one way through its tree."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Prefetch
from django.utils import timezone

from conversations.models import Conversation, Prompt, PromptComment
from conversations.services.finishing import UNFINISHED
from conversations.services.path import path_down, ranked_path_up, siblings_of
from conversations.services.sweeping import patience

WINDOW = 30
AFTER = 15
UNREAD = [f"template_version__{name}" for name in ("system_prompt", "body", "examples", "parameters")]
"""Long texts of a template that a turn does not show."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One interaction and its place. `siblings`: all answers to the question; `is_new`: first since the last visit."""

    prompt: Prompt
    number: int
    siblings: list[UUID]
    is_new: bool = False

    @property
    def is_waiting(self) -> bool:
        """An answer is on its way."""
        return self.prompt.status in UNFINISHED and not self.is_lost

    @property
    def is_lost(self) -> bool:
        """Unfinished for so long that nobody can be writing it any more; the sweep will end it."""
        return self.prompt.status in UNFINISHED and self.prompt.updated_at < timezone.now() - patience()

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
    wanted = [pk for pk in (at, before) if pk]
    known = set(conversation.prompts.filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else ()
    after: list[UUID] = []
    room = WINDOW
    if at and at in known:
        after = path_down(conversation.pk, start=at, limit=AFTER + 1)
        room -= len(after[:AFTER])
        path = ranked_path_up(conversation.pk, end=at, limit=room + 1)
    elif before and before in known:
        path = ranked_path_up(conversation.pk, end=before, limit=room + 2)
        path.pop(before)
    else:
        path = ranked_path_up(conversation.pk, limit=room + 1)
    has_earlier = len(path) > room
    shown = list(path)[-room:] + after[:AFTER]
    has_later = bool(after[AFTER:]) if after else before in known
    prompts = _load(shown)
    first = 1
    if has_earlier and not known:
        first = conversation.prompt_count - path[shown[0]]
    elif has_earlier:
        first = conversation.prompts.filter(pk__lte=shown[0]).count()
    turns = _turns(prompts, first=first, new=_first_new(prompts, read_at, reader))
    return Window(turns, shown[0] if has_earlier else None, shown[-1] if has_later and shown else None)


def load_turn(prompt: Prompt) -> Turn:
    """One turn alone, for the fragment that replaces it."""
    loaded = _load([prompt.pk])[0]
    number = Prompt.objects.filter(conversation=prompt.conversation_id, pk__lte=prompt.pk).count()
    return Turn(loaded, number, siblings_of([loaded])[loaded.pk])


def _turns(prompts: list[Prompt], *, first: int, new: UUID | None) -> list[Turn]:
    siblings = siblings_of(prompts)
    return [
        Turn(prompt, number, siblings[prompt.pk], is_new=prompt.pk == new)
        for number, prompt in enumerate(prompts, start=first)
    ]


def _load(pks: list[UUID]) -> list[Prompt]:
    comments = PromptComment.objects.select_related("author")
    found = (
        Prompt.objects.filter(pk__in=pks)
        .select_related("author", "ai_model", "template_version__template")
        .defer(*UNREAD)
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
