"""How an interaction reads: its texts, its numbers, how it ended."""

from functools import lru_cache
from uuid import uuid4

from django import template
from django.utils.html import linebreaks
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from conversations.importing import IMPORTED
from conversations.models import Prompt
from conversations.services.splitting import COPIED_FROM
from promptlib.core.markdown import render_markdown
from promptlib.core.search import highlight_html
from templates_app.variables import label_for

register = template.Library()

CACHED_CHARS = 20_000
FOLD_CHARS = 3_000
SHOWN_CHARS = 1_500
VALUE_CHARS = 200


@register.filter
def answer_html(text: str) -> SafeString:
    """Markdown, safe. The same answer is read often, so what is not too long is kept."""
    return _cached(text) if len(text) <= CACHED_CHARS else render_markdown(text)


@lru_cache(maxsize=256)
def _cached(text: str) -> SafeString:
    return render_markdown(text)


@register.filter
def paragraphs(text: str) -> SafeString:
    """Text as written: escaped, its line breaks kept."""
    return mark_safe(linebreaks(text, autoescape=True))


@register.filter
def marking(html: SafeString, words: str) -> SafeString:
    """A text with the words marked that a search found it by; as it is where nobody searched."""
    return highlight_html(html, words) if words else html


@register.filter
def beginning(text: str) -> str:
    """The beginning of a text that is too long to stand on the page unasked; nothing where it is not."""
    return text[:SHOWN_CHARS].rsplit(None, 1)[0] + " …" if len(text) > FOLD_CHARS else ""


@register.filter
def headline(message: str) -> tuple[str, str]:
    """What happened, and the rest of the message."""
    first, dot, rest = message.partition(". ")
    return (f"{first}.", rest) if dot else (message, "")


@register.filter
def origin(prompt: Prompt) -> str:
    """Where an interaction comes from that was not run here, and so was not measured here."""
    if COPIED_FROM in prompt.metadata or prompt.metadata.get("copied"):
        return _("copied from another conversation")
    if IMPORTED in prompt.metadata:
        return _("imported")
    return _("recorded by hand") if prompt.status == Prompt.Status.RECORDED else ""


@register.filter
def speed(prompt: Prompt) -> float | None:
    """Output tokens per second, from the first word to the last."""
    if prompt.output_tokens is None or prompt.latency_ms is None or prompt.first_token_ms is None:
        return None
    writing = prompt.latency_ms - prompt.first_token_ms
    return prompt.output_tokens * 1000 / writing if writing > 0 else None


@register.filter
def ending(reason: str) -> str:
    """Why an answer ended, unless it simply was whole."""
    known = {
        "": "",
        "stop": "",
        "stopped": "",
        "end_turn": "",
        "length": _("cut off at the token limit"),
        "max_tokens": _("cut off at the token limit"),
        "content_filter": _("ended by the provider’s filter"),
    }
    return known.get(reason, reason)


@register.filter
def value_items(prompt: Prompt) -> list[dict[str, str]]:
    """The values a template was filled in with, shortened, under their labels."""
    version = prompt.template_version
    labels = {each.get("name"): each.get("label") for each in version.variables} if version else {}
    return [
        {"label": labels.get(name) or label_for(name), "value": _short(value)} for name, value in prompt.values.items()
    ]


def _short(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= VALUE_CHARS else f"{text[:VALUE_CHARS]} …"


@register.simple_tag
def new_key() -> str:
    """A key that makes a form count once, however often it is sent."""
    return uuid4().hex
