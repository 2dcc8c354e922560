"""Two ways through a thread, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from statistics import median
from uuid import UUID

from conversations.models import Conversation, Prompt
from conversations.services.path import whole_tree
from conversations.services.thread import load_prompts

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Way:
    """What stands on one way alone. `prompts` are its first 20, `end` its last; the numbers are of the whole way."""

    chosen: UUID
    prompts: list[Prompt]
    end: UUID
    interactions: int
    failed: int
    input_tokens: int
    output_tokens: int
    cost: Decimal
    currency: str
    median_ms: float | None

    @property
    def hidden(self) -> int:
        return self.interactions - len(self.prompts)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`ancestor` is the last interaction that both ways share, None where they part at once; `shared` how many."""

    ancestor: Prompt | None
    shared: int
    left: Way
    right: Way


def compare(conversation: Conversation, left: UUID, right: UUID) -> Comparison | None:
    """The ways through two interactions, each on to its end; None if one is not in the conversation. Seven queries."""
    tree = whole_tree(conversation.pk)
    if left not in tree or right not in tree:
        return None
    ways = [[*tree.way_up(pk), *tree.way_down(pk)] for pk in (left, right)]
    shared = next(
        (place for place, (one, other) in enumerate(zip(*ways, strict=False)) if one != other), min(map(len, ways))
    )
    ancestor = load_prompts(ways[0][shared - 1 : shared])[0] if shared else None
    return Comparison(ancestor, shared, *(_way(pk, way[shared:]) for pk, way in zip((left, right), ways, strict=True)))


def _way(chosen: UUID, way: Sequence[UUID]) -> Way:
    rows = _numbers(way)
    waits = [row[4] for row in rows if row[0] == Prompt.Status.COMPLETED and row[4] is not None and row[6] is None]
    return Way(
        chosen,
        load_prompts(list(islice(way, SHOWN))),
        way[-1] if way else chosen,
        len(way),
        sum(row[0] in (Prompt.Status.FAILED, Prompt.Status.INTERRUPTED) for row in rows),
        sum(row[1] or 0 for row in rows),
        sum(row[2] or 0 for row in rows),
        sum((row[3] or Decimal(0) for row in rows), Decimal(0)),
        next((row[5] for row in rows if row[5]), ""),
        median(waits) if waits else None,
    )


def _numbers(way: Sequence[UUID]) -> list[tuple]:
    """Of all of the way, in statements that SQLite takes."""
    columns = ("status", "input_tokens", "output_tokens", "cost", "latency_ms", "currency", "metadata__imported__key")
    return [
        row
        for start in range(0, len(way), 5_000)
        for row in Prompt.objects.filter(pk__in=way[start : start + 5_000]).values_list(*columns)
    ]
