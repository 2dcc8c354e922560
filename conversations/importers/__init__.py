"""Reading exports of conversations: one module for each format, one way in.

A format module has a NAME, a `matches(entry)` that says whether one conversation of the file is in its form, and a
`read(entry, place)` that gives a Thread (promptlib's own: a ConversationRecord), or a BadThread with the place and the
reason. `assemble` makes interactions of a thread's messages. Nothing here knows the database, and nothing in a file is
ever run.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol

from django.utils.translation import gettext as _

from conversations.importers import calls, chatgpt, claude, librechat, oasst, openwebui, promptlib_json, sharegpt
from conversations.importers.assembling import ConversationRecord, assemble
from conversations.importers.files import MAX_BYTES, Broken, Document, read_documents
from conversations.importers.threads import BadThread, Thread
from templates_app.importers.records import ImportFileError

__all__ = [
    "CALLS",
    "FORMATS",
    "BadThread",
    "ConversationRecord",
    "ImportFileError",
    "Source",
    "open_source",
    "read_call_file",
    "read_file",
]

CALLS = "calls"
LOOKED_AT = 50
"""Of each file, so many entries decide what it is."""


class Format(Protocol):
    NAME: str

    def matches(self, entry: dict[str, Any]) -> bool: ...
    def read(self, entry: dict[str, Any], place: str) -> Thread | ConversationRecord | BadThread: ...


_formats: tuple[Format, ...] = (promptlib_json, chatgpt, claude, openwebui, librechat, sharegpt, oasst)

FORMATS: tuple[str, ...] = (*(module.NAME for module in _formats), CALLS)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was opened: its documents, and what they are. Iterating reads its conversations, each time anew.

    `format` is what was found first; with `only`, nothing else is read.
    """

    name: str
    documents: list[Document]
    format: str
    only: str = "auto"
    feedback: dict[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many entries there are; as many conversations, but where messages or calls belong together."""
        return 1 if self.format == CALLS else sum(map(len, self.documents))

    def __iter__(self) -> Iterator[ConversationRecord | BadThread]:
        if self.format == CALLS:
            entries = [entry for document in self.documents for entry in _spans_apart(document)]
            yield from calls.read_calls(entries, PurePosixPath(self.name).name)
        else:
            yield from _with_own_ids(_records(self.documents, self.only, self.feedback))


def open_source(file: IO[bytes], name: str, *, format: str = "auto", max_bytes: int = MAX_BYTES) -> Source:  # noqa: A002
    """Raises ImportFileError when the file as a whole cannot be read, or nothing in it is in a known form.

    The format of the result is what was found: the first conversation's, or "calls".
    """
    if format not in ("auto", *FORMATS):
        known = {"name": format, "known": ", ".join(FORMATS)}
        raise ImportFileError(_("There is no format “%(name)s”. The formats are %(known)s.") % known)
    documents = list(read_documents(file, name, max_bytes=max_bytes))
    if format != CALLS:
        heads = {id(document): document.head(LOOKED_AT) for document in documents}
        found = [(each, _first_match(heads[id(each)], format)) for each in documents]
        wanted = [(document, match) for document, match in found if match]
        if wanted:
            beside = (each for each in documents if PurePosixPath(each.name).name == chatgpt.FEEDBACK_FILE)
            feedback = chatgpt.read_feedback(entry for document in beside for entry in document)
            return Source(name, [document for document, _match in wanted], wanted[0][1], format, feedback)
    if format in ("auto", CALLS):
        recorded = [each for each in documents if any(map(calls.is_call, _spans_apart(each, LOOKED_AT)))]
        if recorded:
            return Source(name, recorded, CALLS)
        if format == CALLS:
            raise ImportFileError(_("No recorded call of a known form is in %(file)s.") % {"file": name})
    known = {"file": name, "known": ", ".join(FORMATS)}
    raise ImportFileError(_("No conversation of a known form is in %(file)s. The formats are %(known)s.") % known)


def read_file(path: str | Path, *, format: str = "auto") -> Source:  # noqa: A002
    """Every conversation of a JSON, JSON Lines or ZIP file, in order, with an id of its own within the file.

    Raises ImportFileError when the file as a whole cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return open_source(file, Path(path).name, format=format)
    except FileNotFoundError:
        raise ImportFileError(_("There is no file %(file)s.") % {"file": path}) from None
    except OSError as error:
        raise ImportFileError(_("%(file)s cannot be read: %(reason)s") % {"file": path, "reason": error}) from None


def read_call_file(path: str | Path) -> Source:
    """Every recorded call of a JSON or JSON Lines file. Raises ImportFileError when the file as a whole is none."""
    return read_file(path, format=CALLS)


def _spans_apart(document: Document, count: int | None = None) -> Iterator[Any]:
    """The entries; of what an OpenTelemetry collector writes, the spans inside."""
    for entry in document if count is None else document.head(count):
        groups = entry.get("resourceSpans") if isinstance(entry, dict) else None
        if isinstance(groups, list):
            yield from calls.spans_of(groups)
        else:
            yield entry


def _first_match(entries: list[Any], format: str) -> str:  # noqa: A002
    modules = (_matching(entry, format) for entry in entries)
    return next((module.NAME for module in modules if module), "")


def _with_own_ids(records: Iterator[ConversationRecord | BadThread]) -> Iterator[ConversationRecord | BadThread]:
    """An id made of the words is the same for the same words: the second of two such conversations gets a number."""
    seen: Counter[str] = Counter()
    for record in records:
        if isinstance(record, ConversationRecord) and record.source_id.startswith("#"):
            seen[record.source_id] += 1
            if seen[record.source_id] > 1:
                record.source_id += f"-{seen[record.source_id]}"
        yield record


def _records(
    documents: list[Document],
    format: str,  # noqa: A002
    feedback: dict[str, tuple[int, str]],
) -> Iterator[ConversationRecord | BadThread]:
    for document in documents:
        first = next(iter(document), None)
        if format in ("auto", oasst.NAME) and isinstance(first, dict) and oasst.is_flat(first):
            yield from (_assembled(thread) for thread in oasst.read_flat(document))
            continue
        for number, entry in enumerate(document, start=1):
            place = _("conversation %(number)d") % {"number": number}
            place = f"{document.name}: {place}" if len(documents) > 1 else place
            yield _record(entry, place, format, feedback)


def _record(
    entry: Any,
    place: str,
    format: str,  # noqa: A002
    feedback: dict[str, tuple[int, str]],
) -> ConversationRecord | BadThread:
    if isinstance(entry, Broken):
        return BadThread(place, entry.reason)
    if not isinstance(entry, dict):
        return BadThread(place, _("It is not an object with named fields."))
    module = _matching(entry, format) or _by_name(format)
    if module is None:
        title = entry.get("title") or entry.get("name")
        return BadThread(place, _("It has no messages in a known form."), title if isinstance(title, str) else "")
    try:
        thread = module.read(entry, place)
        if isinstance(thread, Thread) and thread.source == chatgpt.NAME:
            chatgpt.add_feedback(thread, feedback)
        return _assembled(thread)
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
