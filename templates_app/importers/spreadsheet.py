"""promptlib's CSV: a row per template, its lists and objects as JSON in their cells. Other tables with such columns."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from templates_app.importers import own, tables
from templates_app.importers.reading import parse_json
from templates_app.importers.records import BadRecord, TemplateRecord

NAME = "csv"
REQUIRED_COLUMNS = ("title", "body")
COLUMNS = (
    *("title", "summary", "system_prompt", "body", "category", "tags", "language", "status", "visibility"),
    *("variables", "parameters", "examples", "source", "source_id", "metadata", "id"),
)
JSON_COLUMNS = ("variables", "parameters", "examples", "metadata")


def sniff(name: str, head: str) -> bool:
    columns = tables.columns_of(head)
    return all(column in columns for column in REQUIRED_COLUMNS)


def read(text: str, name: str) -> Iterator[TemplateRecord | BadRecord]:
    return tables.read_table(text, REQUIRED_COLUMNS, _record)


def _record(place: str, row: dict[str, str]) -> TemplateRecord:
    fields: dict[str, Any] = {name: row.get(name, "") for name in COLUMNS}
    for name in JSON_COLUMNS:
        fields[name] = _json(name, fields[name])
    tags = fields["tags"]
    fields["tags"] = _json("tags", tags) if tags.startswith("[") else tags.split(",")
    others = {name: cell for name, cell in row.items() if name not in COLUMNS and name and cell}
    if others:
        fields["metadata"] = {**others, **(fields["metadata"] or {})}
    return own.own_record(place, fields)


def _json(name: str, cell: str) -> Any:
    try:
        return parse_json(cell) if cell.strip() else None
    except ValueError as error:
        raise ValueError(_("“%(key)s”: %(reason)s") % {"key": name, "reason": error}) from None
