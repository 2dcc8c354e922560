"""A ZIP of prompt files, read in memory: nothing is ever unpacked to the disk.

A small archive can hold gigabytes, a million names, or names that lead out of its folder. The end of the file says how
long the list of names is, so that a long one is refused before it is read; sizes are believed only as far as the bytes
that come out.
"""

import io
import stat
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.utils.translation import gettext as _

from templates_app.importers.records import ImportFileError

MAX_MEMBERS = 5_000
MAX_DIRECTORY_BYTES = 1024 * 1024
MAX_UNPACKED_BYTES = 32 * 1024 * 1024
MAX_MEMBER_BYTES = 8 * 1024 * 1024
MAX_RATIO = 200
"""Text is packed to a fifth, at best to a twentieth; what is packed to a two-hundredth is made to burst."""

_END = struct.Struct("<4s4H2LH")
_ENCRYPTED = 0x1
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the archive; `reason` says why it was not read."""

    name: str
    data: bytes = b""
    reason: str = ""


def is_archive(data: bytes) -> bool:
    return data.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def members(data: bytes, name: str) -> Iterator[Member]:
    """The files in it, in order. Raises ImportFileError at once for an archive that means harm or is damaged."""
    _check_end(data, name)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_litter(entry.filename)]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError) as error:
        raise ImportFileError(_("%(file)s is a damaged ZIP: %(reason)s") % {"file": name, "reason": error}) from None
    _check_entries(entries, name)
    if not entries:
        raise ImportFileError(_("%(file)s is empty.") % {"file": name})
    return (_read(archive, entry) for entry in entries)


def _check_end(data: bytes, name: str) -> None:
    position = data.rfind(b"PK\x05\x06", max(0, len(data) - 65_557))
    if position < 0 or position + _END.size > len(data):
        raise ImportFileError(
            _("%(file)s is a damaged ZIP: %(reason)s") % {"file": name, "reason": _("it has no end.")}
        )
    _mark, disk, start_disk, _here, total, size, _offset, _comment = _END.unpack_from(data, position)
    is_64 = data[max(0, position - 20) : position].startswith(b"PK\x06\x07")
    if is_64 or disk or start_disk or total > MAX_MEMBERS or size > MAX_DIRECTORY_BYTES:
        limit = {"file": name, "limit": MAX_MEMBERS}
        raise ImportFileError(_("%(file)s holds more than %(limit)d files. Split it into smaller ones.") % limit)


def _check_entries(entries: list[zipfile.ZipInfo], name: str) -> None:
    for entry in entries:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or "\0" in entry.orig_filename:
            raise ImportFileError(_("%(file)s names a file outside of itself.") % {"file": name})
    packed = sum(entry.compress_size for entry in entries)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES or unpacked > MAX_RATIO * max(packed, 4096):
        limit = {"file": name, "limit": MAX_UNPACKED_BYTES // (1024 * 1024)}
        raise ImportFileError(_("%(file)s unpacks to more than %(limit)d MiB, or to more than text can.") % limit)


def _is_litter(filename: str) -> bool:
    """What systems add to every archive."""
    path = PurePosixPath(filename.replace("\\", "/"))
    return "__MACOSX" in path.parts or path.name in {".DS_Store", "Thumbs.db", "desktop.ini"}


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Member:
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS or stat.S_ISLNK(entry.external_attr >> 16):
        return Member(entry.filename, reason=_("It is encrypted, a link, or packed in a way that is not read here."))
    if entry.file_size > MAX_MEMBER_BYTES:
        limit = {"limit": MAX_MEMBER_BYTES // (1024 * 1024)}
        return Member(entry.filename, reason=_("It is larger than %(limit)d MiB.") % limit)
    try:
        with archive.open(entry) as file:
            data = file.read(entry.file_size + 1)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        return Member(entry.filename, reason=_("It cannot be unpacked: %(reason)s") % {"reason": error})
    except Exception as error:  # zlib.error has no base of its own but this
        return Member(entry.filename, reason=_("It cannot be unpacked: %(reason)s") % {"reason": error})
    return Member(entry.filename, data)
