"""Anthropic's messages over HTTP.

The format: https://docs.anthropic.com/en/api/messages-streaming. The base URL goes up to and without /messages.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from conversations.providers import errors, sse
from conversations.providers.base import ChatRequest, Finished, TextDelta, Usage
from conversations.providers.call import Call, token_count

API_VERSION = "2023-06-01"
MAX_TOKENS = 4096
"""The provider wants to be told; this where nobody says."""
PARAMETERS = ("temperature", "top_p", "top_k")
_THOUGHTS = ("thinking_delta", "signature_delta", "input_json_delta", "citations_delta")


def stream(request: ChatRequest) -> Iterator[TextDelta | Finished]:
    return _Messages(request).run()


class _Messages(Call):
    URL_PATH = "/messages"

    def __init__(self, request: ChatRequest) -> None:
        super().__init__(request)
        self.counts: dict[str, int] = {}
        self.has_stopped = False

    def body(self) -> dict[str, Any]:
        given = self.request.parameters
        wanted = given.get("max_tokens") or given.get("max_completion_tokens")
        stop = given.get("stop")
        body: dict[str, Any] = {
            "model": self.request.model,
            "max_tokens": wanted if isinstance(wanted, int) and wanted > 0 else MAX_TOKENS,
            "messages": _turns(self.request.messages),
            "stream": True,
            **{name: given[name] for name in PARAMETERS if given.get(name) is not None},
        }
        if stop:
            body["stop_sequences"] = [stop] if isinstance(stop, str) else list(stop)
        if system := "\n\n".join(each["content"] for each in self.request.messages if each["role"] == "system"):
            body["system"] = system
        return body

    def headers(self, key: str) -> dict[str, str]:
        return {"anthropic-version": API_VERSION, **({"x-api-key": key} if key else {})}

    def is_last(self, event: sse.Event) -> bool:
        return self.has_stopped

    def take_whole(self, payload: dict[str, Any]) -> Iterator[TextDelta]:
        if payload.get("type") == "error":
            raise errors.from_stream(payload.get("error"), self.request.api_key, interrupted=False)
        blocks = payload.get("content")
        if not isinstance(blocks, list):
            raise errors.bad_response()
        self._learn(payload)
        for block in blocks:
            if isinstance(block, dict) and isinstance(block.get("text"), str):
                yield from self.arrive(block["text"])
        self._stop(payload)

    def take(self, payload: dict[str, Any], *, is_error: bool = False) -> Iterator[TextDelta]:
        kind = payload.get("type")
        if is_error or kind == "error":
            raise errors.from_stream(payload.get("error", payload), self.request.api_key, interrupted=self.begun)
        delta = payload.get("delta")
        delta = delta if isinstance(delta, dict) else {}
        if kind == "message_start" and isinstance(payload.get("message"), dict):
            self._learn(payload["message"])
        elif kind == "content_block_delta" and delta.get("type") in ("text_delta", *_THOUGHTS):
            text = delta.get("text") if delta["type"] == "text_delta" else ""
            yield from self.arrive(text if isinstance(text, str) else "")
        elif kind == "message_delta":
            self._learn(payload)
            self._stop(delta)
        elif kind == "message_stop":
            self.has_stopped = True

    def _stop(self, facts: dict[str, Any]) -> None:
        if isinstance(facts.get("stop_reason"), str) and facts["stop_reason"]:
            self.finish(facts["stop_reason"])

    def _learn(self, facts: dict[str, Any]) -> None:
        """The model's own name, and counts that later events may make larger."""
        if isinstance(facts.get("model"), str) and facts["model"]:
            self.model = facts["model"][:200]
        usage = facts.get("usage")
        for name, value in usage.items() if isinstance(usage, dict) else ():
            if (number := token_count(value)) is not None:
                self.counts[name] = number
        read, made = (self.counts.get(f"cache_{what}_input_tokens") for what in ("read", "creation"))
        plain = self.counts.get("input_tokens")
        self.usage = Usage(
            input_tokens=None if plain is None else plain + (read or 0) + (made or 0),
            output_tokens=self.counts.get("output_tokens"),
            cached_tokens=read,
        )


def _turns(messages: tuple[Mapping[str, str], ...]) -> list[dict[str, str]]:
    """The messages but for the system's. Two of one side in a row are one: the provider wants them to alternate."""
    turns: list[dict[str, str]] = []
    for each in messages:
        if each["role"] == "system":
            continue
        if turns and turns[-1]["role"] == each["role"]:
            turns[-1]["content"] += f"\n\n{each['content']}"
        else:
            turns.append({"role": each["role"], "content": each["content"]})
    return turns
