"""A text as words, cut the same way on both databases.

MySQL's parser drops words of one or two letters, words that are among its stopwords (the, about, when, … up to five
letters) and words of more than 84, and takes a run of Chinese for one word. So both databases index a text's *normal
form*: its words between single spaces, short ones lengthened with underscores, long ones cut in pieces, and runs of
scripts without spaces as overlapping pairs: "用AI写代码" → " 用__ AI__ 写代__ 代码__ 码__ ".
"""

from promptlib.core.search.alphabet import UNSPACED, WORD, fold

PADDING = "__"
SHORT = 5
"""Words up to this length are lengthened: then no stopword of MySQL is left, and nothing is under three letters."""
PIECE = 60
"""Words beyond this length are cut into pieces of it."""


def runs(text: str) -> list[tuple[str, bool]]:
    """The words of a text as written, and whether each one is a run of a script without spaces."""
    if text.isascii():
        return [(word, False) for word in WORD.findall(text)]
    found: list[tuple[str, bool]] = []
    for word in WORD.findall(text):
        start = 0
        for match in UNSPACED.finditer(word):
            if match.start() > start:
                found.append((word[start : match.start()], False))
            found.append((match[0], True))
            start = match.end()
        if start < len(word):
            found.append((word[start:], False))
    return found


def pieces(word: str) -> list[str]:
    """A word as it is indexed: in pieces when it is long, lengthened when it is short."""
    if len(word) <= SHORT:
        return [word + PADDING]
    if len(word) <= PIECE:
        return [word]
    return [piece for start in range(0, len(word), PIECE) for piece in pieces(word[start : start + PIECE])]


def pairs(run: str) -> list[str]:
    """The overlapping pairs of a run, and its last character, which marks the end."""
    return [run[index : index + 2] + PADDING for index in range(len(run))]


def words(text: str) -> list[str]:
    """The words of a text as they are indexed, spelt as they are written."""
    return [word for run, unspaced in runs(text) for word in (pairs(run) if unspaced else pieces(run))]


def normal_form(text: str | None) -> str:
    """What SQLite indexes; MySQL's triggers make the same, less the folding, which its collation does."""
    return f" {' '.join(fold(word) for word in words(text))} " if text else "  "
