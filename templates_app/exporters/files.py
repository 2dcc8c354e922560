"""Prompt files of YAML front matter and a body: Dotprompt's and Prompty's."""

import re
from collections.abc import Callable
from typing import Any

import yaml

from templates_app.importers import BadRecord, TemplateRecord, dotprompt, prompty
from templates_app.importers.own import BLOCK, block_for
from templates_app.variables import Variable, VariableType

_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

_DOTPROMPT_TYPES = {
    VariableType.NUMBER: "number",
    VariableType.INTEGER: "integer",
    VariableType.BOOLEAN: "boolean",
    VariableType.JSON: "any",
}
_PROMPTY_KINDS = {
    VariableType.NUMBER: "float",
    VariableType.INTEGER: "integer",
    VariableType.BOOLEAN: "boolean",
    VariableType.CHOICES: "array",
    VariableType.JSON: "object",
}
_DOTPROMPT_PARAMETERS = {
    "top_p": "topP",
    "top_k": "topK",
    "max_tokens": "maxOutputTokens",
    "stop": "stopSequences",
    "frequency_penalty": "frequencyPenalty",
    "presence_penalty": "presencePenalty",
}
_PROMPTY_PARAMETERS = {**_DOTPROMPT_PARAMETERS}
_PLAIN = re.compile(r"[^\w.-]+")


class _Dumper(_DUMPER):
    """Long texts as they are, line by line."""


def _text(dumper: Any, value: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def front_matter(data: dict[str, Any]) -> str:
    text = yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10_000)
    return f"---\n{text}---\n"


# ---- Dotprompt ---------------------------------------------------------------


def write_dotprompt(record: TemplateRecord) -> str:
    """https://google.github.io/dotprompt/reference/frontmatter; few-shot answers have the role “model” there."""
    parameters = dict(record.parameters)
    model = parameters.pop("model", None)
    defaults = {v.name: v.default for v in record.variables if v.default is not None}
    head: dict[str, Any] = {"name": _PLAIN.sub("-", record.title.lower()).strip("-") or "prompt"}
    head |= {"description": record.summary} if record.summary else {}
    head |= {"model": model} if isinstance(model, str) else {}
    head |= {"config": _renamed(parameters, _DOTPROMPT_PARAMETERS)} if parameters else {}
    if record.variables:
        schema = dict(map(_pico, record.variables))
        head["input"] = {**({"default": defaults} if defaults else {}), "schema": schema}
    parts = [("system", record.system_prompt)] if record.system_prompt else []
    parts += [({"assistant": "model"}.get(e["role"], e["role"]), e["content"]) for e in record.examples]
    if parts:
        body = "\n".join(f'{{{{role "{role}"}}}}\n{text}' for role, text in [*parts, ("user", record.body)])
    else:
        body = record.body
    return _with_block(record, head, body, dotprompt.read, "prompt.prompt")


def _pico(variable: Variable) -> tuple[str, Any]:
    help_text = " ".join(variable.help.split())
    key = variable.name if variable.required else f"{variable.name}?"
    note = f", {help_text}" if help_text else ""
    if variable.type == VariableType.CHOICE:
        return f"{key}(enum{note})", list(variable.options)
    if variable.type == VariableType.CHOICES:
        return f"{key}(array{note})", "string"
    return key, f"{_DOTPROMPT_TYPES.get(variable.type, 'string')}{note}"


# ---- Prompty -----------------------------------------------------------------


def write_prompty(record: TemplateRecord) -> str:
    """https://prompty.ai/docs: the second generation's keys, which the first generation's reader takes too."""
    parameters = dict(record.parameters)
    model = parameters.pop("model", None)
    head: dict[str, Any] = {"name": record.title}
    head |= {"description": record.summary} if record.summary else {}
    head |= {"metadata": {"tags": list(record.tags)}} if record.tags else {}
    if record.parameters:
        options = {"options": _renamed(parameters, _PROMPTY_PARAMETERS)} if parameters else {}
        head["model"] = {**({"id": model} if isinstance(model, str) else {}), "apiType": "chat", **options}
    if record.variables:
        head["inputs"] = [_input(variable) for variable in record.variables]
    head["template"] = {"format": {"kind": "jinja2"}, "parser": {"kind": "prompty"}}
    parts = [("system", record.system_prompt)] if record.system_prompt else []
    parts += [(example["role"], example["content"]) for example in record.examples]
    body = "\n\n".join(f"{role}:\n{text}" for role, text in [*parts, ("user", record.body)])
    return _with_block(record, head, body, prompty.read, "prompt.prompty")


def _input(variable: Variable) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": variable.name, "kind": _PROMPTY_KINDS.get(variable.type, "string")}
    entry |= {"description": variable.help} if variable.help else {}
    entry |= {"required": True} if variable.required else {}
    entry |= {"default": variable.default} if variable.default is not None else {}
    return entry


# ---- both --------------------------------------------------------------------


def _renamed(parameters: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in parameters.items()}


def _with_block(record: TemplateRecord, head: dict[str, Any], body: str, read: Callable[..., Any], name: str) -> str:
    """The file, with what reading it back would not give added to its metadata."""
    [native] = read(front_matter(head) + body + "\n", name)
    block = block_for(record, None if isinstance(native, BadRecord) else native)
    head["metadata"] = {**head.get("metadata", {}), BLOCK: block}
    return front_matter(head) + body + "\n"
