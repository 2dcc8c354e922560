"""Nothing writes an audited table past the audit log: the first statement that does fails its test.

`promptlib.core.changes` marks what is told, or is not for a reason. A statement without that mark whose nearest caller
of ours is the program itself, and not a test, a migration or the bench, has bypassed it.
"""

import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db.backends.signals import connection_created

from promptlib.core.changes import is_accounted, tracked
from promptlib.core.models import BaseModel

ROOT = Path(__file__).parents[2]
WRITE = re.compile(
    r"\s*(?:INSERT (?:OR \w+ |IGNORE )?INTO|REPLACE INTO|UPDATE|DELETE FROM)\s+[`\"]?(\w+)", re.IGNORECASE
)
OTHERS = {"tests", "bench", "script"}
CARRIERS = {"promptlib/core/sql.py"}
"""Files that run statements for others."""

STATISTICS_ALONE = {"promptlib/core/statistics.py"}
"""`verify_stats --repair` recomputes what triggers keep, and writes nothing else."""

past_the_log: list[str] = []


class PastTheLog(AssertionError):
    """A statement that leaves no row in the audit log."""


@cache
def watched() -> frozenset[str]:
    """Tables of our audited models; what Django's own groups write is tried in tests/audit/test_write_paths.py."""
    return frozenset(model._meta.db_table for model in tracked if issubclass(model, BaseModel))


def writer() -> str | None:
    """The file of ours that makes the statement; None for what is not the program."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else None
        if name and name.parts[0] != ".venv" and str(name) not in CARRIERS:
            is_program = name.parts[0] not in OTHERS and name.stem != "initial_data" and "migrations" not in name.parts
            return str(name) if is_program and str(name) not in STATISTICS_ALONE else None
        frame = frame.f_back
    return None


def guard(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    if not is_accounted() and (found := WRITE.match(sql)) and found[1] in watched() and (name := writer()):
        past_the_log.append(f"{name} writes {found[1]} past the audit log: {sql[:120]}")
        raise PastTheLog(past_the_log[-1])
    return execute(sql, params, many, context)


def _watch(connection: Any, **_signal: Any) -> None:
    if guard not in connection.execute_wrappers:
        connection.execute_wrappers.append(guard)


def pytest_configure() -> None:
    if apps.ready:
        connection_created.connect(_watch, dispatch_uid="tests_past_the_log")


@pytest.fixture(autouse=True)
def _nothing_past_the_log() -> Any:
    """Also where something caught it, in a thread say."""
    past_the_log.clear()
    yield
    assert past_the_log == []
