"""Files that mean harm: each is refused, or read, within two seconds and 100 MB."""

import io
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

SECONDS, MEGABYTES = 2.0, 100
LIMIT = 16 * 1024 * 1024

READ = """
import json, re, sys, time
from django.conf import settings
settings.configure(USE_I18N=False)
from templates_app.importers import BadRecord, ImportFileError, read_file
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) / 1024
before, start = peak(), time.process_time()
good, bad = 0, []
try:
    for record in read_file(sys.argv[1]):
        if isinstance(record, BadRecord):
            bad.append(record.reason)
        else:
            good += 1
    told = f"{good} good, {len(bad)} bad: {bad[0]}" if bad else f"{good} good"
except ImportFileError as error:
    told = str(error)
print(json.dumps([told.replace(sys.argv[1], "FILE"), round(time.process_time() - start, 2), round(peak() - before)]))
"""


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def lying_zip() -> bytes:
    """One file of 256 MB of zeros, said to be of 1,000 bytes."""
    data = zipped({"a.md": b"\0" * 256 * 1024 * 1024})
    size = struct.pack("<L", 256 * 1024 * 1024)
    return data.replace(size, struct.pack("<L", 1000))


def many_members() -> bytes:
    """A list of 300,000 files, all of them the same few bytes."""
    one = zipped({"a": b"x"}, zipfile.ZIP_STORED)
    start = one.index(b"PK\x01\x02")
    end = one.index(b"PK\x05\x06")
    entries = one[start:end] * 300_000
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(entries), start, 0)
    return one[:start] + entries + tail


def hidden_members() -> bytes:
    """As `many_members`, the list's length said in the part for archives beyond 4 GB."""
    data = many_members()
    end = data.index(b"PK\x05\x06")
    start = struct.unpack_from("<L", data, end + 16)[0]
    big = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 300_000, 300_000, end - start, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    return data[:end] + big + locator + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 10, 0, 0)


ALIASES = [f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in pairwise("abcdefghi")]
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(ALIASES)
UNKNOWN = "deep.json is in no format known here."
TOO_LONG = "A line of the file is longer than four million characters."
TOO_MANY = "FILE holds more than 5000 files. Split it into smaller ones."
OUTSIDE = "FILE names a file outside of itself."
TOO_DEEP = "Its JSON is nested too deep."
TOO_WIDE = "The file holds too many values. Split it into smaller files."
ENTRY = b'[{"command": "a", "content": '

FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "zip bomb.zip": (lambda: zipped({"a.md": bytes(200_000_000)}), "FILE unpacks to more than 32 MiB, or to more than"),
    "zip that lies.zip": (lying_zip, "0 good, 1 bad: It cannot be unpacked: "),
    "zip in zip.zip": (lambda: zipped({"a.zip": zipped({"b.md": b"x" * 1000})}), "0 good, 1 bad: a.zip is not UTF-8"),
    "many.zip": (many_members, TOO_MANY),
    "hidden.zip": (hidden_members, TOO_MANY),
    "out.zip": (lambda: zipped({"../../etc/cron.d/x.md": b"x"}), OUTSIDE),
    "root.zip": (lambda: zipped({"/etc/x.md": b"x"}), OUTSIDE),
    "windows.zip": (lambda: zipped({"C:\\x.md": b"x"}), OUTSIDE),
    "cut.zip": (lambda: zipped({"a.md": b"x" * 1000})[:-30], "FILE is a damaged ZIP: "),
    "deep.json": (lambda: b"[" * LIMIT, UNKNOWN),
    "deep objects.json": (lambda: b'{"format": "promptlib", "templates": [' + b'{"a":' * 3_000_000, TOO_DEEP),
    "deep later.json": (lambda: ENTRY + b'"b"}, {"content": ' + b"[" * LIMIT, TOO_DEEP),
    "wide.json": (lambda: ENTRY + b"[" + b"{}," * 5_000_000 + b"{}]}]", TOO_WIDE),
    "floats.json": (lambda: ENTRY + b"[" + b"1.5," * 4_000_000 + b"1]}]", TOO_WIDE),
    "quotes.json": (lambda: ENTRY + b'"' + b'\\"' * (LIMIT // 2), "It is not valid JSON: "),
    "open strings.json": (lambda: ENTRY + b'"a' * 500_000, "It is not valid JSON: "),
    "wide line.jsonl": (
        lambda: b'{"name": "a", "text": "b"}\n{"name": "a", "text": "b", "tags": [' + b"[]," * 200_000 + b"[]]}",
        "1 good, 1 bad: Its JSON holds too many values to be a prompt.",
    ),
    "emoji.csv": (lambda: b'act,prompt\na,"' + b"x" * (LIMIT - 100) + "\N{GRINNING FACE}".encode() + b'"\n', TOO_LONG),
    "bad.csv": (lambda: b"act,prompt\n" + b"x" * LIMIT + b"\xff", "FILE is not UTF-8 text: see byte "),
    "half.md": (lambda: b"# A title\n\xc3", "FILE is not UTF-8 text: see byte 11."),
    "nul.md": (lambda: b"# A title\0\n\nText\n", "1 good"),
    "bomb.prompty": (lambda: f"---\n{BOMB}---\nBody\n".encode(), "1 good"),
    "deep.prompty": (lambda: b"---\nname: " + b"[" * 900_000 + b"\n---\nBody\n", "1 good"),
    "wide.prompt": (lambda: b"---\nname: [" + b"a," * 400_000 + b"]\n---\nBody\n", "1 good"),
    "lines.prompt": (lambda: b"---\n" + b"a: *x\n" * 150_000 + b"---\nBody\n", "1 good"),
    "long.prompt": (lambda: b"---\n" + b"a: b\n" * 3_000_000 + b"---\nBody\n", "The front matter is longer than a meg"),
    "blank lines.prompt": (lambda: b"#---\n" + b"\n" * LIMIT, "1 good"),
    "comments.prompt": (lambda: b"#---\n" * (LIMIT // 5), "1 good"),
    "one field.csv": (lambda: b'act,prompt\na,"' + b"x" * LIMIT, TOO_LONG),
    "commas.csv": (lambda: b"act,prompt\n" + b"," * LIMIT, TOO_LONG),
}


def measured(path: Path) -> tuple[str, float, int]:
    done = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True)
    told, seconds, megabytes = json.loads(done.stdout)
    return told, seconds, megabytes


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_costs_little(tmp_path: Path, name: str) -> None:
    make, expected = FILES[name]
    path = tmp_path / name
    path.write_bytes(make())
    told, seconds, megabytes = measured(path)
    assert (told[: len(expected)], seconds < SECONDS, megabytes < MEGABYTES) == (expected, True, True), (
        told,
        seconds,
        megabytes,
    )


def test_a_gigabyte_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(1024**3)
    told, seconds, megabytes = measured(path)
    assert told == "FILE is larger than 32 MiB. Split it into smaller files."
    assert seconds < 0.2 and megabytes < 5


def test_what_is_compressed_twice_is_not_unpacked_twice(tmp_path: Path) -> None:
    """An archive in an archive, or a compressed file, is a file like others: nobody opens it."""
    path = tmp_path / "a.json"
    path.write_bytes(zlib.compress(b"x" * 1000))
    assert measured(path)[0].startswith("FILE is not UTF-8 text")
