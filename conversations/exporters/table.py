"""A CSV with a row for each interaction."""

from collections.abc import Iterable, Iterator
from typing import Any

from conversations.exporters.reading import Thread
from conversations.models import Prompt
from promptlib.core.spreadsheets import cell, csv_row

COLUMNS = (
    *("conversation_id", "conversation", "id", "number", "parent", "author", "created_at", "completed_at", "status"),
    *("provider", "model", "template", "template_version", "system_prompt", "input_text", "response_text"),
    *("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "latency_ms", "first_token_ms"),
    *("cost", "currency", "finish_reason", "error_code", "error_message", "feedback", "feedback_note"),
)


def write_csv(threads: Iterable[Thread]) -> Iterator[str]:
    yield csv_row(COLUMNS)
    for thread in threads:
        for prompt in thread.prompts():
            facts = _facts(prompt, thread)
            yield csv_row(cell(facts[name] if name in facts else getattr(prompt, name)) for name in COLUMNS)


def _facts(prompt: Prompt, thread: Thread) -> dict[str, Any]:
    version = prompt.template_version if thread.shows_template(prompt) else None
    return {
        "conversation_id": thread.conversation.pk,
        "conversation": thread.conversation.title,
        "number": thread.numbers[prompt.pk],
        "parent": prompt.parent_id,
        "author": prompt.author.handle,
        "created_at": prompt.created_at.isoformat(),
        "completed_at": prompt.completed_at.isoformat() if prompt.completed_at else None,
        "template": version.template.title if version else None,
        "template_version": version.number if version else None,
    }
