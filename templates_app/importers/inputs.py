"""The declared inputs of a prompt file as typed variables: Dotprompt's schemas and Prompty's inputs."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from templates_app.variables import (
    ContractError,
    Variable,
    VariableType,
    guess_type,
    is_name,
    label_for,
    parse_contract,
)

_TYPES = {
    "integer": VariableType.INTEGER,
    "int": VariableType.INTEGER,
    "number": VariableType.NUMBER,
    "float": VariableType.NUMBER,
    "boolean": VariableType.BOOLEAN,
    "bool": VariableType.BOOLEAN,
    "array": VariableType.JSON,
    "list": VariableType.JSON,
    "object": VariableType.JSON,
    "thread": VariableType.LONG_TEXT,
    "image": VariableType.TEXT,
    "audio": VariableType.TEXT,
    "file": VariableType.TEXT,
}
_PICO_KEY = re.compile(r"([^?(]+)(\?)?(?:\((\w+)(?:,\s*(.*))?\))?")
_RAW_LINE = re.compile(r"( *)([\w-]+\??(?:\([^)\n]*\))?)[ \t]*:[ \t]*(.*)")
_UNION = re.compile(r'"[^"]*"(?:\s*\|\s*"[^"]*")+')
_LONG_DEFAULT = 120


def variable_for(
    name: str,
    kind: str,
    *,
    help_text: str = "",
    default: Any = None,
    required: bool = True,
    options: tuple[str, ...] = (),
) -> Variable | None:
    """A variable of the kind that fits its own default; None when the name cannot be one of ours."""
    if not is_name(name):
        return None
    type_ = VariableType.CHOICE if options else _TYPES.get(kind.lower()) or _type_of(name, default)
    if isinstance(default, str) and type_ == VariableType.TEXT and ("\n" in default or len(default) > _LONG_DEFAULT):
        type_ = VariableType.LONG_TEXT
    variable = Variable(
        name,
        type_,
        label=label_for(name),
        help=help_text.strip()[:1000],
        default=default,
        required=required,
        options=options,
    )
    for candidate in (variable, replace(variable, type=VariableType.LONG_TEXT, default=None, options=())):
        try:
            return parse_contract([candidate.to_json()])[0]
        except ContractError:
            continue
    return None


def from_dotprompt(schema: object, defaults: object = None) -> list[Variable]:
    """The inputs of a Dotprompt file: a JSON schema of an object, or Picoschema."""
    given = defaults if isinstance(defaults, dict) else {}
    if not isinstance(schema, dict):
        return []
    properties = schema.get("properties")
    if isinstance(properties, dict):
        required = schema.get("required")
        needed = set(map(str, required)) if isinstance(required, list) else set(map(str, properties))
        found = [_from_schema(str(key), value, str(key) in needed, given) for key, value in properties.items()]
    else:
        found = [_from_pico(str(key), value, given) for key, value in schema.items()]
    return [variable for variable in found if variable]


def from_broken_dotprompt(raw: str) -> list[Variable]:
    """The inputs of front matter that is not valid YAML, as far as its lines under ``input:``, ``schema:`` can be read.

    Picoschema with ``{…}[]`` or ``"a" | "b"`` is no YAML, though Dotprompt's own samples use it.
    """
    variables: list[Variable] = []
    section, indent = "", 0
    for line in raw.splitlines():
        match = _RAW_LINE.fullmatch(line.rstrip())
        if not match:
            continue
        depth, key, value = len(match[1]), match[2], match[3].strip()
        if depth == 0:
            section = key
        elif section == "input" and key == "schema" and not value:
            section, indent = "schema", 0
        elif section == "schema" and (indent in (0, depth)):
            indent = depth
            variables += [variable for variable in [_from_pico(key, value, {})] if variable]
    return variables


def from_prompty(inputs: object, sample: object = None) -> list[Variable]:
    """The inputs of a Prompty file, as a list or by name, with the values of its sample as defaults."""
    samples = dict(sample) if isinstance(sample, dict) else {}
    if isinstance(inputs, dict) and isinstance(inputs.get("properties"), (list, dict)):
        inputs = inputs["properties"]
    if isinstance(inputs, dict):
        entries = {str(key): value for key, value in inputs.items()}
    else:
        listed = inputs if isinstance(inputs, list) else []
        entries = {str(entry["name"]): entry for entry in listed if isinstance(entry, dict) and "name" in entry}
    entries |= {str(key): {} for key in samples if str(key) not in entries}
    found = [_from_input(name, entry, samples) for name, entry in entries.items()]
    return [variable for variable in found if variable]


def _from_input(name: str, entry: object, samples: Mapping[str, Any]) -> Variable | None:
    facts = entry if isinstance(entry, dict) else {"default": entry}
    kind = str(facts.get("kind") or facts.get("type") or "")
    default = next(
        (
            v
            for v in (facts.get("default"), samples.get(name), facts.get("sample"), facts.get("example"))
            if v is not None
        ),
        None,
    )
    if kind in {"image", "audio", "file", "thread"}:
        default = None
    options = facts.get("enum")
    return variable_for(
        name,
        kind,
        help_text=str(facts.get("description") or ""),
        default=default,
        required=bool(facts.get("required", default is None and kind != "thread")),
        options=tuple(map(str, options)) if isinstance(options, list) else (),
    )


def _from_schema(name: str, schema: object, required: bool, defaults: Mapping[str, Any]) -> Variable | None:
    if isinstance(schema, str):
        return _from_pico(name if required else f"{name}?", schema, defaults)
    facts = schema if isinstance(schema, dict) else {}
    options = facts.get("enum")
    default = defaults.get(name, facts.get("default"))
    return variable_for(
        name,
        str(facts.get("type") or ""),
        help_text=str(facts.get("description") or ""),
        default=default,
        required=required and default is None,
        options=tuple(map(str, options)) if isinstance(options, list) else (),
    )


def _from_pico(key: str, value: object, defaults: Mapping[str, Any]) -> Variable | None:
    """ "age?: integer, In years", "tone(enum, How it sounds): [warm, formal]", "tags(array): string"."""
    match = _PICO_KEY.fullmatch(key.strip())
    if not match:
        return None
    name, optional, container, help_text = match[1].strip(), match[2], match[3], match[4] or ""
    options: tuple[str, ...] = ()
    kind = container or ""
    if container == "enum" and isinstance(value, list):
        options = tuple(map(str, value))
    elif isinstance(value, str) and (union := _UNION.match(value)):
        options = tuple(re.findall(r'"([^"]*)"', union[0]))
    elif isinstance(value, str) and not container:
        kind, _comma, rest = (part.strip() for part in value.partition(","))
        help_text = help_text or rest
        kind = "array" if kind.endswith("]") else kind
    elif isinstance(value, (dict, list)):
        kind = "object"
    default = defaults.get(name)
    return variable_for(
        name, kind, help_text=help_text, default=default, required=not optional and default is None, options=options
    )


def _type_of(name: str, default: object) -> VariableType:
    if isinstance(default, bool):
        return VariableType.BOOLEAN
    if isinstance(default, int):
        return VariableType.INTEGER
    if isinstance(default, float):
        return VariableType.NUMBER
    if isinstance(default, (dict, list)):
        return VariableType.JSON
    return guess_type(name)
