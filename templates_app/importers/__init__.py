"""Reading collections of prompts: one module for each format, one way in.

A format module has a NAME, a `sniff(name, head)` that says whether a file looks like its format, and a
`read(text, name)` that gives a record for every entry: a TemplateRecord, or a BadRecord with the place and the reason.
Nothing here knows the database, and nothing in a file is ever run.
"""

import codecs
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from django.utils.translation import gettext as _

from templates_app.importers import awesome_zh, dotprompt, fabric, lobe, prompthub, prompts_chat, prompty
from templates_app.importers.records import BadRecord, ImportFileError, TemplateRecord, collation_key, short_hash

__all__ = ["FORMATS", "MAX_FILE_BYTES", "BadRecord", "ImportFileError", "TemplateRecord", "read_file"]

MAX_FILE_BYTES = 64 * 1024 * 1024
HEAD_LENGTH = 256 * 1024


class Format(Protocol):
    NAME: str

    def sniff(self, name: str, head: str) -> bool: ...
    def read(self, text: str, name: str) -> Iterator[TemplateRecord | BadRecord]: ...


_formats: tuple[Format, ...] = (prompts_chat, awesome_zh, prompthub, dotprompt, prompty, fabric, lobe)

FORMATS: tuple[str, ...] = tuple(module.NAME for module in _formats)


def read_file(path: str | Path, *, format: str = "auto") -> Iterator[TemplateRecord | BadRecord]:  # noqa: A002
    """Every entry of the file, in order. Raises ImportFileError at once when the file as a whole cannot be read."""
    path = Path(path)
    text = _read_text(path)
    module = _detect(path.name, text) if format == "auto" else _named(format)
    return _with_unique_ids(module.read(text, path.name))


def _named(name: str) -> Format:
    by_name = {module.NAME: module for module in _formats}
    if name in by_name:
        return by_name[name]
    known = ", ".join(FORMATS)
    raise ImportFileError(
        _("There is no format “%(name)s”. The formats are %(known)s.") % {"name": name, "known": known}
    )


def _detect(name: str, text: str) -> Format:
    head = text[:HEAD_LENGTH]
    for module in _formats:
        if module.sniff(name, head):
            return module
    known = ", ".join(FORMATS)
    message = _("%(file)s is in no format known here. If it is one of %(known)s, name the format.")
    raise ImportFileError(message % {"file": name, "known": known})


def _read_text(path: Path) -> str:
    names = {"file": path, "limit": MAX_FILE_BYTES // (1024 * 1024)}
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ImportFileError(_("%(file)s is not a file.") % names)
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise ImportFileError(_("There is no file %(file)s.") % names) from None
    except (OSError, ValueError) as error:
        raise ImportFileError(_("%(file)s cannot be read: %(reason)s") % {**names, "reason": error}) from None
    if len(data) > MAX_FILE_BYTES:
        raise ImportFileError(_("%(file)s is larger than %(limit)d MiB. Split it into smaller files.") % names)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ImportFileError(_("%(file)s is UTF-16. Save it as UTF-8 and try again.") % names)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = {**names, "byte": error.start + 1}
        raise ImportFileError(_("%(file)s is not UTF-8 text: see byte %(byte)d.") % place) from None
    if not text.strip():
        raise ImportFileError(_("%(file)s is empty.") % names)
    return text


def _with_unique_ids(records: Iterator[TemplateRecord | BadRecord]) -> Iterator[TemplateRecord | BadRecord]:
    """Makes the ids of one file differ under any collation, in the same way each time the file is read."""
    seen: set[str] = set()
    for record in records:
        if isinstance(record, TemplateRecord):
            source_id = record.source_id
            if collation_key(source_id) in seen:
                source_id = f"{record.source_id} #{short_hash(record.source_id)}"
            number = 2
            while collation_key(source_id) in seen:
                source_id = f"{record.source_id} #{short_hash(record.source_id)}-{number}"
                number += 1
            seen.add(collation_key(source_id))
            record = replace(record, source_id=source_id)
        yield record
