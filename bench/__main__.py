"""`bench/run`: makes its databases, fills them, measures the main pages, prints the tables and writes them down."""

import argparse
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import crashes, history, one_template, plans, report, streams, thread, writes
from bench.databases import ROOT, Database, made, version_of
from bench.load import Measured, Page, client_name, measure, weigh
from bench.server import Server, serving

BARE = Page("bare view", "/bench/bare/")
PLANS = ROOT / "docs" / "database" / "CONSTRAINTS_AND_INDEXES.md"
COMPARED = {"bare view, signed in": "/bench/signed-in/", "bare list of 30": "/bench/rows/"}


@dataclass
class Sized:
    """Everything found out at one number of rows. Of several rounds the best counts: the rest is noise of others."""

    size: int
    fill: str
    pages: list[Page]
    inside: dict[str, Any]
    server: Server
    rounds: dict[str, list[Measured]] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    weights: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def best(self, page: str) -> Measured:
        rounds = self.rounds[page]
        return Measured(
            max(each.per_second for each in rounds),
            min(each.cpu_ms for each in rounds),
            min(each.alone_ms for each in rounds),
        )


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ended from outside, it still removes what it made
    options = _options()
    if options.plans:
        _explain(options)
        return
    if options.thread:
        for given in options.database or ["sqlite"]:
            _open_thread(given, options)
        return
    if options.writes:
        for given in options.database or ["sqlite"]:
            _write(given, options)
        return
    if options.history:
        for given in options.database or ["sqlite"]:
            _read_history(given, options)
        return
    if options.one_template:
        for given in options.database or ["sqlite"]:
            _open_one(given, options)
        return
    if options.streams or options.crashes:
        for given in options.database or ["sqlite"]:
            _ask(given, options)
        return
    for given in options.database or ["sqlite"]:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="promptlib-bench-") as folder, ExitStack() as stack:
            found = [_prepare(stack, given, size, Path(folder), options) for size in options.sizes]
            _measure(found, options)
            facts = {"database": version_of(given), "client": client_name(), "command": _command(options)}
            text = report.section(found, facts, minutes=(time.monotonic() - started) / 60)
        print(text)
        report.write(options.output, "sqlite" if given == "sqlite" else "mysql", text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument(
        "--database",
        action="append",
        metavar="sqlite|mysql://…",
        help="sqlite (the default), or a MySQL server on which it may make databases; may be given twice",
    )
    parser.add_argument("--sizes", type=_numbers, default=[1_000, 100_000], metavar="N,N", help="(1000,100000)")
    parser.add_argument("--texts", type=Path, metavar="DIR", help="a folder of texts to draw sentences from as well")
    parser.add_argument("--seconds", type=float, default=3, help="of load in each round (3)")
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many counts (3)")
    parser.add_argument("--output", type=Path, default=ROOT / "bench" / "RESULTS.md", help="(bench/RESULTS.md)")
    parser.add_argument("--plans", action="store_true", help="instead, how MySQL answers every list, at the last size")
    parser.add_argument(
        "--one-template", action="store_true", help="instead, a template with very many versions, moves and ratings"
    )
    parser.add_argument("--streams", action="store_true", help="instead, pages while 200 answers are being read")
    parser.add_argument("--crashes", type=int, metavar="N", help="instead, kill a worker mid-answer so many times")
    parser.add_argument("--thread", action="store_true", help="instead, a conversation of 10,000 interactions")
    parser.add_argument("--writes", action="store_true", help="instead, writes with and without the audit log")
    parser.add_argument("--history", action="store_true", help="instead, histories over a million rows of the log")
    parser.add_argument("--keep", action="store_true", help="leave the databases on the MySQL server")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.replace("_", "").split(",")]


def _command(options: argparse.Namespace) -> str:
    """The command that was given, without addresses and folders of this machine."""
    shown = [f"--database {'sqlite' if each == 'sqlite' else 'mysql://…'}" for each in options.database or []]
    shown += ["--texts DIR"] if options.texts else []
    sizes = ",".join(map(str, options.sizes))
    shown += [f"--sizes {sizes}"] if sizes != "1000,100000" else []
    return " ".join(["bench/run", *shown])


def _explain(options: argparse.Namespace) -> None:
    urls = [given for given in options.database or [] if given != "sqlite"]
    if not urls:
        raise SystemExit("Plans are MySQL's: give its address with --database.")
    with tempfile.TemporaryDirectory(prefix="promptlib-bench-") as folder, ExitStack() as stack:
        database, fill = _fill(stack, urls[0], options.sizes[-1], Path(folder), options)
        text = _inside("bench.plans", database, fill)
    print(text)
    plans.write(PLANS, text.strip())


def _open_one(given: str, options: argparse.Namespace) -> None:
    _say("a template with very many versions, moves and ratings …")
    with tempfile.TemporaryDirectory(prefix="promptlib-bench-") as folder, ExitStack() as stack:
        database = stack.enter_context(made(given, 0, Path(folder), keep=options.keep))
        database.manage("collectstatic", "--noinput", "-v0")
        database.manage("migrate", "-v0")
        found = json.loads(_inside("bench.one_template", database, ""))
    text = one_template.section(found, version_of(given))
    print(text)
    report.write(options.output, "template_sqlite" if given == "sqlite" else "template_mysql", text)


def _ask(given: str, options: argparse.Namespace) -> None:
    """Answers that are being written: read by many, or left by a worker that is killed."""
    kind, module = ("streams", streams) if options.streams else ("crashes", crashes)
    _say(f"{kind} …")
    with tempfile.TemporaryDirectory(prefix="promptlib-bench-") as folder, ExitStack() as stack:
        database = stack.enter_context(made(given, 0, Path(folder), keep=options.keep))
        database.manage("collectstatic", "--noinput", "-v0")
        database.manage("migrate", "-v0")
        found = streams.measure(database) if options.streams else crashes.measure(database, options.crashes)
    text = module.section(found, version_of(given))
    print(text)
    report.write(options.output, f"{kind}_{'sqlite' if given == 'sqlite' else 'mysql'}", text)


def _open_thread(given: str, options: argparse.Namespace) -> None:
    _say("a conversation of 10,000 interactions …")
    with tempfile.TemporaryDirectory(prefix="promptlib-bench-") as folder, ExitStack() as stack:
        database = stack.enter_context(made(given, 0, Path(folder), keep=options.keep))
        database.manage("collectstatic", "--noinput", "-v0")
        database.manage("migrate", "-v0")
        found = json.loads(_inside("bench.thread", database, ""))
    text = thread.section(found, version_of(given))
    print(text)
    report.write(options.output, "thread_sqlite" if given == "sqlite" else "thread_mysql", text)


def _write(given: str, options: argparse.Namespace) -> None:
    _say("writes with and without the audit log …")
    with tempfile.TemporaryDirectory(prefix="promptlib-bench-") as folder, made(given, 1, Path(folder)) as database:
        database.manage("migrate", "-v0")
        command = [sys.executable, "-m", "bench.writes"]
        done = subprocess.run(
            command, env=database.environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
        )
    text = writes.section(json.loads(done.stdout), version_of(given))
    print(text)
    report.write(options.output, "writes_sqlite" if given == "sqlite" else "writes_mysql", text)


def _read_history(given: str, options: argparse.Namespace) -> None:
    _say("histories over a million rows …")
    with tempfile.TemporaryDirectory(prefix="promptlib-bench-") as folder, ExitStack() as stack:
        databases = {}
        for size in (history.SMALL, history.LARGE):
            databases[size] = stack.enter_context(made(given, size, Path(folder), keep=options.keep))
            databases[size].manage("migrate", "-v0")
        databases[size].manage("collectstatic", "--noinput", "-v0")
        found = history.measure(databases)
    text = history.section(found, version_of(given))
    print(text)
    report.write(options.output, "history_sqlite" if given == "sqlite" else "history_mysql", text)


def _fill(stack: ExitStack, given: str, size: int, folder: Path, options: argparse.Namespace) -> tuple[Database, str]:
    """A database of that many rows, and what filling it said."""
    _say(f"{size:,} rows: migrating and filling …")
    database = stack.enter_context(made(given, size, folder, keep=options.keep))
    if not (folder / "static").exists():
        database.manage("collectstatic", "--noinput", "-v0")
    database.manage("migrate", "-v0")
    texts = ["--texts", str(options.texts.resolve())] if options.texts else []
    return database, database.manage("bench_fill", str(size), *texts)


def _prepare(stack: ExitStack, given: str, size: int, folder: Path, options: argparse.Namespace) -> Sized:
    database, fill = _fill(stack, given, size, folder, options)
    database.manage("verify_stats")
    inside = dict(json.loads(_inside("bench.inside", database, fill)))
    paths = {**COMPARED, **inside["paths"]}
    pages = [BARE, *(Page(name, path, inside["cookie"]) for name, path in paths.items())]
    server = stack.enter_context(serving(database))
    return Sized(size, fill.splitlines()[0], pages, inside, server)


def _inside(module: str, database: Database, fill: str) -> str:
    """What a module prints that runs inside the program."""
    words = re.search(r"Words to search for: (.+)", fill)
    command = [sys.executable, "-m", module, words[1] if words else ""]
    done = subprocess.run(command, env=database.environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def _measure(found: list[Sized], options: argparse.Namespace) -> None:
    """Sizes take turns, so that what else the machine does meanwhile meets all of them."""
    for number in range(options.rounds):
        for pages in zip(*(sized.pages for sized in found), strict=True):
            for sized, page in zip(found, pages, strict=True):
                _say(f"round {number + 1} of {options.rounds}: {page.name}, {sized.size:,} rows")
                sized.rounds.setdefault(page.name, []).append(measure(sized.server, page, options.seconds))
    for sized in found:
        sized.memory = sized.server.memory_mib()
        sized.weights = {
            page.name: weigh(sized.server, page) for page in sized.pages if page.name in sized.inside["paths"]
        }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
