"""Tags of the library's pages."""

from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from promptlib.core.charts import ranking_bar
from templates_app.filters import TemplateFilter
from templates_app.presentation import Paragraph, Piece
from templates_app.rendering import segments
from templates_app.words import GOOD_LABELS, language_name

register = template.Library()

register.filter("language_name", language_name)


@register.filter
def label_tone(name: str) -> str:
    """The tone of a label's badge: what is in use is good, anything else stands out."""
    return "good" if name in GOOD_LABELS else "warn"


@register.filter
def each(total: Any, count: int) -> Decimal | None:
    """The mean; None where there is nothing to divide by, and where nothing was ever charged."""
    return total / count if count and total else None


@register.filter
def ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


@register.filter
def share_bar(count: int, total: int) -> SafeString:
    """A bar as long as the share of `count` in `total`."""
    return ranking_bar(count, total or 1)


@register.filter
def prompt_text(paragraphs: list[Paragraph]) -> SafeString:
    """The paragraphs as markup whose text is the prompt to the letter: not a space more, its gaps there but hidden."""
    parts = []
    drawn: dict[tuple[Any, ...], str] = {}  # a name that stands in a text a thousand times is drawn once

    def draw(piece: Piece) -> str:
        key = (piece.text, piece.name, piece.value, piece.typed, piece.is_block)
        if key not in drawn:
            drawn[key] = str(_variable(piece) if piece.name else escape(piece.text))
        return drawn[key]

    for paragraph in paragraphs:
        words = "".join(map(draw, paragraph.pieces))
        gap = f"<span hidden>{paragraph.gap}</span>" if paragraph.gap else ""
        parts.append(f'<p class="prompt__paragraph">{words}</p>{gap}')
    return mark_safe("".join(parts))  # every piece is escaped, and a gap is white space


@register.filter
def marked(text: str) -> SafeString:
    """The text to the letter, its variables marked: for a comparison, where every brace counts."""
    return mark_safe(  # every segment is escaped
        "".join(
            format_html('<span class="var">{}</span>', segment.text) if segment.name else escape(segment.text)
            for segment in segments(text)
        )
    )


def _variable(piece: Piece) -> SafeString:
    """A variable: a link to its field, with what a copy holds while it is empty."""
    classes = "var" + (" var--filled" if piece.value else "") + (" var--block" if piece.is_block else "")
    markup = '<a class="{}" href="#f-v-{}" data-var="{}" data-typed="{}">{}</a>'
    return format_html(markup, classes, piece.name, piece.name, piece.typed, piece.value or piece.name)


@register.filter
def split(words: str) -> list[str]:
    return words.split()


@register.filter
def chosen(filters: TemplateFilter, name: str) -> list[str]:
    """The values of one filter as the query string has them."""
    return filters.query.getlist(name)


@register.filter
def sorted_by(filters: TemplateFilter, sort: str) -> str:
    """The address of this list in another order."""
    return filters.url(sort=sort)
