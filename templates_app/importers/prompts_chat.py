"""prompts.chat (formerly awesome-chatgpt-prompts): a CSV of act, prompt, for_devs, type, contributor."""

import csv
import io
from collections.abc import Iterator

from django.utils.translation import gettext as _

from templates_app.importers.placeholders import convert_placeholders
from templates_app.importers.records import BadRecord, ImportFileError, TemplateRecord, clean_text, make_record
from templates_app.importers.shelves import shelf_for_title

NAME = "prompts-chat"
SOURCE = "prompts.chat"
REQUIRED_COLUMNS = ("act", "prompt")
HEADER_MAX_LENGTH = 2000
# A prompt may be as long as the file, whose size is limited when it is opened; the reader's own limit is 128 KiB.
FIELD_MAX_LENGTH = 64 * 1024 * 1024


def sniff(name: str, head: str) -> bool:
    columns = _columns(next(csv.reader([head.lstrip().partition("\n")[0][:HEADER_MAX_LENGTH]]), []))
    return all(column in columns for column in REQUIRED_COLUMNS)


def read(text: str, name: str) -> Iterator[TemplateRecord | BadRecord]:
    csv.field_size_limit(FIELD_MAX_LENGTH)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = _columns(next(reader, []))
    except csv.Error as error:
        raise ImportFileError(_("The first row cannot be read: %(reason)s.") % {"reason": error}) from None
    missing = [column for column in REQUIRED_COLUMNS if column not in columns]
    if missing:
        raise ImportFileError(_("The first row names no column “%(column)s”.") % {"column": missing[0]})
    return _read_rows(reader, columns)


def _read_rows(reader: Iterator[list[str]], columns: list[str]) -> Iterator[TemplateRecord | BadRecord]:
    number = 1
    while True:
        number += 1
        place = _("row %(number)d") % {"number": number}
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRecord(place, _("The row is not sound CSV: %(reason)s.") % {"reason": error})
            continue
        if row:
            yield _record(place, row, columns)


def _record(place: str, row: list[str], columns: list[str]) -> TemplateRecord | BadRecord:
    if len(row) != len(columns):
        counts = {"count": len(row), "expected": len(columns)}
        return BadRecord(place, _("The row has %(count)d fields in place of %(expected)d.") % counts)
    entry = dict(zip(columns, row, strict=True))
    act, prompt = entry.pop("act"), entry.pop("prompt")
    if not act.strip():
        return BadRecord(place, _("“%(key)s” is missing or is not text.") % {"key": "act"})
    converted = convert_placeholders(clean_text(prompt))
    for_developers = entry.get("for_devs", "").upper() == "TRUE"
    kind = entry.get("type", "").upper()
    metadata: dict[str, object] = {key: value for key, value in entry.items() if value}
    if "for_devs" in entry:
        metadata["for_devs"] = for_developers
    if converted.defaults:
        metadata["defaults"] = converted.defaults
    return make_record(
        place=place,
        source=SOURCE,
        source_id=act,
        title=act,
        body=converted.text,
        category=_category(act, kind, for_developers=for_developers),
        tags=_tags(kind, for_developers=for_developers),
        variables=converted.variables,
        literal_names=True,
        metadata=metadata,
    )


def _category(act: str, kind: str, *, for_developers: bool) -> str:
    if for_developers:
        return "engineering"
    return shelf_for_title(act) or ("design" if kind == "IMAGE" else "")


def _tags(kind: str, *, for_developers: bool) -> list[str]:
    tags = ["developers"] if for_developers else []
    return [*tags, kind.lower()] if kind in {"STRUCTURED", "IMAGE"} else tags


def _columns(row: list[str]) -> list[str]:
    return [column.strip().lower() for column in row]
