"""Chat completions over HTTP as OpenAI defined them, and as dozens of other servers speak them.

The format: https://platform.openai.com/docs/api-reference/chat-streaming. What servers do differently, and is taken
here: no `[DONE]`, no usage, chunks without choices, a plain JSON answer to a request for a stream, an error inside a
stream.
"""

from collections.abc import Iterator
from typing import Any

from conversations.providers import errors, sse
from conversations.providers.base import ChatRequest, Finished, TextDelta, Usage
from conversations.providers.call import Call, token_count

PARAMETERS = frozenset(
    (
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "seed",
        "presence_penalty",
        "frequency_penalty",
        "response_format",
        "reasoning_effort",
        "verbosity",
    )
)
TOKENS = ("content", "refusal", "reasoning_content", "reasoning", "tool_calls")


def stream(request: ChatRequest) -> Iterator[TextDelta | Finished]:
    return _Completion(request).run()


class _Completion(Call):
    URL_PATH = "/chat/completions"

    def body(self) -> dict[str, Any]:
        known = {name: value for name, value in self.request.parameters.items() if name in PARAMETERS}
        return {
            **{name: value for name, value in known.items() if value is not None},
            "model": self.request.model,
            "messages": list(self.request.messages),
            "stream": True,
            "stream_options": {"include_usage": True},
        }

    def headers(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"} if key else {}

    def is_last(self, event: sse.Event) -> bool:
        return event.data.strip() == "[DONE]"

    def take_whole(self, payload: dict[str, Any]) -> Iterator[TextDelta]:
        if not (payload.get("choices") or payload.get("error")):
            raise errors.bad_response()
        yield from self.take(payload)

    def take(self, payload: dict[str, Any], *, is_error: bool = False) -> Iterator[TextDelta]:
        if is_error or payload.get("error"):
            raise errors.from_stream(payload.get("error", payload), self.request.api_key, interrupted=self.begun)
        if isinstance(payload.get("model"), str) and payload["model"]:
            self.model = payload["model"][:200]
        if isinstance(payload.get("usage"), dict):
            self.usage = _usage(payload["usage"])
        choices = payload.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict) or choice.get("index"):
            return
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict) and any(delta.get(name) for name in TOKENS):
            yield from self.arrive(_content(delta))
        reason = choice.get("finish_reason")
        if reason == "error":
            raise errors.from_stream({}, self.request.api_key, interrupted=self.begun)
        if isinstance(reason, str) and reason:
            self.finish(reason)


def _content(delta: dict[str, Any]) -> str:
    """The text of a delta; some models send it in typed parts, of which thinking is not answer."""
    content = delta.get("content") or delta.get("refusal")
    if isinstance(content, list):
        content = "".join(part["text"] for part in content if isinstance(part, dict) and _is_text(part))
    return content if isinstance(content, str) else ""


def _is_text(part: dict[str, Any]) -> bool:
    return part.get("type") == "text" and isinstance(part.get("text"), str)


def _usage(reported: dict[str, Any]) -> Usage:
    def part(details: str, name: str) -> int | None:
        found = reported.get(details)
        return token_count(found.get(name)) if isinstance(found, dict) else None

    cached = part("prompt_tokens_details", "cached_tokens")
    return Usage(
        input_tokens=token_count(reported.get("prompt_tokens")),
        output_tokens=token_count(reported.get("completion_tokens")),
        cached_tokens=token_count(reported.get("prompt_cache_hit_tokens")) if cached is None else cached,
        reasoning_tokens=part("completion_tokens_details", "reasoning_tokens"),
    )
