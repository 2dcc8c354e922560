"""What a model is sent: the system prompt, the examples of the template, what was said before, the question."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conversations.models import Prompt
from conversations.services.path import path_up
from templates_app.models import TemplateVersion
from templates_app.rendering import render
from templates_app.variables import parse_contract, to_text

HISTORY_TURNS = 100
HISTORY_CHARS = 400_000
ROLES = ("system", "user", "assistant")

Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class Filled:
    """A version with its variables filled in."""

    system_prompt: str
    body: str
    examples: list[Message]


def fill(version: TemplateVersion, values: Mapping[str, Any]) -> Filled:
    """`values` are clean values, as `templates_app.variables.clean_values` gives them."""
    texts = {v.name: to_text(v, values.get(v.name)) for v in parse_contract(version.variables)}
    examples = [
        {"role": str(each["role"]), "content": render(str(each["content"]), texts)}
        for each in version.examples
        if isinstance(each, dict) and each.get("role") in ROLES and each.get("content")
    ]
    return Filled(render(version.system_prompt, texts), render(version.body, texts), examples)


def messages_for(prompt: Prompt) -> tuple[Message, ...]:
    """Everything the model needs to answer `prompt`; what was said long ago is left out first. Two queries or three."""
    turns = [*_history(prompt), *_question(prompt)]
    system = [{"role": "system", "content": prompt.system_prompt}] if prompt.system_prompt.strip() else []
    return (*system, *turns)


def _question(prompt: Prompt) -> Iterator[Message]:
    if prompt.template_version is not None:
        yield from fill(prompt.template_version, prompt.values).examples
    yield {"role": "user", "content": prompt.input_text}


def _history(prompt: Prompt) -> list[Message]:
    """The finished turns that lead to `prompt`, as many of the newest as there is room for."""
    if prompt.parent_id is None:
        return []
    path = path_up(prompt.conversation_id, end=prompt.parent_id, limit=HISTORY_TURNS)
    answered = (Prompt.Status.COMPLETED, Prompt.Status.RECORDED, Prompt.Status.INTERRUPTED)
    found = Prompt.objects.filter(pk__in=path, status__in=answered).exclude(response_text="")
    by_id = {each.pk: each for each in found.select_related("template_version")}
    messages: list[Message] = []
    room = HISTORY_CHARS - len(prompt.input_text)
    for pk in reversed(path):
        if pk in by_id:
            turn = [*_question(by_id[pk]), {"role": "assistant", "content": by_id[pk].response_text}]
            room -= sum(len(message["content"]) for message in turn)
            if room < 0:
                break
            messages = turn + messages
    return messages
