"""Rows of CSV, and the protection of cells that a spreadsheet would run as a formula."""

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

# What Excel, LibreOffice and Google Sheets take for the start of a formula, as OWASP lists it; with any apostrophes
# before it, so that to protect and to take the protection off are each other's inverse.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def protect(text: str) -> str:
    """The cell with an apostrophe before it where a spreadsheet would run it: such a cell is shown as text."""
    return f"'{text}" if _FORMULA.match(text) else text


def unprotect(text: str) -> str:
    """The cell as it was before `protect`."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def cell(value: Any) -> str:
    """As a cell: a text is protected; a number cannot be a formula, -1 neither."""
    return protect(value) if isinstance(value, str) else "" if value is None else str(value)


def csv_row(cells: Iterable[str]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow(cells)  # ends in CRLF: so that a cell with either of them is quoted
    return buffer.getvalue()
