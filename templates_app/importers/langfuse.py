"""Langfuse's prompts as its API gives and takes them: one object per version, alone, in a list, or under ``data``.

Variables are ``{{name}}`` there too. A chat prompt is a list of messages; what the system says first is the system
prompt, what the user says last the body, what is between them the examples. The list of messages that a *message
placeholder* stands for has no place here: it becomes a variable at the head of the body.
https://langfuse.com/docs/prompt-management/data-model
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from templates_app.importers import own
from templates_app.importers.reading import outline, read_list, text_of, texts_of
from templates_app.importers.records import (
    BadRecord,
    History,
    TemplateRecord,
    VersionRecord,
    clean_text,
    humanise,
    make_record,
)
from templates_app.importers.shelves import shelf_for_title

NAME = "langfuse"
SOURCE = "langfuse"
LATEST = "latest"
"""The label that Langfuse itself keeps on the newest version."""

_KEYS = ('"prompt"', '"name"', '"labels"', '"config"')
_KNOWN = {
    *("name", "version", "type", "prompt", "config", "labels", "tags", "commitMessage", "createdAt", "updatedAt"),
    *("resolutionGraph", "id", "projectId", "createdBy", "isActive"),
}
_START = re.compile(r"\s*[\[{]")


def sniff(name: str, head: str) -> bool:
    return _START.match(head) is not None and all(key in head for key in _KEYS)


def read(text: str, name: str) -> Iterator[TemplateRecord | BadRecord]:
    if text.lstrip().startswith("["):
        entries = read_list(text, _version)
    elif '"data"' in text[:200]:
        entries = read_list(text, _version, "data")
    else:
        outline(f"[{text}]")
        entries = read_list(f"[{text}]", _version)
    return _join(entries)


@dataclass(frozen=True, slots=True)
class _Version(TemplateRecord):
    """One version on its way to become part of its template."""

    name: str = ""
    number: int = 0
    change_note: str = ""
    labels: tuple[str, ...] = ()
    created_at: Any = None


def _version(place: str, entry: dict[str, Any]) -> TemplateRecord | BadRecord:
    name = text_of(entry, "name", required=True)
    system_prompt, examples, body, metadata = _messages(entry)
    block: object
    config = dict(entry["config"]) if isinstance(entry.get("config"), dict) else {}
    block = config.pop(own.BLOCK, None)
    metadata |= {key: value for key, value in entry.items() if key not in _KNOWN}
    title = humanise(name.rpartition("/")[2])
    record = make_record(
        place=place,
        source=SOURCE,
        source_id=name,
        title=title,
        system_prompt=system_prompt,
        body=body,
        examples=examples,
        category=shelf_for_title(title),
        tags=texts_of(entry, "tags"),
        parameters=config,
        metadata={**({"name": name} if name != title else {}), **metadata},
    )
    record = own.restore(record, {"title": title, **block} if isinstance(block, dict) else None)
    if isinstance(record, BadRecord):
        return record
    number = entry.get("version")
    return _Version(
        **{slot: getattr(record, slot) for slot in TemplateRecord.__slots__},
        name=name,
        number=number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else 1,
        change_note=clean_text(text_of(entry, "commitMessage"))[:500],
        labels=tuple(dict.fromkeys(label for label in texts_of(entry, "labels") if label != LATEST)),
        created_at=own.moment_of(entry.get("createdAt")),
    )


def _messages(entry: dict[str, Any]) -> tuple[str, list[dict[str, str]], str, dict[str, Any]]:
    prompt = entry.get("prompt")
    if isinstance(prompt, str):
        return "", [], prompt, {}
    if not isinstance(prompt, list) or not all(isinstance(message, dict) for message in prompt):
        raise ValueError(_("“%(key)s” is neither a text nor a list of messages.") % {"key": "prompt"})
    slots = [text_of(message, "name", required=True) for message in prompt if message.get("type") == "placeholder"]
    messages = [
        {"role": text_of(message, "role", required=True), "content": text_of(message, "content")}
        for message in prompt
        if message.get("type") != "placeholder"
    ]
    system: list[str] = []
    while messages and messages[0]["role"] in {"system", "developer"}:
        system.append(messages.pop(0)["content"])
    body = messages.pop()["content"] if messages and messages[-1]["role"] == "user" else ""
    body = "\n\n".join([*(f"{{{{ {slot} }}}}" for slot in slots), body] if slots else [body])
    return "\n\n".join(system), messages, body, {"message_placeholders": slots} if slots else {}


def _join(entries: Iterator[TemplateRecord | BadRecord]) -> Iterator[TemplateRecord | BadRecord]:
    """One record for all versions of a name, where the first of them stood."""
    found: dict[str, list[_Version]] = {}
    bad: list[BadRecord] = []
    for entry in entries:
        if isinstance(entry, _Version):
            found.setdefault(entry.name, []).append(entry)
        elif isinstance(entry, BadRecord):
            bad.append(entry)
    for versions in found.values():
        try:
            yield _template(sorted(versions, key=lambda version: version.number))
        except ValueError as error:
            yield BadRecord(versions[0].place, str(error), versions[0].raw)
    yield from bad


def _template(versions: list[_Version]) -> TemplateRecord:
    numbers = {version.number: index for index, version in enumerate(versions, start=1)}
    latest = versions[-1]
    labels: dict[str, int] = {}
    for version in versions:
        labels |= dict.fromkeys(version.labels, numbers[version.number])
    history = History(
        versions=tuple(
            VersionRecord(
                number=numbers[version.number],
                content=own.read_content(own.content_of(version)),
                change_note=version.change_note,
                created_at=version.created_at,
            )
            for version in versions
        ),
        current=len(versions),
        labels=tuple((name[:60], number, False) for name, number in sorted(labels.items())),
    )
    fields = {slot: getattr(latest, slot) for slot in TemplateRecord.__slots__ if slot not in {"history", "raw"}}
    raw = "[" + ",\n".join(version.raw for version in versions) + "]"
    return replace(TemplateRecord(**fields), history=history, raw=raw)
