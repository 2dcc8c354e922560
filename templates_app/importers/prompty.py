"""Microsoft's Prompty: YAML front matter with inputs and model, and a body whose roles stand on lines of their own.

``system:``, ``user:`` and ``assistant:`` split the system prompt from the body. Jinja beyond plain ``{{name}}`` stays
as text. ``${env:NAME}`` is kept as a name; a key written into the file is removed.
"""

import re
from collections.abc import Iterator
from typing import Any

from templates_app.importers import frontmatter
from templates_app.importers.inputs import from_prompty
from templates_app.importers.reading import read_lines
from templates_app.importers.records import BadRecord, TemplateRecord, humanise, make_record
from templates_app.importers.roles import Part, assemble
from templates_app.importers.shelves import shelf_for_title

NAME = "prompty"
SOURCE = "prompty"

_ROLE = re.compile(
    r"^[ \t]*#?[ \t]*(system|developer|user|assistant|function|tool)(?:\[[^\]\n]*\])?[ \t]*:[ \t]*(?:\n|\Z)",
    re.IGNORECASE | re.MULTILINE,
)
# A model named by the environment, or not yet: ${env:MODEL}, <your-deployment>.
_PLACEHOLDERS = ("${", "<")
_JINJA = re.compile(r"\{%-?\s*(\w+)")


def sniff(name: str, head: str) -> bool:
    return frontmatter.sniff_suffix(name, head, ".prompty")


def read(text: str, name: str) -> Iterator[TemplateRecord | BadRecord]:
    if frontmatter.is_lines(text):
        return read_lines(text, lambda place, entry: frontmatter.restored(_record, place, frontmatter.read_line(entry)))
    return frontmatter.read_one(text, name, _record)


def _record(place: str, file: frontmatter.PromptFile) -> TemplateRecord | BadRecord:
    data = file.data
    system_prompt, body = assemble(_parts(file.body))
    metadata = frontmatter.metadata_of(file)
    if statements := sorted(set(_JINJA.findall(file.body))):
        metadata["jinja"] = statements
    if system_prompt:
        metadata["original_body"] = file.body
    description = data.get("description")
    inputs = data.get("inputs", data.get("inputSchema"))
    return make_record(
        place=place,
        source=SOURCE,
        source_id=file.path or file.name,
        title=humanise(frontmatter.title_of(file)),
        summary=description if isinstance(description, str) else "",
        system_prompt=system_prompt,
        body=body,
        category=shelf_for_title(humanise(frontmatter.title_of(file))),
        tags=[tag for tag in data.get("tags") or [] if isinstance(tag, str)],
        variables=from_prompty(inputs, data.get("sample")),
        parameters=_parameters(data.get("model")),
        metadata=metadata,
    )


def _parameters(model: object) -> dict[str, Any]:
    if isinstance(model, str):
        return {} if model.startswith(_PLACEHOLDERS) else {"model": model}
    facts = model if isinstance(model, dict) else {}
    configuration = facts.get("configuration")
    places = [facts, configuration if isinstance(configuration, dict) else {}]
    named = [place.get(key) for place in places for key in ("id", "model", "name", "azure_deployment")]
    name = next(
        (value for value in named if isinstance(value, str) and value and not value.startswith(_PLACEHOLDERS)), None
    )
    parameters = frontmatter.parameters_of(facts.get("options"), facts.get("parameters"), configuration)
    return {"model": name, **parameters} if name else parameters


def _parts(body: str) -> list[Part]:
    markers = list(_ROLE.finditer(body))
    start = markers[0].start() if markers else len(body)
    parts = [Part("", body[:start], body[:start])]
    for index, marker in enumerate(markers):
        end = markers[index + 1].start() if index + 1 < len(markers) else len(body)
        parts.append(Part(marker[1].lower(), body[marker.end() : end], body[marker.start() : end]))
    return parts
