"""`python -m bench.plans WORD WORD`: how MySQL answers every list, in a database that bench_fill has filled.

Prints Markdown: per list its queries over the large tables, the index that each table of a query is read by, how many
rows the server examined and how long it took. A query that an earlier list asked in the same words is not shown again,
nor what is fetched by key for the rows of a list. `bench/run --plans` makes the database and writes the answer down.
"""

import re
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import django

LARGE = (
    "templates|template_versions|template_tags|template_ratings|template_favorites|template_follows|template_search"
    "|conversations|conversation_participants|conversation_search|prompts|prompt_search|usage_daily|audit_logs"
)
MANY_ROWS, MANY_MS = 5_000, 50
TIMES = 3
HEADS = ("list", "query", "read by", "rows examined", "ms", "remarks")
Sql = tuple[str, Any]


@dataclass(frozen=True)
class Plan:
    """How one query of a list is answered. `ms` is the median of a few, with the tables in memory."""

    page: str
    sql: str
    read_by: tuple[str, ...]
    examined: int
    ms: float
    extra: frozenset[str]
    without_index: tuple[str, ...]

    @property
    def is_slow(self) -> bool:
        return bool(self.without_index) or self.examined > MANY_ROWS or self.ms > MANY_MS

    @property
    def remarks(self) -> list[str]:
        found = [f"**no index of {table}**" for table in self.without_index]
        found += [f"**over {MANY_ROWS:,} rows**"] if self.examined > MANY_ROWS else []
        found += [f"**over {MANY_MS} ms**"] if self.ms > MANY_MS else []
        return [*found, *sorted(self.extra & {"filesort", "temporary"})]


def main(words: str) -> list[Plan]:
    from django.test import Client, override_settings

    from accounts.models import User
    from bench.filling import READER
    from bench.lists import lists
    from bench.traces import leave_traces

    reader = User.objects.get(email=READER)
    leave_traces(reader)
    staff = User.objects.exclude(pk=reader.pk).order_by("pk")[0]
    staff.is_staff = staff.is_superuser = True
    staff.save(update_fields=["is_staff", "is_superuser"])
    plans: list[Plan] = []
    with override_settings(ADMIN_REQUIRES_SECOND_FACTOR=False):
        clients = [Client(headers={"accept": "text/html"}, SERVER_NAME="127.0.0.1") for _ in range(2)]
        for client, person in zip(clients, (reader, staff), strict=True):
            client.force_login(person)
        seen: set[str] = set()
        for listed in lists(reader, words, clients[0]):
            print(listed.name, file=sys.stderr, flush=True)
            for sql, params in _asked(clients[listed.by_staff], listed.path):
                if (shape := _shape(sql, params)) not in seen:
                    seen.add(shape)
                    plans.append(_explain(listed.name, sql, params))
    return plans


# ---- what a page asks --------------------------------------------------------


def _asked(client: Any, path: str) -> list[Sql]:
    """The statements of one answer that read a large table; the page is asked for twice, so that caches are warm."""
    client.get(path)
    with _captured() as found:
        answer = client.get(path)
    if answer.status_code != 200:
        raise SystemExit(f"{path} answered {answer.status_code}, not 200.")
    return [(sql, params) for sql, params in found if re.search(rf"`({LARGE})`", sql) and _is_read(sql)]


def _is_read(sql: str) -> bool:
    return sql.lstrip(" (").startswith(("SELECT", "WITH"))


@contextmanager
def _captured() -> Iterator[list[Sql]]:
    from django.db import connection

    found: list[Sql] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        found.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found


def _shape(sql: str, params: Any) -> str:
    """The statement; of one that fetches what hangs on the rows of a list, whatever those rows are."""
    if "LIMIT" in sql or "COUNT(" in sql:
        return f"{sql} {params}"
    return re.sub(r"(%s, )+%s", "%s", sql)


# ---- how it is answered ------------------------------------------------------


def _explain(page: str, sql: str, params: Any) -> Plan:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN FORMAT=TRADITIONAL {sql}", params)
        names = [column[0] for column in cursor.description]
        steps = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        took = []
        for _ in range(TIMES):
            started = time.perf_counter()
            cursor.execute(sql, params)
            cursor.fetchall()
            took.append((time.perf_counter() - started) * 1000)
        cursor.execute(
            "SELECT ROWS_EXAMINED FROM performance_schema.events_statements_history"
            " WHERE THREAD_ID = PS_CURRENT_THREAD_ID() ORDER BY EVENT_ID DESC LIMIT 1"
        )
        examined = int(cursor.fetchone()[0])
    own = [(table, step) for step in steps if (table := _table_of(step, sql)) in LARGE.split("|")]
    return Plan(
        page=page,
        sql=_short(sql),
        read_by=tuple(dict.fromkeys(_access(table, step) for table, step in own)),
        examined=examined,
        ms=statistics.median(took),
        extra=frozenset(re.findall(r"Using (filesort|temporary)", " ".join(str(step["Extra"]) for step in steps))),
        without_index=tuple(dict.fromkeys(table for table, step in own if step["type"] == "ALL")),
    )


def _table_of(step: dict[str, Any], sql: str) -> str:
    """The table of a step, which names an alias; two subqueries may have the same, then the index tells."""
    found = re.findall(r"(?:FROM|JOIN) `(\w+)`(?: (?:AS )?`?([A-Z]+\d+)`?)?", sql)
    tables = [table for table, alias in found if (alias or table) == step["table"]]
    return next((table for table in tables if step["key"] in _indexes(table)), tables[0] if tables else "")


@cache
def _indexes(table: str) -> frozenset[str]:
    from django.db import connection

    with connection.cursor() as cursor:
        return frozenset(connection.introspection.get_constraints(cursor, table))


def _access(table: str, step: dict[str, Any]) -> str:
    key = str(step["key"] or "")
    name = "its key" if key == "PRIMARY" else f"`{re.sub(r'_[0-9a-f]{8}_.*', '_…', key)}`"
    if step["type"] == "index":
        return f"{table}: {name}, in its order"
    return f"{table}: {name}" if key else f"{table}: all rows"


def _short(sql: str) -> str:
    """`templates, ordered by rank_score, id`, `count of conversations`."""
    inner = re.search(r"FROM \(SELECT .*? FROM `(\w+)`", sql, re.DOTALL)
    table = inner or re.search(r"FROM `(\w+)`", sql)
    name = table[1] if table else "?"
    if sql.startswith("SELECT COUNT("):
        return f"count of {name}"
    if "GROUP BY" in sql:
        return f"sums of {name}"
    if sql.startswith("SELECT DISTINCT"):
        return f"values in {name}"
    order = re.search(r"ORDER BY ([^()]*?)(?: LIMIT (\d+))?$", sql)
    if not order:
        return f"rows of {name}" if "LIMIT 1" not in sql else f"one of {name}"
    by = ", ".join(re.findall(r"`?(\w+)`? (?:ASC|DESC)", order[1])) or "relevance, id"
    by = re.sub(r"^\d+, id$", "relevance, id", by)
    if not order[2]:
        return f"rows of {name}"
    return f"{name} by {by}, {order[2]} rows"


# ---- what is said of it ------------------------------------------------------

INTRODUCTION = """## Plans of the list queries at 100,000 rows

Written by `bench/run --plans --database mysql://…` (%(day)s, MySQL %(version)s), which fills a database of its own with
%(count)s templates, conversations and interactions and twice as many rows of the audit log, opens every list with its
orders and filters as one of two hundred people (those called “staff” and “Admin” as somebody of the staff), and asks
MySQL how it answers: the index that each large table is read by, the rows that it examined, and the time of the query
with its tables in memory (median of three, on a machine that does other things besides). Bold is what uses no index,
examines more than 5,000 rows or takes more than 50 ms. What is fetched by key for the rows of a list is left out.
"""
BEGIN, END = "<!-- plans -->", "<!-- end of plans -->"


def section(plans: Iterable[Plan]) -> str:
    from django.db import connection
    from django.utils import timezone

    from templates_app.models import PromptTemplate

    with connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        version = cursor.fetchone()[0]
    count = f"{PromptTemplate.all_objects.count():,}"
    facts = {"day": f"{timezone.now():%Y-%m-%d}", "version": version, "count": count}
    return f"{INTRODUCTION % facts}\n{table(plans)}"


def write(path: Path, text: str) -> None:
    """Put the section where the last one was, or at the end."""
    said = path.read_text()
    said = re.sub(f"\n*{BEGIN}.*{END}\n*", "", said, flags=re.DOTALL).rstrip()
    path.write_text(f"{said}\n\n{BEGIN}\n{text}\n{END}\n")


def table(plans: Iterable[Plan]) -> str:
    lines = [f"| {' | '.join(HEADS)} |", "| --- | --- | --- | ---: | ---: | --- |"]
    last = ""
    for plan in plans:
        if re.match("(rows|one) of ", plan.sql) and not plan.is_slow:
            continue
        shown = [
            plan.page if plan.page != last else "",
            plan.sql,
            "<br>".join(plan.read_by),
            f"{plan.examined:,}",
            f"{plan.ms:.1f}",
            ", ".join(plan.remarks),
        ]
        lines.append(f"| {' | '.join(shown)} |")
        last = plan.page
    return "\n".join(lines)


if __name__ == "__main__":
    django.setup()
    print(section(main(" ".join(sys.argv[1:]))))
