"""What people type into a search box.

Words are all wanted; `"a phrase"`, `-word` (or `-"a phrase"`) not wanted, `prefix*`. Everything else is text: a term
that holds several words (`x@y.com`, `e-mail`, `don't`) is a phrase of them, one that holds none (`*`, `((`, a lone `-`)
is nothing. There is no syntax error.
"""

import re
import unicodedata
from dataclasses import dataclass

from promptlib.core.search.alphabet import fold
from promptlib.core.search.words import PIECE, pairs, pieces, runs

MAX_LENGTH = 1000
MAX_TERMS = 24
"""Longer queries are cut; nobody means the rest."""
MIN_PREFIX = 2
"""One letter and a star is the word of one letter: it would begin a tenth of all words."""

_TERM = re.compile(r'(?P<minus>-(?=["\w]))?(?:"(?P<phrase>[^"]*)(?:"|$)|(?P<text>\S+))')


@dataclass(frozen=True)
class Term:
    """Words that must follow each other, as they are indexed; with `prefix` the last one is the beginning of a word."""

    words: tuple[str, ...]
    prefix: bool = False

    @property
    def folded(self) -> tuple[str, ...]:
        return tuple(fold(word) for word in self.words)

    @property
    def needle(self) -> str:
        """What to look for in a normal form."""
        return f" {' '.join(self.words)}" + ("" if self.prefix else " ")


@dataclass(frozen=True)
class Query:
    """The terms a hit must hold, and those it must not."""

    wanted: tuple[Term, ...] = ()
    unwanted: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.wanted or self.unwanted)


def parse(text: str) -> Query:
    """Read a query; a text without a word gives an empty one."""
    wanted: dict[Term, None] = {}
    unwanted: dict[Term, None] = {}
    for minus, source, starred in _terms(text):
        term = _term(source, starred=starred)
        if term is not None and len(wanted) + len(unwanted) < MAX_TERMS:
            (unwanted if minus else wanted)[term] = None
    return Query(tuple(wanted), tuple(unwanted))


def typed(text: str) -> list[tuple[str, bool]]:
    """The wanted terms as they were typed, and whether each is a prefix: what a snippet marks."""
    return [(source, starred) for minus, source, starred in _terms(text) if not minus]


def _terms(text: str) -> list[tuple[bool, str, bool]]:
    """Minus, text, star of each term."""
    found: list[tuple[bool, str, bool]] = []
    for match in _TERM.finditer(unicodedata.normalize("NFC", text[:MAX_LENGTH]).replace("\0", " ")):
        phrase = match["phrase"]
        source = phrase if phrase is not None else match["text"]
        starred = phrase is None and source.endswith("*")
        found.append((bool(match["minus"]), source.rstrip("*") if starred else source, starred))
    return found


def _term(source: str, *, starred: bool) -> Term | None:
    found = runs(source)
    if not found:
        return None
    *before, (last, unspaced) = found
    words = [word for run, is_unspaced in before for word in (pairs(run) if is_unspaced else pieces(run))]
    if unspaced:  # any part of a run is found, so the end of the query is not the end of the run
        return Term((*words, *pairs(last)[:-1])) if len(last) > 1 else Term((*words, last), prefix=True)
    if starred and source.endswith(last) and len(last) >= MIN_PREFIX:
        cut = (len(last) - 1) // PIECE * PIECE
        return Term((*words, *(pieces(last[:cut]) if cut else ()), last[cut:]), prefix=True)
    return Term((*words, *pieces(last)))
