"""Every way in which a model server can go wrong: the error, what is kept, how long it takes, and one request only."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from conversations.providers import ChatRequest, Finished, ProviderError, TextDelta, Usage, stream_chat, transport
from conversations.providers.errors import retry_after
from conversations.providers.prices import Price, cost, list_price
from conversations.providers.sse import Event, EventTooLongError, Parser
from tests.faults import ANSWER, HALF, MODEL, FaultServer, closed_port, never_accepting, running_fault_server
from tests.model_server import running_model_server

KEY = "sk-test-0123456789abcdef"
REPORTED = Usage(input_tokens=12, output_tokens=5, cached_tokens=4, reasoning_tokens=2)
CONNECT, FIRST, STALL, TOTAL = 0.4, 0.6, 0.5, 1.2


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with running_fault_server() as running:
        yield running


@pytest.fixture(autouse=True)
def forget(server: FaultServer) -> None:
    server.requests.clear()


def make_request(base_url: str, **changes: object) -> ChatRequest:
    request = ChatRequest(
        base_url=base_url,
        api_key=KEY,
        model="fault-1",
        messages=({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Bonjour 日本"}),
        connect_seconds=CONNECT,
        first_token_seconds=FIRST,
        stall_seconds=STALL,
        total_seconds=TOTAL,
        max_response_chars=100_000,
    )
    return replace(request, **changes)


def ask(base_url: str, **changes: object) -> tuple[str, Finished | ProviderError, float]:
    """The text that arrived, how it ended, and the seconds it took."""
    text, started = "", time.monotonic()
    try:
        for event in stream_chat("openai", make_request(base_url, **changes)):
            if isinstance(event, TextDelta):
                assert event.text
                text += event.text
            else:
                end: Finished | ProviderError = event
    except ProviderError as error:
        end = error
    return text, end, time.monotonic() - started


@pytest.mark.parametrize("fault", ["ok", "ok_json", "odd_framing", "reasoning"])
def test_answer_with_usage(server: FaultServer, fault: str) -> None:
    text, end, _ = ask(server.base_url(fault), total_seconds=5)
    assert (text, end) == (ANSWER, Finished("stop", MODEL, REPORTED))
    assert len(server.requests) == 1


def test_answer_arrives_as_it_is_written(server: FaultServer) -> None:
    started = time.monotonic()
    events = stream_chat("openai", make_request(server.base_url("slow")))
    assert next(events) == TextDelta("Hello")
    assert time.monotonic() - started < 0.5
    assert [event.text for event in events if isinstance(event, TextDelta)] == [" wörld", ", 日本", " 👍🏽", "."]


@pytest.mark.parametrize(("fault", "reason"), [("no_usage", "length"), ("no_done", "stop")])
def test_answer_without_usage(server: FaultServer, fault: str, reason: str) -> None:
    text, end, _ = ask(server.base_url(fault))
    assert (text, end) == (ANSWER, Finished(reason, MODEL, Usage()))


def test_finish_reason_ends_the_wait(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversations.providers.call.GRACE_SECONDS", 0.2)
    text, end, seconds = ask(server.base_url("open_after_finish"))
    assert (text, end) == (ANSWER, Finished("stop", MODEL, Usage()))
    assert seconds < 0.2 + 1


def test_halves_of_a_character_are_joined_or_replaced(server: FaultServer) -> None:
    text, _, _ = ask(server.base_url("torn_pairs"))
    assert text == "a👍b\ufffdc\ufffd"


def test_what_is_sent(server: FaultServer) -> None:
    parameters = {"temperature": 0.2, "max_tokens": 5, "stop": ["END"], "top_p": None, "stream": False, "tools": [1]}
    ask(server.base_url("ok"), parameters=parameters)
    [request] = server.requests
    assert request.path == "/ok/v1/chat/completions"
    assert request.body == {
        "model": "fault-1",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Bonjour 日本"}],
        "temperature": 0.2,
        "max_tokens": 5,
        "stop": ["END"],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert request.headers["Authorization"] == f"Bearer {KEY}"


def test_no_key_sends_no_authorization_and_the_query_of_the_address_stays(server: FaultServer) -> None:
    ask(server.base_url("ok") + "/?api-version=2025-01-01", api_key=" \n")
    [request] = server.requests
    assert request.path == "/ok/v1/chat/completions?api-version=2025-01-01"
    assert "Authorization" not in request.headers


def test_key_is_not_in_the_repr() -> None:
    assert KEY not in repr(make_request("http://127.0.0.1/v1"))


# Fault; code; how the message begins; text kept; begun; after how many seconds at least.
NOT_AN_ANSWER = "The model’s server sent something that is not an answer."
IN_THE_MIDDLE = "The model’s server sent something in the middle that is not part of an answer."
SILENT = "The model did not answer within 0.6 seconds."
STOPPED = "The model stopped writing and sent nothing for 0.5 seconds."
UNFINISHED = "The answer was not finished after 1.2 seconds and was stopped."
BROKE = "The connection to the model broke while it was writing."
FAULTS = [
    ("stall_before_headers", "first_token_timeout", SILENT, "", False, FIRST),
    ("stall_before_first", "first_token_timeout", SILENT, "", False, FIRST),
    ("drip_headers", "first_token_timeout", SILENT, "", False, FIRST),
    ("drip_comments", "first_token_timeout", SILENT, "", False, FIRST),
    ("flood_comments", "first_token_timeout", SILENT, "", False, FIRST),
    ("stall_midway", "stalled", STOPPED, HALF, True, STALL),
    ("drip_midway", "stalled", STOPPED, HALF, True, STALL),
    ("drip_words", "total_timeout", UNFINISHED, re.compile("x{10,25}"), True, TOTAL),
    ("endless_json", "too_long", "The answer grew past 100,000 characters and was stopped.", "", False, 0),
    ("reset_before_first", "reset", "The connection to the model broke before it answered.", "", False, 0),
    ("reset_midway", "reset", BROKE, HALF, True, 0),
    ("closed_midway", "reset", BROKE, HALF, True, 0),
    ("no_end_marker", "cut_off", "The answer ended before it was whole. What had arrived is kept.", HALF, True, 0),
    ("empty_stream", "cut_off", "The answer ended before it was whole.", "", False, 0),
    (
        "error_in_stream",
        "server_error",
        "The provider failed while answering. It said: “The server is overloaded”. What had arrived is kept. Try",
        HALF,
        True,
        0,
    ),
    (
        "rate_limit_in_stream",
        "rate_limited",
        "The provider takes no more questions at the moment (429). It said: “Too many tokens”. Try again in a little",
        "",
        False,
        0,
    ),
    ("bad_json", "bad_response", IN_THE_MIDDLE, HALF, True, 0),
    ("deep_json", "bad_response", NOT_AN_ANSWER, "", False, 0),
    ("endless", "too_long", "The answer grew past 100,000 characters", "x" * 100_000, True, 0),
    ("huge_token", "too_long", "The answer grew past 100,000 characters", "y" * 100_000, True, 0),
    ("endless_line", "too_long", "The answer grew past 100,000 characters", "", False, 0),
    ("wrong_content_type", "bad_response", NOT_AN_ANSWER, "", False, 0),
    ("not_http", "bad_response", NOT_AN_ANSWER, "", False, 0),
    ("json_not_an_answer", "bad_response", NOT_AN_ANSWER, "", False, 0),
    ("redirect", "bad_response", "The model’s server sent us to another address", "", False, 0),
    (
        "400",
        "bad_request",
        "The provider could not take this question (400). It said: “This model takes 8192 tokens at most”. Change the",
        "",
        False,
        0,
    ),
    (
        "401",
        "unauthorized",
        "The provider did not accept the key of this model (401). It said: “Incorrect API key provided: … (also …)”. S",
        "",
        False,
        0,
    ),
    (
        "403",
        "unauthorized",
        "The provider did not accept the key of this model (403). It said: “Not for you”. Staff can correct it.",
        "",
        False,
        0,
    ),
    (
        "404",
        "bad_request",
        "The provider does not know this model, or its address is wrong (404). It said: “The model `nope` does not ex",
        "",
        False,
        0,
    ),
    (
        "429",
        "rate_limited",
        "The provider takes no more questions at the moment (429). It said: “Slow down”. Try again in 12 seconds. Noth",
        "",
        False,
        0,
    ),
    (
        "429_bare",
        "rate_limited",
        "The provider takes no more questions at the moment (429). Try again in a little while, or choose another mod",
        "",
        False,
        0,
    ),
    ("500", "server_error", "The provider failed (500). It said: “Internal error. Internal error.", "", False, 0),
    ("503_html", "server_error", "The provider failed (503). Try again, or choose another model.", "", False, 0),
]


@pytest.mark.parametrize(
    ("fault", "code", "message", "kept", "begun", "at_least"), FAULTS, ids=[row[0] for row in FAULTS]
)
def test_fault(
    server: FaultServer, fault: str, code: str, message: str, kept: str | re.Pattern[str], begun: bool, at_least: float
) -> None:
    text, end, seconds = ask(server.base_url(fault))
    assert isinstance(end, ProviderError)
    assert (end.code, end.message[: len(message)], end.interrupted) == (code, message, begun)
    assert text == kept if isinstance(kept, str) else kept.fullmatch(text)
    assert at_least - 0.05 <= seconds < (at_least or TOTAL) + 1
    assert len(server.requests) == 1
    assert len(end.message) < 600


def test_the_other_address_of_a_redirect_is_not_asked(server: FaultServer) -> None:
    ask(server.base_url("redirect"))
    assert [request.path for request in server.requests] == ["/redirect/v1/chat/completions"]


def test_retry_after(server: FaultServer) -> None:
    ends = [ask(server.base_url(fault))[1] for fault in ("429", "429_date", "429_bare")]
    waits = [end.retry_after for end in ends if isinstance(end, ProviderError)]
    assert waits[0] == 12
    assert waits[1] in range(88, 92)
    assert waits[2] is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0.2", 1),
        ("99999999", 86400),
        ("-3", None),
        ("", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 99 Oct 2015", None),
        ("1e400", None),
        ("٣", None),
    ],
)
def test_retry_after_header(value: str, seconds: int | None) -> None:
    assert retry_after({"retry-after": value}) == seconds


def test_refused(server: FaultServer) -> None:
    with closed_port() as base_url:
        text, end, seconds = ask(base_url)
    assert isinstance(end, ProviderError)
    assert (text, end.code, end.interrupted) == ("", "refused", False)
    assert end.message.startswith("The model could not be reached: nothing answers at its address.")
    assert seconds < 1


def test_connect_timeout() -> None:
    with never_accepting() as base_url:
        text, end, seconds = ask(base_url)
    assert isinstance(end, ProviderError)
    assert (text, end.code, end.interrupted) == ("", "connect_timeout", False)
    assert end.message.startswith("The model could not be reached within 0.4 seconds.")
    assert CONNECT - 0.05 <= seconds < CONNECT + 1


def test_connect_timeout_in_the_tls_handshake() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        _, end, seconds = ask(f"https://127.0.0.1:{listener.getsockname()[1]}/v1")
    assert isinstance(end, ProviderError)
    assert end.code == "connect_timeout"
    assert seconds < CONNECT + 1


def test_a_name_that_is_looked_up_for_ever(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.PROVIDER_HOSTS = ["models.example"]
    looking = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: looking.wait(10) and [])
    _, end, seconds = ask("http://models.example/v1")
    looking.set()
    assert isinstance(end, ProviderError)
    assert end.code == "connect_timeout"
    assert seconds < CONNECT + 1


@pytest.mark.parametrize(
    ("base_url", "code"),
    [
        ("", "refused"),
        ("models.example/v1", "refused"),
        ("ftp://127.0.0.1/v1", "refused"),
        ("http://[::1/v1", "refused"),
        ("http://a\nb/v1", "refused"),
        ("http://" + "a" * 300 + ".invalid/v1", "refused"),
        ("http://127.0.0.1:99999/v1", "refused"),
    ],
)
def test_addresses_that_are_none(base_url: str, code: str) -> None:
    _, end, _ = ask(base_url)
    assert isinstance(end, ProviderError)
    assert end.code == code


@pytest.mark.parametrize("key", ["sk-schlüssel-0123", "sk-a\nX-Evil: 1"])
def test_a_key_that_is_none(server: FaultServer, key: str) -> None:
    _, end, _ = ask(server.base_url("ok"), api_key=key)
    assert isinstance(end, ProviderError)
    assert (end.code, server.requests) == ("unauthorized", [])


def test_closing_hangs_up(server: FaultServer) -> None:
    events = stream_chat("openai", make_request(server.base_url("endless")))
    next(events)
    started = time.monotonic()
    events.close()
    assert time.monotonic() - started < 5
    assert transport.client()._transport._pool.connections == []


def test_a_slow_reader_is_not_a_stall(server: FaultServer) -> None:
    events = stream_chat("openai", make_request(server.base_url("ok"), total_seconds=5))
    next(events)
    time.sleep(STALL + 0.2)
    assert list(events)[-1] == Finished("stop", MODEL, REPORTED)


def test_fifty_at_once(server: FaultServer) -> None:
    ends: list[tuple[str, object]] = []
    threads = [
        threading.Thread(
            target=lambda: ends.append(ask(server.base_url("slow"), first_token_seconds=10, total_seconds=15)[:2])
        )
        for _ in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends == [(ANSWER, Finished("stop", MODEL, REPORTED))] * 50


def test_a_server_that_nobody_here_wrote() -> None:
    with running_model_server() as base_url:
        text, end, _ = ask(
            base_url, model="gpt-4.1:mock-delay", first_token_seconds=10, stall_seconds=10, total_seconds=20
        )
        assert (text, end) == ("Mock stream for: Be brief. Bonjour 日本", Finished("stop", "gpt-4.1", end.usage))
        assert end.usage.output_tokens
        codes = [
            ask(base_url, model=f"gpt-4.1:mock-{status}", first_token_seconds=10)[1]
            for status in (400, 401, 429, 500, 503)
        ]
    assert [error.code for error in codes if isinstance(error, ProviderError)] == [
        "bad_request",
        "unauthorized",
        "rate_limited",
        "server_error",
        "server_error",
    ]


def test_echo() -> None:
    question = " Say  this\nagain, 日本 "
    request = ChatRequest(base_url="", model="echo", messages=({"role": "user", "content": question},))
    *deltas, end = stream_chat("echo", request)
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == question
    assert len(deltas) > 3
    assert end == Finished("stop", "echo", Usage(input_tokens=4, output_tokens=4))


def test_echo_is_short_and_quick() -> None:
    request = ChatRequest(
        base_url="", model="echo", messages=({"role": "user", "content": "a " * 5000},), max_response_chars=999
    )
    started = time.monotonic()
    *deltas, end = stream_chat("echo", request)
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == ("a " * 500)[:999]
    assert isinstance(end, Finished)
    assert end.finish_reason == "length"
    assert time.monotonic() - started < 4


def test_events_are_the_same_however_the_bytes_are_cut() -> None:
    stream = "﻿data: a\r\n\r\n: note\n\nevent: x\rdata: 1\u2028é\rdata:  2\r\rid: 7\ndata\n\ndata: last".encode()[3:]
    expected = [Event("", "a"), Event("x", "1\u2028é\n 2"), Event("", ""), Event("", "last")]
    for size in range(1, len(stream) + 1):
        parser = Parser(1000)
        chunks = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert [event for chunk in chunks for event in parser.feed(chunk)] + list(parser.close()) == expected


@pytest.mark.parametrize("chunk", [b"data: " + b"x" * 200, b"data: xxxxxxxxx\n" * 20])
def test_an_event_has_a_limit(chunk: bytes) -> None:
    with pytest.raises(EventTooLongError):
        list(Parser(100).feed(chunk))


def test_list_price() -> None:
    assert list_price("gpt-4o-mini") == Price(Decimal("0.15"), Decimal("0.6"), Decimal("0.075"))
    assert list_price("no-such-model") is None
    assert list_price("") is None
    assert list_price("text-embedding-3-small") is None
    assert list_price("openai/gpt-4o-mini", "https://openrouter.ai/api/v1") == Price(
        Decimal("0.15"), Decimal("0.6"), Decimal("0.075")
    )


@pytest.mark.parametrize(
    ("usage", "price", "expected"),
    [
        (Usage(1000, 500, 200), Price(Decimal("0.15"), Decimal("0.6"), Decimal("0.075")), "0.000435"),
        (Usage(1000, 500, 200), Price(Decimal("0.15"), Decimal("0.6")), "0.000450"),
        (Usage(10, 0, 20), Price(Decimal(1), Decimal(1), Decimal("0.5")), "0.000005"),
        (Usage(1, 0), Price(Decimal("0.5"), Decimal(0)), "0.000001"),
        (Usage(), Price(Decimal(3), Decimal(15)), "0.000000"),
        (Usage(2**31, 2**31), Price(Decimal(75), Decimal(150)), "483183.820800"),
    ],
)
def test_cost(usage: Usage, price: Price, expected: str) -> None:
    assert str(cost(usage, price)) == expected
