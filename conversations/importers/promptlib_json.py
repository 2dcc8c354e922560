"""promptlib's own export (`conversations.exporting`): everything that a conversation and its interactions hold."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from conversations.importers.assembling import ConversationRecord, TurnRecord
from conversations.importers.threads import BadThread, count, moment, text
from templates_app.importers.records import clean_text, cut, storable

NAME = "promptlib"
FORMAT = "promptlib.conversation/1"
COUNTS = ("cached_tokens", "reasoning_tokens", "latency_ms", "first_token_ms")
COLUMNS = {"provider": 64, "currency": 3, "error_code": 64, "feedback_note": 1000}
"""Texts of an interaction that no other format has, and how long they may be."""
_STATUSES = {"completed", "failed", "interrupted", "recorded"}


def matches(entry: dict[str, Any]) -> bool:
    return entry.get("format") == FORMAT and "prompts" in entry


def read(entry: dict[str, Any], place: str) -> ConversationRecord | BadThread:
    title = cut(clean_text(text(entry.get("title"))), 300)
    prompts = entry.get("prompts")
    source_id = clean_text(text(entry.get("source_id")) or text(entry.get("id")))
    if not isinstance(prompts, list) or not source_id:
        return BadThread(place, _("It has no id, or its “prompts” is no list."), title)
    record = ConversationRecord(
        place,
        clean_text(text(entry.get("source")))[:64] or NAME,
        source_id[:255],
        title or _("Untitled conversation"),
        summary=clean_text(text(entry.get("summary"))),
        system_prompt=clean_text(text(entry.get("system_prompt"))),
        created_at=moment(entry.get("created_at")),
        is_archived=bool(entry.get("archived_at")),
        is_pinned=entry.get("is_pinned") is True,
        parameters=_object(entry.get("parameters")),
        metadata=_object(entry.get("metadata")),
    )
    keys: dict[str, str] = {}
    for each in prompts:
        if isinstance(each, dict):
            record.turns.append(_turn(each, keys))
    return record


def _turn(each: dict[str, Any], keys: dict[str, str]) -> TurnRecord:
    key = text(each.get("id"))
    keys[key] = imported = text(each.get("key")) or key
    status = text(each.get("status"))
    comments = each.get("comments")
    return TurnRecord(
        imported,
        keys.get(text(each.get("parent"))),
        clean_text(text(each.get("input_text"))),
        clean_text(text(each.get("response_text"))),
        system_prompt=clean_text(text(each.get("system_prompt"))),
        status=status if status in _STATUSES else "interrupted",
        error=clean_text(text(each.get("error_message"))),
        model=clean_text(text(each.get("model")))[:120],
        created_at=moment(each.get("created_at")),
        completed_at=moment(each.get("completed_at")),
        input_tokens=count(each.get("input_tokens")),
        output_tokens=count(each.get("output_tokens")),
        finish_reason=clean_text(text(each.get("finish_reason")))[:64],
        feedback=each["feedback"] if each.get("feedback") in (-1, 1) else None,
        columns=_columns(each),
        comments=[
            (clean_text(text(comment.get("text"))), moment(comment.get("at")))
            for comment in (comments if isinstance(comments, list) else [])
            if isinstance(comment, dict) and text(comment.get("text")).strip()
        ],
    )


def _columns(each: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: count(each.get(name)) for name in COUNTS}
    found |= {name: clean_text(text(each.get(name)))[:limit] for name, limit in COLUMNS.items()}
    found |= {name: _object(each.get(name)) for name in ("values", "parameters", "metadata")}
    for mark in ("attempt_of", "attempts"):  # ids of another database: storing makes them anew
        found["metadata"].pop(mark, None)
    try:
        cost = Decimal(text(each.get("cost")))
    except InvalidOperation:
        cost = Decimal("NaN")
    is_cost = cost.is_finite() and 0 <= cost < 10**8 and found["currency"]
    return found | {"cost": cost if is_cost else None, "currency": found["currency"] if is_cost else ""}


def _object(value: Any) -> dict[str, Any]:
    return storable(value) if isinstance(value, dict) else {}
