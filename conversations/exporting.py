"""Conversations as they leave: promptlib's own JSON, which holds everything and can be imported again."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Prefetch

from conversations.importers.promptlib_json import COLUMNS, COUNTS, FORMAT
from conversations.models import Conversation, Prompt, PromptComment

CHUNK = 200


def as_json(conversations: Iterable[Conversation]) -> Iterator[str]:
    """A JSON list of conversations, in pieces: no more than 200 interactions are in memory at a time."""
    yield "["
    for number, conversation in enumerate(conversations):
        yield ",\n" if number else "\n"
        yield from _conversation(conversation)
    yield "\n]\n"


def _conversation(conversation: Conversation) -> Iterator[str]:
    head = _head(conversation)
    yield json.dumps(head, ensure_ascii=False, indent=1)[:-2]
    yield ',\n "prompts": ['
    for number, prompt in enumerate(_prompts(conversation)):
        yield ",\n" if number else "\n"
        yield json.dumps(_interaction(prompt), ensure_ascii=False, indent=1)
    yield "\n]}"


def _head(conversation: Conversation) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "id": str(conversation.pk),
        "source": conversation.source,
        "source_id": conversation.source_id or "",
        "title": conversation.title,
        "summary": conversation.summary,
        "system_prompt": conversation.system_prompt,
        "parameters": conversation.parameters,
        "metadata": conversation.metadata,
        "created_at": conversation.created_at.isoformat(),
        "archived_at": _time(conversation.archived_at),
    }


def _prompts(conversation: Conversation) -> Iterator[Prompt]:
    comments = PromptComment.objects.select_related("author")
    queryset = (
        conversation.prompts.select_related("author", "template_version__template")
        .prefetch_related(Prefetch("comments", queryset=comments))
        .order_by("pk")
    )
    return queryset.iterator(chunk_size=CHUNK)


def _interaction(prompt: Prompt) -> dict[str, Any]:
    imported = prompt.metadata.get("imported")
    version = prompt.template_version
    facts: dict[str, Any] = {
        "id": str(prompt.pk),
        "key": imported.get("key", "") if isinstance(imported, dict) else "",
        "parent": str(prompt.parent_id) if prompt.parent_id else "",
        "author": prompt.author.handle,
        "template": {"id": str(version.template_id), "title": version.template.title, "version": version.number}
        if version
        else None,
        "cost": str(prompt.cost) if prompt.cost is not None else "",
        "created_at": prompt.created_at.isoformat(),
        "completed_at": _time(prompt.completed_at),
        "comments": [
            {"author": comment.author.handle, "text": comment.text, "at": comment.created_at.isoformat()}
            for comment in prompt.comments.all()
        ],
    }
    plain = (
        *("input_text", "response_text", "system_prompt", "status", "error_message", "model", "finish_reason"),
        *("input_tokens", "output_tokens", "feedback", "values", "parameters", "metadata"),
        *COUNTS,
        *COLUMNS,
    )
    facts |= {name: getattr(prompt, name) for name in plain}
    return {name: value for name, value in facts.items() if value not in (None, "", [], {})}


def _time(value: Any) -> str:
    return value.isoformat() if value else ""
