"""Calls to models, one module per wire format.

A call takes seconds to minutes: never make one inside a database transaction. A question is sent again only where the
provider has done nothing yet, because asked twice it may be billed twice.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from time import monotonic

from conversations.providers import anthropic, echo, openai_chat
from conversations.providers.base import ChatRequest, Finished, Provider, ProviderError, TextDelta, Usage

__all__ = ["PROVIDERS", "ChatRequest", "Finished", "ProviderError", "TextDelta", "Usage", "stream_chat"]

PROVIDERS: dict[str, Provider] = {
    "openai": openai_chat.stream,
    "anthropic": anthropic.stream,
    "echo": echo.stream,
}


FIRST_PAUSE = 0.5
"""Seconds before a question is sent for the second time; then twice as long each time, and a little by chance."""


def stream_chat(kind: str, request: ChatRequest) -> Iterator[TextDelta | Finished]:
    """The answer as it is written: any number of `TextDelta`, then one `Finished`.

    Raises `ProviderError` instead of finishing; what was yielded until then stands. Closing the iterator closes the
    connection, which is how a person stops an answer. An unknown `kind` is a KeyError.
    """
    provider, request = PROVIDERS[kind], replace(request, began=request.began or monotonic())
    for attempt in range(request.attempts):
        try:
            yield from provider(request)
            return
        except ProviderError as error:
            if attempt + 1 == request.attempts or not _may_repeat(request, error, attempt):
                raise


def _may_repeat(request: ChatRequest, error: ProviderError, attempt: int) -> bool:
    """Waits as long as the provider wants, or a little; not beyond the time for the first word, then or ever."""
    assert request.began is not None
    pause = FIRST_PAUSE * 2**attempt * random.uniform(1, 1.25)  # noqa: S311  # spreads the attempts, guards nothing
    pause = max(pause, error.retry_after or 0)
    left = request.began + min(request.first_token_seconds, request.total_seconds) - monotonic()
    return error.is_repeatable and not error.interrupted and pause < left and not request.given_up.wait(pause)
