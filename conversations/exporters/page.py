"""A page of HTML that stands by itself: to be read without promptlib, printed, kept for years.

Its style is in it, it has no script, and its own content security policy lets it load nothing at all.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from conversations.exporters.reading import Thread
from conversations.exporters.words import about, asked_by, follows, numbers
from conversations.models import Prompt
from promptlib.core.markdown import render_markdown

_BUTTON = re.compile(r"<button\b.*?</button>", re.DOTALL)


def write_page(thread: Thread) -> Iterator[str]:
    style, policy = _style()
    facts = {"conversation": thread.conversation, "about": about(thread), "style": style, "policy": policy}
    place = f"<!-- {secrets.token_hex()} -->"
    page = render_to_string("conversations/export_document.html", {**facts, "turns": mark_safe(place)})
    head, _place, foot = page.partition(place)
    yield head
    before: Prompt | None = None
    for prompt in thread.prompts():
        told = {
            "prompt": prompt,
            "number": thread.numbers[prompt.pk],
            "asked_by": asked_by(prompt, thread),
            "follows": follows(prompt, thread, before),
            "answer": _answer(prompt.response_text),
            "numbers": numbers(prompt),
        }
        yield render_to_string("conversations/export_turn.html", told)
        before = prompt
    yield foot


def _answer(text: str) -> SafeString:
    """Without the buttons that only a script makes work. What people wrote has no tags of its own in it."""
    return mark_safe(_BUTTON.sub("", render_markdown(text)))


@cache
def _style() -> tuple[SafeString, str]:
    """The style, and the policy that allows this one alone."""
    css = Path(__file__).with_name("page.css").read_text()
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'none'; base-uri 'none'"
    return mark_safe(f"<style>{css}</style>"), policy
