"""What the program says after it did something: one sentence, and a way back where there is one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.utils.functional import Promise

UNDO_TAG = "undo:"


def notify(request: HttpRequest, text: str | Promise, *, undo: str = "") -> None:
    """Show `text` in a toast on this or the next page; `undo` is a local address that takes it back by POST."""
    messages.success(request, str(text), extra_tags=f"{UNDO_TAG}{undo}" if undo else "")
