"""LibreChat's export of one conversation: messages that name their parent, flat or nested."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from conversations.importers.threads import ASSISTANT, USER, BadThread, Message, Thread, count, moment, text

NAME = "librechat"
_PLACED = {"messageId", "parentMessageId", "text", "isCreatedByUser", "createdAt", "model", "children", "tokenCount"}


def matches(entry: dict[str, Any]) -> bool:
    return "conversationId" in entry and "messages" in entry


def read(entry: dict[str, Any], place: str) -> Thread | BadThread:
    title = text(entry.get("title"))
    listed = entry.get("messages")
    if not isinstance(listed, list):
        return BadThread(place, _("It has no messages: its “messages” is no list."), title)
    options = entry.get("options")
    options = options if isinstance(options, dict) else {}
    thread = Thread(
        place,
        NAME,
        text(entry.get("conversationId")),
        title=title,
        model=text(options.get("model")),
        parameters={
            name: options[name] for name in ("temperature", "top_p") if isinstance(options.get(name), (int, float))
        },
        extra={key: value for key, value in entry.items() if key not in ("messages", "title")},
    )
    if prefix := text(options.get("promptPrefix")):
        thread.parameters["system_prompt"] = prefix
    for number, (each, nested_in) in enumerate(_flat(listed)):
        thread.messages.append(_message(each, nested_in, number, thread.model))
    times = [message.at for message in thread.messages if message.at]
    thread.created_at, thread.updated_at = (min(times), max(times)) if times else (None, None)
    return thread


def _flat(listed: list[Any]) -> Iterator[tuple[dict[str, Any], str | None]]:
    waiting: list[tuple[Any, str | None]] = [(each, None) for each in reversed(listed)]
    while waiting:
        each, nested_in = waiting.pop()
        if not isinstance(each, dict):
            continue
        yield each, nested_in
        children = each.get("children")
        key = text(each.get("messageId")) or nested_in
        waiting += [(child, key) for child in reversed(children)] if isinstance(children, list) else []


def _message(each: dict[str, Any], nested_in: str | None, number: int, model: str) -> Message:
    is_user = each.get("isCreatedByUser") is True or (
        "isCreatedByUser" not in each and text(each.get("sender")).lower() == "user"
    )
    parts = each.get("content")
    words = [_said(part) for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    said = text(each.get("text")) or "\n\n".join(word for word in words if word)
    tokens = count(each.get("tokenCount"))
    files = each.get("files")
    return Message(
        text(each.get("messageId")) or f"message-{number}",
        USER if is_user else ASSISTANT,
        said,
        text(each.get("parentMessageId")) or nested_in,
        name="" if is_user else text(each.get("sender")),
        model="" if is_user else text(each.get("model")) or model,
        at=moment(each.get("createdAt")),
        input_tokens=tokens if is_user else None,
        output_tokens=None if is_user else tokens,
        finish_reason=text(each.get("finish_reason")),
        is_cut_off=each.get("unfinished") is True,
        error=said if each.get("error") is True else "",
        attachments=[text(file.get("filename")) for file in files if isinstance(file, dict) and file.get("filename")]
        if isinstance(files, list)
        else [],
        extra={name: value for name, value in each.items() if name not in _PLACED and value not in (None, "", [], {})},
    )


def _said(part: dict[str, Any]) -> str:
    """The words of a part: its text, which may be in a box. Thoughts and calls of tools stay in `extra`."""
    said = part.get("text")
    return text(said.get("value")) if isinstance(said, dict) else text(said)
