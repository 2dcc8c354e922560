"""promptlib's own JSON: templates with all their versions, labels, ratings and where they come from."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from templates_app.importers import own
from templates_app.importers.reading import outline, read_list, text_of
from templates_app.importers.records import (
    BadRecord,
    History,
    ImportFileError,
    TemplateRecord,
    VersionRecord,
    clean_text,
    storable,
)

NAME = "promptlib"
KEY = "templates"
FORMAT_VERSION = 1
MAX_NUMBER = 1_000_000
MAX_LABELS = 200

_START = re.compile(r'\s*\{\s*"format"\s*:\s*"promptlib"')


def sniff(name: str, head: str) -> bool:
    return _START.match(head) is not None


def read(text: str, name: str) -> Iterator[TemplateRecord | BadRecord]:
    head = outline(text, KEY).head
    if not isinstance(head, dict) or head.get("format") != NAME:
        raise ImportFileError(_("The file is not an export of promptlib."))
    if head.get("version") != FORMAT_VERSION:
        raise ImportFileError(_("The file was written by a newer promptlib. Update this one and try again."))
    return read_list(text, _record, KEY)


def _record(place: str, entry: dict[str, Any]) -> TemplateRecord | BadRecord:
    versions = tuple(_versions(entry.get("versions")))
    current = entry.get("current_version") or versions[-1].number
    shown = next((version for version in versions if version.number == current), None)
    if shown is None:
        raise ValueError(_("“%(key)s” names no version.") % {"key": "current_version"})
    category = entry.get("category")
    fields = {**entry, **shown.content, "category": category.get("slug") if isinstance(category, dict) else category}
    history = History(
        versions=versions,
        current=shown.number,
        labels=tuple(_labels(entry.get("labels"), {version.number for version in versions})),
        forked_from=_forked_from(entry.get("forked_from")),
        people=_people(entry),
        created_at=own.moment_of(entry.get("created_at")),
    )
    return replace(own.own_record(place, fields), history=history)


def _versions(value: object) -> Iterator[VersionRecord]:
    if not isinstance(value, list) or not value:
        raise ValueError(_("It has no versions."))
    before = 0
    for entry in value:
        number = entry.get("number") if isinstance(entry, dict) else None
        if not isinstance(number, int) or isinstance(number, bool) or not before < number <= MAX_NUMBER:
            raise ValueError(_("The numbers of its versions must rise from 1."))
        before = number
        try:
            content = own.read_content(entry)
        except ValueError as error:
            message = _("Version %(number)d: %(reason)s") % {"number": number, "reason": error}
            raise ValueError(message) from None
        yield VersionRecord(
            number=number,
            content=content,
            change_note=clean_text(text_of(entry, "change_note"))[:500],
            author=clean_text(text_of(entry, "author"))[:150],
            created_at=own.moment_of(entry.get("created_at")),
        )


def _labels(value: object, numbers: set[int]) -> Iterator[tuple[str, int, bool]]:
    entries = value if isinstance(value, list) else []
    seen: set[str] = set()
    for entry in entries[:MAX_LABELS]:
        name = clean_text(text_of(entry if isinstance(entry, Mapping) else {}, "name", required=True)).strip()
        if entry.get("version") not in numbers or len(name) > 60 or name in seen:
            raise ValueError(_("The label “%(name)s” names no version.") % {"name": name[:60]})
        seen.add(name)
        yield name, entry["version"], entry.get("is_protected") is True


def _forked_from(value: object) -> dict[str, Any]:
    """The original by its place in a collection, else by its id; {} where there is none."""
    entry = value if isinstance(value, dict) else {}
    named = {key: clean_text(text_of(entry, key))[:255] for key in ("id", "source", "source_id")}
    number = entry.get("version")
    is_number = isinstance(number, int) and not isinstance(number, bool) and 0 < number <= MAX_NUMBER
    return {**named, "version": number} if is_number and any(named.values()) else {}


def _people(entry: dict[str, Any]) -> dict[str, Any]:
    """What others did with it, as far as the file says; nothing of it is believed here."""
    told = {key: entry[key] for key in ("owner", "ratings", "label_moves") if entry.get(key)}
    people: dict[str, Any] = storable(told)
    return people
