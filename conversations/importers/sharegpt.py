"""ShareGPT: `conversations` of `from` and `value`, as data sets for training have them."""

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
    "observation": (TOOL, "tool_result"),
    "tool": (TOOL, "tool_result"),
}


def matches(entry: dict[str, Any]) -> bool:
    listed = entry.get("conversations")
    return isinstance(listed, list) and any(isinstance(each, dict) and "from" in each for each in listed[:3])


def read(entry: dict[str, Any], place: str) -> Thread | BadThread:
    listed = entry.get("conversations")
    if not isinstance(listed, list):
        return BadThread(place, _("It has no messages: its “conversations” is no list."))
    said = "\n".join(f"{each.get('from')}\t{each.get('value')}" for each in listed if isinstance(each, dict))
    known = entry.get("id")
    thread = Thread(
        place,
        NAME,
        str(known) if isinstance(known, (str, int)) and str(known) else f"#{short_hash(said)}",
        extra={key: value for key, value in entry.items() if key not in ("conversations", "system")},
    )
    parent: str | None = None
    if system := text(entry.get("system")):
        parent = "system"
        thread.messages.append(Message(parent, SYSTEM, system, is_hidden=True))
    for number, each in enumerate(listed):
        if not isinstance(each, dict):
            continue
        role, kind = _ROLES.get(text(each.get("from")), (ASSISTANT, "text"))
        key = str(number)
        rest = {name: value for name, value in each.items() if name not in ("from", "value")}
        rest |= {"from": each.get("from")} if text(each.get("from")) not in _ROLES else {}
        hidden = role == SYSTEM
        message = Message(key, role, text(each.get("value")), parent, kind=kind, is_hidden=hidden, extra=rest)
        thread.messages.append(message)
        parent = key
    return thread
