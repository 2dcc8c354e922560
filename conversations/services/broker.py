"""Answers being written in this process, for whoever wants to read along without asking the database."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID


class Channel:
    """What has arrived of one answer. Written by one thread, read by any number."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._text = io.StringIO()
        self._length = 0
        self._saved = 0
        self._has_ended = False
        self.stop_requested = threading.Event()

    def write(self, text: str) -> None:
        with self._changed:
            self._text.seek(self._length)
            self._text.write(text)
            self._length += len(text)
            self._changed.notify_all()

    def read(self, offset: int, timeout: float) -> tuple[str, bool]:
        """What came after the first `offset` characters, and whether it is all; waits for either, at most `timeout`."""
        with self._changed:
            self._changed.wait_for(lambda: self._length > offset or self._has_ended, timeout)
            self._text.seek(min(offset, self._length))
            return self._text.read(), self._has_ended

    def text(self) -> str:
        return self.read(0, 0)[0]

    def unsaved_text(self) -> str:
        """The whole text if something has come since this was asked for last, else nothing."""
        with self._changed:
            if self._saved == self._length:
                return ""
            self._saved = self._length
            return self._text.getvalue()

    def end(self) -> None:
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()


_channels: dict[UUID, Channel] = {}


@contextmanager
def channel_for(prompt_id: UUID) -> Iterator[Channel]:
    """The channel of an answer, known to readers until the answer is saved."""
    channel = _channels[prompt_id] = Channel()
    try:
        yield channel
    finally:
        channel.end()
        del _channels[prompt_id]


def find(prompt_id: UUID) -> Channel | None:
    return _channels.get(prompt_id)


def open_channels() -> dict[UUID, Channel]:
    return dict(_channels)
