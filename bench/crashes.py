"""`bench/run --crashes N`: a worker is killed (SIGKILL) while it writes an answer, N times.

Afterwards no interaction may be unfinished, every question that was taken is there and was asked once, and each has its
two audit rows: begun, ended.
"""

import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from bench import asking
from bench.databases import Database
from bench.server import Server, serving

ANSWERS = 4
LONGEST = 120.0
LONG_ENOUGH = 600.0


def measure(database: Database, rounds: int, **settings: str) -> dict[str, Any]:
    """Kills `rounds` workers, one after the other, and waits until nothing is unfinished any more."""
    with asking.model_process(LONG_ENOUGH, 20) as model:
        made = asking.inside(database, "prepare", str(model), str(rounds * ANSWERS))
        conversations = iter(made["conversations"])
        taken: list[str] = []
        with serving(database, PROVIDER_HOSTS=f"127.0.0.1:{model}", **settings) as server:
            for number in range(rounds):
                for place in range(ANSWERS):
                    text = f"Question {number}.{place}"
                    asking.post_question(server.port, made, next(conversations), text)
                    taken.append(text)
                _wait_until(lambda: set(taken) <= set(asking.questions_asked(model)))
                time.sleep(1.5)  # so that something is saved
                for pid in server.workers:
                    os.kill(pid, signal.SIGKILL)
                _wait_for_new_workers(server)
            started = time.monotonic()
            while not _is_over(found := asking.inside(database, "ended")) and time.monotonic() - started < LONGEST:
                time.sleep(1)
            waited = time.monotonic() - started
        calls = asking.questions_asked(model)
    return {
        "rounds": rounds,
        "taken": len(taken),
        "waited": waited,
        "rows": found["status"],
        "lost": len(set(taken) - set(found["asked"])),
        "twice": sum(count > 1 for count in calls.values()) + len(found["asked"]) - len(set(found["asked"])),
        "with text": found["with text"],
        "audited": found["audited"],
    }


def section(found: Mapping[str, Any], database: str) -> str:
    rows = ", ".join(f"{number} {status}" for status, number in found["rows"].items())
    return "\n".join(
        [
            f"## {found['rounds']} crashes, {database.split()[0]}",
            "",
            f"Both workers were killed (SIGKILL) {found['rounds']} times while each wrote answers, {database}."
            f" Of {found['taken']} questions {found['lost']} were lost and {found['twice']} were asked twice."
            f" {found['waited']:.0f} s after the last crash none was unfinished (at most {LONGEST:.0f} s):"
            f" {rows}; {found['with text']} keep what had arrived, and each has its two rows in the audit log"
            f" ({min(found['audited'])} to {max(found['audited'])}).",
        ]
    )


def _is_over(found: Mapping[str, Any]) -> bool:
    return not {"pending", "streaming"} & set(found["status"])


def _wait_until(condition: Any) -> None:
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("The questions did not reach the model.")
        time.sleep(0.05)


def _wait_for_new_workers(server: Server) -> None:
    from bench.server import _wait

    time.sleep(0.2)
    _wait(server.process, server.port)
