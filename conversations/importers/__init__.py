"""Reading exports of conversations: one module for each format, one way in.

A format module has a NAME, a `matches(entry)` that says whether one conversation of the file is in its form, and a
`read(entry, place)` that gives a Thread (promptlib's own: a ConversationRecord), or a BadThread with the place and the
reason. `assemble` makes interactions of a thread's messages. Nothing here knows the database, and nothing in a file is
ever run.
"""

import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from django.utils.translation import gettext as _

from conversations.importers import chatgpt, claude, librechat, oasst, openwebui, promptlib_json, sharegpt
from conversations.importers.assembling import ConversationRecord, assemble
from conversations.importers.calls import is_call, read_calls
from conversations.importers.threads import BadThread, Thread
from templates_app.importers.reading import parse_json
from templates_app.importers.records import ImportFileError

__all__ = ["FORMATS", "BadThread", "ConversationRecord", "ImportFileError", "read_call_file", "read_file"]

MAX_BYTES = 512 * 1024 * 1024
"""Of one file, unpacked. A lifetime of conversations is a tenth of it."""

_WRAPPERS = ("conversations", "chats", "data", "items")


class Format(Protocol):
    NAME: str

    def matches(self, entry: dict[str, Any]) -> bool: ...
    def read(self, entry: dict[str, Any], place: str) -> Thread | ConversationRecord | BadThread: ...


_formats: tuple[Format, ...] = (promptlib_json, chatgpt, claude, openwebui, librechat, sharegpt, oasst)

FORMATS: tuple[str, ...] = tuple(module.NAME for module in _formats)


def read_file(path: str | Path, *, format: str = "auto") -> Iterator[ConversationRecord | BadThread]:  # noqa: A002
    """Every conversation of a JSON, JSON Lines or ZIP file, in order, with an id of its own within the file.

    Raises ImportFileError when the file as a whole cannot be read.
    """
    if format not in ("auto", *FORMATS):
        known = {"name": format, "known": ", ".join(FORMATS)}
        raise ImportFileError(_("There is no format “%(name)s”. The formats are %(known)s.") % known)
    documents = list(_documents(Path(path)))
    if not any(_matching(entry, format) for _name, data in documents for entry in _entries(data)[:50]):
        known = {"file": Path(path).name, "known": ", ".join(FORMATS)}
        raise ImportFileError(_("No conversation of a known form is in %(file)s. The formats are %(known)s.") % known)
    return _with_own_ids(_records(documents, format))


def read_call_file(path: str | Path) -> Iterator[ConversationRecord | BadThread]:
    """Every recorded call of a JSON or JSON Lines file. Raises ImportFileError when the file as a whole is none."""
    ((name, data),) = list(_documents(Path(path)))[:1] or [("", [])]
    entries = data if isinstance(data, list) else _of_spans(data)
    if not any(map(is_call, entries[:50])):
        raise ImportFileError(_("No recorded call of a known form is in %(file)s.") % {"file": Path(path).name})
    return read_calls(entries, Path(name).name)


def _of_spans(data: Any) -> list[Any]:
    """The spans inside what an OpenTelemetry collector writes; anything else is one entry."""
    groups = data.get("resourceSpans") if isinstance(data, dict) else None
    if not isinstance(groups, list):
        return [data]
    scopes = [scope for group in groups for scope in group.get("scopeSpans", [])]
    return [span for scope in scopes for span in scope.get("spans", [])]


def _with_own_ids(records: Iterator[ConversationRecord | BadThread]) -> Iterator[ConversationRecord | BadThread]:
    """An id made of the words is the same for the same words: the second of two such conversations gets a number."""
    seen: Counter[str] = Counter()
    for record in records:
        if isinstance(record, ConversationRecord) and record.source_id.startswith("#"):
            seen[record.source_id] += 1
            if seen[record.source_id] > 1:
                record.source_id += f"-{seen[record.source_id]}"
        yield record


def _records(documents: list[tuple[str, Any]], format: str) -> Iterator[ConversationRecord | BadThread]:  # noqa: A002
    for name, data in documents:
        entries = _entries(data)
        if format in ("auto", oasst.NAME) and entries and isinstance(entries[0], dict) and oasst.is_flat(entries[0]):
            yield from (_assembled(thread) for thread in oasst.read_flat(entries))
            continue
        for number, entry in enumerate(entries, start=1):
            place = _("conversation %(number)d") % {"number": number}
            place = f"{name}: {place}" if len(documents) > 1 else place
            yield _record(entry, place, format)


def _record(entry: Any, place: str, format: str) -> ConversationRecord | BadThread:  # noqa: A002
    if not isinstance(entry, dict):
        return BadThread(place, _("It is not an object with named fields."))
    module = _matching(entry, format) or _by_name(format)
    if module is None:
        title = entry.get("title") or entry.get("name")
        return BadThread(place, _("It has no messages in a known form."), title if isinstance(title, str) else "")
    try:
        return _assembled(module.read(entry, place))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        return BadThread(place, _("It cannot be read: %(reason)s") % {"reason": error})


def _assembled(thread: Thread | ConversationRecord | BadThread) -> ConversationRecord | BadThread:
    return assemble(thread) if isinstance(thread, Thread) else thread


def _matching(entry: Any, format: str) -> Format | None:  # noqa: A002
    if not isinstance(entry, dict):
        return None
    if format in ("auto", oasst.NAME) and oasst.is_flat(entry):
        return oasst
    return next((each for each in _formats if format in ("auto", each.NAME) and each.matches(entry)), None)


def _by_name(format: str) -> Format | None:  # noqa: A002
    return next((module for module in _formats if format == module.NAME), None)


def _entries(data: Any) -> list[Any]:
    """A file holds a list of conversations, one alone, or one of these inside an object."""
    if isinstance(data, list):
        return data
    if not isinstance(data, dict) or _matching(data, "auto"):
        return [data]
    return next((data[name] for name in _WRAPPERS if isinstance(data.get(name), list)), [data])


# ---- files -----------------------------------------------------------------


def _documents(path: Path) -> Iterator[tuple[str, Any]]:
    """The parsed JSON of the file, or of each JSON file in an archive that holds conversations."""
    try:
        if zipfile.is_zipfile(path):
            yield from _of_archive(path)
            return
        if path.stat().st_size > MAX_BYTES:
            raise ImportFileError(_too_large(path.name))
        yield path.name, _parsed(path.read_bytes(), path.name)
    except FileNotFoundError:
        raise ImportFileError(_("There is no file %(file)s.") % {"file": path}) from None
    except (OSError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        reason = {"file": path.name, "reason": error}
        raise ImportFileError(_("%(file)s cannot be read: %(reason)s") % reason) from None


def _of_archive(path: Path) -> Iterator[tuple[str, Any]]:
    with zipfile.ZipFile(path) as archive:
        files = [info for info in archive.infolist() if _is_wanted(info.filename)]
        if sum(info.file_size for info in files) > MAX_BYTES:
            raise ImportFileError(_too_large(path.name))
        found = False
        for info in files:
            with archive.open(info) as file:
                data = file.read(info.file_size + 1)
            if len(data) > info.file_size:
                raise ImportFileError(
                    _("%(file)s is damaged: a file in it is longer than it says.") % {"file": path.name}
                )
            try:
                parsed = _parsed(data, info.filename)
            except ImportFileError:
                if _stem(info.filename).startswith("conversations"):
                    raise
                continue
            if any(_matching(entry, "auto") for entry in _entries(parsed)[:50]):
                found = True
                yield info.filename, parsed
        if not found:
            raise ImportFileError(_("There are no conversations in %(file)s.") % {"file": path.name})


def _is_wanted(name: str) -> bool:
    return name.endswith((".json", ".jsonl")) and not _stem(name).startswith((".", "__MACOSX"))


def _stem(name: str) -> str:
    return name.rpartition("/")[2]


def _parsed(data: bytes, name: str) -> Any:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = {"file": name, "byte": error.start + 1}
        raise ImportFileError(_("%(file)s is not UTF-8 text: see byte %(byte)d.") % place) from None
    try:
        return parse_json(text)
    except ValueError as error:
        if lines := _lines(text):
            return lines
        raise ImportFileError(f"{name}: {error}") from None


def _lines(text: str) -> list[Any]:
    """JSON Lines: a line that is no JSON stays as text, to be reported in its place."""
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) < 2 or not lines[0].lstrip().startswith("{"):
        return []
    found: list[Any] = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except (ValueError, RecursionError):
            found.append(line)
    return found if isinstance(found[0], dict) else []


def _too_large(name: str) -> str:
    return _("%(file)s is larger than %(limit)d MiB.") % {"file": name, "limit": MAX_BYTES // (1024 * 1024)}
