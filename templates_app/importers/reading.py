"""Taking a JSON or JSON Lines file apart, so that one bad entry does not lose the rest."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from templates_app.importers.records import BadRecord, TemplateRecord


def parse_json(text: str) -> Any:
    """Raises ValueError with a sentence for anything that is not sound JSON, however deep it is nested."""
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


def read_lines(
    text: str, convert: Callable[[str, dict[str, Any]], TemplateRecord | BadRecord]
) -> Iterator[TemplateRecord | BadRecord]:
    """JSON Lines: `convert(place, object)` for each line. Lines end at LF alone: texts hold other separators."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield read_entry(_("line %(number)d") % {"number": number}, line, convert)


def read_entry(
    place: str, source: Any, convert: Callable[[str, dict[str, Any]], TemplateRecord | BadRecord]
) -> TemplateRecord | BadRecord:
    try:
        entry = parse_json(source) if isinstance(source, str) else source
        if not isinstance(entry, dict):
            return BadRecord(place, _("It is not an object with named fields."))
        return convert(place, entry)
    except (ValueError, RecursionError) as error:
        return BadRecord(place, str(error) or _("It cannot be read."))


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
