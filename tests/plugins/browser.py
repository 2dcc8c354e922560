"""Chromium through Playwright, kept on this machine and watched while it runs."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    "--no-first-run",
]


def chromium() -> str | None:
    """The browser to drive: `CHROMIUM`, or the first of the usual names on the path.

    The one that has no windows comes first: it draws the same pages and takes half the processor.
    """
    names = [os.environ.get("CHROMIUM", ""), "chromium-headless-shell", "chromium", "chromium-browser"]
    names += ["google-chrome-stable", "google-chrome"]
    return next((found for name in names if name and (found := shutil.which(name))), None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser") and chromium() is None:
        pytest.skip("There is no Chromium here (CHROMIUM names one; .ci/run installs it)")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip("There is no Chromium here (CHROMIUM names one; .ci/run installs it)")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *sandbox])
        yield running
        running.close()


@pytest.fixture
def new_page(browser: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """`new_page(java_script_enabled=False, color_scheme="dark", viewport={...})`: a page in a context of its own.

    Relative addresses go to the live server. Script errors, broken content security policy and requests to other
    hosts, in any page, fail the test at its end.
    """
    contexts: list[BrowserContext] = []
    problems: list[str] = []
    host = urlsplit(live_server.url).netloc

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: problems.append(f"script error: {error}"))
        page.on(
            "console",
            lambda message: (
                problems.append(f"console: {message.text}")
                if message.type == "error" and "Failed to load resource" not in message.text
                else None
            ),
        )

    def request_made(request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc != host:
            problems.append(f"request to another host: {request.url}")

    def make(**options: Any) -> Page:
        context = browser.new_context(
            **{"base_url": live_server.url, "viewport": {"width": 1280, "height": 900}, "locale": "en-GB"} | options
        )
        context.set_default_timeout(10_000)
        context.on("page", watch)
        context.on("request", request_made)
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()
    if problems:
        pytest.fail("In the browser: " + "; ".join(dict.fromkeys(problems)), pytrace=False)


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """One page with JavaScript on, 1280 by 900, light."""
    return new_page(color_scheme="light")
