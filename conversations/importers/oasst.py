"""OpenAssistant: trees of messages, nested by `replies`, or many trees in one flat list of messages."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.translation import gettext as _

from conversations.importers.threads import ASSISTANT, USER, BadThread, Message, Thread, moment, text

NAME = "openassistant"
_PLACED = {"message_id", "user_message_id", "parent_id", "parent_message_id", "text", "role", "created_date", "replies"}


def is_flat(entry: dict[str, Any]) -> bool:
    """Whether the entries of a list are messages, not conversations."""
    return "role" in entry and "text" in entry and ("parent_message_id" in entry or "parent_id" in entry)


def matches(entry: dict[str, Any]) -> bool:
    prompt = entry.get("prompt")
    return "message_tree_id" in entry or (isinstance(prompt, dict) and "replies" in prompt)


def read(entry: dict[str, Any], place: str) -> Thread | BadThread:
    prompt = entry.get("prompt")
    if not isinstance(prompt, dict):
        return BadThread(place, _("It has no messages: its “prompt” is missing."))
    messages = list(_nested(prompt))
    facts = {key: value for key, value in entry.items() if key != "prompt"}
    return _thread(text(entry.get("message_tree_id")) or messages[0].id, place, messages, facts)


def read_flat(entries: Iterable[Any]) -> Iterator[Thread | BadThread]:
    """The trees of a flat list, in the order of their roots; a message whose parent is not there begins a tree."""
    messages: dict[str, Message] = {}
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or not is_flat(entry):
            yield BadThread(
                _("entry %(number)d") % {"number": number}, _("It is not a message with a role and a text.")
            )
            continue
        message = _message(entry, number)
        messages.setdefault(message.id, message)
    trees: dict[str, list[Message]] = {}
    roots: dict[str, str] = {}
    for key in messages:
        roots[key] = _root(key, messages, roots)
        trees.setdefault(roots[key], []).append(messages[key])
    for number, (root, tree) in enumerate(trees.items(), start=1):
        yield _thread(root, _("tree %(number)d") % {"number": number}, tree, {})


def _root(key: str, messages: dict[str, Message], roots: dict[str, str]) -> str:
    seen = {key}
    while (parent := messages[key].parent) in messages and parent not in seen:
        if parent in roots:
            return roots[parent]
        seen.add(parent)
        key = parent
    return key


def _thread(key: str, place: str, messages: list[Message], facts: dict[str, Any]) -> Thread:
    times = [message.at for message in messages if message.at]
    thread = Thread(place, NAME, key, messages=messages, extra=facts)
    thread.created_at, thread.updated_at = (min(times), max(times)) if times else (None, None)
    return thread


def _nested(prompt: dict[str, Any]) -> Iterator[Message]:
    waiting: list[tuple[Any, str | None]] = [(prompt, None)]
    number = 0
    while waiting:
        each, parent = waiting.pop()
        if not isinstance(each, dict):
            continue
        number += 1
        message = _message(each, number)
        message.parent = message.parent or parent
        yield message
        replies = each.get("replies")
        waiting += [(reply, message.id) for reply in reversed(replies)] if isinstance(replies, list) else []


def _message(entry: dict[str, Any], number: int) -> Message:
    key = text(entry.get("message_id")) or text(entry.get("user_message_id")) or f"message-{number}"
    return Message(
        key,
        USER if entry.get("role") in ("prompter", "user", "human") else ASSISTANT,
        text(entry.get("text")),
        text(entry.get("parent_id")) or text(entry.get("parent_message_id")) or None,
        at=moment(entry.get("created_date")),
        extra={name: value for name, value in entry.items() if name not in _PLACED and value not in (None, "", [], {})},
    )
