"""Three-way merges of what two people made of one template: its texts by words, its contract by name and key."""

import json
from collections.abc import Mapping
from typing import Any

from promptlib.core.merging import Merge, Merger, regions
from templates_app.words import field_name

TEXTS = ("title", "summary", "system_prompt", "body")


def merge_fields(
    base: Mapping[str, Any],
    mine: Mapping[str, Any],
    theirs: Mapping[str, Any],
    choices: Mapping[str, str] | None = None,
    texts: Mapping[str, str] | None = None,
) -> Merge:
    """Merge the fields that `mine` has: texts by words, variables by name and key, parameters by key, tags as a set.

    `choices` and `texts` are those of `Merger`; `posted_choices` reads both from a form.
    """
    merger = _TemplateMerger(choices or {}, texts or {})
    for name, value in mine.items():
        merger.field(name, base.get(name, value), value, theirs.get(name, value), is_text=name in TEXTS)
    return merger.merge


def merge_text(base: str, mine: str, theirs: str) -> str | None:
    """The merged text, or None where the two sides contradict each other."""
    merge = merge_fields({"body": base}, {"body": mine}, {"body": theirs})
    return str(merge.content["body"]) if merge.is_clean else None


class _TemplateMerger(Merger):
    def label(self, field: str) -> str:
        return field_name(field)

    def _merged(self, name: str, base: Any, mine: Any, theirs: Any, is_text: bool) -> Any:
        if mine != theirs and base not in (mine, theirs):
            match name:
                case "variables":
                    return self._variables(base, mine, theirs)
                case "parameters":
                    return self.mapping(name, base, mine, theirs)
                case "examples":
                    return self._examples(base, mine, theirs)
                case "tags":
                    return [
                        *(tag for tag in mine if tag in theirs or tag not in base),
                        *(t for t in theirs if t not in {*base, *mine}),
                    ]
        return super()._merged(name, base, mine, theirs, is_text)

    def _variables(self, base: Any, mine: Any, theirs: Any) -> list[dict[str, Any]]:
        """By name. A variable that one side dropped and the other left alone is gone; its text decides in the end."""
        olds, ours, others = ({each["name"]: each for each in side} for side in (base, mine, theirs))
        merged = []
        for name in dict.fromkeys([*ours, *others]):
            old, our, other = olds.get(name), ours.get(name), others.get(name)
            if our is None or other is None:
                kept = our or other
                if kept != old:
                    merged.append(dict(kept or {}))
                continue
            merged.append(self.mapping(f"variables-{name}", old or {}, our, other))
        return merged

    def _examples(self, base: Any, mine: Any, theirs: Any) -> list[Any]:
        sides = [[json.dumps(each, sort_keys=True) + "\n" for each in side] for side in (base, mine, theirs)]
        merged = list(regions(*sides))
        if all(isinstance(each, str) for each in merged):
            return [json.loads(line) for line in "".join(map(str, merged)).splitlines()]
        chosen: list[Any] = self.choose("examples", "examples", base, mine, theirs)
        return chosen
