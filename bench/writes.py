"""`python -m bench.writes`: what a write costs with its rows in the audit log, and the same without them; JSON.

Runs inside the program, on the empty database that the environment names. The two take turns, each write in a
transaction of its own; of all rounds the best counts. `section` writes down what was found.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count, cycle
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import django

ROUNDS = 60
AIM = 1.8
MANY = 200
Write = Callable[[], Any]


def main(rounds: int = ROUNDS, many: int = MANY) -> dict[str, Any]:
    """The best of each write in milliseconds, with and without; each write leaves the next one the same to do."""
    times: dict[str, dict[str, list[float]]] = {}
    with Writes(many).prepared() as writes:
        for turn in range(rounds + 1):
            for name, write in writes.items():
                for way in ("with", "without") if turn % 2 else ("without", "with"):
                    taken = _timed(write) if way == "with" else _timed_without(write)
                    if turn:  # the first one warms up
                        times.setdefault(name, {}).setdefault(way, []).append(taken)
    found = {name: {way: min(each) for way, each in ways.items()} for name, ways in times.items()}
    return {"many": many, "ms": found}


def section(found: Mapping[str, Any], database: str) -> str:
    """The measures as a table of the report."""
    lines = [
        f"## Writes and the audit log, {database.split()[0]}",
        "",
        "`bench/run --writes`: each write with its rows in the audit log and without them, in turns: the best of"
        f" {ROUNDS} rounds, {database}. All but the last but one are what people do. That one is a bare `update()` of"
        f" {found['many']} rows, which reads them, and writes as many into the log, for one statement.",
        "",
        "|  | without, ms | with, ms | times | at most |  |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for name, ms in found["ms"].items():
        times = ms["with"] / ms["without"]
        row = [name, f"{ms['without']:.2f}", f"{ms['with']:.2f}", f"{times:.2f}", str(AIM)]
        lines.append(f"| {' | '.join(row)} | {'yes' if times <= AIM else '**no**'} |")
    return "\n".join(lines)


class Writes:
    """What people do most, and what touches many rows."""

    def __init__(self, many: int) -> None:
        from accounts.models import User

        self.number, self.many = count(), many
        self.people = [
            User.objects.create_user(email=f"{handle}@bench.example", handle=handle, password=None)
            for handle in ("owner", "reader")
        ]

    @contextmanager
    def prepared(self) -> Iterator[dict[str, Write]]:
        from audit.retention.purging import purge
        from conversations.models import Prompt
        from conversations.services.asking import Target, ask
        from conversations.services.organizing import rename, start_conversation
        from templates_app import services
        from templates_app.models import PromptTemplate

        owner, reader = self.people
        template = services.create_template(owner=owner, title="Reply", body=BODY, visibility="public", tags=["mail"])
        thread = start_conversation(owner=owner, title="A thread")
        first = ask(target=Target(thread), author=owner, text="Why?", model=None)
        crowd = [self._template(services, owner) for _ in range(self.many)]
        keys = [each.pk for each in crowd]
        levels = cycle(("public", "private"))

        def publish() -> None:
            template.refresh_from_db()
            services.publish_version(
                template, author=owner, base_revision=template.revision, body=f"{BODY} {next(self.number)}"
            )

        def change() -> None:
            template.refresh_from_db()
            services.update_details(template, base_revision=template.revision, summary=f"Take {next(self.number)}")

        def call() -> None:
            thread.refresh_from_db()
            rename(thread, title=f"Thread {next(self.number)}", revision=thread.revision, by=owner)

        def bin_and_back() -> None:
            fresh = PromptTemplate.objects.get(pk=keys[0])
            fresh.delete(by=owner)
            fresh.restore(by=owner)

        def make_and_purge() -> None:
            fresh = self._template(services, owner)
            fresh.delete(by=owner)
            purge([fresh.deletion_id], by=owner)

        def rate() -> None:
            version = template.current_version
            services.rate_template(template, user=reader, score=1 + next(self.number) % 5, version=version)

        def show_many() -> None:
            services.act_on_many("visibility", keys, by=owner, choice=next(levels))

        def update_many() -> None:
            PromptTemplate.objects.filter(pk__in=keys).update(summary=f"Take {next(self.number)}")

        yield {
            "a template, made": lambda: self._template(services, owner),
            "a version, published": publish,
            "a template's details": change,
            "a rating": rate,
            "a question": lambda: ask(target=Target(thread, after=first.pk), author=owner, text="And?", model=None),
            "a conversation, renamed": call,
            "a template, to the trash and back": bin_and_back,
            "a template, made and purged": make_and_purge,
            f"{self.many} templates, who sees them": show_many,
            f"{self.many} templates, one statement": update_many,
            f"{self.many} interactions, made at once": lambda: Prompt.objects.bulk_create(
                Prompt(conversation=thread, author=owner, input_text=BODY, status="draft") for _ in range(self.many)
            ),
        }

    def _template(self, services: Any, owner: Any) -> Any:
        return services.create_template(owner=owner, title=f"Reply {next(self.number)}", body=BODY)


BODY = "Answer {{ customer }} in {{ tone }} words.\n\nSay why, and what happens next.\n"


def _timed(write: Write) -> float:
    started = time.perf_counter()
    write()
    return (time.perf_counter() - started) * 1000


def _timed_without(write: Write) -> float:
    """As if there were no log: nothing is tracked, read before, told or recorded."""
    from audit import recording, services, signals
    from promptlib.core import changes

    nothing = {"side_effect": lambda *_args, **_kwargs: None}
    known = dict(changes.tracked)
    changes.tracked.clear()
    try:
        with (
            patch.object(recording.fields, "fields_of", lambda _model: ()),
            patch.object(recording, "record_many", **nothing),
            patch.object(signals, "record_many", **nothing),
            patch.object(services, "_shared", lambda *_args: SimpleNamespace(_state=SimpleNamespace())),
            patch.object(services, "_own", lambda *_args: {}),
            patch.object(services, "_prepared", lambda *_args: []),
            patch.object(services, "_insert", **nothing),
        ):
            return _timed(write)
    finally:
        changes.tracked.update(known)


if __name__ == "__main__":
    django.setup()
    print(json.dumps(main()))
