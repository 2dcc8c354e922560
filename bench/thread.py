"""`python -m bench.thread`: a conversation of ten interactions and one of ten thousand, in turns; prints JSON.

Of each its end is opened, one goes on from its middle, and another question is asked. Runs inside the program, on the
empty database that the environment names. `section` writes down what it printed.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import django

from bench.inside import count_queries

SHORT, LONG = 10, 10_000
ROUNDS = 60
CHUNK = 1_000
AIM = 1.3
ANSWER = "Compare each product’s **share** of the returns:\n\n1. by month\n2. by country\n\n`SELECT sku;`\n"


def main(rounds: int = ROUNDS, long: int = LONG) -> dict[str, Any]:
    from django.test import Client

    from accounts.models import User

    owner = User.objects.create_user(email="owner@bench.example", handle="bench-owner", password=None)
    client = Client(headers={"accept": "text/html"}, SERVER_NAME="127.0.0.1")
    client.force_login(owner)
    threads = {"short": _thread(owner, SHORT), "long": _thread(owner, long)}
    times: dict[str, dict[str, list[float]]] = {name: {} for name in threads}
    for _round in range(rounds):
        for name, thread in threads.items():
            _measure(client, thread, times[name])
    return {
        "size": long,
        "ms": {what: {name: statistics.median(times[name][what]) for name in threads} for what in times["short"]},
        "queries": {name: count_queries(client, thread.get_absolute_url()) for name, thread in threads.items()},
    }


def section(found: Mapping[str, Any], database: str) -> str:
    """The measures as a table of the report."""
    lines = [
        f"## A long conversation, {database.split()[0]}",
        "",
        f"`bench/run --thread`: one of {found['size']:,} interactions against one of {SHORT}, in turns: the median,"
        f" {database}."
        f" The end takes {found['queries']['long']} queries.",
        "",
        "|  | short, ms | long, ms | times | at most |  |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for what, ms in found["ms"].items():
        times = ms["long"] / ms["short"]
        is_met = "yes" if times <= AIM else "**no**"
        lines.append(f"| {what} | {ms['short']:.1f} | {ms['long']:.1f} | {times:.2f} | {AIM} | {is_met} |")
    return "\n".join(lines)


def _measure(client: Any, thread: Any, times: dict[str, list[float]]) -> None:
    """Asked and taken back, so that each round meets the same conversation."""
    from conversations.models import Prompt

    url = thread.get_absolute_url()
    data = {"input_text": "And by month?", "model": "record"}
    times.setdefault("open its end", []).append(_milliseconds(lambda: client.get(url)))
    times.setdefault("take another one", []).append(_milliseconds(lambda: client.post(f"{url}prompts/", data)))
    Prompt.all_objects.filter(pk=thread.prompts.latest("pk").pk).hard_delete()


def _thread(owner: Any, length: int) -> Any:
    from uuid_utils.compat import uuid7

    from conversations.models import Prompt
    from conversations.services import start_conversation

    thread = start_conversation(owner=owner, title=f"A conversation of {length}")
    last = None
    for start in range(0, length, CHUNK):
        batch = []
        for number in range(start, min(start + CHUNK, length)):
            prompt = Prompt(
                pk=uuid7(),
                conversation=thread,
                author=owner,
                parent_id=last,
                input_text=f"What stands behind number {number}?",
                response_text=ANSWER,
                status=Prompt.Status.COMPLETED,
                model="model-1",
                input_tokens=100,
                output_tokens=50,
                latency_ms=900,
            )
            last = prompt.pk
            batch.append(prompt)
        Prompt.objects.unlogged("invented").bulk_create(batch)
    return thread


def _milliseconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    answer = work()
    if answer.status_code not in (200, 303):
        raise SystemExit(f"It answered {answer.status_code}.")
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    django.setup()
    json.dump(main(), sys.stdout)
