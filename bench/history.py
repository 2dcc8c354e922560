"""`python -m bench.history SIZE`: an audit log of so many rows over a year, and how long its pages take; for a parent.

Prints JSON: the addresses by name. Then, for each name that it reads, the milliseconds of one request, so that the
parent asks two sizes in turns. Runs inside the program, on the empty database that the environment names; `section`
writes down what was found.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import django

from bench.databases import ROOT, Database
from bench.inside import count_queries

SMALL, LARGE = 10_000, 1_000_000
ROUNDS = 15
AIM = 1.3
PEOPLE = 50
IN_REQUEST = 4
"""Rows that one request writes."""

OF_TEMPLATE = 200
"""Rows of the one template's history, spread over the year."""


def main(size: int) -> None:
    from django.test import Client

    _fill(size)
    staff = _person("staff", is_staff=True)
    client = Client(headers={"accept": "text/html"}, SERVER_NAME="127.0.0.1")
    client.force_login(staff)
    pages = _pages()
    queries = {name: count_queries(client, url) for name, url in pages.items()}
    shown = {name: client.get(url).content.count(b'<li class="event"') for name, url in pages.items()}
    print(json.dumps({"size": size, "queries": queries, "shown": shown}), flush=True)
    for line in sys.stdin:
        url = pages[line.strip()]
        started = time.perf_counter()
        answer = client.get(url)
        if answer.status_code != 200:
            raise SystemExit(f"{url} answered {answer.status_code}.")
        print((time.perf_counter() - started) * 1000, flush=True)


def measure(databases: Mapping[int, Database], rounds: int = ROUNDS) -> dict[str, Any]:
    """Two sizes take turns, so that what else the machine does meanwhile meets both."""
    children = {size: _child(size, database) for size, database in databases.items()}
    found = {size: json.loads(_line(child)) for size, child in children.items()}
    names = list(found[max(found)]["queries"])
    times: dict[str, dict[int, list[float]]] = {name: {size: [] for size in children} for name in names}
    for _round in range(rounds):
        for name in names:
            for size, child in children.items():
                assert child.stdin is not None
                child.stdin.write(f"{name}\n")
                child.stdin.flush()
                times[name][size].append(float(_line(child)))
    for child in children.values():
        assert child.stdin is not None
        child.stdin.close()
        child.wait()
    ms = {name: {str(size): statistics.median(each) for size, each in sizes.items()} for name, sizes in times.items()}
    shown = {name: [each["shown"][name] for _size, each in sorted(found.items())] for name in names}
    return {"sizes": sorted(found), "queries": found[max(found)]["queries"], "shown": shown, "ms": ms}


def section(found: Mapping[str, Any], database: str) -> str:
    """The measures as a table of the report."""
    small, large = found["sizes"]
    lines = [
        f"## Histories, {database.split()[0]}",
        "",
        f"`bench/run --history`: pages over {large:,} rows of the audit log against the same over {small:,}, in turns:"
        f" the median, {database}.",
        "",
        f"|  | queries | events shown | {small:,} rows, ms | {large:,} rows, ms | times | at most |  |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, ms in found["ms"].items():
        few, many = ms[str(small)], ms[str(large)]
        is_aimed = ", " not in name
        aim = [str(AIM), "yes" if many / few <= AIM else "**no**"] if is_aimed else ["", ""]
        shown = " and ".join(map(str, dict.fromkeys(found["shown"][name])))
        row = [name, str(found["queries"][name]), shown, f"{few:.1f}", f"{many:.1f}", f"{many / few:.2f}", *aim]
        lines.append(f"| {' | '.join(row)} |")
    lines += ["", "Several filters at once cost what walking the rows of the one that lets the fewest through costs."]
    return "\n".join(lines)


# ---- the pages ---------------------------------------------------------------


def _pages() -> dict[str, str]:
    """The installation's history by each filter and by several, a template's, and a person's."""
    from django.contrib.contenttypes.models import ContentType
    from django.utils import timezone

    from audit.models import AuditLog
    from templates_app.models import PromptTemplate, Rating

    template = PromptTemplate.objects.get()
    middle = timezone.localdate() - timedelta(days=180)
    who, kind, action = "bench-01", ContentType.objects.get_for_model(Rating).pk, int(AuditLog.Action.DELETE)
    request = AuditLog.objects.exclude(cid=None).order_by("pk").values_list("cid", flat=True)[0]
    thing = AuditLog.objects.about(template.pk).exclude(object_pk=str(template.pk)).first()
    assert thing is not None  # just filled
    queries: dict[str, dict[str, Any]] = {
        "": {},
        "person": {"who": who},
        "kind": {"kind": kind},
        "action": {"action": action},
        "last seven days": {"days": 7},
        "from a day": {"since": middle},
        "to a day": {"until": middle},
        "between two days": {"since": middle, "until": middle + timedelta(days=7)},
        "one thing": {"object": thing.object_pk},
        "one template": {"object": template.pk},
        "request": {"request_id": request},
        "person, action": {"who": who, "action": action},
        "person, kind": {"who": who, "kind": kind},
        "kind, action": {"kind": kind, "action": action},
        "person, to a day": {"who": who, "until": middle},
        "kind, action, between two days": {
            "kind": kind,
            "action": action,
            "since": middle,
            "until": middle + timedelta(days=30),
        },
        "person, kind, action, to a day": {"who": who, "kind": kind, "action": action, "until": middle},
        "person, action that never meet": {"who": "bench-03", "action": int(AuditLog.Action.PURGE)},
    }
    pages = {f"by {name}" if name else "installation": f"/history/?{urlencode(each)}" for name, each in queries.items()}
    pages["template"] = f"{template.get_absolute_url()}history/"
    pages["person"] = f"/people/{who}/history/"
    return pages


# ---- the log -----------------------------------------------------------------


def _fill(size: int) -> None:
    """One statement: rows over a year, four of a request, by fifty people, of four kinds, some of one template."""
    from django.contrib.contenttypes.models import ContentType
    from django.db import connection
    from django.utils import timezone

    from templates_app.models import Grant, Label, PromptTemplate, Rating
    from templates_app.services import create_template

    for number in range(PEOPLE):
        _person(f"bench-{number:02}")
    template = create_template(owner=_person("staff", is_staff=True), title="Reply to a ticket", body="Answer.")
    kinds = [ContentType.objects.get_for_model(model).pk for model in (PromptTemplate, Rating, Label, Grant)]
    step = int(timedelta(days=365).total_seconds() * 1000) // size
    start = int(timezone.now().timestamp() * 1000) - step * size
    is_mysql = connection.vendor == "mysql"
    with connection.cursor() as cursor:
        if is_mysql:
            cursor.execute(f"SET SESSION cte_max_recursion_depth = {size + 1}")
        cursor.execute(_insert(_MYSQL if is_mysql else _SQLITE, size, start, step, template.pk.hex, kinds))
        cursor.execute("ANALYZE TABLE audit_logs" if is_mysql else "ANALYZE")
        cursor.fetchall()


_SQLITE = {
    "row": "printf('%012x7%03x8%015x', {ms}, i % 4096, i)",
    "thing": "printf('00000000-0000-0000-0000-%012x', {thing})",
    "subject": "printf('%032x', {subject})",
    "template": "'{template}'",
    "text": "'{prefix}' || {number}",
    "at": "strftime('%Y-%m-%d %H:%M:%f', ({ms}) / 1000.0, 'unixepoch')",
}
_MYSQL = {
    "row": "UNHEX(CONCAT(LPAD(HEX({ms}), 12, '0'), '7', LPAD(HEX(i % 4096), 3, '0'), '8', LPAD(HEX(i), 15, '0')))",
    "thing": "CONCAT('00000000-0000-0000-0000-', LPAD(LOWER(HEX({thing})), 12, '0'))",
    "subject": "UNHEX(LPAD(HEX({subject}), 32, '0'))",
    "template": "UNHEX('{template}')",
    "text": "CONCAT('{prefix}', {number})",
    "at": "TIMESTAMPADD(MICROSECOND, ({ms}) * 1000, '1970-01-01')",
}
CHANGES = json.dumps({"title": ["Reply to a ticket", "Reply to a support ticket"]})


def _insert(sql: Mapping[str, str], size: int, start: int, step: int, template: str, kinds: Sequence[int]) -> str:
    """Each person has the same share, each thing two rows, each subject twenty."""
    ms, group = f"{start} + i * {step}", f"((i - i % {IN_REQUEST}) / {IN_REQUEST})"
    kind = " ".join(f"WHEN {place} THEN {key}" for place, key in enumerate(kinds))
    number = "CAST(" + group + " AS " + ("INTEGER" if sql is _SQLITE else "UNSIGNED") + ")"
    of_template, subject = sql["template"].format(template=template), sql["subject"].format(subject=f"i % {size // 20}")
    columns = [
        sql["row"].format(ms=ms),
        sql["thing"].format(thing=f"i % {size // 2}"),
        sql["text"].format(prefix="Thing ", number="i"),
        f"CASE WHEN i % {size // OF_TEMPLATE} = 0 THEN {of_template} ELSE {subject} END",
        f"CASE {number} % 20 WHEN 0 THEN 0 WHEN 1 THEN 2 WHEN 2 THEN 5 ELSE 1 END",
        "p.id, p.handle, ''",
        f"CASE i % 4 {kind} END",
        sql["text"].format(prefix="r-", number=number),
        sql["at"].format(ms=ms),
        f"'{CHANGES}', '', '', ''",
    ]
    return (
        "INSERT INTO audit_logs (id, object_pk, object_repr, subject_id, action, actor_id, actor_name, actor_email,"
        " content_type_id, cid, timestamp, changes, changes_text, user_agent, reason)"
        f" WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {size - 1}),"
        " p AS (SELECT ROW_NUMBER() OVER (ORDER BY handle) - 1 AS k, id, handle FROM users WHERE handle LIKE 'bench-%')"
        f" SELECT {', '.join(columns)} FROM n JOIN p ON p.k = {number} % {PEOPLE}"
    )


def _person(handle: str, **rights: Any) -> Any:
    from accounts.models import User

    return User.objects.filter(handle=handle).first() or User.objects.create_user(
        email=f"{handle}@bench.example", handle=handle, password=None, **rights
    )


# ---- the two children --------------------------------------------------------


def _child(size: int, database: Database) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "bench.history", str(size)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=database.environment, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)


def _line(child: "subprocess.Popen[str]") -> str:
    assert child.stdout is not None
    line = child.stdout.readline()
    if not line:
        raise SystemExit("A child of the benchmark ended.")
    return line


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]))
