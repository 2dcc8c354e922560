"""ChatGPT's `conversations.json`: a list of conversations, each a `mapping` of nodes that name parent and children."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.translation import gettext as _

from conversations.importers.threads import ASSISTANT, ROLES, TOOL, BadThread, Message, Thread, moment, text

NAME = "chatgpt"
_PLACED = {"id", "author", "create_time", "content", "weight", "recipient"}
_KINDS = {
    "thoughts": "reasoning",
    "reasoning_recap": "reasoning",
    "code": "tool_call",
    "execution_output": "tool_result",
    "tether_quote": "tool_result",
    "tether_browsing_display": "tool_result",
    "user_editable_context": "context",
    "model_editable_context": "context",
}
_TEXT_KEYS = ("text", "result", "summary", "content", "user_profile", "user_instructions", "model_set_context")


def matches(entry: dict[str, Any]) -> bool:
    return "mapping" in entry or ("create_time" in entry and "current_node" in entry)


def read(entry: dict[str, Any], place: str) -> Thread | BadThread:
    title = text(entry.get("title"))
    mapping = entry.get("mapping")
    if not isinstance(mapping, dict):
        return BadThread(place, _("It has no messages: its “mapping” is missing."), title)
    source_id = text(entry.get("id")) or text(entry.get("conversation_id"))
    thread = Thread(
        place,
        NAME,
        source_id,
        title=title,
        model=text(entry.get("default_model_slug")),
        created_at=moment(entry.get("create_time")),
        updated_at=moment(entry.get("update_time")),
        is_archived=entry.get("is_archived") is True,
        is_pinned=entry.get("is_starred") is True,
        leaf=text(entry.get("current_node")) or None,
        extra={key: value for key, value in entry.items() if key != "mapping" and (key != "title" or not title)},
    )
    nodes = {str(key): node for key, node in mapping.items() if isinstance(node, dict)}
    for key in _in_order(nodes):
        node = nodes[key]
        message = node.get("message")
        parent = text(node.get("parent")) or None
        if isinstance(message, dict):
            thread.messages.append(_message(key, parent, message, thread.model))
        elif parent is not None:
            thread.messages.append(Message(key, ASSISTANT, parent=parent, is_hidden=True, kind="context"))
    return thread


FEEDBACK_FILE = "message_feedback.json"
NOTE_LENGTH = 1000


def read_feedback(entries: Iterable[Any]) -> dict[str, tuple[int, str]]:
    """What the person said of answers, by the id of the message: 1 or -1, and why, where they said so.

    It stands beside the conversations, in a file of its own: `rating` is thumbsUp, thumbs_up or the like, `content` the
    JSON of `text` and `tags`.
    """
    found: dict[str, tuple[int, str]] = {}
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        rating = text(entry.get("rating")).lower().replace("_", "")
        key = text(entry.get("message_id")) or text(entry.get("id"))
        if key and rating in {"thumbsup", "thumbsdown"}:
            found[key] = (1 if rating == "thumbsup" else -1, _note(entry.get("content")))
    return found


def add_feedback(thread: Thread, feedback: dict[str, tuple[int, str]]) -> None:
    for message in thread.messages:
        if message.id in feedback:
            message.feedback, message.feedback_note = feedback[message.id]


def _note(content: Any) -> str:
    if isinstance(content, str):
        try:
            content = json.loads(content)
        except (ValueError, RecursionError):
            return content[:NOTE_LENGTH]
    if not isinstance(content, dict):
        return ""
    tags = content.get("tags")
    said = [text(content.get("text")), *(map(text, tags) if isinstance(tags, list) else ())]
    return ", ".join(filter(None, said))[:NOTE_LENGTH]


def _in_order(nodes: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The nodes as `children` list them, roots first, so that the alternatives of one question keep their order."""
    children: dict[str, list[str]] = {}
    for key, node in nodes.items():
        listed = node.get("children")
        known = [child for child in listed if isinstance(child, str)] if isinstance(listed, list) else []
        children[key] = [child for child in known if child in nodes]
    roots = [key for key, node in nodes.items() if text(node.get("parent")) not in nodes]
    waiting = list(reversed([*roots, *nodes])) if roots else list(reversed(nodes))
    seen: set[str] = set()
    while waiting:
        key = waiting.pop()
        if key in seen:
            continue
        seen.add(key)
        yield key
        waiting += reversed(children[key])


def _message(key: str, parent: str | None, message: dict[str, Any], default_model: str) -> Message:
    author = message.get("author")
    author = author if isinstance(author, dict) else {}
    metadata = message.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    content = message.get("content")
    content = content if isinstance(content, dict) else {"parts": [content]}
    role = text(author.get("role"))
    recipient = text(message.get("recipient")) or "all"
    kind = _KINDS.get(text(content.get("content_type")), "text")
    if kind == "text" and role == ASSISTANT and recipient != "all":
        kind = "tool_call"
    elif kind == "text" and role == TOOL:
        kind = "tool_result"
    body, rest = _words(content)
    finish = metadata.get("finish_details")
    extra = {name: value for name, value in message.items() if name not in _PLACED and value not in (None, "", {}, [])}
    extra |= {"content": rest} if rest else {}
    extra |= {"recipient": recipient} if recipient != "all" else {}
    extra |= {"author": author["metadata"]} if author.get("metadata") else {}
    extra |= {"role": author.get("role")} if role not in ROLES and author.get("role") else {}
    model = text(metadata.get("model_slug"))
    return Message(
        key,
        role if role in ROLES else ASSISTANT,
        body,
        parent,
        kind=kind,
        name=text(author.get("name")) or (recipient if recipient != "all" else ""),
        model=model or (default_model if role == ASSISTANT else ""),
        at=moment(message.get("create_time")),
        is_hidden=message.get("weight") == 0
        or metadata.get("is_visually_hidden_from_conversation") is True
        or (role == "system"),
        attachments=_attachments(metadata, content),
        finish_reason=text(finish.get("type")) if isinstance(finish, dict) else "",
        is_cut_off=role == ASSISTANT and message.get("status") == "in_progress",
        extra=extra,
    )


def _words(content: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The text of a content, and what of it is no text."""
    parts = content.get("parts")
    shown = {key for key in _TEXT_KEYS if isinstance(content.get(key), str)} if not isinstance(parts, list) else set()
    rest = {key: value for key, value in content.items() if key not in {"content_type", "parts", *shown} and value}
    if text(content.get("content_type")) not in ("", "text"):
        rest["content_type"] = content["content_type"]
    if isinstance(parts, list):
        words = [
            part if isinstance(part, str) else text(part.get("text")) for part in parts if isinstance(part, (str, dict))
        ]
        if others := [part for part in parts if not isinstance(part, str)]:
            rest["parts"] = others
        return "\n\n".join(word for word in words if word), rest
    words = [content[key] for key in _TEXT_KEYS if isinstance(content.get(key), str) and content[key]]
    if thoughts := content.get("thoughts"):
        words.append(json.dumps(thoughts, ensure_ascii=False))
    return "\n\n".join(words), rest


def _attachments(metadata: dict[str, Any], content: dict[str, Any]) -> list[str]:
    listed = metadata.get("attachments")
    names = [text(each.get("name")) for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    parts = content.get("parts")
    pointed = [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    names += [text(part.get("asset_pointer")) for part in pointed]
    return [name for name in names if name]
