"""The benchmark: the views it compares with, the pages it finds, and the report that keeps what it does not replace."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from bench import history, inside, one_template, plans, report, thread
from bench.databases import made
from tests.factories import TemplateFactory, UserFactory


@pytest.fixture(autouse=True)
def _served_by_the_benchmark(settings: Any) -> None:
    settings.ROOT_URLCONF = "bench.urls"
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]


@pytest.mark.django_db
def test_the_views_to_compare_with(client: Client) -> None:
    ines, jonas = UserFactory(email="ines@example.org"), UserFactory()
    TemplateFactory(owner=ines, title="Mine")
    TemplateFactory(owner=jonas, title="Not mine")
    assert client.get("/bench/bare/").content == b"bare"
    client.force_login(ines)
    assert client.get("/bench/signed-in/").content == b"ines@example.org"
    listed = client.get("/bench/rows/").content.decode()
    assert (listed.count("<li>"), "Mine</a>" in listed, "Not mine" in listed) == (1, True, False)


@pytest.mark.django_db(transaction=True)
def test_every_page_it_measures_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inside, "REQUESTS", 1)
    out = StringIO()
    call_command("bench_fill", "40", stdout=out)
    found = inside.main(out.getvalue().splitlines()[1].removeprefix("Words to search for: "))
    names = ["library", "library, two words", "template", "thread", "conversations"]
    assert [list(found[part]) for part in ("paths", "queries", "profiles")] == [names] * 3
    assert found["cookie"].startswith("sessionid=")
    assert {name: 0 < count <= 20 for name, count in found["queries"].items()} == dict.fromkeys(names, True)
    for profile in found["profiles"].values():
        assert sum(profile["areas"].values()) == pytest.approx(1)
        assert {"templates", inside.OWN, "the database's driver"} <= set(profile["areas"])


@pytest.mark.mysql_only
@pytest.mark.django_db(transaction=True)
def test_every_list_has_a_plan() -> None:
    out = StringIO()
    call_command("bench_fill", "100", stdout=out)
    found = plans.main(out.getvalue().splitlines()[1].removeprefix("Words to search for: "))
    lists = {(plan.page, plan.sql) for plan in found}
    assert {
        ("Library: highest rated", "templates by rank_score, id, 31 rows"),
        ("Library: drafts", "templates by rank_score, id, 31 rows"),
        ("Conversations: archived", "count of conversation_participants"),
        ("Trash: conversation", "conversations by 1, 2, 31 rows"),
        ("History: latest first", "audit_logs by id, 31 rows"),
        ("Admin: auditlog", "audit_logs by id, 50 rows"),
    } - lists == set()
    newest = next(plan for plan in found if plan.page == "History: latest first")
    assert newest.read_by == ("audit_logs: `audit_logs_actor`", "audit_logs: `audit_logs_request`")


def test_the_section_of_plans_is_replaced(tmp_path: Path) -> None:
    plan = plans.Plan(
        "Library", "count of templates", ("templates: all rows",), 9_000, 70.25, frozenset(), ("templates",)
    )
    rows = plans.table([plan]).splitlines()[2:]
    remarks = "**no index of templates**, **over 5,000 rows**, **over 50 ms**"
    assert rows == [f"| Library | count of templates | templates: all rows | 9,000 | 70.2 | {remarks} |"]
    path = tmp_path / "INDEXES.md"
    path.write_text("# Indexes\n")
    plans.write(path, "old")
    plans.write(path, "new")
    assert path.read_text() == "# Indexes\n\n<!-- plans -->\nnew\n<!-- end of plans -->\n"


def test_a_report_replaces_its_own_section_only(tmp_path: Path) -> None:
    path = tmp_path / "RESULTS.md"
    report.write(path, "mysql", "## MySQL\n\nold")
    report.write(path, "sqlite", "## SQLite\n\none")
    report.write(path, "mysql", "## MySQL\n\nnew")
    assert path.read_text() == (
        f"{report.INTRODUCTION}\n<!-- sqlite -->\n## SQLite\n\none\n<!-- end -->\n\n"
        "<!-- mysql -->\n## MySQL\n\nnew\n<!-- end -->\n"
    )


def test_a_sqlite_database_lies_in_the_folder(tmp_path: Path) -> None:
    with made("sqlite", 1000, tmp_path) as database:
        environment = database.environment
    names = ("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "BENCH_STATIC_ROOT", "DEBUG")
    assert [environment[name] for name in names] == [
        f"sqlite:///{tmp_path}/1000.sqlite3",
        "bench.settings",
        f"{tmp_path}/static",
        "False",
    ]


@pytest.mark.django_db
def test_one_template_with_many_of_everything_is_opened_in_turns() -> None:
    found = one_template.main(rounds=1, many={"versions": 3, "moves": 4, "ratings": 20})
    names = [f"{who}, {size}" for who in ("owner", "reader") for size in ("one", "many")]
    assert [list(found["queries"]), sorted(found["ms"])] == [names, sorted(names)]
    assert {count <= one_template.QUERIES_AIM for count in found["queries"].values()} == {True}
    measured = {"owner, one": 10.0, "owner, many": 13.0, "reader, one": 10.0, "reader, many": 13.1}
    text = one_template.section({**found, "queries": dict.fromkeys(names, 12), "ms": measured}, "SQLite 3.40.1")
    assert text.splitlines()[-2:] == [
        "| owner | 12 | 12 | 10.0 | 13.0 | 1.30 | 1.3 | yes |",
        "| reader | 12 | 12 | 10.0 | 13.1 | 1.31 | 1.3 | **no** |",
    ]


@pytest.mark.django_db(transaction=True)
def test_a_long_conversation_is_opened_and_gone_on_with_in_turns() -> None:
    found = thread.main(rounds=1, long=40)
    assert {what: set(ms) for what, ms in found["ms"].items()} == {
        "open its end": {"short", "long"},
        "take another one": {"short", "long"},
    }
    assert max(found["queries"].values()) <= 12
    ms = {"open its end": {"short": 50, "long": 60}, "take another one": {"short": 10, "long": 14}}
    assert thread.section({"size": 10_000, "queries": {"long": 11}, "ms": ms}, "SQLite 3.40.1").splitlines()[6:] == [
        "| open its end | 50.0 | 60.0 | 1.20 | 1.3 | yes |",
        "| take another one | 10.0 | 14.0 | 1.40 | 1.3 | **no** |",
    ]


@pytest.mark.django_db(transaction=True)
def test_histories_are_opened_over_a_log_that_one_statement_filled(client: Client) -> None:
    history._fill(400)
    client.force_login(User.objects.get(handle="staff"))
    answers = {name: client.get(url) for name, url in history._pages().items()}
    assert {answer.status_code for answer in answers.values()} == {200}
    shown = {name: len(answer.context["history"].page.events) for name, answer in answers.items()}
    assert (shown["installation"], shown["by request"], shown["by person, action that never meet"]) == (30, 4, 0)
    ms = {"installation": {"10": 10.0, "40": 14.0}, "by person, kind": {"10": 10.0, "40": 14.0}}
    found = {"sizes": [10, 40], "queries": dict.fromkeys(ms, 5), "shown": {name: [7, 30] for name in ms}, "ms": ms}
    assert history.section(found, "SQLite 3.40.1").splitlines()[6:8] == [
        "| installation | 5 | 7 and 30 | 10.0 | 14.0 | 1.40 | 1.3 | **no** |",
        "| by person, kind | 5 | 7 and 30 | 10.0 | 14.0 | 1.40 |  |  |",
    ]
