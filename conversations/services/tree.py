"""Interactions held in memory, and which stands before which."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID


class Node(NamedTuple):
    pk: UUID
    parent: UUID | None
    attempt_of: UUID | None


class Tree:
    """Some interactions in the order they were made, by the rules of `path`. `before` is None where none is known."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.pks = [node.pk for node in nodes]
        self.before = {node.pk: self._before(node, place) for place, node in enumerate(nodes)}
        self.after: dict[UUID | None, list[UUID]] = {}
        for pk, before in self.before.items():
            self.after.setdefault(before, []).append(pk)

    def __contains__(self, pk: UUID | None) -> bool:
        return pk in self.before

    def place(self, pk: UUID) -> int:
        """How many of these interactions were made before it."""
        return bisect_left(self.pks, pk)

    def way_up(self, end: UUID) -> list[UUID]:
        """From the first to `end`."""
        way: list[UUID] = []
        here: UUID | None = end
        while here is not None:
            way.append(here)
            here = self.before[here]
        return way[::-1]

    def way_down(self, start: UUID, toward: UUID | None = None) -> Iterator[UUID]:
        """What follows `start`: at each parting the way to `toward`, where it is on neither the newest."""
        wanted = set(self.way_up(toward)) if toward is not None and toward in self else set()
        here = start
        while followers := self.after.get(here):
            here = next((pk for pk in followers if pk in wanted), followers[-1])
            yield here

    def _before(self, node: Node, place: int) -> UUID | None:
        """What is in the trash is stepped over, so it is the last one that is not newer than the parent."""
        if node.parent:
            place = min(bisect_right(self.pks, node.parent), place)
        elif node.attempt_of:
            place = min(bisect_left(self.pks, node.attempt_of), place)
        return self.pks[place - 1] if place else None
