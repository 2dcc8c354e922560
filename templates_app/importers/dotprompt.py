"""Google's Dotprompt: YAML front matter with a schema of the inputs, and a Handlebars body.

Plain ``{{name}}`` are variables, typed by the schema; roles split the system prompt from the body. All else of
Handlebars (blocks, helpers, partials, comments) stays in the text as written and is named in the metadata: a person can
see it and rewrite it. A file whose front matter is not valid YAML is imported for its body, with a note.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from templates_app.importers import frontmatter
from templates_app.importers.inputs import from_broken_dotprompt, from_dotprompt
from templates_app.importers.reading import read_lines
from templates_app.importers.records import BadRecord, TemplateRecord, humanise, make_record
from templates_app.importers.roles import Part, assemble
from templates_app.importers.shelves import shelf_for_title
from templates_app.variables import Variable, VariableType, find_names, new_variable

NAME = "dotprompt"
SOURCE = "dotprompt"

_ROLE = re.compile(r"""\{\{#?\s*role\s+["'](\w+)["']\s*\}\}[ \t]*\n?""")
_ROLE_END = re.compile(r"\{\{/role\s*\}\}[ \t]*\n?")
_COMMENT = re.compile(r"\{\{!--.*?--\}\}|\{\{![^}]*\}\}", re.DOTALL)
_CONDITION = re.compile(r"\{\{#(?:if|unless)\s+(\w+)\s*\}\}")
_LOOP = re.compile(r"\{\{#(?:each|with)\b")
_CONSTRUCT = re.compile(r"\{\{(#>?\s*\w+|>\s*[\w-]+|!|\w+(?=\s+[\w\"'@(]))")


def sniff(name: str, head: str) -> bool:
    return frontmatter.sniff_suffix(name, head, ".prompt")


def read(text: str, name: str) -> Iterator[TemplateRecord | BadRecord]:
    if frontmatter.is_lines(text):
        return read_lines(text, lambda place, entry: frontmatter.restored(_record, place, frontmatter.read_line(entry)))
    return frontmatter.read_one(text, name, _record)


def _record(place: str, file: frontmatter.PromptFile) -> TemplateRecord | BadRecord:
    data = file.data
    system_prompt, body = assemble(_parts(file.body))
    model = data.get("model")
    parameters = frontmatter.parameters_of(data.get("config"))
    if isinstance(model, str):
        parameters = {"model": model, **parameters}
    metadata = frontmatter.metadata_of(file)
    if constructs := sorted({" ".join(found.split()) for found in _CONSTRUCT.findall(file.body)} - {"role", "#role"}):
        metadata["handlebars"] = constructs
    if system_prompt:
        metadata["original_body"] = file.body
    description = data.get("description")
    return make_record(
        place=place,
        source=SOURCE,
        source_id=file.path or file.name,
        title=humanise(frontmatter.title_of(file)),
        summary=description if isinstance(description, str) else "",
        system_prompt=system_prompt,
        body=body,
        category=shelf_for_title(humanise(frontmatter.title_of(file))),
        variables=_variables(file, system_prompt, body),
        parameters=parameters,
        metadata=metadata,
        # Inside a loop a name is a field of the item, which nobody fills in.
        literal_names=_LOOP.search(file.body) is not None,
    )


def _variables(file: frontmatter.PromptFile, *texts: str) -> list[Variable]:
    section: Any = file.data.get("input")
    if isinstance(section, dict):
        declared = from_dotprompt(section.get("schema"), section.get("default"))
    else:
        declared = [] if file.is_valid else from_broken_dotprompt(file.raw)
    known = {variable.name for variable in declared}
    if "history" in find_names(*texts) and "history" not in known:
        help_text = _("The messages before this one.")
        declared.append(Variable("history", VariableType.LONG_TEXT, label=_("History"), help=help_text))
    conditions = set(_CONDITION.findall(file.body))
    declared += [new_variable(name) for name in find_names(*texts) if name in conditions - known]
    return [replace(variable, required=False) if variable.name in conditions else variable for variable in declared]


def _parts(body: str) -> list[Part]:
    markers = list(_ROLE.finditer(body))
    start = markers[0].start() if markers else len(body)
    preamble = body[:start]
    # Dotprompt sends no comments: alone before the first role they are remarks about the file.
    parts = [] if markers and not _COMMENT.sub("", preamble).strip() else [Part("", preamble, preamble)]
    for index, marker in enumerate(markers):
        end = markers[index + 1].start() if index + 1 < len(markers) else len(body)
        parts.append(Part(marker[1].lower(), _ROLE_END.sub("", body[marker.end() : end]), body[marker.start() : end]))
    return parts
