"""Where in a text the hits are: pieces around them, and titles and whole texts, with the hits marked.

The text is folded character by character, so that places in the folded text are places in the text, and searched once
with one regular expression: linear in the text's length (250 KB: about 10 ms).
"""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from promptlib.core.search.alphabet import IGNORABLE_RANGES, UNSPACED_RANGES, WORD_RANGES, characters, fold
from promptlib.core.search.query import typed
from promptlib.core.search.words import runs

LENGTH = 160
"""Characters of a snippet, the dots at its ends not counted."""
ENOUGH = 1000
"""Hits in one text after which the search for more stops, once every term has one."""
LONGEST_PHRASE = 8
"""Of a phrase with more words the first ones are marked."""

MARK = "\u0301"
"""What every accent on its own becomes."""
LIGATURES = {"ss": "ß", "ae": "æ", "oe": "œ", "fi": "ﬁ", "fl": "ﬂ", "ij": "ĳ"}
_WORD, _UNSPACED = characters(WORD_RANGES), characters(UNSPACED_RANGES)
_LETTER = f"(?![{_UNSPACED}])[{_WORD}]"
_INSIDE = re.compile(f"{_LETTER}{_LETTER}")
_IGNORABLE = re.compile(f"[{characters(IGNORABLE_RANGES)}]")
_SPACE = re.compile(r"\s+")
_LIGATURE = re.compile("|".join(LIGATURES))

_PIECE = re.compile(r'<(?:[^<>"]|"[^"]*")*>|[^<]+|<')
_TAG = re.compile(r"</?([a-z][a-z0-9]*)")
_WITHIN_WORDS = {"a", "b", "code", "em", "s", "span", "strong"}
"""A word may go on after one of these; after any other tag a new one begins."""
_OURS = {"button", "svg"}

Span = tuple[int, int, int]
"""Start, end, and which term it is."""


@dataclass(frozen=True)
class Snippet:
    """A piece of the text called `source`, escaped, its hits in <mark>."""

    source: str
    html: SafeString


def snippets(query_text: str, texts: Mapping[str, str], limit: int = 2) -> list[Snippet]:
    """The best pieces of the texts, at most `limit`: those with the most terms; nothing from a text without a hit.

    Where one text alone has hits and its best piece lacks a term, a second piece shows that.
    """
    pattern = _pattern(query_text)
    if pattern is None:
        return []
    found = {source: spans for source, text in texts.items() if (spans := _spans(pattern, text))}
    best = {source: _window(spans) for source, spans in found.items()}
    order = sorted(best, key=lambda source: -len(_terms(best[source])))[:limit]
    windows = [(source, best[source]) for source in found if source in order]
    seen = {term for _, window in windows for term in _terms(window)}
    for source, spans in found.items():
        rest = [span for span in spans if span[2] not in seen]
        if rest and len(windows) < limit:
            windows.append((source, _window(rest)))
            seen |= _terms(windows[-1][1])
    return [Snippet(source, _cut(texts[source], window, found[source])) for source, window in windows]


def highlight(text: str, query_text: str) -> SafeString:
    """The whole text, escaped, its hits in <mark>."""
    pattern = _pattern(query_text)
    spans = _spans(pattern, text) if pattern is not None else []
    return _marked(text, spans, 0, len(text))


def highlight_html(page: SafeString, query_text: str) -> SafeString:
    """Well-formed HTML with the hits of its text in <mark>, also those that go on after a tag: no tag is changed, and
    what stands on a button is nobody's text."""
    pattern = _pattern(query_text)
    if pattern is None:
        return page
    pieces = _PIECE.findall(page)
    texts = list(_texts(pieces))
    spans = iter(_spans(pattern, "".join(map(_flow, texts))))
    hit, place = next(spans, None), 0
    for at, text in enumerate(texts):
        finish, inside = place + len(_flow(text)), list[tuple[int, int]]()
        while hit and hit[0] < finish:
            inside.append((max(hit[0] - place, 0), min(hit[1], finish) - place))
            if hit[1] > finish:
                break
            hit = next(spans, None)
        if text and inside:
            pieces[at] = _marked_text(text, inside)
        place = finish
    return mark_safe("".join(pieces))


# ---- finding -----------------------------------------------------------------


class _Flattening(dict[int, str]):
    """Code point → one character for it: its fold where that is one character, MARK for an accent, or itself."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        folded = fold(character)
        if _IGNORABLE.match(character):
            folded = MARK
        self[code] = folded = folded if len(folded) == 1 else character
        return folded


_FLATTENING = _Flattening()


def _flat(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_FLATTENING)


@lru_cache(maxsize=256)
def _pattern(query_text: str) -> re.Pattern[str] | None:
    """One alternative, a named group, per wanted term; None when there is no word in the query."""
    terms = [_term_pattern(source, starred) for source, starred in typed(query_text)]
    alternatives = [f"(?P<t{number}>{term})" for number, term in enumerate(dict.fromkeys(filter(None, terms)))]
    return re.compile("|".join(alternatives)) if alternatives else None


def _term_pattern(source: str, starred: bool) -> str:
    found = runs(source)
    parts: list[str] = []
    for number, (run, unspaced) in enumerate(found[:LONGEST_PHRASE]):
        if number:
            parts.append(f"[^{_WORD}]{'*' if unspaced or found[number - 1][1] else '+'}")
        parts.append(_letters(run))
    if parts and not found[: len(parts)][-1][1]:
        parts.append(f"(?:{_LETTER})*" if starred else f"(?!{_LETTER})")
    return "".join(parts)


def _letters(run: str) -> str:
    """The letters of a word, each perhaps with accents of its own; a ligature is as good as its letters."""
    letters = [fold(character) or "" for character in run]
    spelt = "".join(letters)
    pattern, start = [], 0
    for match in _LIGATURE.finditer(spelt):
        pattern += [f"{re.escape(letter)}{MARK}*" for letter in spelt[start : match.start()]]
        pattern.append(f"(?:{match[0][0]}{MARK}*{match[0][1]}|{LIGATURES[match[0]]}){MARK}*")
        start = match.end()
    pattern += [f"{re.escape(letter)}{MARK}*" for letter in spelt[start:]]
    return "".join(pattern)


def _spans(pattern: re.Pattern[str], text: str) -> list[Span]:
    """The hits in order: the pattern sees to it that they end with a word, and they must not begin inside one."""
    flat = _flat(text)
    found: list[Span] = []
    position = 0
    while match := pattern.search(flat, position):
        start, end = match.span()
        if start and _INSIDE.match(flat, start - 1):
            position = start + 1
            continue
        found.append((start, end, match.lastindex or 0))
        position = end
        if len(found) % ENOUGH == 0 and len(_terms(found)) == pattern.groups:
            break
    return found


# ---- cutting -----------------------------------------------------------------


def _terms(spans: Sequence[Span]) -> set[int]:
    return {term for _, _, term in spans}


def _window(spans: Sequence[Span]) -> Sequence[Span]:
    """The hits that fit into one snippet and hold the most terms, then the most hits; the first such."""
    best, best_value, first = (0, 1), (0, 0), 0
    counts: dict[int, int] = {}
    for last, (_, end, term) in enumerate(spans):
        counts[term] = counts.get(term, 0) + 1
        while first < last and end - spans[first][0] > LENGTH:
            gone = spans[first][2]
            counts[gone] -= 1
            if not counts[gone]:
                del counts[gone]
            first += 1
        value = (len(counts), last - first + 1)
        if value > best_value:
            best, best_value = (first, last + 1), value
    return spans[best[0] : best[1]]


def _cut(text: str, window: Sequence[Span], spans: Sequence[Span]) -> SafeString:
    """The piece of the text around a window, from word to word, with dots where the text goes on."""
    start, end = window[0][0], min(window[-1][1], window[0][0] + LENGTH)
    room = LENGTH - (end - start)
    begin = max(0, start - room // 3)
    finish = min(len(text), begin + LENGTH)
    begin = max(0, min(begin, finish - LENGTH))
    if begin and (space := _SPACE.search(text, begin, min(begin + 24, start))):
        begin = space.end()
    if finish < len(text) and (spaces := list(_SPACE.finditer(text, max(end, finish - 24), finish))):
        finish = spaces[-1].start()
    for hit_start, hit_end, _ in spans:
        if (
            hit_start < finish < hit_end
        ):  # a hit is shown whole or not at all; the first one may be longer than a snippet
            finish = hit_start if hit_start > start else finish
    before, after = "… " if text[:begin].strip() else "", " …" if text[finish:].strip() else ""
    return mark_safe(f"{before}{_marked(text, spans, begin, finish).strip()}{after}")


def _marked(text: str, spans: Sequence[Span], begin: int, finish: int) -> SafeString:
    parts: list[str] = []
    place = begin
    for start, end, _ in spans:
        start, end = max(start, begin), min(end, finish)
        if start < end and start >= place:
            parts += [_plain(text[place:start]), "<mark>", _plain(text[start:end]), "</mark>"]
            place = end
    parts.append(_plain(text[place:finish]))
    return mark_safe("".join(parts))


def _plain(text: str) -> str:
    return escape(_SPACE.sub(" ", text))


# ---- marking in place ----------------------------------------------------------


def _texts(pieces: Sequence[str]) -> Iterator[str | None]:
    """The text of each piece, of a tag an empty one; None where words end: at other tags, and at what is not text."""
    hidden = ""
    for piece in pieces:
        tag = _TAG.match(piece)
        name = tag[1] if tag else ""
        if hidden or name in _OURS:
            hidden = "" if piece == f"</{hidden}>" else hidden or name
            yield None
        elif tag:
            yield "" if name in _WITHIN_WORDS else None
        else:
            yield html.unescape(piece)


def _flow(text: str | None) -> str:
    return "\n" if text is None else text


def _marked_text(text: str, spans: Sequence[tuple[int, int]]) -> str:
    parts, place = [], 0
    for start, end in spans:
        parts += [_escaped(text[place:start]), "<mark>", _escaped(text[start:end]), "</mark>"]
        place = end
    return "".join([*parts, _escaped(text[place:])])


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)
