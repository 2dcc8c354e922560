"""promptlib's own formats: JSON with everything, Markdown and CSV of the current version."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.utils import timezone

from promptlib.core.spreadsheets import csv_row, protect
from templates_app.exporters.files import front_matter
from templates_app.exporters.records import moment
from templates_app.importers import History, TemplateRecord
from templates_app.importers.own import BLOCK, fields_of
from templates_app.importers.promptlib import FORMAT_VERSION
from templates_app.importers.spreadsheet import COLUMNS, JSON_COLUMNS


def to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


# ---- JSON --------------------------------------------------------------------


def write_json(records: Iterable[TemplateRecord]) -> Iterator[str]:
    """One template a line, so that a stream needs no more memory than the largest, and two exports can be compared."""
    head = to_json({"format": "promptlib", "version": FORMAT_VERSION, "exported_at": moment(timezone.now())})
    yield f'{head[:-1]}, "templates": ['
    separator = "\n"
    for record in records:
        yield separator + to_json(_template(record))
        separator = ",\n"
    yield "\n]}\n"


def _template(record: TemplateRecord) -> dict[str, Any]:
    history = record.history
    assert history is not None
    fields = fields_of(record)
    details = ("title", "summary", "language", "status", "visibility", "category", "tags")
    return {
        "id": record.origin_id,
        **{name: fields[name] for name in details},
        "source": record.source,
        "source_id": record.source_id,
        "owner": history.people.get("owner", ""),
        "created_at": moment(history.created_at) if history.created_at else None,
        "forked_from": history.forked_from or None,
        "current_version": history.current,
        "versions": [_version(version) for version in history.versions],
        "labels": [
            {"name": name, "version": number, "is_protected": is_protected}
            for name, number, is_protected in history.labels
        ],
        **_people(history),
        "metadata": record.metadata,
    }


def _version(version: Any) -> dict[str, Any]:
    return {
        "number": version.number,
        **version.content,
        "change_note": version.change_note,
        "author": version.author,
        "created_at": moment(version.created_at) if version.created_at else None,
    }


def _people(history: History) -> dict[str, Any]:
    return {name: history.people.get(name) or [] for name in ("label_moves", "ratings")}


# ---- Markdown ----------------------------------------------------------------


def write_markdown(record: TemplateRecord) -> str:
    fields = {name: value for name, value in fields_of(record).items() if value not in ("", [], {})}
    body = fields.pop("body", "")
    return f"{front_matter({BLOCK: FORMAT_VERSION, **fields, 'id': record.origin_id})}{body}\n"


# ---- CSV ---------------------------------------------------------------------


def write_csv(records: Iterable[TemplateRecord]) -> Iterator[str]:
    yield csv_row(COLUMNS)
    for record in records:
        fields = {**fields_of(record), "id": record.origin_id}
        tags = record.tags
        is_plain = not any("," in tag or tag.startswith("[") or tag != tag.strip() for tag in tags)
        fields["tags"] = ", ".join(tags) if is_plain else to_json(list(tags))
        for name in JSON_COLUMNS:
            fields[name] = to_json(fields[name]) if fields[name] else ""
        yield csv_row(protect(fields[name]) for name in COLUMNS)
