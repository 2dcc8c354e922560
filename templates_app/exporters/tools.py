"""What other tools keep prompts in: Langfuse's and Open WebUI's JSON, the CSV of prompts.chat."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from promptlib.core.spreadsheets import csv_row, protect
from templates_app.exporters.own import to_json
from templates_app.exporters.records import moment
from templates_app.importers import BadRecord, TemplateRecord, VersionRecord, langfuse, openwebui
from templates_app.importers.own import BLOCK, CONTENT, block_for
from templates_app.importers.placeholders import convert_placeholders, to_identifier
from templates_app.importers.prompts_chat import COLUMNS, SOURCE
from templates_app.rendering import segments
from templates_app.variables import Variable, VariableType, parse_contract

_COMMAND = re.compile(r"[^a-z0-9]+")
_UNSAFE = re.compile(r"[{}|\"\n\\]")
_INPUTS = {kind: name for name, kind in openwebui.TYPES.items() if name != "range"}


def _json_list(entries: Iterable[dict[str, Any]]) -> Iterator[str]:
    separator = "[\n"
    for entry in entries:
        yield separator + to_json(entry)
        separator = ",\n"
    yield "\n]\n" if separator != "[\n" else "[]\n"


def _native(read: Any, entry: dict[str, Any]) -> TemplateRecord | None:
    """What reading the entry alone gives."""
    [record] = read(f"[{to_json(entry)}]", "")
    return None if isinstance(record, BadRecord) else record


class _Names:
    """Names of which no two are the same, whatever their case."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def unique(self, name: str, pattern: str = "%s-%d") -> str:
        number = self._seen.get(name.casefold(), 0) + 1
        self._seen[name.casefold()] = number
        return name if number == 1 else self.unique(pattern % (name, number), pattern)


# ---- Langfuse ----------------------------------------------------------------


def write_langfuse(records: Iterable[TemplateRecord]) -> Iterator[str]:
    """An object for each version, oldest first, so that posting them one after the other numbers them alike."""
    names = _Names()
    return _json_list(
        entry
        for record in records
        for entry in _langfuse_versions(record, names.unique(record.title.replace("|", "-"), "%s (%d)"))
    )


def _langfuse_versions(record: TemplateRecord, name: str) -> Iterator[dict[str, Any]]:
    history = record.history
    assert history is not None
    for version in history.versions:
        labels = [label for label, number, _protected in history.labels if number == version.number]
        is_last = version is history.versions[-1]
        entry = {
            "name": name,
            "version": version.number,
            **_langfuse_prompt(version.content),
            "config": dict(version.content["parameters"]),
            "labels": labels + ([langfuse.LATEST] if is_last and langfuse.LATEST not in labels else []),
            "tags": list(record.tags),
            "commitMessage": version.change_note or None,
            "createdAt": moment(version.created_at) if version.created_at else None,
        }
        entry["config"][BLOCK] = _langfuse_block(record, version, entry, is_last)
        yield entry


def _langfuse_block(
    record: TemplateRecord, version: VersionRecord, entry: dict[str, Any], is_last: bool
) -> dict[str, Any]:
    block = block_for(_at(record, version), _native(langfuse.read, entry))
    return block if is_last else {key: value for key, value in block.items() if key in {*CONTENT, "digest"}}


def _at(record: TemplateRecord, version: VersionRecord) -> TemplateRecord:
    content = version.content
    return replace(
        record,
        system_prompt=content["system_prompt"],
        body=content["body"],
        examples=tuple(content["examples"]),
        variables=parse_contract(content["variables"]),
        parameters=content["parameters"],
    )


def _langfuse_prompt(content: dict[str, Any]) -> dict[str, Any]:
    if not content["system_prompt"] and not content["examples"]:
        return {"type": "text", "prompt": content["body"]}
    system = [{"role": "system", "content": content["system_prompt"]}] if content["system_prompt"] else []
    examples = [{"role": example["role"], "content": example["content"]} for example in content["examples"]]
    return {"type": "chat", "prompt": [*system, *examples, {"role": "user", "content": content["body"]}]}


# ---- Open WebUI --------------------------------------------------------------


def write_openwebui(records: Iterable[TemplateRecord]) -> Iterator[str]:
    """The name is written under both keys, for versions of Open WebUI before and since 0.8."""
    names = _Names()
    return _json_list(_openwebui_entry(record, names) for record in records)


def _openwebui_entry(record: TemplateRecord, names: _Names) -> dict[str, Any]:
    content = "\n\n".join(filter(None, [record.system_prompt, record.body]))
    variables = {variable.name: variable for variable in record.variables}
    entry: dict[str, Any] = {
        "command": names.unique(_COMMAND.sub("-", record.title.lower()).strip("-") or "prompt"),
        "name": record.title,
        "title": record.title,
        "content": "".join(
            _input(variables[part.name], part.text) if part.name in variables else part.text
            for part in segments(content)
        ),
        "tags": list(record.tags),
        "access_control": None if record.visibility == "public" else {},
    }
    return {**entry, "meta": {BLOCK: block_for(record, _native(openwebui.read, entry))}}


def _input(variable: Variable, text: str) -> str:
    """``{{name | number:min=1:default="3"}}``; as it stands where a property could not be written so."""
    kind = _INPUTS.get(variable.type)
    properties = {"placeholder": variable.help, "label": variable.label}
    default = variable.default
    shown = str(default).lower() if isinstance(default, bool) else "" if default is None else str(default)
    if kind is None or any(map(_UNSAFE.search, [*properties.values(), shown, *variable.options])):
        return text
    parts = [kind, *(f'{key}="{value}"' for key, value in properties.items() if value)]
    parts += [f"options={to_json(list(variable.options))}"] if variable.options else []
    limits = {"min": variable.min, "max": variable.max}
    parts += [f"{key}={value}" for key, value in limits.items() if value is not None]
    parts += [f'default="{shown}"'] if shown else []
    parts += ["required"] if variable.required else []
    return f"{{{{{variable.name} | {':'.join(parts)}}}}}"


# ---- prompts.chat ------------------------------------------------------------


def write_prompts_chat(records: Iterable[TemplateRecord]) -> Iterator[str]:
    yield csv_row(COLUMNS)
    for record in records:
        own = record.metadata if record.source == SOURCE else {}
        for_developers = own.get("for_devs", record.category == "engineering")
        kind = next((tag.upper() for tag in record.tags if tag in {"structured", "image"}), "TEXT")
        cells = (
            str(own.get("full_title") or record.title),
            to_dollars("\n\n".join(filter(None, [record.system_prompt, record.body])), record.variables),
            "TRUE" if for_developers else "FALSE",
            str(own.get("type") or kind),
            str(own.get("contributor") or ""),
        )
        yield csv_row(map(protect, cells))


def to_dollars(text: str, variables: Iterable[Variable]) -> str:
    """The text with ``${name:default}`` for ``{{ name }}``; as it stands where reading that back gives another text."""
    known = {variable.name: variable for variable in variables}
    written = "".join(
        _dollar(known[part.name], part.text) if part.name in known else part.text for part in segments(text)
    )
    return written if _plain(convert_placeholders(written).text) == _plain(text) else text


def _plain(text: str) -> str:
    return "".join(f"{{{{ {part.name} }}}}" if part.name else part.text for part in segments(text))


def _dollar(variable: Variable, text: str) -> str:
    label, default = variable.label, variable.default
    name = label if to_identifier(label) == variable.name else variable.name
    if default == text:
        return text  # braces that are a part of the text
    shown = " | ".join(variable.options) if variable.type == VariableType.CHOICE else str(default or "")
    if isinstance(default, (list, dict)) or "\n" in shown or "{" in shown or "}" in shown:
        shown = ""
    return f"${{{name}:{shown}}}" if shown else f"${{{name}}}"
