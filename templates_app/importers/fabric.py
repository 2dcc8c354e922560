"""Fabric patterns: Markdown instructions, applied to an input that follows them.

A pattern that ends in a bare ``INPUT:`` (or another empty heading for it) gets ``{{ input }}`` there; one that has
``{{input}}`` already stays as it is; one that gives no place to its input is a system prompt, and the input the body,
which is how Fabric itself sends it.
"""

import re
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from templates_app.importers.reading import first_line_object, read_lines, text_of, texts_of
from templates_app.importers.records import BadRecord, TemplateRecord, has_other_braces, humanise, make_record
from templates_app.importers.shelves import shelf_for_tags
from templates_app.variables import Variable, VariableType, find_names

NAME = "fabric"
SOURCE = "fabric"

_INPUT_AT_END = re.compile(r"(?:^|\n)[#*\s]*(?:INPUT|CONTENT|TRANSCRIPT|[A-Z ]+ TRANSCRIPT)\**\s*:?\**%?\s*\Z")
_SHELVES = {
    "development": "engineering",
    "devops": "engineering",
    "security": "engineering",
    "research": "research",
    "learning": "education",
    "writing": "writing",
    "business": "operations",
    "strategy": "operations",
    "visualize": "design",
    "visualization": "design",
    "creativity": "design",
    "summarize": "writing",
    "conversion": "writing",
    "ai": "engineering",
    "cr thinking": "analysis",
    "review": "analysis",
    "analysis": "analysis",
    "extract": "analysis",
    "bill": "legal",
    "self": "everyday",
    "wisdom": "everyday",
    "gaming": "everyday",
}


def sniff(name: str, head: str) -> bool:
    return {"name", "markdown"} <= set(first_line_object(head))


def read(text: str, name: str) -> Iterator[TemplateRecord | BadRecord]:
    return read_lines(text, _record)


def _record(place: str, entry: dict[str, Any]) -> TemplateRecord | BadRecord:
    name = text_of(entry, "name", required=True)
    pattern = text_of(entry, "markdown", required=True)
    if user := text_of(entry, "user_markdown").strip():
        pattern = f"{pattern.rstrip()}\n\n{user}"
    system_prompt, body = _place_input(pattern)
    tags = [tag.lower() for tag in texts_of(entry, "tags")]
    return make_record(
        place=place,
        source=SOURCE,
        source_id=name,
        title=humanise(name),
        summary=text_of(entry, "description"),
        system_prompt=system_prompt,
        body=body,
        language="en",
        category=shelf_for_tags(tags, _SHELVES),
        tags=tags,
        variables=[Variable("input", VariableType.LONG_TEXT, label=_("Input"), required=True)],
        # Patterns about template languages quote braces; the others mean them.
        literal_names=has_other_braces(pattern),
        metadata={key: value for key, value in entry.items() if key in {"name", "tags"}},
    )


def _place_input(pattern: str) -> tuple[str, str]:
    """The system prompt and the body of a pattern."""
    if "input" in find_names(pattern):
        return "", pattern
    if _INPUT_AT_END.search(pattern[-200:]):
        return "", f"{pattern.rstrip()}\n\n{{{{ input }}}}"
    return pattern, "{{ input }}"
