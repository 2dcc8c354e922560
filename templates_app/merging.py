"""Three-way merges of what two people made of one text: by lines, by the words in them, and by fields of a version.

Of each stretch that only one side changed, the change is taken. Where both changed the same words differently, that
is a conflict: `mine` stands until somebody chooses otherwise, and nothing of either side is thrown away.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from templates_app.words import field_name, shown
from templates_app.wordwise import WORD, WORD_PAIRS_MAX, Line, are_alike, compare, match_pieces

Choice = Literal["mine", "theirs", "both", "own"]
CHOICES: tuple[Choice, ...] = ("mine", "theirs", "both", "own")

PIECES_MAX = 4_000
"""Lines or words of both sides together beyond which comparing takes too long: then the whole is one conflict."""

TEXTS = ("title", "summary", "system_prompt", "body")
_Run = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Both sides changed the same thing differently. `key` names it for a choice: "body-0", "variables-tone-label"."""

    key: str
    field: str
    base: str
    mine: str
    theirs: str
    chosen: Choice = "mine"
    own: str = ""
    """What somebody wrote instead of either side; both sides until then."""

    @property
    def is_text(self) -> bool:
        """Only texts can be taken both, or written anew."""
        return self.field in TEXTS

    @property
    def label(self) -> str:
        return field_name(self.field)

    @property
    def lines(self) -> list[Line]:
        """How theirs differs from mine, word by word."""
        return list(compare(self.mine.removesuffix("\n"), self.theirs.removesuffix("\n"), context=None))


@dataclass(slots=True)
class Merge:
    """The merged fields, and what needs a decision."""

    content: dict[str, Any] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not self.conflicts


def merge_fields(
    base: Mapping[str, Any],
    mine: Mapping[str, Any],
    theirs: Mapping[str, Any],
    choices: Mapping[str, str] | None = None,
    texts: Mapping[str, str] | None = None,
) -> Merge:
    """Merge the fields that `mine` has: texts by words, variables by name and key, parameters by key, tags as a set.

    `choices` says for a conflict's key which side to take; what it does not name, or names wrongly, is "mine". For
    "own" (of a text) it is what `texts` has under that key. `posted_choices` reads both from a form.
    """
    merger = _Merger(choices or {}, texts or {})
    for name, value in mine.items():
        merger.field(name, base.get(name, value), value, theirs.get(name, value))
    return merger.merge


def posted_choices(data: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """What `_conflicts.html` posts, as the last two arguments of `merge_fields`."""
    found: dict[str, dict[str, str]] = {"choices": {}, "texts": {}}
    for name, value in data.items():
        kind, _dash, key = name.partition("-")
        if key and kind in ("choice", "text"):
            found[f"{kind}s"][key] = str(value).replace("\r\n", "\n").replace("\0", "")
    return {"choices": found["choices"], "texts": found["texts"]}


def merge_text(base: str, mine: str, theirs: str) -> str | None:
    """The merged text, or None where the two sides contradict each other."""
    merge = merge_fields({"body": base}, {"body": mine}, {"body": theirs})
    return str(merge.content["body"]) if merge.is_clean else None


class _Merger:
    def __init__(self, choices: Mapping[str, str], texts: Mapping[str, str]) -> None:
        self.choices = choices
        self.texts = texts
        self.merge = Merge()

    def field(self, name: str, base: Any, mine: Any, theirs: Any) -> None:
        self.merge.content[name] = self._merged(name, base, mine, theirs)

    def _merged(self, name: str, base: Any, mine: Any, theirs: Any) -> Any:
        if mine == theirs or theirs == base:
            return mine
        if mine == base:
            return theirs
        match name:
            case "variables":
                return self._variables(base, mine, theirs)
            case "parameters":
                return self._mapping(name, base, mine, theirs)
            case "examples":
                return self._examples(base, mine, theirs)
            case "tags":
                return [
                    *(tag for tag in mine if tag in theirs or tag not in base),
                    *(t for t in theirs if t not in {*base, *mine}),
                ]
            case _ if name in TEXTS:
                return self._text(name, str(base), str(mine), str(theirs))
        return self._choose(name, name, base, mine, theirs)

    def _choose(self, key: str, field_name: str, base: Any, mine: Any, theirs: Any) -> Any:
        """A conflict of things that can only be taken whole."""
        chosen: Choice = "theirs" if self.choices.get(key) == "theirs" else "mine"
        self.merge.conflicts.append(Conflict(key, field_name, shown(base), shown(mine), shown(theirs), chosen))
        return theirs if chosen == "theirs" else mine

    # ---- texts ---------------------------------------------------------------

    def _text(self, name: str, base: str, mine: str, theirs: str) -> str:
        sides = (base.splitlines(keepends=True), mine.splitlines(keepends=True), theirs.splitlines(keepends=True))
        parts: list[str] = []
        count = 0
        for stretch in _regions(*sides):
            for piece in [stretch] if isinstance(stretch, str) else _refined(stretch):
                if isinstance(piece, str):
                    parts.append(piece)
                else:
                    parts.append(self._conflict(f"{name}-{count}", name, *piece))
                    count += 1
        return "".join(parts)

    def _conflict(self, key: str, name: str, base: str, mine: str, theirs: str) -> str:
        wanted = self.choices.get(key)
        chosen: Choice = next((choice for choice in CHOICES if choice == wanted), "mine")
        both = f"{mine}{'' if mine.endswith(chr(10)) or not mine or not theirs else chr(10)}{theirs}"
        own = self.texts.get(key, both)
        self.merge.conflicts.append(Conflict(key, name, base, mine, theirs, chosen, own))
        match chosen:
            case "both":
                return both
            case "own":  # what follows begins on a line of its own, as it did
                is_cut = own and not own.endswith("\n") and mine.endswith("\n") and theirs.endswith("\n")
                return f"{own}\n" if is_cut else own
        return theirs if chosen == "theirs" else mine

    # ---- structures ----------------------------------------------------------

    def _variables(self, base: Any, mine: Any, theirs: Any) -> list[dict[str, Any]]:
        """By name. A variable that one side dropped and the other left alone is gone; its text decides in the end."""
        olds, ours, others = ({each["name"]: each for each in side} for side in (base, mine, theirs))
        merged = []
        for name in dict.fromkeys([*ours, *others]):
            old, our, other = olds.get(name), ours.get(name), others.get(name)
            if our is None or other is None:
                kept = our or other
                if kept != old:
                    merged.append(dict(kept or {}))
                continue
            merged.append(self._mapping(f"variables-{name}", old or {}, our, other))
        return merged

    def _mapping(self, prefix: str, base: Any, mine: Any, theirs: Any) -> dict[str, Any]:
        merged = {}
        for key in dict.fromkeys([*mine, *theirs]):
            old, our, other = base.get(key), mine.get(key), theirs.get(key)
            value = our if our == other or other == old else other if our == old else None
            if value is None and our != other and old not in (our, other):
                value = self._choose(f"{prefix}-{key}", f"{prefix}-{key}", old, our, other)
            if value is not None:
                merged[key] = value
        return merged

    def _examples(self, base: Any, mine: Any, theirs: Any) -> list[Any]:
        sides = [[json.dumps(each, sort_keys=True) + "\n" for each in side] for side in (base, mine, theirs)]
        merged = list(_regions(*sides))
        if all(isinstance(each, str) for each in merged):
            return [json.loads(line) for line in "".join(map(str, merged)).splitlines()]
        chosen: list[Any] = self._choose("examples", "examples", base, mine, theirs)
        return chosen


def _regions(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> Iterator[str | tuple[str, str, str]]:
    """Merged stretches, and (base, mine, theirs) where both sides changed the same stretch differently."""
    at_base = at_mine = at_theirs = 0
    for base_from, mine_from, theirs_from, length in _common(base, mine, theirs):
        yield from _gap(base[at_base:base_from], mine[at_mine:mine_from], theirs[at_theirs:theirs_from])
        yield "".join(base[base_from : base_from + length])
        at_base, at_mine, at_theirs = base_from + length, mine_from + length, theirs_from + length
    yield from _gap(base[at_base:], mine[at_mine:], theirs[at_theirs:])


def _gap(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> Iterator[str | tuple[str, str, str]]:
    old, our, other = "".join(base), "".join(mine), "".join(theirs)
    if our in (other, old):
        yield other
    elif other == old:
        yield our
    else:
        yield old, our, other


def _refined(sides: tuple[str, str, str]) -> Iterator[str | tuple[str, str, str]]:
    """A stretch that both sides changed: line by line where each line became one line, then by the words in them.

    A contradiction is shown with its lines: words alone say too little.
    """
    lines = [side.splitlines(keepends=True) for side in sides]
    is_aligned = len({len(each) for each in lines}) == 1 and all(
        are_alike(old, our) and are_alike(old, other) for old, our, other in zip(*lines, strict=True)
    )
    for each in zip(*lines, strict=True) if is_aligned else [sides]:
        words = [WORD.findall(side) for side in each]
        pieces = list(_regions(*words)) if sum(map(len, words)) <= PIECES_MAX else [each]
        yield from pieces if all(isinstance(piece, str) for piece in pieces) else [each]


def _common(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> Iterator[_Run]:
    """Stretches that all three have: where they begin in each, and how long they are."""
    ours, others = _matches(base, mine), _matches(base, theirs)
    left = right = 0
    while left < len(ours) and right < len(others):
        (a_base, a_side, a_size), (b_base, b_side, b_size) = ours[left], others[right]
        start, end = max(a_base, b_base), min(a_base + a_size, b_base + b_size)
        if start < end:
            yield start, a_side + start - a_base, b_side + start - b_base, end - start
        if a_base + a_size < b_base + b_size:
            left += 1
        else:
            right += 1


def _matches(base: Sequence[str], side: Sequence[str]) -> list[tuple[int, int, int]]:
    head = next((i for i, (a, b) in enumerate(zip(base, side, strict=False)) if a != b), min(len(base), len(side)))
    if len(base) + len(side) - 2 * head > PIECES_MAX:
        return [(0, 0, head)]
    matcher = match_pieces(base[head:], side[head:], WORD_PAIRS_MAX)
    if matcher is None:
        return [(0, 0, head)]
    found = [(block.a + head, block.b + head, block.size) for block in matcher.get_matching_blocks() if block.size]
    return [(0, 0, head), *found]
