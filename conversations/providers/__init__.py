"""Calls to models, one module per wire format.

A call takes seconds to minutes: never make one inside a database transaction. Nothing here retries, because a question
asked twice may be billed twice.
"""

from collections.abc import Iterator

from conversations.providers import anthropic, echo, openai_chat
from conversations.providers.base import ChatRequest, Finished, Provider, ProviderError, TextDelta, Usage

__all__ = ["PROVIDERS", "ChatRequest", "Finished", "ProviderError", "TextDelta", "Usage", "stream_chat"]

PROVIDERS: dict[str, Provider] = {
    "openai": openai_chat.stream,
    "anthropic": anthropic.stream,
    "echo": echo.stream,
}


def stream_chat(kind: str, request: ChatRequest) -> Iterator[TextDelta | Finished]:
    """The answer as it is written: any number of `TextDelta`, then one `Finished`.

    Raises `ProviderError` instead of finishing; what was yielded until then stands. Closing the iterator closes the
    connection, which is how a person stops an answer. An unknown `kind` is a KeyError.
    """
    return PROVIDERS[kind](request)
