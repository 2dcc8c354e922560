"""Interactions held in memory, and which stands before which."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID


class Node(NamedTuple):
    pk: UUID
    parent: UUID | None
    attempt_of: UUID | None
    is_gone: bool = False


class Tree:
    """Some interactions in the order they were made, by the rules of `path`. `before` is None where none is known.

    Those in the trash say what stands before those that followed them, and are no part of it themselves.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._all = [node.pk for node in nodes]
        gone = {node.pk for node in nodes if node.is_gone}
        above: dict[UUID, UUID | None] = {}
        for place, node in enumerate(nodes):
            before = self._before(node, place)
            above[node.pk] = above[before] if before in gone else before
        self.pks = [pk for pk in self._all if pk not in gone]
        self.before = {pk: above[pk] for pk in self.pks}
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

    def below(self, start: UUID) -> list[UUID]:
        """`start` and all that follows it on any way, in the order they were made."""
        found, waiting = [], [start]
        while waiting:
            here = waiting.pop()
            found.append(here)
            waiting += self.after.get(here, [])
        return sorted(found)

    def _before(self, node: Node, place: int) -> UUID | None:
        """What is gone for good is stepped over, so it is the last one that is not newer than the parent."""
        if node.parent:
            place = min(bisect_right(self._all, node.parent), place)
        elif node.attempt_of:
            place = min(bisect_left(self._all, node.attempt_of), place)
        return self._all[place - 1] if place else None
