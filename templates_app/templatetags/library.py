"""Tags of the library's pages."""

from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from promptlib.core.charts import ranking_bar
from templates_app.filters import TemplateFilter
from templates_app.presentation import Paragraph, Piece
from templates_app.words import language_name

register = template.Library()

register.filter("language_name", language_name)

GOOD_LABELS = {"production", "staging", "latest"}


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
    for paragraph in paragraphs:
        words = "".join(escape(piece.text) if not piece.name else _variable(piece) for piece in paragraph.pieces)
        gap = f"<span hidden>{paragraph.gap}</span>" if paragraph.gap else ""
        parts.append(f'<p class="prompt__paragraph">{words}</p>{gap}')
    return mark_safe("".join(parts))  # every piece is escaped, and a gap is white space


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
