"""Twelve faults in both wire formats, from the saved question to the saved end: in time, said plainly, nothing lost,
and no more calls than the installation allows."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from conversations import providers
from conversations.models import AIModel, Prompt
from conversations.services import ask, producer
from conversations.services.asking import Target
from tests.factories import AIModelFactory, ConversationFactory
from tests.faults import HALF, FaultServer, closed_port, never_accepting, running_fault_server

pytestmark = pytest.mark.django_db

CONNECT, FIRST, TOTAL = 0.4, 0.6, 1.2
WIRES = ("openai", "anthropic")


@pytest.fixture(autouse=True)
def _quick(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PROVIDER_CONNECT_SECONDS = CONNECT
    settings.PROVIDER_FIRST_TOKEN_SECONDS = FIRST
    settings.PROVIDER_TOTAL_SECONDS = TOTAL
    settings.PROVIDER_ATTEMPTS = 2
    monkeypatch.setattr(providers, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(producer, "start", lambda *_args, **_kwargs: None)  # each test produces its answer itself


@pytest.fixture(scope="module")
def faults() -> Iterator[FaultServer]:
    with running_fault_server() as server:
        yield server


@dataclass(frozen=True)
class End:
    """How a run ends: `text` is a pattern for all that is kept, `seconds` the deadline, `calls` what is sent."""

    status: str
    code: str
    message: str
    text: str = ""
    seconds: float = TOTAL
    calls: int = 1


REFUSED = "The model could not be reached: nothing answers at its address."
BAD = "The model’s server sent something that is not an answer."
FAULTS = {
    "refused": End("failed", "refused", REFUSED, calls=0),
    "slow connect": End(
        "failed", "connect_timeout", "The model could not be reached within 0.4 seconds.", seconds=CONNECT, calls=0
    ),
    "stall_before_first": End(
        "failed", "first_token_timeout", "The model did not answer within 0.6 seconds.", seconds=FIRST
    ),
    "stall_midway": End(
        "interrupted", "total_timeout", "The answer was not finished after 1.2 seconds", text=HALF, seconds=TOTAL
    ),
    "reset_midway": End("interrupted", "reset", "The connection to the model broke while it was writing.", text=HALF),
    "429": End("failed", "rate_limited", "The provider takes no more questions at the moment (429)."),
    "500": End("failed", "server_error", "The provider failed (500)."),
    "401": End("failed", "unauthorized", "The provider did not accept the key of this model (401)."),
    "bad_json": End("interrupted", "bad_response", "The model’s server sent something in the middle", text=HALF),
    "endless": End("interrupted", "too_long", "The answer grew past 500,000 characters", text="x{500000}"),
    "no_end_marker": End("interrupted", "cut_off", "The answer ended before it was whole.", text=HALF),
    "wrong_content_type": End("failed", "bad_response", BAD),
    "huge_token": End("interrupted", "too_long", "The answer grew past 500,000 characters", text="y{500000}"),
}


def asked(wire: str, base_url: str) -> Prompt:
    model = AIModelFactory(provider=AIModel.Provider(wire), base_url=base_url, name="fault-1")
    return ask(target=Target(), author=ConversationFactory().owner, text="Why?", model=model)


def ended(prompt: Prompt) -> Prompt:
    assert producer.produce(prompt.pk)
    return Prompt.objects.get(pk=prompt.pk)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault(faults: FaultServer, settings: Any, fault: str, wire: str) -> None:
    end = FAULTS[fault]
    if end.code == "too_long":
        settings.PROVIDER_TOTAL_SECONDS = 30  # half a million characters take their time on a busy machine
    with ExitStack() as stack:
        special = {"refused": closed_port, "slow connect": never_accepting}.get(fault)
        prompt = asked(wire, stack.enter_context(special()) if special else faults.base_url(fault))
        before = len(faults.requests)
        found = ended(prompt)
    assert (found.status, found.error_code, found.error_message[: len(end.message)]) == (
        end.status,
        end.code,
        end.message,
    )
    assert re.fullmatch(end.text, found.response_text)
    assert len(faults.requests) - before == end.calls
    seconds = settings.PROVIDER_TOTAL_SECONDS if end.code == "too_long" else end.seconds
    assert found.latency_ms is not None
    assert found.latency_ms <= (seconds + 1) * 1000
    assert ("charge" in found.error_message) == (found.error_code != "bad_response" or found.status != "failed")


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("fault", "attempts", "status", "calls"),
    [
        ("429_once", 2, "completed", 2),
        ("503_once", 2, "completed", 2),
        ("503_once", 1, "failed", 1),
        ("500_once", 2, "failed", 1),  # it may have done what it bills
        ("429", 2, "failed", 1),  # wants twelve seconds, and the deadline is earlier
        ("503_html", 3, "failed", 3),
        ("rate_limit_in_stream", 2, "failed", 1),
        ("reset_before_first", 2, "failed", 1),
    ],
)
def test_a_question_is_sent_again_only_where_nothing_can_be_billed_twice(
    settings: Any, fault: str, attempts: int, status: str, calls: int, wire: str
) -> None:
    settings.PROVIDER_ATTEMPTS = attempts
    settings.PROVIDER_FIRST_TOKEN_SECONDS = settings.PROVIDER_TOTAL_SECONDS = 5
    with running_fault_server() as server:
        found = ended(asked(wire, server.base_url(fault)))
    assert (found.status, len(server.requests)) == (status, calls)


def test_a_refused_connection_is_tried_again(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PROVIDER_ATTEMPTS = 3
    tried = []
    real = providers.PROVIDERS["openai"]
    monkeypatch.setitem(providers.PROVIDERS, "openai", lambda request: (tried.append(request.began), real(request))[1])
    with closed_port() as base_url:
        assert ended(asked("openai", base_url)).error_code == "refused"
    assert len(tried) == 3
    assert len(set(tried)) == 1  # the deadlines count from the first attempt


def test_nothing_is_sent_again_once_somebody_stopped_it(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PROVIDER_FIRST_TOKEN_SECONDS = settings.PROVIDER_TOTAL_SECONDS = 30
    monkeypatch.setattr(providers, "FIRST_PAUSE", 20)
    real = providers.stream_chat

    def stopped(kind: str, request: Any) -> Any:
        request.given_up.set()
        return real(kind, request)

    monkeypatch.setattr(producer, "stream_chat", stopped)
    with running_fault_server() as server:
        found = ended(asked("openai", server.base_url("503_once")))
    assert (found.status, found.error_code, len(server.requests)) == ("interrupted", "stopped", 1)
