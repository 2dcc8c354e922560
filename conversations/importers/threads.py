"""What every format is first read into: a tree of messages, as the service kept it."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.utils.dateparse import parse_datetime

USER, ASSISTANT, SYSTEM, TOOL = "user", "assistant", "system", "tool"
ROLES = (USER, ASSISTANT, SYSTEM, TOOL)

EARLIEST, LATEST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Message:
    """One message. `kind` says what the text is: "text", or "reasoning", "tool_call", "tool_result", "context".

    `parent` is the id of the message before it. A hidden message was never shown to the person. `extra` is all that the
    source says besides, as JSON.
    """

    id: str
    role: str
    text: str = ""
    parent: str | None = None
    kind: str = "text"
    name: str = ""
    model: str = ""
    at: datetime | None = None
    ended_at: datetime | None = None
    is_hidden: bool = False
    attachments: list[str] = field(default_factory=list)
    input_tokens: int | None = None
    output_tokens: int | None = None
    finish_reason: str = ""
    is_cut_off: bool = False
    error: str = ""
    feedback: int | None = None
    feedback_note: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def is_shown(self) -> bool:
        """Whether its text is a part of what was asked or answered, as people read it."""
        return not self.is_hidden and self.kind == "text" and self.role in (USER, ASSISTANT)

    @property
    def is_question(self) -> bool:
        return self.role == USER and self.kind == "text" and not self.is_hidden


@dataclass(slots=True)
class Thread:
    """One conversation of the source. `leaf` is the message at the end of the way that was shown last."""

    place: str
    source: str
    source_id: str
    title: str = ""
    summary: str = ""
    messages: list[Message] = field(default_factory=list)
    leaf: str | None = None
    model: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    is_archived: bool = False
    is_pinned: bool = False
    tags: list[str] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BadThread:
    """A conversation that cannot be imported: where it stands in the file, what it is called, and why."""

    place: str
    reason: str
    title: str = ""


def moment(value: Any) -> datetime | None:
    """Seconds or milliseconds since 1970 (a number, or one written as text), or ISO 8601; None if it is neither."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return _within(_parsed(value))
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    seconds = value / 1000 if abs(value) > 10_000_000_000 else value
    try:
        return _within(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, OSError, ValueError):
        return None


def count(value: Any) -> int | None:
    """A number of tokens; None for anything that cannot be one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _parsed(value: str) -> datetime | None:
    try:
        found = parse_datetime(value.strip())
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


def _within(found: datetime | None) -> datetime | None:
    """Zero and nonsense are no times."""
    return found if found and EARLIEST <= found <= LATEST else None
