"""A conversation as it is read: a window of turns on one way through its tree."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Prefetch
from django.utils import timezone

from conversations.models import Conversation, Prompt, PromptComment
from conversations.services.finishing import UNFINISHED
from conversations.services.path import path_down, path_end, ranked_path_up, siblings_of
from conversations.services.sweeping import patience

WINDOW = 30
AFTER = 15
END = 10
"""Of a thread that is longer than a window so many are shown at first: it opens as quickly as a short one."""

UNREAD = [f"template_version__{name}" for name in ("system_prompt", "body", "examples", "parameters")]
"""Long texts of a template that a turn does not show."""


class Sibling(NamedTuple):
    """Another answer to a question, by its place among them all."""

    pk: UUID
    place: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One interaction and its place. `number`: it was the how-manieth of the conversation to be asked, on whatever
    branch; `siblings`: all answers to the question; `is_new`: the first since the last visit."""

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
    def others(self) -> list["Sibling"]:
        """The versions next to it, to compare it with."""
        near = {self.previous_sibling, self.next_sibling}
        return [Sibling(pk, place) for place, pk in enumerate(self.siblings, start=1) if pk in near]

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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader is. Around `at`; or what leads up to `before`; or what follows `after`; or up to `upto` alone.

    None of them is the end of the way through `leaf`, by default the newest way. `leaf` also says which way to take
    where ways part below.
    """

    at: UUID | None = None
    before: UUID | None = None
    after: UUID | None = None
    upto: UUID | None = None
    leaf: UUID | None = None


def load_window(
    conversation: Conversation, *, read_at: datetime | None = None, reader: Any = None, **where: UUID | None
) -> Window:
    """At most 30 turns, at the end of a longer thread 10. `where` is what a `Place` has; what is not here is ignored.

    Costs the same in a conversation of ten and of ten thousand: four to six queries. Only a `leaf` that others have
    left behind costs what came since, keys alone.
    """
    span = _span(conversation, Place(**where))
    shown = list(span.numbers)
    prompts = load_prompts(shown)
    new = _first_new(prompts, read_at, reader)
    siblings = siblings_of(prompts)
    turns = [Turn(each, span.numbers[each.pk], siblings[each.pk], is_new=each.pk == new) for each in prompts]
    return Window(turns, shown[0] if span.has_earlier else None, shown[-1] if span.has_later and shown else None)


@dataclass(frozen=True, slots=True)
class _Span:
    """The interactions that are shown, with their numbers."""

    numbers: dict[UUID, int]
    has_earlier: bool
    has_later: bool


def _span(conversation: Conversation, place: Place) -> _Span:
    wanted = [pk for pk in (place.at, place.before, place.after, place.upto) if pk]
    known = set(conversation.prompts.filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()
    if place.after in known and (following := _following(conversation, place.after, place.leaf)):
        return following
    around = next((pk for pk in (place.at, place.after) if pk in known), None)
    if around is not None:
        number = _number(conversation, around)
        after = path_down(conversation.pk, start=around, limit=AFTER + 1, toward=place.leaf)
        below = {pk: number + offset for pk, offset in list(after.items())[:AFTER]}
        above = _leading_to(conversation, around, number, room=WINDOW - len(below))
        return _Span(above.numbers | below, above.has_earlier, len(after) > AFTER)
    if place.before in known:
        above = _leading_to(conversation, place.before, _number(conversation, place.before), room=WINDOW + 1)
        above.numbers.pop(place.before)
        return _Span(above.numbers, above.has_earlier, has_later=True)
    if place.upto in known:
        return _leading_to(conversation, place.upto, _number(conversation, place.upto), room=WINDOW)
    end = path_end(conversation.pk, start=place.leaf)
    number = conversation.prompt_count - (end.newer if end else 0)
    span = _leading_to(conversation, end.pk if end else None, number, room=WINDOW)
    return _Span(dict(list(span.numbers.items())[-END:]), True, False) if span.has_earlier else span


def _leading_to(conversation: Conversation, end: UUID | None, number: int, *, room: int) -> _Span:
    """The last `room` interactions up to `end`, which has this number."""
    path = ranked_path_up(conversation.pk, end=end, limit=room + 1)
    numbers = {pk: number - newer for pk, newer in list(path.items())[-room:]}
    return _Span(numbers, has_earlier=len(path) > room, has_later=False)


def _following(conversation: Conversation, start: UUID | None, leaf: UUID | None) -> _Span | None:
    if start is None:
        return None
    path = path_down(conversation.pk, start=start, limit=WINDOW + 1, toward=leaf)
    number = _number(conversation, start)
    numbers = {pk: number + offset for pk, offset in list(path.items())[:WINDOW]}
    return _Span(numbers, has_earlier=True, has_later=len(path) > WINDOW) if numbers else None


def _number(conversation: Conversation, pk: UUID | None) -> int:
    return conversation.prompts.filter(pk__lte=pk).count()


def load_turn(prompt: Prompt) -> Turn:
    """One turn alone, for the fragment that replaces it."""
    loaded = load_prompts([prompt.pk])[0]
    number = Prompt.objects.filter(conversation=prompt.conversation_id, pk__lte=prompt.pk).count()
    return Turn(loaded, number, siblings_of([loaded])[loaded.pk])


def load_prompts(pks: list[UUID]) -> list[Prompt]:
    """In this order, with all that a turn shows; two queries."""
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
