"""What every test may count on. Fixtures live by kind in `tests/plugins/`; rows come from `tests/factories.py`.

With `REQUIRE_ALL=1` (the CI sets it) a test that would skip fails, except where only `PROMPTLIB_TEST_DATA` is missing.
"""

import gc
import os
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from django.core.cache import cache

from tests.proof import IS_WHOLE

pytest_plugins = [
    "tests.plugins.browser",
    "tests.plugins.database",
    "tests.plugins.html",
    "tests.plugins.log",
    "tests.plugins.network",
    # The plugins of single apps (a model server, faults, …) go below this line.
    "tests.faults",
    "tests.model_server",
]

NO_DATA = "PROMPTLIB_TEST_DATA is not set: it names the folder of collections the importers are tried on"

# The same examples each time, so that a red test is about the change; HYPOTHESIS_PROFILE=search looks for new ones.
hypothesis.settings.register_profile("promptlib", deadline=None, database=None, print_blob=True, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None, database=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "promptlib"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests about one database are not collected on the other; those of markup or of no table run on SQLite alone."""
    on_mysql = settings.DATABASES["default"]["ENGINE"].endswith("mysql")
    runs_all = hasattr(config, "workerinput")  # one of several processes, see script/test
    foreign = {"sqlite_only", "html_check"} if on_mysql else {"mysql_only"}
    dropped = [
        item
        for item in items
        if any(map(item.get_closest_marker, foreign))
        or (on_mysql and not _touches_tables(item))
        or (on_mysql and runs_all and not _is_worth_the_wait(item))
    ]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        left_out = set(dropped)
        items[:] = [item for item in items if item not in left_out]
    if runs_all:
        _begin_with_what_takes_long(items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is loaded by now stays: the collector need not walk through it in every test again."""
    gc.collect()
    gc.freeze()


def _is_worth_the_wait(item: pytest.Item) -> bool:
    """On MySQL people wait for the journeys alone of what goes on in the browser; a whole proof has all of it."""
    return IS_WHOLE or item.get_closest_marker("browser") is None or item.get_closest_marker("slow") is not None


def _touches_tables(item: pytest.Item) -> bool:
    fixtures = {"db", "transactional_db", "live_server", "client", "admin_client"}
    return item.get_closest_marker("django_db") is not None or not fixtures.isdisjoint(
        getattr(item, "fixturenames", ())
    )


def _begin_with_what_takes_long(items: list[pytest.Item]) -> None:
    """Each process is given a file at a time: none is to begin a long one when the others are about to end."""
    seconds: Counter[Path] = Counter()
    for item in items:
        if marker := item.get_closest_marker("slow"):
            seconds[item.path] += marker.kwargs.get("seconds", 5)
    items.sort(key=lambda item: -seconds[item.path])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if os.environ.get("REQUIRE_ALL") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if os.environ.get("PROMPTLIB_TEST_DATA") or "PROMPTLIB_TEST_DATA" not in reason:
            report.outcome = "failed"
            report.longrepr = f"{report.nodeid} skipped, and REQUIRE_ALL=1 lets nothing skip. {reason}"
    return report


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Rate limits and counters of one test do not reach the next."""
    cache.clear()


@pytest.fixture
def media_root(tmp_path: Path, settings: object) -> Path:
    """A folder of this test's own for whatever the program stores as files."""
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    return tmp_path


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real collections that `PROMPTLIB_TEST_DATA` names; skips where it is unset."""
    if not os.environ.get("PROMPTLIB_TEST_DATA"):
        pytest.skip(NO_DATA)
    return Path(os.environ["PROMPTLIB_TEST_DATA"])
