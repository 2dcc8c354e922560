"""Taking an uploaded file apart, entry by entry, before any of it is believed.

JSON (a list, one object, a list inside an object), JSON Lines, or a ZIP with such files beside images and pages. Only
where an entry begins and ends is looked for at first; each is parsed when its turn comes, so that one in memory is
enough and a broken one keeps none of the others out.
"""

import json
import re
import stat
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO, Any

from django.utils.translation import gettext as _

from templates_app.importers.records import ImportFileError

MIB = 1024 * 1024
MAX_BYTES = 512 * MIB
"""Of one file, unpacked. A lifetime of conversations is a tenth of it."""
MAX_ENTRIES = 100_000
MAX_ENTRY_TOKENS = 3_000_000
MAX_TOKENS = 20_000_000
MAX_DEPTH = 10_000
"""What is deeper is no conversation at all. One nested deeper than Python reads (some 900) is a broken entry."""
MAX_MEMBERS = 65_535
MAX_DIRECTORY_BYTES = 16 * MIB
MAX_RATIO = 200
"""Text is packed to a fifth, at best to a twentieth; what is packed to a two-hundredth is made to burst."""

WRAPPERS = ("conversations", "chats", "data", "items")

# A text that is not closed ends with the file: to look for its end again from every quotation mark would take for ever.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.?)*+(?:"|\Z)|[\[\]{},]', re.DOTALL)
_END = struct.Struct("<4s4H2LH")
_ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True)
class Broken:
    """An entry that is no JSON, and why."""

    reason: str


@dataclass(slots=True)
class Document:
    """A JSON file: its text and where its entries stand; or, of an object that was parsed whole, the entries."""

    name: str
    text: str = ""
    spans: list[tuple[int, int]] = field(default_factory=list)
    is_cut_off: bool = False
    parsed: list[Any] | None = None

    def __len__(self) -> int:
        return len(self.spans) if self.parsed is None else len(self.parsed)

    def __iter__(self) -> Iterator[Any]:
        if self.parsed is not None:
            yield from self.parsed
            return
        for number, (start, end) in enumerate(self.spans, start=1):
            if self.is_cut_off and number == len(self.spans):
                yield Broken(_("The file ends in the middle of it."))
            else:
                yield _entry(self.text[start:end])

    def head(self, count: int) -> list[Any]:
        return [entry for entry, _number in zip(self, range(count), strict=False)]


def read_documents(file: IO[bytes], name: str, *, max_bytes: int = MAX_BYTES) -> Iterator[Document]:
    """The JSON of the file, or of each JSON file in an archive. Raises ImportFileError at once where it means harm."""
    start = file.read(4)
    file.seek(0)
    if start in (b"PK\x03\x04", b"PK\x05\x06"):
        yield from _of_archive(file, name, max_bytes)
        return
    data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise ImportFileError(_too_large(name, max_bytes))
    yield _document(data, name)


def _document(data: bytes, name: str) -> Document:
    text = _decoded(data, name)
    del data
    first = text[: len(text) - len(text.lstrip())]
    position = len(first)
    if text.startswith("[", position):
        return _list(text, position, name)
    lines = _lines(text)
    if lines is not None:
        return Document(name, text, lines)
    _count_tokens(text, name)
    try:
        data_ = json.loads(text)
    except RecursionError:
        raise ImportFileError(f"{name}: {_('Its JSON is nested too deep.')}") from None
    except json.JSONDecodeError as error:
        place = {"file": name, "line": error.lineno, "column": error.colno}
        raise ImportFileError(_("%(file)s is not valid JSON: see line %(line)d, column %(column)d.") % place) from None
    except ValueError as error:
        raise ImportFileError(f"{name}: {error}") from None
    return Document(name, parsed=_inner(data_))


def _inner(data: Any) -> list[Any]:
    """A file holds one conversation alone, or a list of them inside an object."""
    if not isinstance(data, dict):
        return [data]
    for key in WRAPPERS:
        inner = data.get(key)
        if isinstance(inner, list) and not any(map(_is_message, inner[:3])):
            return inner
    return [data]


def _is_message(entry: Any) -> bool:
    """ShareGPT's messages stand under the very name under which others list conversations."""
    return isinstance(entry, dict) and ("from" in entry or ("role" in entry and "content" in entry))


def _decoded(data: bytes, name: str) -> str:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        place = {"file": name, "byte": error.start + 1}
        raise ImportFileError(_("%(file)s is not UTF-8 text: see byte %(byte)d.") % place) from None


def _entry(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        return Broken(_("Its JSON is nested too deep."))
    except ValueError as error:
        return Broken(_("It is not valid JSON: %(reason)s") % {"reason": error})


# ---- where entries stand ---------------------------------------------------


def _list(text: str, position: int, name: str) -> Document:
    document = Document(name, text)
    depth, start, in_entry = 0, position + 1, 0
    for number, match in enumerate(_TOKEN.finditer(text, position)):
        sign = text[match.start()]
        in_entry += 1
        if sign in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ImportFileError(f"{name}: {_('Its JSON is nested too deep.')}")
        elif sign in "]}":
            depth -= 1
            if depth == 0:
                _add(document, start, match.start())
                return document
        elif sign == "," and depth == 1:
            _add(document, start, match.start())
            start, in_entry = match.end(), 0
        if in_entry > MAX_ENTRY_TOKENS or number > MAX_TOKENS or len(document.spans) > MAX_ENTRIES:
            raise ImportFileError(_too_many(name))
    document.is_cut_off = True
    _add(document, start, len(text))
    if not document.spans or (len(document.spans) == 1 and document.is_cut_off):
        raise ImportFileError(_("%(file)s is not valid JSON: it ends too soon.") % {"file": name})
    return document


def _add(document: Document, start: int, end: int) -> None:
    if document.text[start:end].strip():
        document.spans.append((start, end))


def _lines(text: str) -> list[tuple[int, int]] | None:
    """JSON Lines: the first line is an object of its own, and others follow."""
    first = text.lstrip().partition("\n")[0].rstrip()
    if not (first.startswith("{") and first.endswith("}")) or "\n" not in text.strip():
        return None
    if not isinstance(_entry(first), dict):
        return None
    spans, start = [], 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        if text[start:end].strip():
            spans.append((start, end))
        start = end + 1
        if len(spans) > MAX_ENTRIES:
            return spans[:MAX_ENTRIES]
    return spans


def _count_tokens(text: str, name: str) -> None:
    """Brackets are cheap to write and dear to hold: they are counted before any object is made."""
    if 2 * (text.count("[") + text.count("{")) + text.count(",") <= MAX_ENTRY_TOKENS:
        return
    for number, _match in enumerate(_TOKEN.finditer(text)):
        if number > MAX_ENTRY_TOKENS:
            raise ImportFileError(_too_many(name))


# ---- archives --------------------------------------------------------------


def _of_archive(file: IO[bytes], name: str, max_bytes: int) -> Iterator[Document]:
    """The end of an archive says how long the list of its names is: a long one is refused before it is read."""
    _check_end(file, name)
    try:
        archive = zipfile.ZipFile(file)
        entries = [info for info in archive.infolist() if _is_wanted(info.filename)]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeDecodeError) as error:
        raise ImportFileError(_damaged(name, error)) from None
    with archive:
        packed, unpacked = (sum(getattr(info, size) for info in entries) for size in ("compress_size", "file_size"))
        if unpacked > max_bytes or unpacked > MAX_RATIO * max(packed, 4096):
            limit = {"file": name, "limit": max_bytes // MIB}
            raise ImportFileError(_("%(file)s unpacks to more than %(limit)d MiB, or to more than text can.") % limit)
        for info in entries:
            data = _member(archive, info, name)
            try:
                document = _document(data, info.filename)
            except ImportFileError:
                if PurePosixPath(info.filename).name.startswith("conversations"):
                    raise
                continue
            yield document


def _check_end(file: IO[bytes], name: str) -> None:
    size = file.seek(0, 2)
    file.seek(max(0, size - 65_557))
    tail = file.read()
    file.seek(0)
    position = tail.rfind(b"PK\x05\x06")
    if position < 0 or position + _END.size > len(tail):
        raise ImportFileError(_damaged(name, _("it has no end.")))
    _mark, disk, start_disk, _here, total, length, _offset, _comment = _END.unpack_from(tail, position)
    is_64 = tail[max(0, position - 20) : position].startswith(b"PK\x06\x07")
    if is_64 or disk or start_disk or total >= MAX_MEMBERS or length > MAX_DIRECTORY_BYTES:
        limit = {"file": name, "limit": MAX_MEMBERS}
        raise ImportFileError(
            _("%(file)s holds more than %(limit)d files. Upload the conversations.json in it by itself.") % limit
        )


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> bytes:
    if info.flag_bits & _ENCRYPTED or stat.S_ISLNK(info.external_attr >> 16):
        raise ImportFileError(_("%(file)s is encrypted, or holds links.") % {"file": name})
    try:
        with archive.open(info) as member:
            data = member.read(info.file_size + 1)
    except Exception as error:  # zlib.error has no base of its own but this
        raise ImportFileError(_damaged(name, error)) from None
    if len(data) > info.file_size:
        raise ImportFileError(_("%(file)s is damaged: a file in it is longer than it says.") % {"file": name})
    return data


def _is_wanted(filename: str) -> bool:
    path = PurePosixPath(filename.replace("\\", "/"))
    return path.suffix in (".json", ".jsonl") and not path.name.startswith(".") and "__MACOSX" not in path.parts


def _damaged(name: str, reason: object) -> str:
    return _("%(file)s is a damaged ZIP: %(reason)s") % {"file": name, "reason": reason}


def _too_large(name: str, max_bytes: int) -> str:
    return _("%(file)s is larger than %(limit)d MiB.") % {"file": name, "limit": max_bytes // MIB}


def _too_many(name: str) -> str:
    return _("%(file)s holds too many values. Split it into smaller files.") % {"file": name}
