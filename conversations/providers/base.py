"""What a provider takes and gives: a request, pieces of text, an end, or one kind of error."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question to a model. Times are in seconds and count from the moment the call begins.

    `first_token_seconds` ends with the first piece of text or of reasoning; after it the model may be silent for
    `stall_seconds` at a time. Of `parameters` only those a provider knows are sent.

    It is sent `attempts` times at most, again only where nothing can be billed twice, and not once `given_up` is set.
    `began` is the moment (of `time.monotonic`) from which the first and the last deadline count, by default the call's.
    """

    base_url: str
    model: str
    messages: tuple[Mapping[str, str], ...]
    api_key: str = field(default="", repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    connect_seconds: float = 10
    first_token_seconds: float = 60
    stall_seconds: float = 60
    total_seconds: float = 300
    max_response_chars: int = 500_000
    attempts: int = 1
    began: float | None = None
    given_up: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them, None where it did not. Input includes cached, output includes reasoning."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer, never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is whole (or was ended for `finish_reason`: "stop", "length", …; "" if the provider gave none)."""

    finish_reason: str
    model: str
    usage: Usage = Usage()


class ProviderError(Exception):
    """A call that did not end in an answer.

    `code` is one of refused, connect_timeout, first_token_timeout, stalled, total_timeout, reset, rate_limited,
    unauthorized, bad_request, server_error, bad_response, cut_off, too_long. `message` is for people, translated.
    `retry_after` is in seconds. `interrupted` says that the answer had begun (text or reasoning had arrived),
    `is_repeatable` that the provider has done nothing it could bill.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retry_after: int | None = None,
        interrupted: bool = False,
        is_repeatable: bool = False,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.interrupted = interrupted
        self.is_repeatable = is_repeatable


Provider = Callable[[ChatRequest], Iterator[TextDelta | Finished]]
