"""Turns the files of this package into the values of `schema`; every complaint names its file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from datetime import time
from pathlib import Path
from typing import Any, TypeVar

import yaml

from .schema import (
    Change,
    Comment,
    Conversation,
    Decision,
    Failure,
    Fork,
    Grant,
    Interaction,
    JSONObject,
    Membership,
    Model,
    Outage,
    Person,
    Rating,
    Report,
    Suggestion,
    Team,
    Template,
    Usage,
    UsageCase,
    UsageRecipe,
    Variable,
    Version,
)

HEADING = re.compile(r"^## (?:Version (\d+) · )?(System|Prompt)[ \t]*$", re.MULTILINE)
DEFAULT_PROVIDER = "demo"
T = TypeVar("T")
Texts = dict[tuple[int | None, str], str]


class SeedError(ValueError):
    """Something in the demonstration content is wrong; the message begins with the file's name."""


def read_templates(folder: Path) -> tuple[Template, ...]:
    return tuple(_each(folder, "*.md", _template))


def read_conversations(folder: Path) -> tuple[Conversation, ...]:
    return tuple(_each(folder, "*.yaml", _conversation))


def read_people(path: Path) -> tuple[tuple[Person, ...], tuple[Team, ...], tuple[Model, ...]]:
    return _named(path, _people)


def read_usage(path: Path) -> Usage:
    return _named(path, _usage)


def read_community(path: Path) -> tuple[tuple[Suggestion, ...], tuple[Report, ...]]:
    return _named(path, _community)


def _each(folder: Path, pattern: str, parse: Any) -> Iterable[Any]:
    for path in sorted(folder.glob(pattern)):
        yield _named(path, parse)


def _named(path: Path, parse: Any) -> Any:
    try:
        return parse(path)
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise SeedError(f"{path.name}: {error}") from error


def _template(path: Path) -> Template:
    _, front, text = path.read_text(encoding="utf-8").split("---\n", 2)
    data = _mapping(yaml.safe_load(front))
    declared = {item["name"]: build(Variable, item) for item in data.pop("variables", [])}
    texts = _texts(text)
    parameters = data.pop("parameters", {})
    entries = sorted(data.pop("versions"), key=lambda entry: entry["number"])
    versions: list[Version] = []
    for entry in reversed(entries):
        number = None if not versions else entry["number"]
        inherited = {
            "system_prompt": versions[-1].system_prompt if versions else "",
            "variables": list(declared),
            "parameters": parameters,
        }
        versions.append(
            build(
                Version,
                inherited | entry | _version_texts(texts, number),
                variables=lambda names: tuple(
                    declared[name] if isinstance(name, str) else build(Variable, name) for name in names
                ),
            )
        )
    if texts:
        raise ValueError(f"texts of no version: {sorted(map(str, texts))}")
    if data["slug"] != path.stem:
        raise ValueError(f"the slug {data['slug']} is not the file’s name")
    return build(
        Template,
        {**data, "versions": tuple(reversed(versions))},
        ratings=lambda items: _many(Rating, items),
        grants=lambda items: _many(Grant, items),
        forked_from=lambda item: build(Fork, item),
    )


def _texts(text: str) -> Texts:
    """The sections under their headings; any other heading belongs to the prompt it stands in."""
    parts = HEADING.split(text)
    if parts[0].strip():
        raise ValueError(f"text before the first heading: {parts[0].strip()[:40]!r}")
    texts: Texts = {}
    for number, kind, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        key = (int(number) if number else None, kind)
        if key in texts:
            raise ValueError(f"two sections {kind} of version {number or 'current'}")
        texts[key] = body.strip()
    return texts


def _version_texts(texts: Texts, number: int | None) -> dict[str, str]:
    """Takes a version's texts out of `texts`; a missing System section leaves that of the next newer version."""
    found = {"body": texts.pop((number, "Prompt"))}
    if (number, "System") in texts:
        found["system_prompt"] = texts.pop((number, "System"))
    return found


def _people(path: Path) -> tuple[tuple[Person, ...], tuple[Team, ...], tuple[Model, ...]]:
    data = _mapping(yaml.safe_load(path.read_text(encoding="utf-8")))
    teams = tuple(build(Team, item, members=lambda items: _many(Membership, items)) for item in data["teams"])
    return _many(Person, data["people"]), teams, _many(Model, data["models"])


def _conversation(path: Path) -> Conversation:
    data = _mapping(yaml.safe_load(path.read_text(encoding="utf-8")))
    interactions: list[Interaction] = []
    for index, item in enumerate(data.pop("interactions")):
        error = item.pop("error", {})
        status = item.setdefault("status", "completed")
        measured = status != "recorded"
        base: JSONObject = {
            "author": data["owner"],
            "provider": DEFAULT_PROVIDER if measured else "",
            "model": data["model"],
            "parent": index - 1 if index else None,
            "response": "",
            "finish_reason": "stop" if status == "completed" else "",
            "error_code": error.get("code", ""),
            "error_message": error.get("message", ""),
        }
        interactions.append(
            build(
                Interaction,
                base | item,
                time=_time,
                comments=lambda items: tuple(build(Comment, comment, time=_time) for comment in items),
            )
        )
    return build(
        Conversation,
        {"key": path.stem, **data, "interactions": tuple(interactions)},
        participants=lambda items: _many(Membership, items),
    )


def _usage(path: Path) -> Usage:
    data = _mapping(yaml.safe_load(path.read_text(encoding="utf-8")))
    return build(
        Usage,
        data,
        failures=lambda items: _many(Failure, items),
        outages=lambda items: _many(Outage, items),
        recipes=lambda items: tuple(
            build(UsageRecipe, item, cases=lambda cases: _many(UsageCase, cases)) for item in items
        ),
    )


def _community(path: Path) -> tuple[tuple[Suggestion, ...], tuple[Report, ...]]:
    data = _mapping(yaml.safe_load(path.read_text(encoding="utf-8")))
    suggestions = tuple(
        build(
            Suggestion,
            item,
            time=_time,
            changes=lambda changes: _many(Change, changes),
            comments=lambda items: tuple(build(Comment, comment, time=_time) for comment in items),
            decision=lambda decision: build(Decision, decision, time=_time),
        )
        for item in data["suggestions"]
    )
    return suggestions, tuple(build(Report, item, time=_time) for item in data["reports"])


def _many(kind: type[T], items: Iterable[Any]) -> tuple[T, ...]:
    return tuple(build(kind, item) for item in items)


def build(kind: type[T], data: Any, **convert: Any) -> T:
    """One value of `kind` from a mapping: unknown and missing keys are mistakes, lists become tuples."""
    data = _mapping(data)
    known = {item.name: item for item in fields(kind)}  # type: ignore[arg-type]
    if unknown := set(data) - set(known):
        raise ValueError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    missing = [
        name
        for name, item in known.items()
        if name not in data and item.default is MISSING and item.default_factory is MISSING
    ]
    if missing:
        raise ValueError(f"{kind.__name__} {data.get('name', data.get('title', ''))} lacks {', '.join(missing)}")
    arguments = {}
    for name, value in data.items():
        if name in convert:
            value = convert[name](value)
        elif isinstance(value, list) and "tuple" in str(known[name].type):
            value = tuple(value)
        elif isinstance(value, str):
            value = value.rstrip("\n")
        arguments[name] = value
    return kind(**arguments)


def _mapping(data: Any) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise ValueError(f"expected a mapping, found {str(data)[:60]!r}")
    return dict(data)


def _time(value: Any) -> time:
    if not isinstance(value, str):
        raise ValueError(f"a time needs quotation marks: {value!r}")
    return time.fromisoformat(value)
