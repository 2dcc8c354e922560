"""How two contents differ: their texts word by word, their variables and parameters field by field."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from promptlib.core.merging import shown
from promptlib.core.wordwise import WORD, Line, Part, compare
from templates_app.words import parameter_name, variable_key, variable_phrase


@dataclass(slots=True)
class Difference:
    """One text that differs."""

    label: str
    lines: list[Line]

    @property
    def words_added(self) -> int:
        return self._count("add")

    @property
    def words_removed(self) -> int:
        return self._count("remove")

    def _count(self, kind: str) -> int:
        words = (word for line in self.lines for part in line.parts if part.kind == kind for word in _words(part))
        return sum(1 for _word in words)


@dataclass(frozen=True, slots=True)
class Facet:
    """One key of a variable ("default": "default 250") or one parameter, in words; "" where a side has none."""

    key: str
    old: str
    new: str

    @property
    def is_same(self) -> bool:
        return self.old == self.new


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A variable or a parameter that differs: what of it, or that one side has none."""

    name: str
    facets: list[Facet]
    is_added: bool = False
    is_removed: bool = False


@dataclass(slots=True)
class ContentDifferences:
    """How two contents differ: their texts, variables and parameters, those alone that are not the same."""

    texts: list[Difference] = field(default_factory=list)
    variables: list[FieldChange] = field(default_factory=list)
    parameters: list[FieldChange] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.texts or self.variables or self.parameters)

    @property
    def words_added(self) -> int:
        return sum(each.words_added for each in self.texts)

    @property
    def words_removed(self) -> int:
        return sum(each.words_removed for each in self.texts)


def content_differences(old: Any, new: Any, *, context: int | None = 1, is_by_words: bool = True) -> ContentDifferences:
    """Two versions, suggestions or mappings of content (system_prompt, body, examples, variables, parameters)."""
    before, after = _content(old), _content(new)
    pairs = [
        (_("System prompt"), before["system_prompt"], after["system_prompt"]),
        (_("Prompt"), before["body"], after["body"]),
        (_("Examples"), examples_text(before["examples"]), examples_text(after["examples"])),
    ]
    return ContentDifferences(
        [
            Difference(label, list(compare(was, now, context, is_by_words=is_by_words)))
            for label, was, now in pairs
            if was != now
        ],
        _changes(_by_name(before["variables"]), _by_name(after["variables"])),
        _parameter_changes(before["parameters"], after["parameters"]),
    )


def examples_text(examples: Iterable[Mapping[str, Any]]) -> str:
    """Few-shot messages as one text: who says it, then what."""
    return "\n\n".join(f"{each.get('role', '')}:\n{each.get('content', '')}" for each in examples)


def _words(part: Part) -> list[str]:
    return [word for word in WORD.findall(part.text) if any(sign.isalnum() for sign in word)]


def _content(source: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"system_prompt": "", "body": "", "examples": (), "variables": (), "parameters": {}}
    if isinstance(source, Mapping):
        return {**empty, **{name: source[name] for name in empty if name in source}}
    return empty if source is None else {name: getattr(source, name) for name in empty}


def _by_name(variables: Iterable[Any]) -> dict[str, dict[str, Any]]:
    entries = (each if isinstance(each, Mapping) else each.to_json() for each in variables)
    return {str(each.get("name", "")): {key: each[key] for key in each if key != "name"} for each in entries}


def _changes(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> list[FieldChange]:
    changes = []
    for name in dict.fromkeys([*new, *old]):
        before, after = old.get(name, {}), new.get(name, {})
        if before == after and name in old and name in new:
            continue
        keys = dict.fromkeys(["type", *after, *before])
        facets = [_facet(key, before.get(key), after.get(key)) for key in keys]
        kept = [facet for place, facet in enumerate(facets) if place == 0 or not facet.is_same]
        changes.append(FieldChange(name, kept, is_added=name not in old, is_removed=name not in new))
    return changes


def _facet(key: str, old: Any, new: Any) -> Facet:
    return Facet(variable_key(key), variable_phrase(key, old), variable_phrase(key, new))


def _parameter_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[FieldChange]:
    return [
        FieldChange(
            parameter_name(key),
            [Facet("", shown(old.get(key)), shown(new.get(key)))],
            is_added=key not in old,
            is_removed=key not in new,
        )
        for key in dict.fromkeys([*new, *old])
        if old.get(key) != new.get(key) or (key in old) != (key in new)
    ]
