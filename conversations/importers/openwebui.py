"""Open WebUI's chats: a history of messages that name parent and children, in an envelope or alone."""

import json
from typing import Any

from django.utils.translation import gettext as _

from conversations.importers.threads import (
    ASSISTANT,
    ROLES,
    TOOL,
    USER,
    BadThread,
    Message,
    Thread,
    count,
    moment,
    text,
)

NAME = "open-webui"
_PLACED = {"id", "parentId", "childrenIds", "role", "content", "timestamp", "model", "output"}


def matches(entry: dict[str, Any]) -> bool:
    chat = entry.get("chat", entry)
    history = chat.get("history") if isinstance(chat, dict) else None
    if isinstance(history, dict) and "messages" in history:
        return True
    return "chat" in entry and isinstance(chat, dict) and isinstance(chat.get("messages"), list)


def read(entry: dict[str, Any], place: str) -> Thread | BadThread:
    wrapped = entry.get("chat")
    chat: dict[str, Any] = wrapped if isinstance(wrapped, dict) else entry
    title = text(entry.get("title")) or text(chat.get("title"))
    history = chat.get("history")
    listed = history.get("messages") if isinstance(history, dict) else None
    if not isinstance(listed, dict):
        listed = _in_a_row(chat.get("messages"))
    if listed is None:
        return BadThread(place, _("It has no messages: its “history” is missing."), title)
    named = chat.get("models")
    models = [model for model in named if isinstance(model, str)] if isinstance(named, list) else []
    meta = entry.get("meta")
    tags = chat.get("tags") or (meta.get("tags") if isinstance(meta, dict) else None) or []
    parameters = chat.get("params")
    thread = Thread(
        place,
        NAME,
        text(entry.get("id")) or text(chat.get("id")),
        title=title,
        model=models[0] if models else "",
        created_at=moment(entry.get("created_at")) or moment(chat.get("timestamp")),
        updated_at=moment(entry.get("updated_at")),
        is_archived=entry.get("archived") is True,
        is_pinned=entry.get("pinned") is True,
        tags=[
            each if isinstance(each, str) else text(each.get("name")) for each in tags if isinstance(each, (str, dict))
        ],
        parameters=parameters if isinstance(parameters, dict) else {},
        extra={key: value for key, value in entry.items() if key not in ("chat", "history", "messages", "title")}
        | {"chat": {key: value for key, value in chat.items() if key not in ("history", "messages", "title")}},
    )
    ends: dict[str, str] = {}
    nodes = {str(key): node for key, node in listed.items() if isinstance(node, dict)}
    for key in _in_order(nodes):
        parent = text(nodes[key].get("parentId"))
        for message in _messages(key, nodes[key], ends.get(parent), models):
            thread.messages.append(message)
            ends[key] = message.id
    thread.leaf = ends.get(text(history.get("currentId"))) if isinstance(history, dict) else None
    return thread


def _in_a_row(messages: Any) -> dict[str, dict[str, Any]] | None:
    """A chat without a history: its messages as they stand, each after the one before."""
    if not isinstance(messages, list):
        return None
    found: dict[str, dict[str, Any]] = {}
    before = ""
    for number, message in enumerate(each for each in messages if isinstance(each, dict)):
        key = text(message.get("id")) or f"message-{number}"
        found[key] = {**message, "parentId": text(message.get("parentId")) or before}
        before = key
    return found


def _in_order(nodes: dict[str, dict[str, Any]]) -> list[str]:
    """Parents before children, otherwise as they stand."""
    order: dict[str, None] = {}
    for key in nodes:
        way: list[str] = []
        here: str | None = key
        while here in nodes and here not in order and here not in way:
            way.append(here)
            here = text(nodes[here].get("parentId")) or None
        order |= dict.fromkeys(reversed(way))
    return list(order)


def _messages(key: str, node: dict[str, Any], parent: str | None, models: list[str]) -> list[Message]:
    """What came before the words (reasoning, calls of tools and their results), and then the words."""
    role = text(node.get("role"))
    role = role if role in ROLES else ASSISTANT
    at = moment(node.get("timestamp"))
    found = []
    said = _parts(node.get("content"))
    output = node.get("output")
    if isinstance(output, list) and role == ASSISTANT:
        words = []
        for number, item in enumerate(each for each in output if isinstance(each, dict)):
            if item.get("type") == "message":
                words.append(_parts(item.get("content")))
                continue
            found.append(_item(item, f"{key}/{number}", parent, at))
            parent = f"{key}/{number}"
        said = "\n\n".join(word for word in words if word) or said
    usage = node.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    extra = {name: value for name, value in node.items() if name not in _PLACED and value not in (None, "", [], {})}
    if text(node.get("content")) != said:
        extra["content"] = node.get("content")
    error = node.get("error")
    files = node.get("files")
    message = Message(
        key,
        role,
        said,
        parent,
        model=text(node.get("model")) or (models[0] if models and role == ASSISTANT else ""),
        at=at,
        is_hidden=role not in (USER, ASSISTANT),
        input_tokens=count(usage.get("prompt_tokens", usage.get("input_tokens"))),
        output_tokens=count(usage.get("completion_tokens", usage.get("output_tokens"))),
        attachments=[text(file.get("name")) for file in files if isinstance(file, dict) and file.get("name")]
        if isinstance(files, list)
        else [],
        is_cut_off=node.get("done") is False,
        error=text(error.get("content")) if isinstance(error, dict) else text(error),
        feedback=_feedback(node),
        extra=extra,
    )
    return [*found, message]


def _item(item: dict[str, Any], key: str, parent: str | None, at: Any) -> Message:
    kind = text(item.get("type"))
    rest = {name: value for name, value in item.items() if name not in ("type", "content", "output", "arguments")}
    if kind == "reasoning":
        started = moment(item.get("started_at")) or at
        return Message(key, ASSISTANT, _parts(item.get("content")), parent, kind="reasoning", at=started, extra=rest)
    if kind == "function_call_output":
        return Message(key, TOOL, _parts(item.get("output")), parent, kind="tool_result", at=at, extra=rest)
    said = text(item.get("arguments")) or json.dumps(item, ensure_ascii=False)
    return Message(
        key, ASSISTANT, said, parent, kind="tool_call", name=text(item.get("name")) or kind, at=at, extra=rest
    )


def _parts(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(text(part.get("text")) for part in content if isinstance(part, dict))
    return text(content)


def _feedback(node: dict[str, Any]) -> int | None:
    annotation = node.get("annotation")
    rating = annotation.get("rating") if isinstance(annotation, dict) else None
    return rating if rating in (1, -1) else None
