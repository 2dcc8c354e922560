"""Open WebUI's prompts: a JSON list of command, name (title before 2026), content.

``{{name | select:options=["a","b"]:default="a":required}}`` is a typed input there: it becomes ``{{ name }}`` and an
entry of the contract. ``{{CURRENT_DATE}}`` and its like, which Open WebUI fills in by itself, become variables.
https://docs.openwebui.com/features/workspace/prompts
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from templates_app.importers import own
from templates_app.importers.placeholders import to_identifier
from templates_app.importers.reading import read_list, text_of, texts_of
from templates_app.importers.records import BadRecord, TemplateRecord, clean_text, make_record
from templates_app.importers.shelves import shelf_for_title
from templates_app.variables import ContractError, Variable, VariableType, label_for, parse_contract

NAME = "open-webui"
SOURCE = "open-webui"
TYPES = {
    "text": VariableType.TEXT,
    "textarea": VariableType.LONG_TEXT,
    "select": VariableType.CHOICE,
    "number": VariableType.NUMBER,
    "range": VariableType.NUMBER,
    "checkbox": VariableType.BOOLEAN,
    "date": VariableType.DATE,
    "url": VariableType.URL,
}

_START = re.compile(r"\s*\[\s*\{")
_TYPED = re.compile(r"\{\{\s*([^|{}\s]{1,64})\s*\|\s*((?:[^{}\"]|\"(?:[^\"\\]|\\.)*+\")+?)\s*\}\}")
_PART = re.compile(r':((?:[^:"\[]|"(?:[^"\\]|\\.)*+"|\[(?:[^\]"]|"(?:[^"\\]|\\.)*+")*+\])*+)')


def sniff(name: str, head: str) -> bool:
    return _START.match(head) is not None and '"command"' in head and '"content"' in head


def read(text: str, name: str) -> Iterator[TemplateRecord | BadRecord]:
    return read_list(text, _record)


def _record(place: str, entry: dict[str, Any]) -> TemplateRecord | BadRecord:
    command = text_of(entry, "command", required=True).removeprefix("/")
    title = text_of(entry, "name") or text_of(entry, "title") or command
    meta = dict(entry["meta"]) if isinstance(entry.get("meta"), dict) else {}
    block = meta.pop(own.BLOCK, None)
    body, variables = convert_inputs(clean_text(text_of(entry, "content")))
    record = make_record(
        place=place,
        source=SOURCE,
        source_id=command,
        title=title,
        body=body,
        category=shelf_for_title(title),
        tags=texts_of(entry, "tags"),
        variables=variables,
        metadata={"command": command, **meta},
    )
    return own.restore(record, block)


def convert_inputs(text: str) -> tuple[str, list[Variable]]:
    """The text with plain names, and the variables that its typed inputs declare."""
    variables: dict[str, Variable] = {}

    def plain(match: re.Match[str]) -> str:
        name = to_identifier(match[1])
        if not name:
            return match[0]
        variables.setdefault(name, _variable(name, match[2]))
        return f"{{{{ {name} }}}}"

    return _TYPED.sub(plain, text), list(variables.values())


def _variable(name: str, definition: str) -> Variable:
    kind, _colon, _rest = definition.partition(":")
    properties: dict[str, Any] = {}
    for part in _PART.findall(definition[len(kind) :]):
        key, is_valued, value = part.strip().partition("=")
        properties[key.strip()] = _value(value.strip()) if is_valued else True
    kind = kind.strip().removeprefix("type=").strip('"')
    data = {
        "name": name,
        "type": TYPES.get(kind, VariableType.TEXT).value,
        "label": str(properties.get("label") or label_for(name)),
        "help": str(properties.get("placeholder") or ""),
        "default": _default(kind, properties.get("default")),
        "required": properties.get("required") in (True, "true"),
        "min": _number(properties.get("min")),
        "max": _number(properties.get("max")),
        "options": properties.get("options"),
    }
    for candidate in (data, {**data, "default": None}, {"name": name, "label": label_for(name)}):
        try:
            return parse_contract([{key: value for key, value in candidate.items() if value is not None}])[0]
        except ContractError:
            continue
    return Variable(name)


def _value(text: str) -> Any:
    if text.startswith(("[", '"')):
        try:
            return json.loads(text)
        except ValueError:
            return text.strip('"')
    return text


def _default(kind: str, value: Any) -> Any:
    return value in (True, "true") if kind == "checkbox" and value is not None else value


def _number(value: Any) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return int(number) if number.is_integer() and abs(number) < 10**15 else number
