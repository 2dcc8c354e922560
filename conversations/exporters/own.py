"""promptlib's own JSON, which holds everything and can be imported again."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from conversations.exporters.reading import Thread
from conversations.importers.promptlib_json import COLUMNS, COUNTS, FORMAT
from conversations.models import Prompt


def write_json(threads: Iterable[Thread]) -> Iterator[str]:
    """A JSON list of conversations, in pieces: no more than a hundred interactions are in memory at a time."""
    yield "["
    for number, thread in enumerate(threads):
        yield ",\n" if number else "\n"
        yield from _conversation(thread)
    yield "\n]\n"


def _conversation(thread: Thread) -> Iterator[str]:
    yield json.dumps(_head(thread), ensure_ascii=False, indent=1)[:-2]
    yield ',\n "prompts": ['
    for number, prompt in enumerate(thread.prompts()):
        yield ",\n" if number else "\n"
        yield json.dumps(_interaction(prompt, thread), ensure_ascii=False, indent=1)
    yield "\n]}"


def _head(thread: Thread) -> dict[str, Any]:
    """What was never shown to readers (settings of the source, hidden messages) goes to those who may edit alone."""
    conversation = thread.conversation
    brought = conversation.metadata.get("brought")
    people = [{"handle": seat.user.handle, "role": seat.role} for seat in thread.people]
    return {
        "format": FORMAT,
        "id": str(conversation.pk),
        "source": conversation.source,
        "source_id": conversation.source_id or "",
        "title": conversation.title,
        "summary": conversation.summary,
        "system_prompt": conversation.system_prompt,
        "parameters": conversation.parameters,
        "tags": thread.tags,
        "people": brought.get("people", people) if isinstance(brought, dict) else people,
        "is_pinned": thread.seat is not None and thread.seat.pinned_at is not None,
        "metadata": {key: value for key, value in conversation.metadata.items() if key != "brought"}
        if thread.is_editor
        else {},
        "created_at": conversation.created_at.isoformat(),
        "archived_at": _time(conversation.archived_at),
    }


def _interaction(prompt: Prompt, thread: Thread) -> dict[str, Any]:
    imported = prompt.metadata.get("imported")
    brought = prompt.metadata.get("brought")
    brought = brought if isinstance(brought, dict) else {}
    version = prompt.template_version if thread.shows_template(prompt) else None
    facts: dict[str, Any] = {
        "id": str(prompt.pk),
        "key": imported.get("key", "") if isinstance(imported, dict) else "",
        "parent": str(prompt.parent_id) if prompt.parent_id else "",
        "author": brought.get("author") or prompt.author.handle,
        "template": {"id": str(version.template_id), "title": version.template.title, "version": version.number}
        if version
        else brought.get("template"),
        "cost": str(prompt.cost) if prompt.cost is not None else "",
        "created_at": prompt.created_at.isoformat(),
        "completed_at": _time(prompt.completed_at),
        "comments": _comments(prompt, brought),
    }
    plain = (
        *("input_text", "response_text", "system_prompt", "status", "error_message", "model", "finish_reason"),
        *("input_tokens", "output_tokens", "feedback", "parameters"),
        *COUNTS,
        *COLUMNS,
    )
    facts |= {name: getattr(prompt, name) for name in plain}
    facts["values"] = prompt.values if version or prompt.template_version is None else {}
    if thread.is_editor:
        facts["metadata"] = {key: value for key, value in prompt.metadata.items() if key != "brought"}
    return {name: value for name, value in facts.items() if value not in (None, "", [], {})}


def _comments(prompt: Prompt, brought: dict[str, Any]) -> list[dict[str, str]]:
    """Under the names of those who made them, also where an import has brought them."""
    authors = brought.get("comments")
    authors = authors if isinstance(authors, dict) else {}
    return [
        {
            "author": authors.get(comment.created_at.isoformat()) or comment.author.handle,
            "text": comment.text,
            "at": comment.created_at.isoformat(),
        }
        for comment in prompt.comments.all()
    ]


def _time(value: Any) -> str:
    return value.isoformat() if value else ""
