"""Two texts compared line by line, and by the words in the lines that changed; quick whatever the texts hold."""

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from promptlib.core.placeholders import PLACEHOLDER

LINES_MAX, WORDS_MAX, ALLWORDS_MAX = 4_000, 1_500, 20_000
"""Beyond these (of a text, of a line, of all changed lines) comparing takes too long: whole stands against whole."""

LINE_PAIRS_MAX, WORD_PAIRS_MAX = 300_000, 60_000
"""The same, for texts that say the same few things over and over: equal lines, or words, of both sides in pairs."""

MATES_MAX = 2_500
"""So many pairs of lines are looked at; of more, the first belongs to the first, if there are as many."""

ALIKE = 0.4
"""Two lines that share less than this of their words are not a change of one another."""

ISLAND = 12
"""Equal words between two changes, no longer than this and than both, would only cut one change in pieces."""

WORD = re.compile(rf"{PLACEHOLDER.pattern.replace('([', '(?:[')}|\s+|\w+|[^\w\s]")
"""A word, a variable with its braces, a stretch of white space, or a sign."""


@dataclass(slots=True)
class Part:
    """Words that both have (kind ""), or only the new text ("add"), or only the old one ("remove")."""

    text: str
    kind: str = ""


@dataclass(slots=True)
class Line:
    """A line of the comparison: added, removed, changed, or with kind "" in both."""

    kind: str
    parts: list[Part] = field(default_factory=list)
    folded: int = 0
    """Instead of text: how many equal lines are left out here."""
    hidden: list["Line"] = field(default_factory=list)
    """The lines that are left out."""
    number: int = field(default=0, compare=False)
    """Which line of the new text this is, or of the old one if it was removed; from 1."""


def compare(saved: str, typed: str, context: int | None = 1, *, is_by_words: bool = True) -> Iterator[Line]:
    """Line by line, equal lines folded but for `context` around a change; None folds nothing.

    Without `is_by_words` a changed line is one that was removed and one that was added.
    """
    old, new = saved.split("\n"), typed.split("\n")
    matcher = match_pieces(old, new, LINE_PAIRS_MAX) if len(old) + len(new) <= LINES_MAX else None
    if matcher is None:
        yield from _whole(old, "remove", 1)
        yield from _whole(new, "add", 1)
        return
    budget = _Budget(ALLWORDS_MAX if is_by_words else 0)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            whole = list(_whole(new[j1:j2], "", j1 + 1))
            yield from whole if context is None else _fold(whole, context, is_first=i1 == 0, is_last=i2 == len(old))
        elif tag == "replace" and budget.left:
            yield from _replaced(old[i1:i2], new[j1:j2], i1 + 1, j1 + 1, budget)
        else:
            yield from _whole(old[i1:i2], "remove", i1 + 1)
            yield from _whole(new[j1:j2], "add", j1 + 1)


def match_pieces(old: Sequence[str], new: Sequence[str], pairs_max: int) -> difflib.SequenceMatcher[str] | None:
    """The longest stretches that both have, or None where finding them would take too long.

    White space is everywhere: it is no sign that what stands between belongs together.
    """
    counts = [Counter(piece for piece in side if not _is_empty(piece)) for side in (old, new)]
    if sum(count * counts[1][piece] for piece, count in counts[0].items()) > pairs_max:
        return None
    return difflib.SequenceMatcher(_is_empty, old, new, autojunk=False)


def are_alike(before: str, after: str) -> bool:
    """Whether one line surely became the other: by the words they share, wherever those stand."""
    left, right = _word_set(before), _word_set(after)
    return before == after or (len(left) + len(right) > 4 and _alikeness(left, right) > 0)


def _word_set(line: str) -> set[str]:
    return {word for word in WORD.findall(line) if not _is_empty(word)}


def _is_empty(piece: str) -> bool:
    return not piece.strip()


class _Budget:
    """How many words may still be compared."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, count: int) -> bool:
        if count > min(self.left, WORDS_MAX):
            return False
        self.left -= count
        return True


def _whole(lines: Sequence[str], kind: str, start: int) -> Iterator[Line]:
    return (Line(kind, [Part(line, kind)], number=number) for number, line in enumerate(lines, start))


def _fold(lines: list[Line], context: int, *, is_first: bool, is_last: bool) -> Iterator[Line]:
    head = 0 if is_first else context
    tail = len(lines) - (0 if is_last else context)
    if tail - head < 2:
        yield from lines
        return
    yield from lines[:head]
    yield Line("", folded=tail - head, hidden=lines[head:tail])
    yield from lines[tail:]


def _replaced(old: list[str], new: list[str], old_start: int, new_start: int, budget: _Budget) -> Iterator[Line]:
    """Lines that became other lines: those that are alike as changes, in order, the rest as removed and added."""
    at_old = at_new = 0
    for mate_old, mate_new in [*_mates(old, new), (len(old), len(new))]:
        yield from _whole(old[at_old:mate_old], "remove", old_start + at_old)
        yield from _whole(new[at_new:mate_new], "add", new_start + at_new)
        if mate_old < len(old) and old[mate_old] == new[mate_new]:
            yield from _whole([new[mate_new]], "", new_start + mate_new)
        elif mate_old < len(old):
            yield _changed(old[mate_old], new[mate_new], new_start + mate_new, budget)
        at_old, at_new = mate_old + 1, mate_new + 1


def _mates(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    """Which old line became which new one, in order, so that they share as many words as possible."""
    if len(old) * len(new) > MATES_MAX:
        return [(place, place) for place in range(len(old))] if len(old) == len(new) else []
    words = [[_word_set(line) for line in side] for side in (old, new)]
    best = [[0.0] * (len(new) + 1) for _line in range(len(old) + 1)]
    for i in range(len(old) - 1, -1, -1):
        for j in range(len(new) - 1, -1, -1):
            alike = _alikeness(words[0][i], words[1][j])
            together = best[i + 1][j + 1] + alike if alike else 0.0
            best[i][j] = max(together, best[i + 1][j], best[i][j + 1])
    i, j, mates = 0, 0, []
    while i < len(old) and j < len(new):
        alike = _alikeness(words[0][i], words[1][j])
        if alike and best[i][j] == best[i + 1][j + 1] + alike:
            mates.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return mates


def _alikeness(left: set[str], right: set[str]) -> float:
    """0 for lines that have little in common; empty lines are alike, but count for little."""
    if not left or not right:
        return 0.0 if left or right else 0.01
    if len(left) <= 2 and len(right) <= 2:
        return ALIKE
    alike = 2 * len(left & right) / (len(left) + len(right))
    return alike if alike >= ALIKE else 0.0


def _changed(before: str, after: str, number: int, budget: _Budget) -> Line:
    old, new = WORD.findall(before), WORD.findall(after)
    line = Line("change", number=number)
    if not budget.take(len(old) + len(new)):
        line.parts = [Part(before, "remove"), Part(after, "add")]
        return line
    for is_equal, was, now in _runs(old, new):
        if is_equal:
            line.parts.append(Part(was))
            continue
        line.parts += [Part(text, kind) for text, kind in ((was, "remove"), (now, "add")) if text]
    return line


def _runs(old: list[str], new: list[str]) -> Iterator[tuple[bool, str, str]]:
    """(is equal, old words, new words), without the few equal words that would only cut one change in pieces."""
    matcher = match_pieces(old, new, WORD_PAIRS_MAX)
    opcodes = matcher.get_opcodes() if matcher else [("replace", 0, len(old), 0, len(new))]
    runs = [(tag == "equal", "".join(old[i1:i2]), "".join(new[j1:j2])) for tag, i1, i2, j1, j2 in opcodes]
    was = now = ""
    for place, (is_equal, before, after) in enumerate(runs):
        is_between = is_equal and 0 < place < len(runs) - 1
        if is_between:
            neighbours = [max(len(each[1]), len(each[2])) for each in (runs[place - 1], runs[place + 1])]
            is_between = len(before.strip()) <= min(ISLAND, *neighbours)
        if is_equal and not is_between:
            if was or now:
                yield False, was, now
                was = now = ""
            yield True, before, after
        else:
            was, now = was + before, now + after
    if was or now:
        yield False, was, now
