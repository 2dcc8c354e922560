"""Files of old rows of the audit log: JSON lines, compressed, signed.

The first line says which rows are in it; then come the seals, each followed by its rows, one a line with every column;
the last line is a signature over all lines before it, under the key of the seals. What proves a row is its seal, as in
the database: the digest of its line is the one that the seal holds.
"""

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from audit.models import AuditLog
from audit.proof.digests import CHUNK, FIELDS, plain
from audit.proof.sealing import Sealed
from audit.proof.signing import is_signed, sign

FORMAT = 1
KEYS = ("actor_id", "subject_id")
UNREADABLE = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zlib.error)
"""What reading a file may raise that somebody has changed."""

Row = Mapping[str, Any]


def write_file(path: Path, seals: Sequence[Sealed]) -> None:
    """Write the rows of these seals; when it returns, they are on the disk. Nobody but the owner may read them."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as raw:
        with gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as packed:
            _write_lines(packed, seals)
        raw.flush()
        os.fsync(raw.fileno())


def _write_lines(file: Any, seals: Sequence[Sealed]) -> None:
    digest, count = hashlib.sha256(), sum(each.row_count for each in seals)
    facts = {"format": FORMAT, "first_row": seals[0].first_row, "last_row": seals[-1].last_row, "row_count": count}

    def put(told: dict[str, Any]) -> None:
        line = json.dumps(told, default=plain).encode() + b"\n"
        digest.update(line)
        file.write(line)

    put({"archive": facts})
    for seal in seals:
        put({"seal": json.loads(seal.line())})
        ids = sorted(seal.rows())
        for start in range(0, len(ids), CHUNK):
            rows = AuditLog.objects.filter(pk__in=ids[start : start + CHUNK]).order_by("pk")
            for row in rows.values("pk", *FIELDS):
                put({"row": {"id": row.pop("pk"), **row}})
    sha = digest.hexdigest()
    put({"end": {"sha256": sha, "signature": sign(_message(sha))}})


def _message(sha: str) -> str:
    return json.dumps(["audit archive", FORMAT, sha])


def digest_of(path: Path) -> str:
    """SHA-256 of the file as it lies there; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def range_of(path: Path) -> tuple[UUID, UUID]:
    """The first and the last row that a file says it holds; raises one of UNREADABLE."""
    with gzip.open(path, "rb") as file:
        facts = json.loads(file.readline())["archive"]
        return UUID(facts["first_row"]), UUID(facts["last_row"])


def is_signed_whole(path: Path) -> bool:
    """Whether the file's own signature is that of the key; raises one of UNREADABLE."""
    digest, last = hashlib.sha256(), b""
    with gzip.open(path, "rb") as file:
        for line in file:
            digest.update(last)
            last = line
    end = json.loads(last)["end"]
    return bool(end["sha256"] == digest.hexdigest() and is_signed(_message(end["sha256"]), end["signature"]))


def seals_in(path: Path) -> Iterator[tuple[UUID, dict[UUID, Row]]]:
    """The id of each seal and its rows, one seal in memory at a time; ends where the file cannot be read further."""
    with gzip.open(path, "rb") as file:
        yield from _grouped(file)


def _grouped(file: BinaryIO | gzip.GzipFile) -> Iterator[tuple[UUID, dict[UUID, Row]]]:
    current: UUID | None = None
    rows: dict[UUID, Row] = {}
    while True:
        line = b""
        try:
            line = file.readline()
            told = json.loads(line) if line else {"end": {}}
            if "seal" in told:
                following = UUID(told["seal"]["id"])
            elif "row" in told:
                row = dict(told["row"])
                pk = UUID(row.pop("id"))
                rows[pk] = {name: _loaded(name, row[name]) for name in FIELDS}
                continue
            elif "end" in told:
                following = None
            else:
                continue
        except UNREADABLE:
            if line.endswith(b"\n"):
                continue  # this line alone is spoilt
            following = None
        if current is not None:
            yield current, rows
        if following is None:
            return
        current, rows = following, {}


def _loaded(name: str, value: Any) -> Any:
    return UUID(value) if name in KEYS and value else value
