"""Markdown: a text that people read, and that any editor opens."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from conversations.exporters.reading import Thread
from conversations.exporters.words import about, asked_by, follows, numbers
from conversations.models import Prompt


def write_markdown(thread: Thread) -> Iterator[str]:
    conversation = thread.conversation
    yield f"# {_line(conversation.title)}\n\n"
    if conversation.summary:
        yield f"{conversation.summary}\n\n"
    yield "".join(f"- {label}: {_line(value)}\n" for label, value in about(thread))
    if conversation.system_prompt:
        yield f"\n## {_('System prompt')}\n\n{conversation.system_prompt}\n"
    before: Prompt | None = None
    for prompt in thread.prompts():
        yield _turn(prompt, thread, before)
        before = prompt


def _turn(prompt: Prompt, thread: Thread, before: Prompt | None) -> str:
    parts = [f"\n---\n\n## {thread.numbers[prompt.pk]}. {_line(asked_by(prompt, thread))}\n"]
    if told := follows(prompt, thread, before):
        parts.append(f"*{told}*\n")
    parts.append(f"{prompt.input_text}\n")
    if prompt.response_text or prompt.error_message:
        parts.append(f"### {_('Answer')}{f': {_line(prompt.model)}' if prompt.model else ''}\n")
    parts += [f"{text}\n" for text in (prompt.response_text, prompt.error_message) if text]
    if counted := numbers(prompt):
        parts.append(f"*{_line(', '.join(counted))}*\n")
    parts += [
        f"> **{_line(str(each.author))}**: {each.text.replace(chr(10), chr(10) + '> ')}\n"
        for each in prompt.comments.all()
    ]
    return "\n".join(parts)


def _line(text: str) -> str:
    return " ".join(str(text).split())
