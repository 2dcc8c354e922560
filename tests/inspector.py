"""Opens pages in Chromium and collects what is wrong with them.

The test client of this process renders what the browser asks for, so what a test has not committed is seen and the
queries of each page are known. Static files come from where `collectstatic` put them.
"""

import gzip
import json
import mimetypes
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.core.cache import cache
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from playwright.sync_api import Browser, Error

from tests.proof import IS_WHOLE

AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE_COLOUR_RULES = ["color-contrast", "link-in-text-block"]
AXE_PATH = "/axe.js"
KEPT = {"Cache-Control": "max-age=86400, immutable"}
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
LOADED = """() => performance.getEntriesByType("resource").map((each) => each.name)"""
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


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class InProcessServer(ThreadingHTTPServer):
    """Answers what the browser asks for; remembers what the last page was and weighed.

    Pages are rendered one at a time on the test's own connection, so what it has not committed is seen and each query
    is counted. Static files may be kept by the browser, as those of a real server.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.problems: list[str] = []
        self.client: Client | None = None
        self._database = connections["default"]
        self._one_at_a_time = Lock()
        Thread(target=self.serve_forever, daemon=True).start()

    def expect(self, visit: Visit, client: Client) -> None:
        """From here on requests are those of this visit, and answered to this client."""
        with self._one_at_a_time:
            self.client, self.visit = client, visit
            self.html, self.status, self.queries = b"", 0, 0
            self.problems.clear()

    def rest(self) -> None:
        """What a page still asks for is not answered any more: the visit is over."""
        with self._one_at_a_time:
            self.client = None

    def render(self, method: str, url: str, data: bytes, asked: Mapping[str, str]) -> Answer:
        with self._one_at_a_time, self._on_the_database_of_the_test(), CaptureQueriesContext(connection) as captured:
            if self.client is None:
                return Answer(HTTPStatus.NO_CONTENT)
            headers = {name: value for name, value in asked.items() if name.lower().startswith("hx-")}
            is_page = asked.get("Sec-Fetch-Dest") == "document"
            if is_page:
                ask = self.client.get if self.visit.post is None else self.client.post
                response = ask(url, self.visit.post, headers=headers)
            else:
                content_type = asked.get("Content-Type", "application/octet-stream")
                response = self.client.generic(method, url, data, content_type, headers=headers)
            body = b"".join(response) if response.streaming else response.content
            if is_page:
                self.html, self.status, self.queries = body, response.status_code, len(captured)
                if 300 <= response.status_code < 400:  # it leads elsewhere: there is nothing to look at
                    return Answer(HTTPStatus.NO_CONTENT)
            return Answer(response.status_code, dict(response.items()), body)

    @contextmanager
    def _on_the_database_of_the_test(self) -> Iterator[None]:
        self._database.inc_thread_sharing()
        connections["default"] = self._database
        try:
            yield
        finally:
            self._database.dec_thread_sharing()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: InProcessServer

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == AXE_PATH:
            self._send(Answer(HTTPStatus.OK, {"Content-Type": "text/javascript", **KEPT}, Axe().axe_script.encode()))
            return
        if path.startswith(settings.STATIC_URL):
            self._send_file(Path(settings.STATIC_ROOT, path.removeprefix(settings.STATIC_URL)))
            return
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._send(self.server.render(self.command, self.path, data, self.headers))

    do_POST = do_GET

    def _send_file(self, file: Path) -> None:
        if not file.is_file():
            self.server.problems.append(f"no such file: {file.name}")
            self._send(Answer(HTTPStatus.NOT_FOUND))
            return
        content_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        self._send(Answer(HTTPStatus.OK, {"Content-Type": content_type, **KEPT}, file.read_bytes()))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in {"content-length", "connection"}:
                self.send_header(name, value)
        if answer.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_args: Any) -> None:
        """Nothing: the test says what was asked for."""


class Inspector:
    """Looks at one page after the other. `problems` by visit; `table` of status, queries, bytes of HTML, bytes sent."""

    def __init__(self, browser: Browser, html_check: Callable[..., None]) -> None:
        self.server = InProcessServer()
        self.context = browser.new_context(base_url=self.server.url, reduced_motion="reduce", locale="en-GB")
        self.page = self.context.new_page()
        self.page.on("request", lambda request: self._on_request(request.url))
        self.page.on("console", lambda message: self._on_console(message.type, message.text))
        self.page.on("pageerror", lambda error: self.server.problems.append(f"script error: {error}"))
        self.html_check = html_check
        self.problems: dict[str, list[str]] = {}
        self.table: list[tuple[str, int, int, int, int]] = []

    def inspect(self, visit: Visit, client: Client) -> None:
        cache.clear()
        client.raise_request_exception = False
        self.server.expect(visit, client)
        try:
            self._look_at(visit)
        finally:
            self.server.rest()

    def _look_at(self, visit: Visit) -> None:
        self._show("light", 1280)
        try:
            self.page.goto(visit.url)
        except Error as error:
            self.problems[str(visit)] = [f"answered {self.server.status}: {error}"]
            return
        self.page.evaluate(HOLD_STILL)
        self.page.add_script_tag(url=AXE_PATH)
        bytes_sent = self._bytes_sent()
        self.table.append((str(visit), self.server.status, self.server.queries, len(self.server.html), bytes_sent))
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
        if bytes_sent > MOST_BYTES:
            found.append(f"{bytes_sent:,} bytes sent")
        if found:
            self.problems[str(visit)] = list(dict.fromkeys(found))

    def close(self) -> None:
        self.context.close()
        self.server.shutdown()
        self.server.server_close()

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

    def _bytes_sent(self) -> int:
        """The page and all that it loaded, as a browser that knows none of it gets it: compressed."""
        names = {urlsplit(url).path for url in self.page.evaluate(LOADED)}
        files = [Path(settings.STATIC_ROOT, name.removeprefix(settings.STATIC_URL)) for name in names]
        found = [(file.with_name(f"{file.name}.br"), file) for file in files if file.is_file()]
        compressed = sum((small if small.is_file() else file).stat().st_size for small, file in found)
        return compressed + len(gzip.compress(self.server.html, 6))

    def _on_request(self, url: str) -> None:
        if not url.startswith(f"{self.server.url}/"):
            self.server.problems.append(f"request to another host: {url}")

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
