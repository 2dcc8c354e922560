"""Tags of the library's pages."""

from decimal import Decimal
from typing import Any

from django import template
from django.utils.safestring import SafeString

from promptlib.core.charts import ranking_bar
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
def share_bar(count: int, total: int) -> SafeString:
    """A bar as long as the share of `count` in `total`."""
    return ranking_bar(count, total or 1)
