"""A text as a page shows it: paragraphs of words and variables, from which a script can copy the exact text."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from templates_app.rendering import count_words, estimate_tokens, segments

_GAP = re.compile(r"(\n[ \t]*(?:\n[ \t]*)+)")


@dataclass(slots=True)
class Piece:
    """Words, or one variable. `typed` is what a copy holds while nothing is filled in."""

    text: str
    name: str = ""
    value: str = ""
    typed: str = ""
    is_block: bool = False


@dataclass(slots=True)
class Paragraph:
    """Pieces without an empty line, and the line breaks that follow it."""

    pieces: list[Piece] = field(default_factory=list)
    gap: str = ""


@dataclass(slots=True)
class ShownExample:
    """A few-shot message."""

    role: str
    text: list[Paragraph] = field(default_factory=list)


def paragraphs(
    text: str, values: Mapping[str, str] | None = None, *, optional: Collection[str] = ()
) -> list[Paragraph]:
    """The text cut at its empty lines; all pieces and gaps joined are the text again.

    An `optional` variable without a value is copied as nothing, as a run would send it; any other as it was typed.
    """
    found = [Paragraph()]
    for segment in segments(text, values):
        if segment.name:
            typed = "" if segment.name in optional else segment.text
            found[-1].pieces.append(Piece(segment.text, segment.name, segment.value or "", typed, segment.is_block))
            continue
        parts = _GAP.split(segment.text)
        for part, gap in zip(parts[::2], [*parts[1::2], None], strict=True):
            if part:
                found[-1].pieces.append(Piece(part))
            if gap is not None:
                found[-1].gap += gap
                found.append(Paragraph())
    return _without_empty(found)


def shown_examples(
    examples: Iterable[Mapping[str, Any]], values: Mapping[str, str] | None = None, *, optional: Collection[str] = ()
) -> list[ShownExample]:
    return [
        ShownExample(str(each.get("role", "")), paragraphs(str(each.get("content", "")), values, optional=optional))
        for each in examples
    ]


def measure(*texts: str) -> tuple[int, int]:
    """Words and about how many tokens."""
    whole = "\n".join(text for text in texts if text)
    return count_words(whole), estimate_tokens(whole)


def _without_empty(found: list[Paragraph]) -> list[Paragraph]:
    """A paragraph without pieces gives its gap to the one before it."""
    kept: list[Paragraph] = []
    for paragraph in found:
        if paragraph.pieces or not kept:
            kept.append(paragraph)
        else:
            kept[-1].gap += paragraph.gap
    return kept if any(paragraph.pieces for paragraph in kept) else []
