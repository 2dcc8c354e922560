"""The way through a conversation's tree: which interactions stand above and below one.

`parent` names the interaction before. One without a parent (an imported one, the first) follows the one that was made
before it; other answers to a question without a parent name its first attempt in `metadata["attempt_of"]`, and the
first attempt names them in `metadata["attempts"]`. What is in the trash is stepped over: what followed it follows what
stood before it.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from conversations.models import Prompt
from conversations.services.tree import Node, Tree
from promptlib.core.ids import as_uuid

CHUNK = 100
BRANCHES = 10
"""So many interactions of other ways are expected among those of a window."""

LOOK_AHEAD = 500


class End(NamedTuple):
    """The end of a way, and how many interactions of other ways are newer."""

    pk: UUID
    newer: int


def path_up(conversation_id: UUID, *, end: UUID | None = None, limit: int) -> list[UUID]:
    """At most `limit` interactions, oldest first, the last of them `end` (by default the newest of all).

    One query per hundred interactions passed; with few branches, one.
    """
    return list(ranked_path_up(conversation_id, end=end, limit=limit))


def ranked_path_up(conversation_id: UUID, *, end: UUID | None = None, limit: int) -> dict[UUID, int]:
    """As `path_up`, with how many interactions of any branch come after each, up to `end`."""
    path: list[tuple[UUID, int]] = []
    ceiling, inclusive = end, True
    passed = 0
    for node in _newest_first(conversation_id, end, limit + BRANCHES):
        passed += not node.is_gone
        if ceiling is not None and (node.pk > ceiling or (node.pk == ceiling and not inclusive)):
            continue
        if not node.is_gone:
            path.append((node.pk, passed - 1))
        elif ceiling is None:
            continue
        if len(path) == limit:
            break
        ceiling, inclusive = (node.parent, True) if node.parent else (node.attempt_of or node.pk, False)
    return dict(reversed(path))


def path_down(conversation_id: UUID, *, start: UUID, limit: int, toward: UUID | None = None) -> dict[UUID, int]:
    """At most `limit` interactions after `start`, with how many of any branch lie between, itself counted. One query.

    Each is the newest that follows the one before, or the one that leads to `toward`.
    """
    tree = Tree([_node(row) for row in _nodes(conversation_id).filter(pk__gte=start).order_by("pk")[:LOOK_AHEAD]])
    return {pk: tree.place(pk) for pk in islice(tree.way_down(start, toward), limit)}


def path_end(conversation_id: UUID, *, start: UUID | None, toward: UUID | None = None) -> End | None:
    """Where the way through `start` ends, None if it is not in the conversation. One query, of all that is newer."""
    if start is None:
        return None
    tree = Tree([_node(row) for row in _nodes(conversation_id).filter(pk__gte=start).order_by("pk")])
    if start not in tree:
        return None
    *_way, end = start, *tree.way_down(start, toward)
    return End(end, len(tree.pks) - 1 - tree.place(end))


def whole_tree(conversation_id: UUID) -> Tree:
    """All interactions. One query, of keys alone."""
    return Tree([_node(row) for row in _nodes(conversation_id).order_by("pk")])


def siblings_of(prompts: list[Prompt]) -> dict[UUID, list[UUID]]:
    """For each of these interactions all answers to the same question, itself among them, oldest first.

    One query; another where something is in the trash; two more where a first question was asked again. What followed
    an interaction that is in the trash
    stands beside what follows the one before that.
    """
    families = _families(prompts)
    attempts = _attempts([prompt for prompt in prompts if not prompt.parent_id])
    return {prompt.pk: families.get(prompt.pk) or attempts.get(prompt.pk) or [prompt.pk] for prompt in prompts}


def _families(prompts: list[Prompt]) -> dict[UUID, list[UUID]]:
    parents = {prompt.parent_id for prompt in prompts if prompt.parent_id}
    if not parents:
        return {}
    columns = ("parent", "pk", "deleted_at")
    gone = Prompt.all_objects.filter(conversation__in={prompt.conversation_id for prompt in prompts})
    known = Prompt.objects.filter(parent__in=parents).values_list(*columns)
    known = known.union(gone.filter(deleted_at__isnull=False).values_list(*columns), all=True)
    rows = sorted(known, key=lambda row: row[1])
    above = _lifted((parent, pk) for parent, pk, deleted_at in rows if deleted_at)
    if above:
        wanted = {above.get(parent, parent) for parent in parents}
        wanted |= {pk for pk, living in above.items() if living in wanted}
        rows = list(Prompt.objects.filter(parent__in=wanted).order_by("pk").values_list(*columns))
    families: dict[UUID, list[UUID]] = {}
    for parent, pk, deleted_at in rows:
        if not deleted_at:
            families.setdefault(above.get(parent, parent), []).append(pk)
    return {each.pk: families[above.get(each.parent_id, each.parent_id)] for each in prompts if each.parent_id}


def _lifted(gone: Iterable[tuple[UUID | None, UUID]]) -> dict[UUID, UUID]:
    """For each interaction in the trash the nearest one above it that is not; for the first of a way itself."""
    above: dict[UUID, UUID] = {}
    for parent, pk in gone:
        above[pk] = above.get(parent, parent) if parent else pk
    return above


def _attempts(prompts: list[Prompt]) -> dict[UUID, list[UUID]]:
    metadata = {prompt.pk: prompt.metadata for prompt in prompts}
    firsts = {pk: as_uuid(known.get("attempt_of")) or pk for pk, known in metadata.items()}
    if missing := set(firsts.values()) - set(metadata):
        metadata |= dict(Prompt.all_objects.filter(pk__in=missing).values_list("pk", "metadata"))
    others = {first: _family(first, metadata.get(first, {})) for first in firsts.values()}
    named = {pk for family in others.values() if len(family) > 1 for pk in family}
    alive = set(Prompt.objects.filter(pk__in=named).values_list("pk", flat=True)) if named else set()
    return {pk: sorted({pk} | (others[first] & alive)) for pk, first in firsts.items()}


def _family(first: UUID, metadata: dict[str, Any]) -> set[UUID]:
    return {first} | {pk for value in metadata.get("attempts", []) if (pk := as_uuid(value))}


def _newest_first(conversation_id: UUID, end: UUID | None, expected: int) -> Iterator[Node]:
    rows = _nodes(conversation_id).order_by("-pk")
    size = min(expected, CHUNK)
    chunk = list((rows.filter(pk__lte=end) if end else rows)[:size])
    while chunk:
        yield from map(_node, chunk)
        chunk = list(rows.filter(pk__lt=chunk[-1][0])[:CHUNK]) if len(chunk) == size else []
        size = CHUNK


def _nodes(conversation_id: UUID) -> Any:
    rows = Prompt.all_objects.filter(conversation=conversation_id)
    return rows.values_list("pk", "parent", "metadata__attempt_of", "deleted_at")


def _node(row: tuple[UUID, UUID | None, str | None, Any]) -> Node:
    return Node(row[0], row[1], as_uuid(row[2]), row[3] is not None)
