"""Sentences that people wrote, put together into new texts, so that words are as frequent as words are."""

import random
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from promptlib.core.search.words import words
from promptlib.site.seed import load

READ_BYTES = 4 * 1024 * 1024
FILES = {".txt", ".md", ".csv", ".json", ".jsonl"}
MID_SHARE = 0.01
"""A mid-frequency word stands in about this share of the templates, however many there are."""

_END = re.compile(r"(?<=[.!?])\s+|\\n|\n+")
_NAME = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_WORD = re.compile(r"\b[a-z]{6,12}\b")
_KEEP = re.compile(r"[A-Z][^{}\\<>|\"]{30,150}[.!?]$")


@dataclass(frozen=True)
class Sentences:
    """What texts are made of: sentences, and beside each its words as the search index holds them."""

    said: list[str]

    @cached_property
    def indexed(self) -> list[str]:
        return [" ".join(words(sentence)) for sentence in self.said]

    def draw(self, chance: random.Random, low: int, high: int) -> tuple[str, str]:
        """A text of `low` to `high` sentences, some with a number of its own; the text, and its words."""
        picked = chance.choices(range(len(self.said)), k=chance.randint(low, high))
        text = " ".join(map(self.said.__getitem__, picked))
        indexed = " ".join(map(self.indexed.__getitem__, picked))
        if chance.random() < 0.4:
            number = str(chance.randint(10_000, 999_999))
            text, indexed = f"{text} Case {number}.", f"{indexed} {' '.join(words(f'Case {number}'))}"
        return text, indexed

    def mid_words(self, per_text: float) -> tuple[str, str]:
        """The two words whose share of texts of `per_text` sentences is nearest to MID_SHARE."""
        counts = Counter(word for sentence in self.said for word in set(_WORD.findall(sentence.lower())))
        wanted = MID_SHARE / per_text * len(self.said)
        first, second = sorted(counts, key=lambda word: (abs(counts[word] - wanted), word))[:2]
        return first, second


def read_sentences(folder: Path | None = None) -> Sentences:
    """The sentences of the demonstration content and of the text files under `folder`, each once, in a fixed order."""
    texts = []
    data = load()
    for template in data.templates:
        texts += [template.summary, *(version.body for version in template.versions)]
        texts += [version.system_prompt for version in template.versions]
    texts += [item.response for thread in data.conversations for item in thread.interactions]
    texts += [answer for recipe in data.usage.recipes for case in recipe.cases for answer in case.answers]
    for path in sorted(folder.rglob("*")) if folder else []:
        if path.suffix in FILES and path.is_file():
            with path.open(encoding="utf-8", errors="replace") as file:
                texts.append(file.read(READ_BYTES))
    found: dict[str, None] = {}
    for text in texts:
        for piece in _END.split(_NAME.sub(r"\1", text)):
            sentence = " ".join(piece.split()).lstrip("-*#>0123456789. ")
            if _KEEP.match(sentence):
                found[sentence] = None
    return Sentences(list(found))
