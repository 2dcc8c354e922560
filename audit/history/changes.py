"""What a row of the log says was changed, to be read: texts word by word, JSON key by key, the rest side by side."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as made_by
from typing import Any

from django.db import models
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from audit.history.values import NOTHING, Names, field_of, label_of, loaded, model_of, spoken, told_fields
from audit.models import AuditLog
from promptlib.core.merging import shown
from promptlib.core.wordwise import Line, Part, compare

LONG_TEXT = 280
"""Characters beyond which a text is folded."""


@dataclass(frozen=True)
class Change:
    """One field, before and after, as a reader wants it; empty for nothing.

    `lines` compare two texts, `keys` two JSON objects; `is_new` says that there was nothing before by the row's nature.
    """

    field: str
    before: str
    after: str
    lines: list[Line] = made_by(default_factory=list)
    keys: list["Change"] = made_by(default_factory=list)
    is_new: bool = False
    name: str = ""

    @property
    def is_long(self) -> bool:
        return len(self.before) + len(self.after) > LONG_TEXT

    @property
    def beginning(self) -> str:
        return Truncator(self.after or self.before).chars(120)

    @property
    def length(self) -> int:
        return len(self.after or self.before)


def changes_of(row: AuditLog, names: Names) -> list[Change]:
    """What the row says was changed, to whoever `names` is for."""
    model = model_of(row)
    is_made = row.action in (AuditLog.Action.CREATE, AuditLog.Action.IMPORT)
    found = []
    for name in told_fields(model, row, names.user):
        change = (row.changes or {})[name]
        if isinstance(change, Mapping):  # a many-to-many relation, as auditlog writes it
            words = ", ".join(map(str, change.get("objects", [])))
            added = change.get("operation") == "add"
            found.append(Change(label_of(model, name), "" if added else words, words if added else "", name=name))
        elif isinstance(change, list) and len(change) == 2 and not (is_made and change[1] in NOTHING):
            field = field_of(model, name)
            before, after = change
            one = compared(label_of(model, name), field, before, after, names, name=name)
            if one.before or one.after:
                found.append(one if not is_made or one.before else _new(one))
    return found


def compared(label: str, field: Any, before: Any, after: Any, names: Names, *, name: str = "") -> Change:
    """Two values of a field; `field` may be None where the model has none of that name."""
    old, new = loaded(field, before), loaded(field, after)
    old, new = _as_empty(old, new), _as_empty(new, old)
    if isinstance(old, dict) and isinstance(new, dict):
        return Change(label, shown(old), shown(new), keys=_by_key(old, new), name=name)
    if isinstance(old, list) and isinstance(new, list):
        return listed(label, old, new, name=name)
    was, now = spoken(field, old, names), spoken(field, new, names)
    is_text = _is_prose(field) and was and now and (" " in was.strip() or " " in now.strip() or len(was + now) > 120)
    return Change(label, was, now, lines=list(compare(was, now)) if is_text else [], name=name)


def _as_empty(value: Any, other: Any) -> Any:
    """Nothing, beside a list or an object, as an empty one."""
    return type(other)() if value is None and isinstance(other, dict | list) else value


def _is_prose(field: Any) -> bool:
    return field is None or (isinstance(field, models.CharField | models.TextField) and not field.choices)


def _by_key(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    return [
        Change(str(key), shown(old.get(key)), shown(new.get(key)))
        for key in dict.fromkeys([*old, *new])
        if old.get(key) != new.get(key) or (key in old) != (key in new)
    ]


def listed(label: str, old: list[Any], new: list[Any], *, name: str = "") -> Change:
    """Words side by side, those marked that came or went; entries with a name, such as variables, by that name."""
    if all(isinstance(each, str) for each in (*old, *new)):
        kinds = [(each, "" if each in new else "remove") for each in old]
        kinds += [(each, "add") for each in new if each not in old]
        parts = [part for each, kind in kinds for part in (Part(", "), Part(each, kind))][1:]
        return Change(label, ", ".join(old), ", ".join(new), lines=[Line("change", parts)], name=name)
    sides = [{_entry(each): shown(each) for each in side} for side in (old, new)]
    keys = []
    if all(len(side) == len(given) for side, given in zip(sides, (old, new), strict=True)):
        keys = [
            Change(key, sides[0].get(key, ""), sides[1].get(key, ""))
            for key in dict.fromkeys([*sides[0], *sides[1]])
            if sides[0].get(key) != sides[1].get(key)
        ]
    return Change(label, shown(old), shown(new), keys=keys, name=name)


def _entry(value: Any) -> str:
    return str(value.get("name") or shown(value)) if isinstance(value, dict) else shown(value)


def _new(change: Change) -> Change:
    return replace(change, lines=[], is_new=True)


def fields_phrase(changes: list[Change]) -> str:
    """The fields in a few words: "Title, summary and 2 more"."""
    names = [change.field for change in changes]
    if len(names) <= 3:
        return ", ".join(names)
    return _("%(names)s and %(number)d more") % {"names": ", ".join(names[:2]), "number": len(names) - 2}
