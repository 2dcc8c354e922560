"""Reading CSV row by row."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from django.utils.translation import gettext as _

from promptlib.core.spreadsheets import unprotect
from templates_app.importers.records import BadRecord, ImportFileError, TemplateRecord

HEADER_MAX_LENGTH = 2000
# The longest prompt that anybody collected has a tenth of this; the reader's own limit is 128 KiB.
FIELD_MAX_LENGTH = 2 * 1024 * 1024
LINE_MAX_LENGTH = 2 * FIELD_MAX_LENGTH

Convert = Callable[[str, dict[str, str]], TemplateRecord | BadRecord]

_LINE = re.compile(r"[^\r\n]*+(?:\r\n|\r|\n)|[^\r\n]++")


def columns_of(head: str) -> list[str]:
    """The names of the columns, in small letters, as far as the first line of a file tells them."""
    return _columns(next(csv.reader([head.lstrip().partition("\n")[0][:HEADER_MAX_LENGTH]]), []))


def read_table(text: str, required: Sequence[str], convert: Convert) -> Iterator[TemplateRecord | BadRecord]:
    """`convert(place, row)` for each row; raises ImportFileError at once when a column is missing."""
    csv.field_size_limit(FIELD_MAX_LENGTH)
    lines = Lines(text)
    reader = csv.reader(lines, strict=True)
    try:
        columns = _columns(next(reader, []))
    except csv.Error as error:
        raise ImportFileError(_("The first row cannot be read: %(reason)s.") % {"reason": error}) from None
    missing = [column for column in required if column not in columns]
    if missing:
        raise ImportFileError(_("The first row names no column “%(column)s”.") % {"column": missing[0]})
    lines.take()
    return _read_rows(reader, lines, partial(_read_row, columns=columns, convert=convert))


class Lines:
    """The lines of a text, remembering those that were read since they were last taken."""

    def __init__(self, text: str) -> None:
        self._source = _LINE.finditer(text)
        self._read: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        match = next(self._source)
        if match.end() - match.start() > LINE_MAX_LENGTH:
            raise ImportFileError(_("A line of the file is longer than four million characters."))
        self._read.append(match[0])
        return match[0]

    def take(self) -> str:
        taken = "".join(self._read)
        self._read.clear()
        return taken


def _read_rows(
    reader: Iterator[list[str]], lines: Lines, read_row: Callable[[str, list[str]], TemplateRecord | BadRecord]
) -> Iterator[TemplateRecord | BadRecord]:
    number = 1
    while True:
        number += 1
        place = _("row %(number)d") % {"number": number}
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRecord(place, _("The row is not sound CSV: %(reason)s.") % {"reason": error}, lines.take())
            continue
        raw = lines.take()
        if row:
            yield replace(read_row(place, row), raw=raw)


def _read_row(place: str, row: list[str], columns: list[str], convert: Convert) -> TemplateRecord | BadRecord:
    if len(row) != len(columns):
        counts = {"count": len(row), "expected": len(columns)}
        return BadRecord(place, _("The row has %(count)d fields in place of %(expected)d.") % counts)
    try:
        return convert(place, {column: unprotect(cell) for column, cell in zip(columns, row, strict=True)})
    except ValueError as error:
        return BadRecord(place, str(error))


def _columns(row: list[str]) -> list[str]:
    return [column.strip().lower() for column in row]
