"""Haystack's PromptHub: name, text, tags, description, version. Its {single} braces and calls stay text."""

import re
from collections.abc import Iterator
from typing import Any

from templates_app.importers.reading import first_line_object, read_lines, text_of, texts_of
from templates_app.importers.records import BadRecord, TemplateRecord, humanise, make_record
from templates_app.importers.shelves import shelf_for_tags

NAME = "prompthub"
SOURCE = "deepset-prompthub"

_SINGLE_BRACES = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")
_SHELVES = {
    "question-answering": "research",
    "question-generation": "education",
    "summarization": "writing",
    "translation": "writing",
    "language-detection": "analysis",
    "sentiment-analysis": "analysis",
    "classification": "analysis",
    "agent": "engineering",
    "conversational": "support",
}


def sniff(name: str, head: str) -> bool:
    entry = first_line_object(head)
    return "text" in entry and "name" in entry and not {"body", "markdown"} & set(entry)


def read(text: str, name: str) -> Iterator[TemplateRecord | BadRecord]:
    return read_lines(text, _record)


def _record(place: str, entry: dict[str, Any]) -> TemplateRecord | BadRecord:
    name = text_of(entry, "name", required=True)
    text = text_of(entry, "text", required=True)
    tags = texts_of(entry, "tags")
    metadata = {key: value for key, value in entry.items() if key not in {"text", "tags", "description"}}
    if names := list(dict.fromkeys(_SINGLE_BRACES.findall(text))):
        metadata["single_brace_names"] = names
    return make_record(
        place=place,
        source=SOURCE,
        source_id=name,
        title=humanise(name.rpartition("/")[2]),
        summary=text_of(entry, "description"),
        body=text,
        category=shelf_for_tags(tags, _SHELVES),
        tags=tags,
        literal_names=True,
        metadata=metadata,
    )
