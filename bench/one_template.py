"""`python -m bench.one_template`: a template with one of everything and one with very many, opened in turns; JSON.

Runs inside the program, on the empty database that the environment names. `section` writes down what it printed.
"""

import json
import statistics
import sys
import time
from collections.abc import Mapping
from typing import Any

import django

from bench.inside import count_queries

MANY = {"versions": 500, "moves": 200, "ratings": 10_000}
ONE = {"versions": 1, "moves": 1, "ratings": 1}
ROUNDS = 120
CHUNK = 1_000
QUERIES_AIM, TIME_AIM = 12, 1.3
BODY = "Answer {{ customer }} in {{ tone }} words.\n\nSay why, and what happens next.\n"


def main(rounds: int = ROUNDS, many: Mapping[str, int] = MANY) -> dict[str, Any]:
    from django.test import Client

    from accounts.models import User

    owner = User.objects.create_user(email="owner@bench.example", handle="bench-owner", password=None)
    reader = User.objects.create_user(email="reader@bench.example", handle="bench-reader", password=None)
    raters = _people(max(many["ratings"], ONE["ratings"]))
    templates = {name: _template(owner, raters, **size) for name, size in (("one", ONE), ("many", many))}
    found: dict[str, Any] = {"size": dict(many), "queries": {}, "ms": {}}
    for person in (owner, reader):
        client = Client(headers={"accept": "text/html"}, SERVER_NAME="127.0.0.1")
        client.force_login(person)
        who = person.handle.removeprefix("bench-")
        for name, template in templates.items():
            found["queries"][f"{who}, {name}"] = count_queries(client, template.get_absolute_url())
        times: dict[str, list[float]] = {name: [] for name in templates}
        for _round in range(rounds):
            for name, template in templates.items():
                times[name].append(_milliseconds(client, template.get_absolute_url()))
        found["ms"] |= {f"{who}, {name}": statistics.median(each) for name, each in times.items()}
    return found


def section(found: Mapping[str, Any], database: str) -> str:
    """The measures as a table of the report."""
    size = "{versions} versions, {moves} moves of labels and {ratings:,} ratings".format(**found["size"])
    lines = [
        f"## One template, {database.split()[0]}",
        "",
        f"One with {size} against one"
        f" with one of each, opened in turns by its owner and by somebody else: the median, {database}.",
        "",
        "|  | queries | at most | one of each, ms | many, ms | times | at most |  |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for who in ("owner", "reader"):
        queries = max(found["queries"][f"{who}, {name}"] for name in ("one", "many"))
        one, many = (found["ms"][f"{who}, {name}"] for name in ("one", "many"))
        is_met = queries <= QUERIES_AIM and many / one <= TIME_AIM
        lines.append(
            f"| {who} | {queries} | {QUERIES_AIM} | {one:.1f} | {many:.1f} | {many / one:.2f} | {TIME_AIM} |"
            f" {'yes' if is_met else '**no**'} |"
        )
    return "\n".join(lines)


def _template(owner: Any, raters: list[Any], *, versions: int, moves: int, ratings: int) -> Any:
    from templates_app import services
    from templates_app.models import Rating

    template = services.create_template(
        owner=owner, title="Answer a customer", body=BODY, visibility="public", tags=["mail"], change_note="First"
    )
    for number in range(2, versions + 1):
        services.publish_version(
            template,
            author=owner,
            base_revision=template.revision,
            body=f"{BODY}Take {number}.\n",
            change_note=f"Says it in the way of take {number}",
        )
    pks = list(template.versions.order_by("number"))
    for number in range(moves):
        services.move_label(
            template, name=("production", "staging")[number % 2], version=pks[-1 - number % len(pks)], by=owner
        )
    for start in range(0, ratings, CHUNK):
        Rating.objects.unlogged("invented").bulk_create(
            Rating(
                template=template,
                version=pks[number % len(pks)],
                user=raters[number],
                score=1 + number % 5,
                review="It keeps its promise, and says so in fewer words than I would." if number % 2 == 0 else "",
            )
            for number in range(start, min(start + CHUNK, ratings))
        )
    return template


def _people(count: int) -> list[Any]:
    from accounts.models import User

    people = [
        User(email=f"rater-{n}@bench.example", email_key=f"rater-{n}@bench.example", handle=f"rater-{n}", password="!")
        for n in range(count)
    ]
    return User.objects.unlogged("invented").bulk_create(people, batch_size=CHUNK)


def _milliseconds(client: Any, path: str) -> float:
    started = time.perf_counter()
    client.get(path)
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    django.setup()
    json.dump(main(), sys.stdout)
