"""Taking a JSON or JSON Lines file apart, so that one bad entry does not lose the rest."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from templates_app.importers.records import BadRecord, ImportFileError, TemplateRecord

MAX_DEPTH = 64
MAX_ENTRY_TOKENS = 500_000
MAX_FILE_TOKENS = 3_000_000
"""So many brackets, commas and texts take about half a second to count, and never 100 MB as objects."""

# A text that is not closed ends with the file: to look for its end again from every quotation mark would take for ever.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.?)*+(?:"|\Z)|[\[\]{},]', re.DOTALL)

Convert = Callable[[str, dict[str, Any]], TemplateRecord | BadRecord]


def parse_json(text: str) -> Any:
    """Raises ValueError with a sentence for anything that is not sound JSON, however deep or large it is nested."""
    _check_size(text)
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno}
        raise ValueError(_("It is not valid JSON: see line %(line)d, column %(column)d.") % place) from None
    except RecursionError:
        raise ValueError(_("Its JSON is nested too deep.")) from None
    except ValueError as error:
        raise ValueError(_("It is not valid JSON: %(reason)s") % {"reason": error}) from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _check_size(text: str) -> None:
    """Brackets are cheap to write and dear to hold: they are counted before any object is made."""
    depth = 0
    for number, match in enumerate(_TOKEN.finditer(text)):
        sign = text[match.start()]
        if sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
        if depth > MAX_DEPTH:
            raise ValueError(_("Its JSON is nested too deep."))
        if number > MAX_ENTRY_TOKENS:
            raise ValueError(_("Its JSON holds too many values to be a prompt."))


@dataclass(frozen=True, slots=True)
class Outline:
    """A document without its entries: `head` is what is around the list, `spans` where each entry stands."""

    head: Any
    spans: list[tuple[int, int]]


def outline(text: str, key: str = "") -> Outline:
    """The entries of the document's list (of the list under `key`), none of them read yet.

    Raises ImportFileError where that cannot be said: the brackets do not fit, there is no such list.
    """
    spans: list[tuple[int, int]] = []
    wanted = 1 if key else 0
    depth, opened, closed, start, last_text = 0, -1, -1, -1, ""
    for number, match in enumerate(_TOKEN.finditer(text)):
        sign = text[match.start()]
        if depth > MAX_DEPTH:
            raise ImportFileError(_("Its JSON is nested too deep."))
        if number > MAX_FILE_TOKENS:
            raise ImportFileError(_("The file holds too many values. Split it into smaller files."))
        inside = opened >= 0 and closed < 0 and depth == wanted + 1
        if sign == '"':
            last_text = match[0] if depth == 1 else last_text
        elif sign in "[{":
            if sign == "[" and opened < 0 and depth == wanted and (not key or last_text == f'"{key}"'):
                opened = start = match.end()
            depth += 1
        elif sign in "]}":
            depth -= 1
            if inside:
                closed = match.start()
                _add_span(text, spans, start, closed)
        elif inside:
            _add_span(text, spans, start, match.start())
            start = match.end()
    if opened < 0 or closed < 0 or depth:
        _explain(text)
    return Outline(_head(text[:opened] + text[closed:]), spans)


def _add_span(text: str, spans: list[tuple[int, int]], start: int, end: int) -> None:
    if text[start:end].strip():
        spans.append((start, end))


def _head(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError as error:
        raise ImportFileError(str(error)) from None


def _explain(text: str) -> None:
    try:
        parse_json(text)
    except ValueError as error:
        raise ImportFileError(str(error)) from None
    raise ImportFileError(_("The file is not a list of prompts."))


def read_list(text: str, convert: Convert, key: str = "") -> Iterator[TemplateRecord | BadRecord]:
    """The entries of a JSON list: `convert(place, object)` for each."""
    spans = outline(text, key).spans
    return (
        read_entry(_("item %(number)d") % {"number": number}, text[start:end].strip(), convert)
        for number, (start, end) in enumerate(spans, start=1)
    )


def read_lines(text: str, convert: Convert) -> Iterator[TemplateRecord | BadRecord]:
    """JSON Lines: `convert(place, object)` for each line. Lines end at LF alone: texts hold other separators."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield read_entry(_("line %(number)d") % {"number": number}, line, convert)


def read_entry(place: str, source: str, convert: Convert) -> TemplateRecord | BadRecord:
    try:
        entry = parse_json(source)
        if not isinstance(entry, dict):
            return BadRecord(place, _("It is not an object with named fields."), source)
        return replace(convert(place, entry), raw=source)
    except (ValueError, RecursionError) as error:
        return BadRecord(place, str(error) or _("It cannot be read."), source)


def text_of(entry: Mapping[str, Any], key: str, *, required: bool = False) -> str:
    """The text under the key, "" when there is none; raises ValueError with a sentence when it must be there."""
    value = entry.get(key)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value.strip()):
        raise ValueError(_("“%(key)s” is missing or is not text.") % {"key": key})
    return value


def texts_of(entry: Mapping[str, Any], key: str) -> list[str]:
    value = entry.get(key)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def first_line_object(head: str) -> dict[str, Any]:
    """The first line of a JSON Lines file as an object, {} when it is not one: what `sniff` looks at."""
    line = head.lstrip().partition("\n")[0]
    try:
        entry = parse_json(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
