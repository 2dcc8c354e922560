"""What differs between what is saved and what somebody typed: paragraphs, and the words within them."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from templates_app.forms import TemplateForm
    from templates_app.models import PromptTemplate

LINES_MAX, WORDS_MAX = 4_000, 1_500
"""Beyond these a comparison takes too long: then the whole stands against the whole."""

_WORD = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(slots=True)
class Part:
    """Words that both have (kind ""), or only the typed text ("add"), or only the saved one ("remove")."""

    text: str
    kind: str = ""


@dataclass(slots=True)
class Line:
    """A line of the comparison: added, removed, changed, or with kind "" in both."""

    kind: str
    parts: list[Part] = field(default_factory=list)
    folded: int = 0
    """Instead of text: how many equal lines are left out here."""


@dataclass(slots=True)
class Difference:
    """One field that differs."""

    label: str
    lines: list[Line]


def differences(current: "PromptTemplate", form: "TemplateForm") -> list[Difference]:
    """The texts of the form against those that are saved now; of equal ones nothing."""
    version = current.current_version
    pairs = [
        (_("Title"), current.title, form.cleaned_data["title"]),
        (_("Summary"), current.summary, form.cleaned_data["summary"]),
        (_("System prompt"), version.system_prompt if version else "", form.cleaned_data["system_prompt"]),
        (_("Prompt"), version.body if version else "", form.cleaned_data["body"]),
    ]
    return [Difference(label, list(compare(saved, typed))) for label, saved, typed in pairs if saved != typed]


def compare(saved: str, typed: str, context: int | None = 1) -> Iterator[Line]:
    """Line by line, equal lines folded but for `context` around a change; None folds nothing."""
    old, new = saved.split("\n"), typed.split("\n")
    if len(old) + len(new) > LINES_MAX:
        yield from (Line("remove", [Part(line, "remove")]) for line in old)
        yield from (Line("add", [Part(line, "add")]) for line in new)
        return
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            lines = old[i1:i2]
            whole = (Line("", [Part(line)]) for line in lines)
            yield from whole if context is None else _fold(lines, context, is_first=i1 == 0, is_last=i2 == len(old))
        elif i2 - i1 == j2 - j1:
            yield from (_changed(before, after) for before, after in zip(old[i1:i2], new[j1:j2], strict=True))
        else:
            yield from (Line("remove", [Part(line, "remove")]) for line in old[i1:i2])
            yield from (Line("add", [Part(line, "add")]) for line in new[j1:j2])


def _fold(lines: Sequence[str], context: int, *, is_first: bool, is_last: bool) -> Iterator[Line]:
    head = 0 if is_first else context
    tail = 0 if is_last else context
    hidden = len(lines) - head - tail
    if hidden < 2:
        yield from (Line("", [Part(line)]) for line in lines)
        return
    yield from (Line("", [Part(line)]) for line in lines[:head])
    yield Line("", folded=hidden)
    yield from (Line("", [Part(line)]) for line in lines[len(lines) - tail :])


def _changed(before: str, after: str) -> Line:
    old, new = _WORD.findall(before), _WORD.findall(after)
    if len(old) + len(new) > WORDS_MAX:
        return Line("change", [Part(before, "remove"), Part(after, "add")])
    line = Line("change")
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            line.parts.append(Part("".join(old[i1:i2])))
            continue
        if i2 > i1:
            line.parts.append(Part("".join(old[i1:i2]), "remove"))
        if j2 > j1:
            line.parts.append(Part("".join(new[j1:j2]), "add"))
    return line
