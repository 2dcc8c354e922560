"""Anthropic's wire format: what is sent, what is made of the events, and how it ends when they do not."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from conversations.providers import ChatRequest, Finished, ProviderError, TextDelta, Usage, stream_chat

USAGE = {"input_tokens": 9, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 2, "output_tokens": 1}
START = {"type": "message_start", "message": {"model": "claude-x-1", "usage": USAGE}}
END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}}
STOP = {"type": "message_stop"}


def text(words: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": words}}


def thought(words: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": words}}


@contextmanager
def answering(
    *events: dict[str, Any], status: int = 200, whole: dict[str, Any] | None = None
) -> Iterator[tuple[str, list[Any]]]:
    """A server that answers every request with these events; yields its address and what it was sent."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, dict(self.headers), body))
            self.send_response(status)
            self.send_header("Content-Type", "application/json" if whole else "text/event-stream")
            self.end_headers()
            sent = (
                json.dumps(whole)
                if whole
                else "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
            )
            self.wfile.write(sent.encode())

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/", asked
        server.shutdown()


def ask(url: str, **parameters: Any) -> tuple[str, Finished]:
    request = ChatRequest(
        base_url=url,
        api_key="sk-ant-0123456789",
        model="claude-x",
        messages=(
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "One"},
            {"role": "user", "content": "Two"},
            {"role": "assistant", "content": "Three"},
            {"role": "user", "content": "Four"},
        ),
        parameters=parameters,
        first_token_seconds=5,
        stall_seconds=5,
        total_seconds=10,
    )
    *pieces, end = stream_chat("anthropic", request)
    assert isinstance(end, Finished)
    return "".join(piece.text for piece in pieces if isinstance(piece, TextDelta)), end


def test_what_is_sent() -> None:
    with answering(START, text("Hi"), END, STOP) as (url, asked):
        ask(url, temperature=0.5, max_tokens=99, stop="END", seed=7)
    ((path, headers, body),) = asked
    assert path == "/v1/messages"
    assert {name.lower(): value for name, value in headers.items()}.items() >= {
        "x-api-key": "sk-ant-0123456789",
        "anthropic-version": "2023-06-01",
    }.items()
    assert "Authorization" not in headers
    assert body == {
        "model": "claude-x",
        "max_tokens": 99,
        "system": "Be kind.",
        "messages": [
            {"role": "user", "content": "One\n\nTwo"},
            {"role": "assistant", "content": "Three"},
            {"role": "user", "content": "Four"},
        ],
        "temperature": 0.5,
        "stop_sequences": ["END"],
        "stream": True,
    }


def test_what_is_made_of_the_events() -> None:
    ping = {"type": "ping"}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    with answering(START, ping, thought("Hm"), block, text("Bon"), text("jour"), END, STOP) as (url, asked):
        words, end = ask(url)
    assert words == "Bonjour"
    assert end == Finished("end_turn", "claude-x-1", Usage(input_tokens=15, output_tokens=7, cached_tokens=4))
    assert asked[0][2]["max_tokens"] == 4096


def test_an_answer_that_is_not_streamed() -> None:
    blocks = [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Bonjour"}]
    whole = {"content": blocks, "model": "claude-x-1", "stop_reason": "max_tokens", "usage": {"input_tokens": 3}}
    with answering(whole=whole) as (url, _asked):
        assert ask(url) == ("Bonjour", Finished("max_tokens", "claude-x-1", Usage(input_tokens=3)))


@pytest.mark.parametrize(
    ("events", "code", "interrupted"),
    [
        ([START, text("Half")], "cut_off", True),
        ([START], "cut_off", False),
        ([START, text("Half"), {"type": "error", "error": {"type": "overloaded_error"}}], "server_error", True),
    ],
)
def test_what_ends_too_soon_says_so(events: list[dict[str, Any]], code: str, interrupted: bool) -> None:
    with answering(*events) as (url, asked):
        with pytest.raises(ProviderError) as raised:
            ask(url)
    assert (raised.value.code, raised.value.interrupted, len(asked)) == (code, interrupted, 1)


@pytest.mark.parametrize(("status", "code"), [(401, "unauthorized"), (429, "rate_limited"), (529, "server_error")])
def test_a_refusal_is_told_by_its_status(status: int, code: str) -> None:
    error = {"type": "error", "error": {"type": "some_error", "message": "No, sk-ant-0123456789."}}
    with answering(whole=error, status=status) as (url, _asked):
        with pytest.raises(ProviderError) as raised:
            ask(url)
    assert raised.value.code == code
    assert "sk-ant-0123456789" not in raised.value.message
