"""What the library's list needs to offer actions on a selection."""

from django import template

from templates_app.services import SELECTION_LIMIT

register = template.Library()


@register.simple_tag
def selection_limit() -> int:
    """As many templates as one action takes."""
    return SELECTION_LIMIT
