"""Opens pages in Chromium, without a server, and collects what is wrong with them.

The test client of this process renders what the browser asks for, so nothing has to be waited for and the queries of
each page are known. Static files come from where `collectstatic` put them.
"""

import gzip
import json
import re
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from playwright.sync_api import Browser, BrowserContext, Error, Request, Route

from tests.proof import IS_WHOLE

AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE_COLOUR_RULES = ["color-contrast", "link-in-text-block"]
MOST_QUERIES = 20
MOST_BYTES = 150_000

# What Django's own widgets write and no template of the admin decides.
EXEMPT_FROM_AXE = [".search-label-icon"]  # SelectFilter2.js puts aria-label on a span
EXEMPT_FROM_HTML_CHECK = {
    rb"<div disabled ": b"<div ",  # ReadOnlyPasswordHashWidget
    rb'<option value=""></option>': b'<option value="">-</option>',  # AutocompleteSelect
    rb" required(?= [^>]*data-autocomplete-light| [^>]*admin-autocomplete)": b"",
}

# Themes change by transition: axe would measure a colour on its way.
HOLD_STILL = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("*, ::before, ::after, ::backdrop { transition: none !important; animation: none !important }");
    document.adoptedStyleSheets.push(sheet);
}"""
UNFOLD = """() => document.querySelectorAll("details:not([name])").forEach((each) => {
    each.open = true;
})"""
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
    [...document.querySelectorAll("body *")]
        .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
        .slice(0, 3).map((each) => each.outerHTML.slice(0, 120))"""


@dataclass
class Visit:
    """A page as somebody meets it: what it is called here, who looks, at what address, with what posted."""

    name: str
    person: str
    url: str
    post: dict[str, Any] | None = None
    checks_csrf: bool = False

    def __str__(self) -> str:
        return f"{self.name}, {self.person}"


class InProcessServer:
    """Answers the requests of a browser context; remembers what the last page was and weighed."""

    def __init__(self, context: BrowserContext) -> None:
        self.problems: list[str] = []
        context.route("**/*", self._answer)

    def expect(self, visit: Visit, client: Client) -> None:
        """From here on requests are those of this visit, and answered to this client."""
        self.client, self.visit = client, visit
        self.html, self.status, self.queries, self.bytes_sent = b"", 0, 0, 0
        self.problems.clear()
        self._context = copy_context()  # a handler runs in one of its own, where Django would open another connection

    def _answer(self, route: Route, request: Request) -> None:
        address = urlsplit(request.url)
        if address.hostname != "localhost":
            self.problems.append(f"request to another host: {request.url}")
            route.abort()
        elif address.path.startswith(settings.STATIC_URL):
            self._send_file(route, address.path.removeprefix(settings.STATIC_URL))
        else:
            url = f"{address.path}?{address.query}" if address.query else address.path
            self._context.copy().run(self._render, route, request, url)

    def _send_file(self, route: Route, name: str) -> None:
        file = Path(settings.STATIC_ROOT, name)
        if not file.is_file():
            self.problems.append(f"no such file: {name}")
            route.fulfill(status=404)
            return
        compressed = file.with_name(f"{file.name}.br")
        self.bytes_sent += (compressed if compressed.is_file() else file).stat().st_size
        route.fulfill(path=file)

    def _render(self, route: Route, request: Request, url: str) -> None:
        is_page = request.is_navigation_request()
        headers = {name: value for name, value in request.headers.items() if name.startswith("hx-")}
        with CaptureQueriesContext(connection) as captured:
            if is_page:
                method = self.client.get if self.visit.post is None else self.client.post
                response = method(url, self.visit.post, headers=headers)
            else:
                content_type = request.headers.get("content-type", "application/octet-stream")
                data = request.post_data_buffer or b""
                response = self.client.generic(request.method, url, data, content_type, headers=headers)
            body = b"".join(response) if response.streaming else response.content
        if is_page:
            self.html, self.status, self.queries = body, response.status_code, len(captured)
            self.bytes_sent += len(gzip.compress(body, 6))
        sent = {name: value for name, value in response.headers.items() if name != "Content-Length"}
        route.fulfill(status=response.status_code, headers=sent, body=body)


class Inspector:
    """Looks at one page after the other. `problems` by visit; `table` of status, queries, bytes of HTML, bytes sent."""

    def __init__(self, browser: Browser, html_check: Callable[..., None]) -> None:
        self.context = browser.new_context(base_url="http://localhost", reduced_motion="reduce", locale="en-GB")
        self.server = InProcessServer(self.context)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self._on_console(message.type, message.text))
        self.page.on("pageerror", lambda error: self.server.problems.append(f"script error: {error}"))
        self.html_check = html_check
        self.problems: dict[str, list[str]] = {}
        self.table: list[tuple[str, int, int, int, int]] = []

    def inspect(self, visit: Visit, client: Client) -> None:
        cache.clear()
        client.raise_request_exception = False
        self.server.expect(visit, client)
        self._show("light", 1280)
        try:
            self.page.goto(visit.url)
        except Error as error:  # a page that leads elsewhere leads out of this process
            self.problems[str(visit)] = [f"answered {self.server.status}: {error}"]
            return
        self.page.evaluate(HOLD_STILL)
        self.page.evaluate(Axe().axe_script)
        self.table.append(
            (str(visit), self.server.status, self.server.queries, len(self.server.html), self.server.bytes_sent)
        )
        html = self.server.html
        for markup, replacement in EXEMPT_FROM_HTML_CHECK.items() if visit.url.startswith("/admin/") else ():
            html = re.sub(markup, replacement, html)
        self.html_check(html, str(visit))
        found = [*self._axe("1280 light"), *self._too_wide(1280)]
        if IS_WHOLE:  # what only a wide page shows has the colours of the rest
            self._show("dark", 1280)
            found += self._axe("1280 dark", AXE_COLOUR_RULES)
        self._show("dark", 360)
        self.page.evaluate(UNFOLD)
        found += [*self._axe("360 dark"), *self._too_wide(360)]
        self._show("light", 320)
        found += self._too_wide(320)
        found += self.server.problems
        if visit.post is None and self.server.queries > MOST_QUERIES:
            found.append(f"{self.server.queries} queries")
        if self.server.bytes_sent > MOST_BYTES:
            found.append(f"{self.server.bytes_sent:,} bytes sent")
        if found:
            self.problems[str(visit)] = list(dict.fromkeys(found))

    def close(self) -> None:
        self.context.close()

    def report(self) -> str:
        """What each page costs, a line each."""
        table = self.table
        rows = [f"{'':60}{'status':>7}{'queries':>8}{'HTML':>9}{'sent':>9}"]
        rows += [
            f"{name[:59]:60}{status:>7}{queries:>8}{html:>9,}{sent:>9,}" for name, status, queries, html, sent in table
        ]
        return "\n".join(rows)

    def _show(self, theme: Any, width: int) -> None:
        self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        self.page.set_viewport_size({"width": width, "height": 900})

    def _on_console(self, kind: str, text: str) -> None:
        is_the_status = self.server.status >= 400 and "Failed to load resource" in text
        if kind in {"error", "warning"} and not is_the_status:
            self.server.problems.append(f"console: {text}")

    def _axe(self, state: str, rules: list[str] | None = None) -> list[str]:
        run_only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": AXE_RULES}
        options = json.dumps({"runOnly": run_only, "resultTypes": ["violations"], "preload": False})
        context = json.dumps({"exclude": EXEMPT_FROM_AXE})
        violations = self.page.evaluate(f"axe.run({context}, {options}).then((results) => results.violations)")
        return [
            f"{state}: {rule['id']} ({len(rule['nodes'])} times): {node['html'][:200]} {node['failureSummary'][:300]}"
            for rule in violations
            for node in rule["nodes"][:1]
        ]

    def _too_wide(self, width: int) -> list[str]:
        """What reaches beyond the window, where the page scrolls sideways."""
        return [f"{width}: too wide: {html}" for html in self.page.evaluate(TOO_WIDE)]
