"""Three-way merges of what two people made of one thing: texts by lines and the words in them, JSON by its keys.

Of each stretch that only one side changed, the change is taken. Where both changed the same words differently, that
is a conflict: `mine` stands until somebody chooses otherwise, and nothing of either side is thrown away.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.utils.translation import gettext as _

from promptlib.core.wordwise import WORD, WORD_PAIRS_MAX, Line, are_alike, compare, match_pieces

Choice = Literal["mine", "theirs", "both", "own"]
CHOICES: tuple[Choice, ...] = ("mine", "theirs", "both", "own")

PIECES_MAX = 4_000
"""Lines or words of both sides together beyond which comparing takes too long: then the whole is one conflict."""

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
    label: str = ""
    is_text: bool = False
    """Only texts can be taken both, or written anew."""

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


def posted_choices(data: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """What `components/conflicts.html` posts: which side to take per conflict, and what was written instead."""
    found: dict[str, dict[str, str]] = {"choices": {}, "texts": {}}
    for name, value in data.items():
        kind, _dash, key = name.partition("-")
        if key and kind in ("choice", "text"):
            found[f"{kind}s"][key] = str(value).replace("\r\n", "\n").replace("\0", "")
    return {"choices": found["choices"], "texts": found["texts"]}


def shown(value: Any) -> str:
    """A value of JSON as text; nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class Merger:
    """Merges one field after the other into `merge`.

    `choices` says for a conflict's key which side to take; what it does not name, or names wrongly, is "mine". For
    "own" (of a text) it is what `texts` has under that key.
    """

    def __init__(self, choices: Mapping[str, str], texts: Mapping[str, str]) -> None:
        self.choices = choices
        self.texts = texts
        self.merge = Merge()

    def label(self, field_name: str) -> str:
        """What a page calls the field of a conflict."""
        return field_name

    def shown(self, field_name: str, value: Any) -> str:
        """How a page writes the value of a field that can only be taken whole."""
        return shown(value)

    def field(self, name: str, base: Any, mine: Any, theirs: Any, *, is_text: bool = False) -> Any:
        """The merged value: of texts by words, of JSON objects by key, of anything else one side or the other."""
        self.merge.content[name] = merged = self._merged(name, base, mine, theirs, is_text)
        return merged

    def _merged(self, name: str, base: Any, mine: Any, theirs: Any, is_text: bool) -> Any:
        if mine == theirs or theirs == base:
            return mine
        if mine == base:
            return theirs
        if is_text:
            return self.text(name, str(base or ""), str(mine or ""), str(theirs or ""))
        if all(isinstance(side, dict) for side in (base, mine, theirs)):
            return self.mapping(name, base, mine, theirs)
        return self.choose(name, name, base, mine, theirs)

    def choose(self, key: str, field_name: str, base: Any, mine: Any, theirs: Any) -> Any:
        """A conflict of things that can only be taken whole."""
        chosen: Choice = "theirs" if self.choices.get(key) == "theirs" else "mine"
        old, ours, others = (self.shown(field_name, side) for side in (base, mine, theirs))
        conflict = Conflict(key, field_name, old, ours, others, chosen, label=self.label(field_name))
        self.merge.conflicts.append(conflict)
        return theirs if chosen == "theirs" else mine

    def text(self, name: str, base: str, mine: str, theirs: str) -> str:
        sides = (base.splitlines(keepends=True), mine.splitlines(keepends=True), theirs.splitlines(keepends=True))
        parts: list[str] = []
        count = 0
        for stretch in regions(*sides):
            for piece in [stretch] if isinstance(stretch, str) else _refined(stretch):
                if isinstance(piece, str):
                    parts.append(piece)
                else:
                    parts.append(self._conflict(f"{name}-{count}", name, *piece))
                    count += 1
        return "".join(parts)

    def mapping(self, prefix: str, base: Any, mine: Any, theirs: Any) -> dict[str, Any]:
        merged = {}
        for key in dict.fromkeys([*mine, *theirs]):
            old, our, other = base.get(key), mine.get(key), theirs.get(key)
            value = our if our == other or other == old else other if our == old else None
            if value is None and our != other and old not in (our, other):
                value = self.choose(f"{prefix}-{key}", f"{prefix}-{key}", old, our, other)
            if value is not None:
                merged[key] = value
        return merged

    def _conflict(self, key: str, name: str, base: str, mine: str, theirs: str) -> str:
        wanted = self.choices.get(key)
        chosen: Choice = next((choice for choice in CHOICES if choice == wanted), "mine")
        both = f"{mine}{'' if mine.endswith(chr(10)) or not mine or not theirs else chr(10)}{theirs}"
        own = self.texts.get(key, both)
        self.merge.conflicts.append(
            Conflict(key, name, base, mine, theirs, chosen, own, label=self.label(name), is_text=True)
        )
        match chosen:
            case "both":
                return both
            case "own":  # what follows begins on a line of its own, as it did
                is_cut = own and not own.endswith("\n") and mine.endswith("\n") and theirs.endswith("\n")
                return f"{own}\n" if is_cut else own
        return theirs if chosen == "theirs" else mine


def regions(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> Iterator[str | tuple[str, str, str]]:
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
        pieces = list(regions(*words)) if sum(map(len, words)) <= PIECES_MAX else [each]
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
