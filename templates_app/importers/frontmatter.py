"""Prompt files of YAML front matter and a body (``.prompt``, ``.prompty``): one file alone, or many as JSON Lines."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import yaml
from django.utils.translation import gettext as _

from templates_app.importers import own
from templates_app.importers.reading import first_line_object, text_of
from templates_app.importers.records import BadRecord, ImportFileError, TemplateRecord

FRONT_MATTER_MAX_LENGTH = 1024 * 1024
FRONT_MATTER_MAX_EVENTS = 100_000
FRONT_MATTER_MAX_DEPTH = 40
MAX_SECTIONS = 200

# The parser in C reads a long front matter fifty times as fast; it is part of every wheel of PyYAML.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# A file may open with comments (a licence) before its front matter.
_FILE = re.compile(r"\A(?:[ \t]*(?:#[^\n]*)?\n)*+---[ \t]*\n(.*?)(?:(?<=\n)|\A)---[ \t]*(?:\n|\Z)(.*)\Z", re.DOTALL)
_SECRET_LINE = re.compile(r"(?im)^(\s*[\w-]*(?:api[_-]?key|secret|password|token|authorization)\s*:\s*)(?!\$\{)\S.*$")

# A key at the left edge and the indented (or empty) lines under it.
_SECTION = re.compile(r"^[^\s#-][^\n]*\n?(?:[ \t-][^\n]*\n?|\n)*", re.MULTILINE)

_PARAMETERS = {
    "temperature": "temperature",
    "topp": "top_p",
    "topk": "top_k",
    "maxoutputtokens": "max_tokens",
    "maxtokens": "max_tokens",
    "maxcompletiontokens": "max_tokens",
    "stop": "stop",
    "stopsequences": "stop",
    "frequencypenalty": "frequency_penalty",
    "presencepenalty": "presence_penalty",
    "seed": "seed",
}


@dataclass(frozen=True, slots=True)
class PromptFile:
    """`raw` is the front matter as text; `data` is what it says, as far as it `is_valid` YAML."""

    name: str
    path: str
    raw: str
    data: dict[str, Any]
    is_valid: bool
    body: str


def sniff_suffix(name: str, head: str, suffix: str) -> bool:
    if PurePosixPath(name).suffix == suffix:
        return True
    entry = first_line_object(head)
    return {"body", "frontmatter"} <= set(entry) and str(entry.get("path", "")).endswith(suffix)


def is_lines(text: str) -> bool:
    return "body" in first_line_object(text)


def read_line(entry: Mapping[str, Any]) -> PromptFile:
    """A prompt file that was converted to one JSON object."""
    data = entry.get("frontmatter")
    raw = text_of(entry, "frontmatter_raw")
    data, is_valid = (data, True) if isinstance(data, dict) else _read_yaml(raw)
    return PromptFile(
        name=text_of(entry, "name").strip(),
        path=text_of(entry, "path"),
        raw=raw,
        data=data,
        is_valid=is_valid,
        body=text_of(entry, "body", required=True),
    )


def read_single(text: str, name: str) -> PromptFile:
    text = text.replace("\r\n", "\n")
    match = _FILE.match(text) if "---" in text[:FRONT_MATTER_MAX_LENGTH] else None
    raw, body = (match[1], match[2]) if match else ("", text)
    if len(raw) > FRONT_MATTER_MAX_LENGTH:
        raise ImportFileError(_("The front matter is longer than a megabyte."))
    data, is_valid = _read_yaml(raw)
    title = data.get("name")
    return PromptFile(
        name=title if isinstance(title, str) else "", path=name, raw=raw, data=data, is_valid=is_valid, body=body
    )


def one(record: TemplateRecord | BadRecord) -> Iterator[TemplateRecord | BadRecord]:
    yield record


def read_one(
    text: str, name: str, convert: Callable[[str, PromptFile], TemplateRecord | BadRecord]
) -> Iterator[TemplateRecord | BadRecord]:
    """The one prompt of a file, with what our own export added to its front matter put back."""
    place = _("the file")
    try:
        record = restored(convert, place, read_single(text, name))
    except ValueError as error:
        record = BadRecord(place, str(error))
    return one(replace(record, raw=text))


def restored(
    convert: Callable[[str, PromptFile], TemplateRecord | BadRecord], place: str, file: PromptFile
) -> TemplateRecord | BadRecord:
    """`convert`, then the fields of the ``promptlib`` block in the front matter's metadata; raises ValueError."""
    metadata = file.data.get("metadata")
    if not isinstance(metadata, dict) or own.BLOCK not in metadata:
        return convert(place, file)
    rest = {key: value for key, value in metadata.items() if key != own.BLOCK}
    return own.restore(convert(place, replace(file, data={**file.data, "metadata": rest})), metadata[own.BLOCK])


def title_of(file: PromptFile) -> str:
    return file.name or PurePosixPath(file.path).stem or _("Untitled")


def metadata_of(file: PromptFile) -> dict[str, Any]:
    """The path and the front matter: what it says, and its text when that is not valid YAML."""
    metadata: dict[str, Any] = {"path": file.path} if file.path else {}
    if file.data:
        metadata["frontmatter"] = file.data
    if not file.is_valid:
        metadata["frontmatter_raw"] = _SECRET_LINE.sub(lambda match: match[1] + _("(removed)"), file.raw)
        metadata["note"] = _("The front matter is not valid YAML.")
    return metadata


def parameters_of(*sources: object) -> dict[str, Any]:
    """Sampling parameters by their common names, whichever way the file spells them; the first source wins."""
    parameters: dict[str, Any] = {}
    for source in sources:
        for key, value in (source if isinstance(source, dict) else {}).items():
            name = _PARAMETERS.get(str(key).replace("_", "").lower())
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if name and (is_number or (name == "stop" and isinstance(value, (str, list)))):
                parameters.setdefault(name, value)
    return parameters


def _read_yaml(raw: str) -> tuple[dict[str, Any], bool]:
    """What the front matter says, and whether all of it is valid; else what those of its sections say that are."""
    whole = _parse_yaml(raw)
    if whole is not None:
        return whole, True
    data: dict[str, Any] = {}
    for section in _SECTION.findall(raw[:FRONT_MATTER_MAX_LENGTH])[:MAX_SECTIONS]:
        data |= _parse_yaml(section) or {}
    return data, False


def _parse_yaml(raw: str) -> dict[str, Any] | None:
    if len(raw) > FRONT_MATTER_MAX_LENGTH:
        return None
    try:
        if not _is_modest(raw):
            return None
        data = yaml.load(raw, Loader=_LOADER)  # noqa: S506  # it is the safe one
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
    if data is None:
        return {}
    return data if isinstance(data, dict) else None


def _is_modest(raw: str) -> bool:
    """Aliases make a small text unfold into a huge one, and no prompt file needs them; nor does it nest this deep."""
    depth = 0
    for number, event in enumerate(yaml.parse(raw, Loader=_LOADER)):
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1
        if isinstance(event, yaml.AliasEvent) or depth > FRONT_MATTER_MAX_DEPTH or number > FRONT_MATTER_MAX_EVENTS:
            return False
    return True
