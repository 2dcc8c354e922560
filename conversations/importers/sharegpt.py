"""ShareGPT: `conversations` of `from` and `value`, as data sets for training have them."""

import json
from typing import Any

from django.utils.translation import gettext as _

from conversations.importers.threads import ASSISTANT, SYSTEM, TOOL, USER, BadThread, Message, Thread, text
from templates_app.importers.records import short_hash

NAME = "sharegpt"
_ROLES = {
    "human": (USER, "text"),
    "user": (USER, "text"),
    "gpt": (ASSISTANT, "text"),
    "assistant": (ASSISTANT, "text"),
    "chatgpt": (ASSISTANT, "text"),
    "system": (SYSTEM, "text"),
    "function_call": (ASSISTANT, "tool_call"),
    "tool_call": (ASSISTANT, "tool_call"),
    "developer": (SYSTEM, "text"),
    "observation": (TOOL, "tool_result"),
    "tool": (TOOL, "tool_result"),
}


def matches(entry: dict[str, Any]) -> bool:
    return any(
        isinstance(each, dict) and ("from" in each or ("role" in each and "content" in each))
        for each in (_listed(entry) or [])[:3]
    )


def _listed(entry: dict[str, Any]) -> list[Any] | None:
    """Under either name; recorded calls, which have a response beside it, are none of ours."""
    listed = entry.get("conversations", None if "response" in entry else entry.get("messages"))
    return listed if isinstance(listed, list) else None


def read(entry: dict[str, Any], place: str) -> Thread | BadThread:
    listed = _listed(entry)
    if listed is None:
        return BadThread(place, _("It has no messages: its “conversations” is no list."))
    said = "\n".join("\t".join(map(str, _speaker_and_words(each)[:2])) for each in listed if isinstance(each, dict))
    known = entry.get("id")
    thread = Thread(
        place,
        NAME,
        str(known) if isinstance(known, (str, int)) and str(known) else f"#{short_hash(said)}",
        extra={key: value for key, value in entry.items() if key not in ("conversations", "messages", "system")},
    )
    parent: str | None = None
    if system := text(entry.get("system")):
        parent = "system"
        thread.messages.append(Message(parent, SYSTEM, system, is_hidden=True))
    for number, each in enumerate(listed):
        if not isinstance(each, dict):
            continue
        speaker, value, used = _speaker_and_words(each)
        role, kind = _ROLES.get(text(speaker), (ASSISTANT, "text"))
        key = str(number)
        rest = {name: value for name, value in each.items() if name not in used}
        rest |= {"from": speaker} if text(speaker) not in _ROLES else {}
        hidden = role == SYSTEM
        message = Message(key, role, _words(value), parent, kind=kind, is_hidden=hidden, extra=rest)
        thread.messages.append(message)
        parent = key
    return thread


def _speaker_and_words(each: dict[str, Any]) -> tuple[Any, Any, tuple[str, str]]:
    names = ("from", "value") if "from" in each else ("role", "content")
    return each.get(names[0]), each.get(names[1]), names


def _words(value: Any) -> str:
    """A text; of a list of parts the texts, if there is nothing else in it; anything else as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, list) and all(isinstance(part, dict) and isinstance(part.get("text"), str) for part in value):
        return "\n\n".join(part["text"] for part in value)
    return json.dumps(value, ensure_ascii=False)
