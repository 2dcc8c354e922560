"""A model server that goes wrong on demand: standard library only, on loopback, one fault per path.

`server.base_url("stall_midway")` is the address of a model that stalls half-way; `server.requests` is what was asked.
The faults are the methods of `_Handler` that begin with `fault_`.
"""

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

WORDS = ("Hello", " wörld", ", 日本", " 👍🏽", ".")
ANSWER = "".join(WORDS)
HALF = "".join(WORDS[:2])
USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 5,
    "total_tokens": 17,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 2},
}
MODEL = "fault-1"
HUGE = 600_000
ADDRESSES = ("v1/chat/completions", "v1/messages")
"""OpenAI's and Anthropic's: the faults are the same in either format, except those about one format's own ways."""


@dataclass(frozen=True)
class Recorded:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class FaultServer:
    url: str
    requests: list[Recorded] = field(default_factory=list)
    go: threading.Event = field(default_factory=threading.Event)

    def base_url(self, fault: str) -> str:
        return f"{self.url}/{fault}/v1"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"
    speaks_anthropic = False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.record.requests.append(Recorded(self.path, dict(self.headers), json.loads(body or b"{}")))
        fault = getattr(self, "fault_" + self.path.split("/")[1], None)
        self.close_connection = True
        with suppress(OSError):
            self.speaks_anthropic = self.path.endswith("/v1/messages")
            if fault is None or self.path.split("?")[0].split("/", 2)[2] not in ADDRESSES:
                self.answer(404, {"error": {"message": "There is no such page."}})
            else:
                fault()

    def do_GET(self) -> None:
        self.server.record.requests.append(Recorded(self.path, dict(self.headers), {}))
        self.close_connection = True
        self.answer(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    # What works

    def fault_ok(self) -> None:
        self.begin()
        self.chunk(delta={"role": "assistant", "content": ""})
        self.words(WORDS)
        self.end()

    def fault_slow(self) -> None:
        self.begin()
        for word in WORDS:
            time.sleep(0.15)
            self.words([word])
        self.end()

    def fault_when_told(self) -> None:
        """Begins to write once `go` is set, so that whoever wants to read along is there."""
        self.begin()
        self.server.record.go.wait(60)
        for word in WORDS:
            time.sleep(0.15)
            self.words([word])
        self.end()

    def fault_ok_json(self) -> None:
        message = {"role": "assistant", "content": ANSWER}
        self.answer(
            200,
            {"model": MODEL, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": USAGE},
        )

    def fault_no_usage(self) -> None:
        self.begin()
        self.words(WORDS)
        self.chunk(finish_reason="length")
        self.send(b"data: [DONE]\n\n")
        self.last()

    def fault_no_done(self) -> None:
        self.begin()
        self.words(WORDS)
        self.chunk(finish_reason="stop")
        self.last()

    def fault_open_after_finish(self) -> None:
        self.begin()
        self.words(WORDS)
        self.chunk(finish_reason="stop")
        self.hold()

    def fault_odd_framing(self) -> None:
        """CR LF, comments, chunks without choices, an event over two data lines, every byte in a packet of its own."""
        self.begin()
        lines = [": hello", "", "event: ping", "", 'data: {"choices": [], "prompt_filter_results": []}', ""]
        for word in WORDS:
            lines += ["id: 1", 'data:{"choices": [{"index": 0,', f'data: "delta": {{"content": "{word}"}}}}]}}', ""]
        for byte in ("\r\n".join(lines) + "\r\n").encode():
            self.send(bytes([byte]))
        self.end()

    def fault_reasoning(self) -> None:
        """Thinks for longer than the first-token time of the tests, aloud, and then answers."""
        self.begin()
        for _ in range(8):
            self.chunk(delta={"reasoning_content": "hm"})
            time.sleep(0.1)
        self.words(WORDS)
        self.end()

    def fault_torn_pairs(self) -> None:
        """An emoji as two halves in two chunks, then half an emoji alone."""
        self.begin()
        for escaped in (r"a\ud83d", r"\udc4db", r"\ud83d", "c", r"\u0000"):
            self.send(f'data: {{"choices": [{{"index": 0, "delta": {{"content": "{escaped}"}}}}]}}\n\n'.encode())
        self.end()
        self.end()

    # What does not

    def fault_stall_before_first(self) -> None:
        self.begin()
        self.chunk(delta={"role": "assistant", "content": ""})
        self.hold()

    def fault_stall_before_headers(self) -> None:
        self.hold()

    def fault_stall_midway(self) -> None:
        self.begin()
        self.words(WORDS[:2])
        self.hold()

    def fault_drip_headers(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
        while not self.server.closing.wait(0.05):
            self.wfile.write(b"a")

    def fault_drip_comments(self) -> None:
        self.begin()
        while not self.server.closing.wait(0.05):
            self.send(b": keep-alive\n\n")

    def fault_drip_midway(self) -> None:
        self.begin()
        self.words(WORDS[:2])
        while not self.server.closing.wait(0.05):
            self.send(b": keep-alive\n\n")

    def fault_flood_comments(self) -> None:
        self.begin()
        while not self.server.closing.is_set():
            self.send(b": keep-alive\n\n" * 500)

    def fault_drip_words(self) -> None:
        self.begin()
        while not self.server.closing.wait(0.05):
            self.words("x")

    def fault_reset_before_first(self) -> None:
        self.reset()

    def fault_reset_midway(self) -> None:
        self.begin()
        self.words(WORDS[:2])
        time.sleep(0.05)
        self.reset()

    def fault_closed_midway(self) -> None:
        self.begin()
        self.words(WORDS[:2])

    def fault_no_end_marker(self) -> None:
        self.begin()
        self.words(WORDS[:2])
        self.last()

    def fault_empty_stream(self) -> None:
        self.begin()
        self.last()

    def fault_error_in_stream(self) -> None:
        self.begin()
        self.words(WORDS[:2])
        self.send(b'data: {"error": {"message": "The server is overloaded.", "type": "overloaded"}}\n\n')
        self.last()

    def fault_rate_limit_in_stream(self) -> None:
        self.begin()
        self.send(b'data: {"error": {"message": "Too many tokens.", "code": 429}}\n\n')
        self.last()

    def fault_bad_json(self) -> None:
        self.begin()
        self.words(WORDS[:2])
        self.send(b'data: {"choices": [{"index": 0, "delta": {"conte\n\n')
        self.end()

    def fault_deep_json(self) -> None:
        self.begin()
        self.send(b"data: " + b"[" * 100_000 + b"\n\n")
        self.end()

    def fault_endless(self) -> None:
        self.begin()
        while not self.server.closing.is_set():
            self.words(["x" * 1000])

    def fault_huge_token(self) -> None:
        self.begin()
        self.words(["y" * HUGE])
        self.end()

    def fault_endless_line(self) -> None:
        self.begin()
        self.send(b"data: ")
        while not self.server.closing.is_set():
            self.send(b"z" * 65536)

    def fault_endless_json(self) -> None:
        self.begin("application/json")
        while not self.server.closing.is_set():
            self.send(b" " * 65536)

    def fault_wrong_content_type(self) -> None:
        self.begin("text/html; charset=utf-8")
        self.send(b"<!doctype html><title>Welcome</title>")
        self.last()

    def fault_not_http(self) -> None:
        self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n")

    def fault_json_not_an_answer(self) -> None:
        self.answer(200, {"status": "ok"})

    def fault_redirect(self) -> None:
        self.send_response(307)
        self.send_header("Location", f"{self.server.record.url}/ok/v1/chat/completions")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def fault_400(self) -> None:
        self.answer(
            400, {"error": {"message": "This model takes 8192 tokens at most.", "type": "invalid_request_error"}}
        )

    def fault_401(self) -> None:
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.answer(401, {"error": {"message": f"Incorrect API key provided: {key} (also sk-live-abcdef123456)."}})

    def fault_403(self) -> None:
        self.answer(403, {"detail": "Not for you."})

    def fault_404(self) -> None:
        self.answer(404, [{"error": {"code": 404, "message": "The model `nope` does not exist."}}])

    def fault_429(self) -> None:
        self.answer(429, {"error": {"message": "Slow down."}}, {"Retry-After": "12"})

    def fault_429_once(self) -> None:
        self.refuse_once(429, {"Retry-After": "0"})

    def fault_503_once(self) -> None:
        self.refuse_once(503)

    def fault_500_once(self) -> None:
        self.refuse_once(500)

    def refuse_once(self, status: int, headers: dict[str, str] | None = None) -> None:
        """The first question is refused, all further ones are answered."""
        if sum(request.path == self.path for request in self.server.record.requests) > 1:
            self.fault_ok()
        else:
            self.answer(status, {"error": {"message": "Busy."}}, headers)

    def fault_429_date(self) -> None:
        at = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
        self.answer(429, {"error": "Slow down."}, {"Retry-After": at})

    def fault_429_bare(self) -> None:
        self.answer(429, {}, {"Retry-After": "soon"})

    def fault_500(self) -> None:
        self.answer(500, {"error": {"message": "Internal error. " * 100}})

    def fault_503_html(self) -> None:
        self.begin("text/html", 503)
        self.send(b"<html><h1>Bad gateway</h1></html>")
        self.last()

    # The pieces

    def begin(self, content_type: str = "text/event-stream; charset=utf-8", status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def last(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def chunk(self, delta: dict[str, Any] | None = None, finish_reason: str | None = None) -> None:
        if self.speaks_anthropic:
            self.event(delta, finish_reason)
            return
        choice = {"index": 0, "delta": delta or {}, "finish_reason": finish_reason}
        payload = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": MODEL, "choices": [choice]}
        self.send(b"data: " + json.dumps(payload, ensure_ascii=False).encode() + b"\n\n")

    def event(self, delta: dict[str, Any] | None, finish_reason: str | None) -> None:
        """The same in Anthropic's format."""
        payload: dict[str, Any] = {"type": "message_start", "message": {"model": MODEL, "usage": {"input_tokens": 12}}}
        if delta and "role" not in delta:
            piece = {"type": "text_delta", "text": delta["content"]}
            payload = {"type": "content_block_delta", "index": 0, "delta": piece}
        if finish_reason:
            end = {"stop_reason": "end_turn"}
            payload = {"type": "message_delta", "delta": end, "usage": {"output_tokens": 5}}
        named = f"event: {payload['type']}\ndata: {json.dumps(payload, ensure_ascii=False)}\n\n"
        self.send(named.encode())

    def words(self, words: Any) -> None:
        for word in words:
            self.chunk(delta={"content": word})

    def end(self) -> None:
        self.chunk(finish_reason="stop")
        if self.speaks_anthropic:
            self.send(b'event: message_stop\ndata: {"type": "message_stop"}\n\n')
            self.last()
            return
        usage = {"model": MODEL, "choices": [], "usage": USAGE}
        self.send(b"data: " + json.dumps(usage).encode() + b"\n\n" + b"data: [DONE]\n\n")
        self.last()

    def answer(self, status: int, payload: Any, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(payload).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def hold(self) -> None:
        self.server.closing.wait(60)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # The buffered files hold the socket too: only when all are closed does the kernel send its RST.
        self.rfile.close()
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.closing = threading.Event()
        self.record = FaultServer(f"http://127.0.0.1:{self.server_port}")

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # Clients that hang up are what this server is for.

    def shutdown_request(self, request: Any) -> None:
        with suppress(OSError):
            super().shutdown_request(request)


@contextmanager
def running_fault_server() -> Iterator[FaultServer]:
    server = _Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.record
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def closed_port() -> Iterator[str]:
    """The base_url of a port where nothing listens; it is held, so that nobody else begins to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/v1"


@contextmanager
def never_accepting() -> Iterator[str]:
    """The base_url of a server whose queue is full: connecting to it takes for ever."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = []
        try:
            for _ in range(8):
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(address)
                waiting.append(client)
            yield f"http://127.0.0.1:{address[1]}/v1"
        finally:
            for client in waiting:
                client.close()


@pytest.fixture
def fault_server() -> Iterator[FaultServer]:
    with running_fault_server() as server:
        yield server
