"""What could vary in a question: what differs between it and similar earlier questions of the same person.

Two questions are similar when most of their words are the same in the same order, or when both begin with the same
instruction and go on with a text of their own. What differs in enough of the similar ones becomes a variable; its name
is guessed from the words around it. Nothing is proposed where little is alike: a wrong proposal costs more than none.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import islice, takewhile
from typing import Any
from uuid import UUID

from templates_app.variables import Variable, VariableType, is_name, label_for

MAX_TOKENS = 1_500
MAX_SIMILAR = 8
MAX_SLOTS = 8
ALIKE = 0.6
"""So much of two questions must be the same; with only one to go by, more (`ALIKE_ALONE`)."""
ALIKE_ALONE = 0.7
ALIKE_BY_WORDS = 0.5
"""Or so much, where four words that say something are among it."""
PREFIX_WORDS, SUFFIX_WORDS = 3, 5
GLUE = 2
"""Between two differing passages, so many short words or signs are the same by chance."""
LONG = 120

_CJK = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(rf"[{_CJK}]|https?://\S+|\d+(?:[.,:/-]\d+)*|[^\W{_CJK}]+|[^\w\s]")
"""A date, a time and an address are one word each: half of one is no variable."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_BEFORE = {
    "about": "topic",
    "on": "topic",
    "as": "role",
    "for": "audience",
    "in": "setting",
    "into": "target",
    "named": "name",
    "called": "name",
    "of": "subject",
    "to": "target",
    "with": "detail",
}
_LANGUAGES = set(
    "arabic chinese czech danish dutch english finnish french german greek hebrew hindi hungarian italian japanese "
    "korean norwegian polish portuguese romanian russian spanish swedish turkish ukrainian".split()
)
_DULL = set("a an and are be by can do does i is it me my or please that the this what which you your".split())


@dataclass(frozen=True, slots=True)
class Question:
    """An earlier question: where it stands, and what it says."""

    pk: UUID
    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    start: int
    end: int
    begins_line: bool


@dataclass(slots=True)
class Slot:
    """A passage of the question that differs: from token `start` to `end`, and what others say there, by their key."""

    start: int
    end: int
    others: dict[UUID, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proposed:
    """A variable, what stands in its place here, and what stood there in which earlier questions."""

    variable: Variable
    here: str
    others: tuple[tuple[Question, str], ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    body: str
    variables: tuple[Proposed, ...] = ()
    similar: tuple[Question, ...] = ()


def propose(text: str, earlier: Iterable[Question]) -> Proposal:
    """The question as a template's text. Pure: takes some milliseconds for each of the earlier questions."""
    tokens = _tokens(text)
    alike = _similar(tokens, earlier)
    slots = _slots(tokens, alike, text) if alike else []
    if not slots:
        return Proposal(text)
    by_key = {question.pk: question for question, *_rest in alike}
    names = _Names()
    known: dict[tuple[Any, ...], str] = {}  # the same thing said twice is one variable
    body, place, proposed = "", 0, []
    for slot in slots:
        start, end = tokens[slot.start].start, tokens[slot.end - 1].end
        here = text[start:end]
        values = [here, *slot.others.values()]
        is_new = (said := (here, *slot.others.items())) not in known
        name = known.setdefault(said, names.name(tokens, slot, values) if is_new else "")
        body += text[place:start] + "{{ " + name + " }}"
        place = end
        if not is_new:
            continue
        variable = _variable(name, here, values)
        proposed.append(Proposed(variable, here, tuple((by_key[key], value) for key, value in slot.others.items())))
    return Proposal(body + text[place:], tuple(proposed), tuple(by_key.values()))


# ---- which questions are similar -------------------------------------------


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    end = 0
    for match in islice(_TOKEN.finditer(text), MAX_TOKENS):
        tokens.append(Token(match[0], match.start(), match.end(), "\n" in text[end : match.start()]))
        end = match.end()
    return tokens


def _similar(tokens: Sequence[Token], earlier: Iterable[Question]) -> list[tuple[Question, list[Token], bool]]:
    """The most similar ones, each text once, with whether only their beginnings are the same."""
    ours = [token.text.lower() for token in tokens]
    counts = Counter(ours)
    found: dict[str, tuple[float, Question, list[Token], bool]] = {}
    for question in earlier:
        theirs = _tokens(question.text)
        words = [token.text.lower() for token in theirs]
        key = " ".join(words)
        if not words or words == ours or key in found:
            continue
        is_same_start = _is_same_start(ours, words, tokens)
        shared = 2 * (counts & Counter(words)).total() / (len(ours) + len(words))
        if shared < ALIKE_BY_WORDS and not is_same_start:
            continue
        ratio = SequenceMatcher(None, ours, words, autojunk=False).ratio() if shared >= ALIKE_BY_WORDS else 0.0
        frame = _frame(ours, words)
        needed = ALIKE_ALONE if is_same_start else ALIKE if frame == 3 else ALIKE_BY_WORDS
        if ratio >= needed and frame >= 3:
            found[key] = (1 + ratio, question, theirs, False)
        elif is_same_start:
            found[key] = (shared, question, theirs, True)
    best = sorted(found.values(), key=lambda each: -each[0])[:MAX_SIMILAR]
    if len(best) == 1 and best[0][0] < 1 + ALIKE_ALONE and not best[0][3]:
        return []
    return [(question, theirs, is_start) for _score, question, theirs, is_start in best]


def _frame(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """How many words that say something both have: "What is …?" alone makes no two questions alike."""
    return len({word for word in set(ours) & set(theirs) if word[0].isalnum() and word not in _DULL})


def _is_same_start(ours: Sequence[str], theirs: Sequence[str], tokens: Sequence[Token]) -> bool:
    """An instruction that ends in a colon, or with its line, and a text after it."""
    length = _common(ours, theirs)
    while length and ours[length - 1][0].isalnum() and length < len(ours):
        if _breaks(tokens, length):
            break
        length -= 1
    said = sum(1 for word in ours[:length] if word[0].isalnum())
    is_end = length > 0 and (ours[length - 1] == ":" or _breaks(tokens, length))
    return said >= PREFIX_WORDS and is_end and length < len(ours) and length < len(theirs)


def _breaks(tokens: Sequence[Token], at: int) -> bool:
    """Whether a line ends before the token."""
    return at < len(tokens) and tokens[at].begins_line


def _common(ours: Sequence[str], theirs: Sequence[str]) -> int:
    return sum(1 for _pair in takewhile(lambda pair: pair[0] == pair[1], zip(ours, theirs, strict=False)))


# ---- where they differ -----------------------------------------------------


def _slots(tokens: Sequence[Token], alike: Sequence[tuple[Question, list[Token], bool]], text: str) -> list[Slot]:
    ours = [token.text.lower() for token in tokens]
    changes = {question.pk: _changes(ours, theirs, is_start) for question, theirs, is_start in alike}
    differing: Counter[int] = Counter()
    for found in changes.values():
        differing.update(place for start, end, *_other in found for place in range(start, end))
    enough = max(1, (len(alike) + 2) // 3)
    marked = [differing[place] >= enough for place in range(len(tokens))]
    slots = [slot for slot in _runs(tokens, marked) if _is_sound(tokens, slot)]
    if not slots or len(slots) > MAX_SLOTS or not _leaves_enough(tokens, slots):
        return []
    for question, theirs, _is_start in alike:
        for slot in slots:
            here = text[tokens[slot.start].start : tokens[slot.end - 1].end]
            value = _value(changes[question.pk], slot, theirs, question.text)
            if value != here and any(_says(token.text) for token in _tokens(value)):
                slot.others[question.pk] = value
    return [slot for slot in slots if slot.others]


def _changes(ours: Sequence[str], theirs: Sequence[Token], is_start: bool) -> list[tuple[int, int, int, int]]:
    """(from, to) of our tokens, (from, to) of theirs, for each passage that is not the same."""
    words = [token.text.lower() for token in theirs]
    if not is_start:
        matcher = SequenceMatcher(None, ours, words, autojunk=False)
        return [(i1, i2, j1, j2) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal"]
    begin = _common(ours, words)
    room = min(len(ours), len(words)) - begin
    end = min(room - 1, _common(ours[::-1], words[::-1])) if room > 1 else 0
    end = end if end >= SUFFIX_WORDS else 0  # a full stop at the end of both is no frame
    return [(begin, len(ours) - end, begin, len(words) - end)]


def _runs(tokens: Sequence[Token], marked: Sequence[bool]) -> list[Slot]:
    slots: list[Slot] = []
    for place, is_marked in enumerate(marked):
        if not is_marked:
            continue
        if slots and _is_glued(tokens[slots[-1].end : place]):
            slots[-1].end = place + 1
        else:
            slots.append(Slot(place, place + 1))
    return slots


def _is_glued(between: Sequence[Token]) -> bool:
    """A comma is a part of a list; a colon stands between a label and what it labels, "in" between two things."""
    if any(token.text in ":;?!.=" or token.text.lower() in _BEFORE for token in between):
        return False
    return len(between) <= GLUE and all(len(token.text) <= 3 for token in between)


def _is_sound(tokens: Sequence[Token], slot: Slot) -> bool:
    return any(_says(token.text) for token in tokens[slot.start : slot.end])


def _says(word: str) -> bool:
    return word[0].isalnum() and word.lower() not in _DULL


def _leaves_enough(tokens: Sequence[Token], slots: Sequence[Slot]) -> bool:
    """What stays the same must be an instruction: three words that say something."""
    inside = {place for slot in slots for place in range(slot.start, slot.end)}
    outside = [token.text.lower() for place, token in enumerate(tokens) if place not in inside]
    return len([word for word in outside if word[0].isalnum() and word not in _DULL]) >= 2 and len(outside) >= 3


def _value(changes: Sequence[tuple[int, int, int, int]], slot: Slot, theirs: Sequence[Token], text: str) -> str:
    """What the other question says in the slot's place."""
    touching = [change for change in changes if change[0] < slot.end and change[1] > slot.start]
    if not touching:
        return ""
    first, last = touching[0], touching[-1]
    begin = first[2] - max(0, first[0] - slot.start) if first[0] >= slot.start else first[2]
    end = last[3] + max(0, slot.end - last[1]) if last[1] <= slot.end else last[3]
    begin, end = max(0, begin), min(len(theirs), end)
    return text[theirs[begin].start : theirs[end - 1].end] if begin < end else ""


# ---- what they are called --------------------------------------------------


class _Names:
    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()

    def name(self, tokens: Sequence[Token], slot: Slot, values: Sequence[str]) -> str:
        name = _guess(tokens, slot, values)
        name = name if is_name(name) else "value"
        self.taken[name] += 1
        return name if self.taken[name] == 1 else f"{name}_{self.taken[name]}"


def _guess(tokens: Sequence[Token], slot: Slot, values: Sequence[str]) -> str:
    before = [token.text.lower() for token in tokens[max(0, slot.start - 4) : slot.start]]
    after = [token.text.lower() for token in tokens[slot.end : slot.end + 1]]
    if all(value.lower() in _LANGUAGES for value in values):
        return "language"
    if all(_DATE.fullmatch(value) for value in values):
        return "date"
    if all(_is_number(value) for value in values):
        counted = after[0] if after and after[0].isidentifier() and after[0] not in _BEFORE else ""
        return f"number_of_{counted.removesuffix('s')}s" if counted else "number"
    if _breaks(tokens, slot.start):
        return "text"
    if before[-1:] in ([":"], ["="]):
        label = before[-2] if len(before) >= 2 else ""
        is_label = len(before) < 3 or not before[-3][0].isalnum() or _breaks(tokens, slot.start - 2)
        return label if is_label and label.isidentifier() and label not in _DULL else "text"
    if any(len(value) > LONG or "\n" in value for value in values):
        return "text"
    if all(re.fullmatch(r"https?://\S+", value) for value in values):
        return "url"
    said = [word for word in reversed(before) if word[0].isalnum() and word not in _DULL]
    return _BEFORE.get(said[0], "topic") if said else "topic"


def _variable(name: str, here: str, values: Sequence[str]) -> Variable:
    kind = VariableType.TEXT
    if all(value.isascii() and value.isdigit() and len(value) < 10 for value in values):
        kind = VariableType.INTEGER
    elif all(_DATE.fullmatch(value) for value in values):
        kind = VariableType.DATE
    elif name.startswith("text") or any(len(value) > LONG or "\n" in value for value in values):
        kind = VariableType.LONG_TEXT
    return Variable(name, kind, label=label_for(name), required=True, example=here[:2000])


def _is_number(value: str) -> bool:
    return bool(re.fullmatch(r"\d+(?:[.,]\d+)*", value))
