"""Claude's account export (a list of conversations in order), and one conversation as the web page's API gives it."""

import json
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from conversations.importers.threads import ASSISTANT, TOOL, USER, BadThread, Message, Thread, moment, text

NAME = "claude"
_PLACED = {"uuid", "text", "content", "sender", "created_at", "parent_message_uuid"}


def matches(entry: dict[str, Any]) -> bool:
    return "chat_messages" in entry


def read(entry: dict[str, Any], place: str) -> Thread | BadThread:
    title = text(entry.get("name"))
    listed = entry.get("chat_messages")
    if not isinstance(listed, list):
        return BadThread(place, _("It has no messages: its “chat_messages” is no list."), title)
    thread = Thread(
        place,
        NAME,
        text(entry.get("uuid")) or text(entry.get("conversation_id")),
        title=title,
        summary=text(entry.get("summary")),
        model=text(entry.get("model")),
        created_at=moment(entry.get("created_at")),
        updated_at=moment(entry.get("updated_at")),
        is_pinned=entry.get("is_starred") is True,
        extra={key: value for key, value in entry.items() if key not in ("chat_messages", "name", "summary")},
    )
    leaf = text(entry.get("current_leaf_message_uuid"))
    ends: dict[str, str] = {}
    before: str | None = None
    for number, each in enumerate(listed):
        if not isinstance(each, dict):
            continue
        key = text(each.get("uuid")) or f"message-{number}"
        named = text(each.get("parent_message_uuid"))
        parent = ends.get(named) if named else before
        for message in _messages(each, key, parent, thread.model):
            thread.messages.append(message)
            before = ends[key] = message.id
    thread.leaf = ends.get(leaf)
    return thread


def _messages(each: dict[str, Any], key: str, parent: str | None, model: str) -> Iterator[Message]:
    """The blocks of one message as messages of their own; the last of its words has the message's id."""
    role = USER if each.get("sender") == "human" else ASSISTANT
    blocks = _blocks(each.get("content"))
    words = [text(block.get("text")) for block in blocks if block.get("type", "text") == "text"]
    others = [block for block in blocks if block.get("type", "text") != "text"]
    said = "\n\n".join(word for word in words if word) or text(each.get("text"))
    for number, block in enumerate(others):
        yield _block(block, f"{key}/{number}", parent, each)
        parent = f"{key}/{number}"
    facts = {name: value for name, value in each.items() if name not in _PLACED and value not in (None, "", [], {})}
    if said != text(each.get("text")) and text(each.get("text")):
        facts["text"] = each["text"]
    if len(blocks) > 1:  # the words stand together here: this tells where they stood
        facts["order"] = [[text(block.get("type")) or "text", len(text(block.get("text")))] for block in blocks]
    if each.get("sender") not in ("human", "assistant"):
        facts["sender"] = each.get("sender")
    if cited := [block["citations"] for block in blocks if block.get("citations")]:
        facts["citations"] = cited
    times = [moment(block.get(name)) for block in blocks for name in ("start_timestamp", "stop_timestamp")]
    known = [time for time in times if time]
    yield Message(
        key,
        role,
        said,
        parent,
        model=model if role == ASSISTANT else "",
        at=moment(each.get("created_at")) or (known[0] if known else None),
        ended_at=known[-1] if len(known) > 1 and known[-1] > known[0] else None,
        attachments=_attachments(each),
        finish_reason=text(each.get("stop_reason")),
        is_cut_off=each.get("truncated") is True,
        extra=facts,
    )


def _blocks(content: Any) -> list[dict[str, Any]]:
    """A list of blocks; some tools write one block, or its text alone."""
    listed = content if isinstance(content, list) else [content]
    found = [{"type": "text", "text": block} if isinstance(block, str) else block for block in listed]
    return [block for block in found if isinstance(block, dict)]


def _block(block: dict[str, Any], key: str, parent: str | None, each: dict[str, Any]) -> Message:
    kind = text(block.get("type"))
    at = moment(block.get("start_timestamp")) or moment(each.get("created_at"))
    rest = {
        name: value for name, value in block.items() if name not in ("type", "thinking") and value not in (None, [], {})
    }
    if kind in ("thinking", "redacted_thinking"):
        return Message(key, ASSISTANT, text(block.get("thinking")), parent, kind="reasoning", at=at, extra=rest)
    name = text(block.get("name"))
    if kind == "tool_result":
        content = block.get("content")
        words = (
            [text(part.get("text")) for part in content if isinstance(part, dict)] if isinstance(content, list) else []
        )
        said = "\n".join(words) or text(content)
        return Message(key, TOOL, said, parent, kind="tool_result", name=name, at=at, extra=rest)
    said = json.dumps(block.get("input", block), ensure_ascii=False, indent=1)
    rest.pop("input", None)
    return Message(key, ASSISTANT, said, parent, kind="tool_call", name=name or kind, at=at, extra=rest)


def _attachments(each: dict[str, Any]) -> list[str]:
    listed = [each.get(name) for name in ("attachments", "files", "files_v2")]
    files = [file for files in listed if isinstance(files, list) for file in files if isinstance(file, dict)]
    return list(dict.fromkeys(name for file in files if (name := text(file.get("file_name")))))
