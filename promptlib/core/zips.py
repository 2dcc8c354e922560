"""A ZIP that is written while it is sent: what is in memory is a piece of one file."""

import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, cast


class Sink:
    """What a ZIP is written to, piece by piece: it cannot go back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def stream_zip(files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """The bytes of a ZIP of these files: names and contents, each asked for when its turn comes."""
    sink = Sink()
    with zipfile.ZipFile(cast("IO[bytes]", sink), "w", zipfile.ZIP_DEFLATED) as archive:  # it writes, no more
        for name, content in files:
            with archive.open(name, "w", force_zip64=True) as file:
                for data in content:
                    file.write(data)
                    if piece := sink.take():
                        yield piece
    yield sink.take()
