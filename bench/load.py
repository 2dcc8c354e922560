"""Requests: one after the other for what one page costs, several at once for how many a second there are."""

import re
import shutil
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass
from html.parser import HTMLParser
from http.client import HTTPConnection

from bench.server import Server

AT_ONCE = 8
ONE_BY_ONE = 40


@dataclass(frozen=True)
class Page:
    """A page to measure; `cookie` is the session's, or empty for nobody's."""

    name: str
    path: str
    cookie: str = ""

    @property
    def headers(self) -> dict[str, str]:
        cookie = {"Cookie": self.cookie} if self.cookie else {}
        return {"Accept": "text/html", "Accept-Encoding": "br, gzip", **cookie}


@dataclass(frozen=True)
class Measured:
    """What one page costs: per second under load, processor time of the workers, time of one request alone."""

    per_second: float
    cpu_ms: float
    alone_ms: float


def measure(server: Server, page: Page, seconds: float) -> Measured:
    """One round. Raises SystemExit when the page does not answer 200: then nothing would be measured."""
    _fetch(server.port, page, 10, seconds)
    alone = statistics.median(_fetch(server.port, page, ONE_BY_ONE, seconds))
    before, started = server.cpu_seconds(), time.monotonic()
    count = _wrk(server.port, page, seconds) if shutil.which("wrk") else _threads(server.port, page, seconds)
    took = time.monotonic() - started
    return Measured(count / took, (server.cpu_seconds() - before) / max(count, 1) * 1000, alone * 1000)


def client_name() -> str:
    return "wrk" if shutil.which("wrk") else "threads of this program (wrk is not installed; it would cost less)"


def _fetch(port: int, page: Page, times: int, seconds: float) -> list[float]:
    """How long each of `times` requests took; fewer, but at least three, when they take longer than `seconds`."""
    end = time.monotonic() + seconds
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    took = []
    while len(took) < times and (len(took) < 3 or time.monotonic() < end):
        started = time.perf_counter()
        connection.request("GET", page.path, headers=page.headers)
        answer = connection.getresponse()
        answer.read()
        took.append(time.perf_counter() - started)
        if answer.status != 200:
            raise SystemExit(f"{page.path} answered {answer.status}, not 200.")
    connection.close()
    return took


def _wrk(port: int, page: Page, seconds: float) -> int:
    headers = [part for name, value in page.headers.items() for part in ("-H", f"{name}: {value}")]
    url = f"http://127.0.0.1:{port}{page.path}"
    command = ["wrk", "-t1", f"-c{AT_ONCE}", f"-d{max(round(seconds), 1)}s", *headers, url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if refused := re.search(r"Non-2xx or 3xx responses: (\d+)", said):
        raise SystemExit(f"{page.path} failed {refused[1]} times under load.")
    found = re.search(r"(\d+) requests in", said)
    return int(found[1]) if found else 0


def _threads(port: int, page: Page, seconds: float) -> int:
    end = time.monotonic() + seconds
    counts: list[int] = []

    def work() -> None:
        done = 0
        while time.monotonic() < end:
            done += len(_fetch(port, page, 5, seconds))
        counts.append(done)

    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


# ---- weight ------------------------------------------------------------------


class _Files(HTMLParser):
    """The addresses of the style sheets and scripts that a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and given.get("src"):
            self.found.append(str(given["src"]))
        if tag == "link" and given.get("rel") in ("stylesheet", "modulepreload") and given.get("href"):
            self.found.append(str(given["href"]))


def weigh(server: Server, page: Page) -> tuple[int, int, int]:
    """Bytes of the page, number of style sheets and scripts, and their bytes, all as they travel."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)

    def get(path: str, encoding: str) -> bytes:
        connection.request("GET", path, headers={**page.headers, "Accept-Encoding": encoding})
        return connection.getresponse().read()

    parser = _Files()
    parser.feed(get(page.path, "identity").decode())
    files = [address for address in dict.fromkeys(parser.found) if address.startswith("/")]
    html = len(get(page.path, "br, gzip"))
    weight = sum(len(get(address, "br, gzip")) for address in files)
    connection.close()
    return html, len(files), weight
