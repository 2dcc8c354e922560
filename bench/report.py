"""The tables of a benchmark, and `RESULTS.md`, which holds one section for each kind of database."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from bench.__main__ import Sized

SHARE_AIM, MEMORY_AIM, START_AIM, GROWTH_AIM = 0.35, 250, 3.0, 1.5
AIMED_SHARE = ("library", "template")
AIMED_GROWTH = ("library", "library, two words", "template", "thread")
PARTS = ("", "template_", "streams_", "crashes_", "thread_", "history_", "writes_")
KINDS = tuple(f"{part}{kind}" for part in PARTS for kind in ("sqlite", "mysql"))
INTRODUCTION = """\
# What promptlib costs

Written by `bench/run`, which fills databases of its own and measures the pages as they are served: gunicorn with
promptlib's own configuration, two workers, on loopback. The bare view is a Django view that returns a word, behind the
same middleware, to somebody who is not signed in. Every other page is seen signed in: one more bare view that says who
is asking, one that lists thirty rows as plainly as Django can, and the pages. Of several rounds the best counts.
"""


def section(found: Sequence[Sized], facts: dict[str, str], *, minutes: float) -> str:
    return "\n\n".join(
        [
            f"## {facts['database'].split()[0]}",
            _facts(found, facts, minutes),
            "### Aims",
            _aims(found),
            "### Under load, eight requests at once",
            _load(found),
            "### One request alone",
            _alone(found),
            "### What a page takes",
            _weights(found),
            f"### Where the time goes, {found[-1].size:,} rows",
            *_profiles(found[-1]),
        ]
    )


def write(path: Path, kind: str, text: str) -> None:
    """Put the section of this kind in its place; the others stay."""
    old = path.read_text() if path.exists() else ""
    sections = dict(re.findall(r"<!-- (\w+) -->\n(.*?)\n<!-- end -->", old, re.DOTALL))
    sections[kind] = text
    parts = [f"<!-- {name} -->\n{sections[name]}\n<!-- end -->\n" for name in KINDS if name in sections]
    path.write_text("\n".join([INTRODUCTION, *parts]))


# ---- tables ------------------------------------------------------------------


def _facts(found: Sequence[Sized], facts: dict[str, str], minutes: float) -> str:
    lines = [
        f"`{facts['command']}`",
        "",
        f"- {datetime.now(UTC):%Y-%m-%d}, {minutes:.0f} minutes; {_processor()}, {os.cpu_count()} cores",
        f"- Python {platform.python_version()}, Django {django.__version__}, {facts['database']}",
        f"- Requests by {facts['client']}",
        *(f"- Filled with {each.fill}" for each in found),
    ]
    return "\n".join(lines)


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()


def _aims(found: Sequence[Sized]) -> str:
    first, last = found[0], found[-1]
    rows = []
    for name in AIMED_SHARE:
        for each in found:
            share = each.best(name).per_second / each.best("bare view").per_second
            rows.append(
                (
                    f"{name}, {each.size:,} rows: share of the bare view's requests per second",
                    f"≥ {SHARE_AIM}",
                    f"{share:.2f}",
                    share >= SHARE_AIM,
                )
            )
    for name in AIMED_GROWTH:
        growth = last.best(name).alone_ms / first.best(name).alone_ms
        rows.append(
            (
                f"{name}: cost at {last.size:,} rows against {first.size:,}",
                f"≤ {GROWTH_AIM} ×",
                f"{growth:.2f} ×",
                growth <= GROWTH_AIM,
            )
        )
    memory = max(each.memory["rss"] for each in found)
    rows.append(
        (
            "two workers, resident memory after the load",
            f"≤ {MEMORY_AIM} MiB",
            f"{memory:.0f} MiB",
            memory <= MEMORY_AIM,
        )
    )
    start = max(each.server.first_answer for each in found)
    rows.append(("from start to the first answer", f"≤ {START_AIM:.0f} s", f"{start:.1f} s", start <= START_AIM))
    return _table(("", "aim", "measured", ""), [(*row[:3], "yes" if row[3] else "**no**") for row in rows])


def _load(found: Sequence[Sized]) -> str:
    heads = [""]
    for each in found:
        heads += [f"{each.size:,} rows, per second", "of the bare view", "of the bare list", "processor, ms"]
    rows = []
    for name in found[0].rounds:
        row = [name]
        for each in found:
            best = each.best(name)
            shares = [best.per_second / each.best(other).per_second for other in ("bare view", "bare list of 30")]
            row += [f"{best.per_second:.0f}", *(f"{share:.2f}" for share in shares), f"{best.cpu_ms:.1f}"]
        rows.append(row)
    return _table(heads, rows)


def _alone(found: Sequence[Sized]) -> str:
    first, last = found[0], found[-1]
    heads = ["", *(f"{each.size:,} rows, ms" for each in found), "times"]
    rows = [
        [
            name,
            *(f"{each.best(name).alone_ms:.1f}" for each in found),
            f"{last.best(name).alone_ms / first.best(name).alone_ms:.2f}",
        ]
        for name in found[0].rounds
    ]
    return _table(heads, rows)


def _weights(found: Sequence[Sized]) -> str:
    last = found[-1]
    heads = ["", *(f"queries, {each.size:,} rows" for each in found), "page, KiB", "styles and scripts", "of them, KiB"]
    rows = []
    for name, (html, files, weight) in last.weights.items():
        queries = [str(each.inside["queries"][name]) for each in found]
        rows.append([name, *queries, f"{html / 1024:.1f}", str(files), f"{weight / 1024:.1f}"])
    memory = f"{last.memory['rss']:.0f} MiB in two workers, {last.memory['pss']:.0f} MiB with shared pages counted once"
    return f"{_table(heads, rows)}\n\nMemory after the load: {memory} and the master included."


def _profiles(sized: Sized) -> Iterable[str]:
    for name, profile in sized.inside["profiles"].items():
        areas = ", ".join(f"{area} {share:.0%}" for area, share in profile["areas"].items() if share >= 0.005)
        top = [(f"`{function}`", f"{share:.1%}") for function, share in profile["top"].items()]
        yield f"**{name}** ({profile['ms']:.0f} ms under the profiler): {areas}."
        yield _table(("function", "own time"), top)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"| --- {'| ---: ' * (len(heads) - 1)}|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
