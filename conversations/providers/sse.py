"""Server-sent events out of a stream of bytes.

The format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from collections.abc import Iterator
from typing import NamedTuple


class Event(NamedTuple):
    name: str
    data: str


class EventTooLongError(Exception):
    """One event grew past the limit."""


class Parser:
    """Feed it bytes as they arrive; it gives back the events that they complete.

    Lines end in LF, CR LF or CR and are decoded only when whole, so that no character is ever cut. Comments and events
    without data are dropped. An event may hold `limit` bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._line = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self._name = ""
        self._after_cr = False

    def feed(self, chunk: bytes) -> Iterator[Event]:
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
            self._after_cr = False
        if not chunk:
            return
        self._after_cr = chunk.endswith(b"\r")
        # bytes.splitlines knows LF, CR LF and CR alone; str.splitlines would also cut at U+2028 inside the JSON.
        for line in chunk.splitlines(keepends=True):
            whole = line.rstrip(b"\r\n")
            self._line += whole
            if self._size + len(self._line) > self._limit:
                raise EventTooLongError
            if len(whole) < len(line):
                yield from self._end_line()

    def close(self) -> Iterator[Event]:
        """Many servers leave out the blank line after their last event; it counts all the same."""
        yield from self._end_line()
        yield from self._end_line()

    def _end_line(self) -> Iterator[Event]:
        line = bytes(self._line)
        self._line.clear()
        if not line:
            if self._data:
                yield Event(self._name, b"\n".join(self._data).decode("utf-8", "replace"))
            self._data, self._size, self._name = [], 0, ""
            return
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            self._size += len(value) + 1
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
