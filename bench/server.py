"""The program as it is served: gunicorn with promptlib's own configuration, on loopback, two workers."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from bench.databases import ROOT, Database

WORKERS = 2
FIRST = "/accounts/login/"
PATIENCE = 60
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A running gunicorn. `first_answer` is the seconds from its start to its first page."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, first_answer: float) -> None:
        self.process, self.port, self.first_answer = process, port, first_answer

    @property
    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children]

    def cpu_seconds(self) -> float:
        """What the workers have used of the processors until now."""
        total = 0
        for pid in self.workers:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def memory_mib(self) -> dict[str, float]:
        """Resident memory of the workers (`rss`), and of all with shared pages divided (`pss`)."""
        pids = self.workers
        everybody = [*pids, self.process.pid]
        return {
            "rss": sum(_memory(pid, "Rss") for pid in pids) / 1024,
            "pss": sum(_memory(pid, "Pss") for pid in everybody) / 1024,
        }


@contextmanager
def serving(database: Database, **settings: str) -> Iterator[Server]:
    """The server on this database, with further settings of the environment."""
    port = _free_port()
    environment = {
        **database.environment,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WEB_CONCURRENCY": str(WORKERS),
        **settings,
    }
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "python:promptlib.gunicorn"],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait(process, port)
        yield Server(process, port, time.monotonic() - started)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", FIRST)
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.02)
    raise SystemExit("The server did not answer; its messages are above.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _memory(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0
