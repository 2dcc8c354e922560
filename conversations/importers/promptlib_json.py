"""promptlib's own export (`conversations.exporters.own`): everything that a conversation and its interactions hold."""

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
        tags=tuple(dict.fromkeys(cut(clean_text(tag), 60) for tag in _listed(entry, "tags") if text(tag).strip())),
    )
    if people := [storable(each) for each in _listed(entry, "people") if isinstance(each, dict)][:200]:
        record.metadata["brought"] = {"people": people}
    keys: dict[str, str] = {}
    for each in prompts:
        if isinstance(each, dict):
            record.turns.append(_turn(each, keys))
    return record


def _turn(each: dict[str, Any], keys: dict[str, str]) -> TurnRecord:
    key = text(each.get("id"))
    keys[key] = imported = text(each.get("key")) or key
    status = text(each.get("status"))
    comments = [each for each in _listed(each, "comments") if isinstance(each, dict) and text(each.get("text")).strip()]
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
        columns=_columns(each) | {"metadata": _metadata(each, comments)},
        comments=[(clean_text(text(comment.get("text"))), moment(comment.get("at"))) for comment in comments],
    )


def _columns(each: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: count(each.get(name)) for name in COUNTS}
    found |= {name: clean_text(text(each.get(name)))[:limit] for name, limit in COLUMNS.items()}
    found |= {name: _object(each.get(name)) for name in ("values", "parameters")}
    try:
        cost = Decimal(text(each.get("cost")))
    except InvalidOperation:
        cost = Decimal("NaN")
    is_cost = cost.is_finite() and 0 <= cost < 10**8 and found["currency"]
    return found | {"cost": cost if is_cost else None, "currency": found["currency"] if is_cost else ""}


def _metadata(each: dict[str, Any], comments: list[dict[str, Any]]) -> dict[str, Any]:
    """A file proves nothing about people: whom it names, and which template, is kept beside what is imported."""
    found = _object(each.get("metadata"))
    for mark in ("attempt_of", "attempts"):  # ids of another database: storing makes them anew
        found.pop(mark, None)
    authors = {at.isoformat(): text(one.get("author")) for one in comments if (at := moment(one.get("at")))}
    brought = {"author": text(each.get("author")), "template": _object(each.get("template")), "comments": authors}
    if brought := {name: value for name, value in brought.items() if value}:
        found["brought"] = storable(brought)
    return found


def _listed(entry: dict[str, Any], name: str) -> list[Any]:
    value = entry.get(name)
    return value if isinstance(value, list) else []


def _object(value: Any) -> dict[str, Any]:
    return storable(value) if isinstance(value, dict) else {}
