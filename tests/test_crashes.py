"""Workers of the real server that are killed while they write answers: nothing is lost, left open or asked twice."""

from pathlib import Path

import pytest

from bench import crashes
from bench.databases import made


@pytest.mark.slow
@pytest.mark.sqlite_only
def test_workers_that_are_killed_leave_nothing_open_lost_or_billed_twice(tmp_path: Path) -> None:
    with made("sqlite", 0, tmp_path) as database:
        database.manage("collectstatic", "--noinput", "-v0")
        database.manage("migrate", "-v0")
        found = crashes.measure(database, 1, ORPHAN_SECONDS="4")
    assert {name: found[name] for name in ("rows", "lost", "twice", "audited")} == {
        "rows": {"interrupted": 4},
        "lost": 0,
        "twice": 0,
        "audited": [2] * 4,
    }
    assert found["with text"] >= 1  # what was saved before the worker died
    assert found["waited"] < crashes.LONGEST
    text = crashes.section(found, "SQLite 3")
    assert "Of 4 questions 0 were lost and 0 were asked twice." in text
