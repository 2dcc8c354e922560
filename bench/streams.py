"""`bench/run --streams`: how fast pages are while two hundred people read answers that are being written.

`python -m bench.streams PORT COOKIE PATH…` is the readers: a process of its own, so that they take nothing from whoever
measures the pages. It prints a line once all have begun, and one of JSON when all have ended.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from bench import asking
from bench.databases import ROOT, Database
from bench.load import AT_ONCE, Page, _fetch
from bench.server import Server, serving

COUNT = 200
SECONDS, WORDS_PER_SECOND = 90, 10
REQUESTS = 100
AIM = 3.0


def measure(database: Database, count: int = COUNT, seconds: float = SECONDS) -> dict[str, Any]:
    """The pages' times alone and with `count` streams open, and what the streams came to."""
    with asking.model_process(seconds, WORDS_PER_SECOND) as model:
        made = asking.inside(database, "prepare", str(model), str(count))
        with serving(database, PROVIDER_HOSTS=f"127.0.0.1:{model}") as server:
            pages = [Page(name, path, made["cookie"]) for name, path in made["pages"].items()]
            for page in pages:
                _fetch(server.port, page, 20, 60)
            idle = {page.name: _p95(server, page) for page in pages}
            with ThreadPoolExecutor(AT_ONCE) as pool:
                asked = list(pool.map(partial(_ask, server, made), made["conversations"]))
            paths = [f"/conversations/{pk}/prompts/{prompt}/stream/" for pk, prompt in asked]
            command = [sys.executable, "-m", "bench.streams", str(server.port), made["cookie"], *paths]
            readers = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            assert readers.stdout is not None
            begun = json.loads(readers.stdout.readline())
            used, since = server.cpu_seconds(), time.monotonic()
            time.sleep(3)
            used, since = server.cpu_seconds() - used, time.monotonic() - since
            busy = {page.name: _p95(server, page) for page in pages}
            connections = max(_connections(server, database) for _ in range(5))
            still = int(readers.poll() is None)
            read = json.loads(readers.stdout.readline())
            readers.wait()
            memory = server.memory_mib()["pss"]
        calls = asking.questions_asked(model)
    return {
        "count": count,
        "idle": idle,
        "busy": busy,
        "begun": begun,
        "open meanwhile": still,
        "ended": read["ended"],
        "longest silence": read["silence"],
        "connections": connections,
        "processors": used / since,
        "memory": memory,
        "calls": sum(calls.values()),
        "rows": asking.inside(database, "ended")["status"],
    }


def section(found: Mapping[str, Any], database: str) -> str:
    """The measures as a table of the report."""
    count = found["count"]
    lines = [
        f"## {count} streams, {database.split()[0]}",
        "",
        f"{count} people each read an answer of their own while a model writes it, {WORDS_PER_SECOND} words a second;"
        f" the 95th percentile of {REQUESTS} requests one after the other, {database}. Readers, model and server share"
        " the machine.",
        "",
        "|  | alone, ms | with the streams, ms | times | at most |  |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, alone in found["idle"].items():
        times = found["busy"][name] / alone
        met = "yes" if times <= AIM else "**no**"
        lines.append(f"| {name} | {alone:.0f} | {found['busy'][name]:.0f} | {times:.2f} | {AIM:.0f} | {met} |")
    rows = ", ".join(f"{number} {status}" for status, number in found["rows"].items())
    lines += [
        "",
        f"{found['begun']} streams were open at once and {found['ended']} were read to their end; no reader waited"
        f" longer than {found['longest silence']:.1f} s for more. The model was called {found['calls']} times; of the"
        f" interactions {rows}. The two workers meanwhile: {found['processors']:.2f} processors for the streams alone,"
        f" {found['connections']} database connections, {found['memory']:.0f} MiB.",
    ]
    return "\n".join(lines)


def _ask(server: Server, made: Mapping[str, Any], conversation: str) -> tuple[str, str]:
    return conversation, asking.post_question(server.port, dict(made), conversation, f"Question for {conversation}")


def _p95(server: Server, page: Page) -> float:
    return statistics.quantiles(_fetch(server.port, page, REQUESTS, 60), n=20)[-1] * 1000


def _connections(server: Server, database: Database) -> int:
    """How many the workers hold, of a SQLite file by their open files, of MySQL by its list of threads."""
    time.sleep(0.2)
    if database.kind == "mysql":
        from bench.databases import _on_server

        name = database.url.rsplit("/", 1)[1]
        statement = f"SELECT COUNT(*) FROM information_schema.processlist WHERE db = '{name}'"
        return int(_on_server(database.url.rsplit("/", 1)[0] + "/", statement))
    file = database.url.removeprefix("sqlite:///")
    return sum(_leads_to(entry, file) for pid in server.workers for entry in Path(f"/proc/{pid}/fd").iterdir())


def _leads_to(entry: Path, file: str) -> bool:
    try:
        return str(entry.readlink()) == file
    except OSError:
        return False


# ---- the readers -------------------------------------------------------------


class _Reader:
    def __init__(self, port: int, cookie: str, path: str) -> None:
        self.port, self.cookie, self.path = port, cookie, path
        self.has_begun, self.has_ended, self.silence = asyncio.Event(), False, 0.0

    async def read(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {self.cookie}\r\n\r\n".encode())
        last = 0.0
        async for line in reader:
            if line.startswith(b"event: text"):
                now = time.monotonic()
                self.silence = max(self.silence, now - last if last else 0.0)
                last = now
                self.has_begun.set()
            elif line.startswith(b"event: end"):
                self.has_ended = True
                break
        self.has_begun.set()
        writer.close()


async def _read_all(port: int, cookie: str, paths: list[str]) -> None:
    readers = [_Reader(port, cookie, path) for path in paths]
    tasks = [asyncio.create_task(reader.read()) for reader in readers]
    for reader in readers:
        await reader.has_begun.wait()
    print(sum(not task.done() for task in tasks), flush=True)
    await asyncio.gather(*tasks, return_exceptions=True)
    ended = sum(reader.has_ended for reader in readers)
    print(json.dumps({"ended": ended, "silence": max(reader.silence for reader in readers)}), flush=True)


if __name__ == "__main__":
    asyncio.run(_read_all(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
