"""LobeChat agents: a system prompt with title, description, tags, category and sample conversation, per language."""

from collections.abc import Iterator
from typing import Any

from templates_app.importers.language import normalise_language
from templates_app.importers.reading import first_line_object, read_lines, text_of, texts_of
from templates_app.importers.records import BadRecord, TemplateRecord, has_other_braces, make_record, message_variable

NAME = "lobe"
SOURCE = "lobe-chat-agents"

_SHELVES = {
    "programming": "engineering",
    "copywriting": "writing",
    "translation": "writing",
    "education": "education",
    "design": "design",
    "academic": "research",
    "marketing": "marketing",
    "career": "operations",
    "office": "operations",
    "life": "everyday",
    "games": "everyday",
    "entertainment": "everyday",
    "emotions": "everyday",
    "general": "everyday",
}
_COLUMNS = frozenset({"title", "description", "tags", "system_role", "examples"})


def sniff(name: str, head: str) -> bool:
    return {"identifier", "system_role"} <= set(first_line_object(head))


def read(text: str, name: str) -> Iterator[TemplateRecord | BadRecord]:
    return read_lines(text, _record)


def _record(place: str, entry: dict[str, Any]) -> TemplateRecord | BadRecord:
    identifier = text_of(entry, "identifier", required=True)
    locale = text_of(entry, "locale")
    system_role = text_of(entry, "system_role", required=True)
    category = text_of(entry, "category")
    examples = _examples(entry.get("examples"))
    metadata = {key: value for key, value in entry.items() if key not in _COLUMNS and value not in (None, "", [])}
    if entry.get("examples") and len(examples) != len(entry["examples"]):
        metadata["examples"] = entry["examples"]
    return make_record(
        place=place,
        source=SOURCE,
        source_id=f"{identifier}@{locale}" if locale else identifier,
        title=text_of(entry, "title") or identifier,
        summary=text_of(entry, "description"),
        system_prompt=system_role,
        body="{{ message }}",
        language=normalise_language(locale),
        category=_SHELVES.get(category, ""),
        tags=texts_of(entry, "tags"),
        variables=[message_variable(example=next(iter(texts_of(entry, "opening_questions")), ""))],
        # Agents that write image prompts use braces for weight.
        literal_names=has_other_braces(system_role),
        examples=examples,
        metadata=metadata,
    )


def _examples(value: object) -> list[dict[str, str]]:
    """The turns of the sample conversation that are sound; a few agents have theirs garbled."""
    return [
        {"role": turn["role"], "content": turn["content"]}
        for turn in (value if isinstance(value, list) else [])
        if isinstance(turn, dict) and isinstance(turn.get("role"), str) and isinstance(turn.get("content"), str)
    ]
