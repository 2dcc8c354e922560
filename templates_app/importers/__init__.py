"""Reading collections of prompts: one module for each format, one way in.

A format module has a NAME, a `sniff(name, head)` that says whether a file looks like its format, and a
`read(text, name)` that gives a record for every entry: a TemplateRecord, or a BadRecord with the place and the reason.
Nothing here knows the database, and nothing in a file is ever run. A file that means harm (a bomb, a gigabyte, endless
nesting) is refused before anything is made of it.
"""

import codecs
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from django.utils.translation import gettext as _

from templates_app.importers import (
    archive,
    awesome_zh,
    dotprompt,
    fabric,
    langfuse,
    lobe,
    markdown,
    openwebui,
    prompthub,
    promptlib,
    prompts_chat,
    prompty,
    spreadsheet,
)
from templates_app.importers.records import (
    BadRecord,
    History,
    ImportFileError,
    TemplateRecord,
    VersionRecord,
    collation_key,
    short_hash,
)

__all__ = [
    "FORMATS",
    "MAX_FILE_BYTES",
    "BadRecord",
    "History",
    "ImportFileError",
    "TemplateRecord",
    "VersionRecord",
    "detect",
    "read_bytes",
    "read_file",
]

MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_RECORDS = 50_000
HEAD_LENGTH = 256 * 1024
ARCHIVE = "zip"


class Format(Protocol):
    NAME: str

    def sniff(self, name: str, head: str) -> bool: ...
    def read(self, text: str, name: str) -> Iterator[TemplateRecord | BadRecord]: ...


_formats: tuple[Format, ...] = (
    promptlib,
    markdown,
    spreadsheet,
    langfuse,
    openwebui,
    prompts_chat,
    dotprompt,
    prompty,
    awesome_zh,
    prompthub,
    fabric,
    lobe,
)

FORMATS: tuple[str, ...] = tuple(module.NAME for module in _formats)


def read_file(path: str | Path, *, format: str = "auto") -> Iterator[TemplateRecord | BadRecord]:  # noqa: A002
    """Every entry of the file, in order. Raises ImportFileError at once when the file as a whole cannot be read."""
    path = Path(path)
    return _read(_read_data(path), str(path), path.name, format)


def read_bytes(data: bytes, name: str, *, format: str = "auto") -> Iterator[TemplateRecord | BadRecord]:  # noqa: A002
    """As `read_file`, of a file that is in memory."""
    return _read(data, name, name, format)


def detect(data: bytes, name: str) -> str:
    """The name of the file's format, “zip” for an archive. Raises ImportFileError when it is in none."""
    return ARCHIVE if archive.is_archive(data) else _detect(name, _decode(data[:HEAD_LENGTH], name, is_head=True)).NAME


def _read(data: bytes, shown: str, name: str, format_: str) -> Iterator[TemplateRecord | BadRecord]:
    if archive.is_archive(data):
        return _with_unique_ids(_read_members(archive.members(data, shown), format_))
    text = _decode(data, shown)
    del data
    module = _detect(name, text) if format_ in ("auto", ARCHIVE) else _named(format_)
    return _with_unique_ids(module.read(text, name))


def _read_members(members: Iterator[archive.Member], format_: str) -> Iterator[TemplateRecord | BadRecord]:
    for member in members:
        try:
            if member.reason:
                raise ImportFileError(member.reason)
            text = _decode(member.data, member.name)
            module = _detect(member.name, text) if format_ in ("auto", ARCHIVE) else _named(format_)
            for record in module.read(text, member.name):
                yield replace(record, place=_place(member.name, record.place))
        except ImportFileError as error:
            yield BadRecord(member.name, str(error), member.data.decode("utf-8", "replace"))


def _place(name: str, place: str) -> str:
    return name if place == _("the file") else f"{name}, {place}"


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


def _read_data(path: Path) -> bytes:
    names = {"file": path, "limit": MAX_FILE_BYTES // (1024 * 1024)}
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise ImportFileError(_("%(file)s is not a file.") % names)
        if facts.st_size > MAX_FILE_BYTES:
            raise ImportFileError(_("%(file)s is larger than %(limit)d MiB. Split it into smaller files.") % names)
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise ImportFileError(_("There is no file %(file)s.") % names) from None
    except (OSError, ValueError) as error:
        raise ImportFileError(_("%(file)s cannot be read: %(reason)s") % {**names, "reason": error}) from None
    if len(data) > MAX_FILE_BYTES:  # it grew meanwhile
        raise ImportFileError(_("%(file)s is larger than %(limit)d MiB. Split it into smaller files.") % names)
    return data


def _decode(data: bytes, name: str, *, is_head: bool = False) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ImportFileError(_("%(file)s is UTF-16. Save it as UTF-8 and try again.") % {"file": name})
    try:
        # A head may end within a character. The whole is decoded in one piece, without a copy of what may be large.
        text = codecs.getincrementaldecoder("utf-8")().decode(data) if is_head else data.decode()
    except UnicodeDecodeError as error:
        place = {"file": name, "byte": error.start + 1}
        raise ImportFileError(_("%(file)s is not UTF-8 text: see byte %(byte)d.") % place) from None
    text = text.removeprefix("\ufeff")
    if not text or text.isspace():
        raise ImportFileError(_("%(file)s is empty.") % {"file": name})
    return text


def _with_unique_ids(records: Iterator[TemplateRecord | BadRecord]) -> Iterator[TemplateRecord | BadRecord]:
    """Makes the ids of one file differ under any collation, in the same way each time the file is read."""
    seen: set[tuple[str, str]] = set()
    numbers: dict[str, int] = {}
    for count, record in enumerate(records):
        if count >= MAX_RECORDS:
            limit = {"limit": f"{MAX_RECORDS:,}"}
            raise ImportFileError(_("The file holds more than %(limit)s entries. Split it into smaller files.") % limit)
        if isinstance(record, TemplateRecord):
            source, source_id = record.source, record.source_id
            if (source, collation_key(source_id)) in seen:
                source_id = f"{record.source_id} #{short_hash(record.source_id)}"
            while (source, collation_key(source_id)) in seen:
                number = numbers[record.source_id] = numbers.get(record.source_id, 1) + 1
                source_id = f"{record.source_id} #{short_hash(record.source_id)}-{number}"
            seen.add((source, collation_key(source_id)))
            record = replace(record, source_id=source_id)
        yield record
