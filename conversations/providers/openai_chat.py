"""Chat completions over HTTP as OpenAI defined them, and as dozens of other servers speak them.

The format: https://platform.openai.com/docs/api-reference/chat-streaming. What servers do differently, and is taken
here: no `[DONE]`, no usage, chunks without choices, a plain JSON answer to a request for a stream, an error inside a
stream.
"""

import codecs
import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import httpx2

from conversations.providers import errors, sse, transport
from conversations.providers.base import ChatRequest, Finished, ProviderError, TextDelta, Usage

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
# After the finish reason only the usage can follow.
GRACE_SECONDS = 5
ERROR_BYTES = 64 * 1024


def stream(request: ChatRequest) -> Iterator[TextDelta | Finished]:
    return _Call(request).run()


class _Call:
    def __init__(self, request: ChatRequest) -> None:
        self.request = request
        self.started = monotonic()
        self.begun = False
        self.progress = self.started
        self.finished_at: float | None = None
        self.finish_reason = ""
        self.model = request.model
        self.usage = Usage()
        self.chars = 0
        # A JSON character takes twelve bytes at most, so whatever stays under the cap in characters fits.
        self.limit = 12 * request.max_response_chars + 64 * 1024
        # Some servers cut an emoji's surrogate pair in two; half a pair can be stored in no database.
        self.decoder = codecs.getincrementaldecoder("utf-16-le")("replace")

    def run(self) -> Iterator[TextDelta | Finished]:
        prepared = self._prepare()
        with self._network():
            response = transport.client().send(prepared, stream=True)
        try:
            chunks = response.iter_bytes()
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if response.is_redirect:
                raise errors.redirected()
            if response.status_code != 200:
                raise self._refusal(response, chunks)
            if kind == "text/event-stream":
                yield from self._read_events(chunks)
            elif kind == "application/json":
                yield from self._read_whole(chunks)
            else:
                raise errors.bad_response()
        finally:
            response.close()
        yield Finished(self.finish_reason, self.model, self.usage)

    def _prepare(self) -> httpx2.Request:
        request = self.request
        body = {
            **{name: value for name, value in request.parameters.items() if name in PARAMETERS and value is not None},
            "model": request.model,
            "messages": list(request.messages),
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json"}
        headers |= {"Accept-Encoding": "identity", "User-Agent": "promptlib"}
        if key := request.api_key.strip():
            if not (key.isascii() and key.isprintable()):
                raise errors.bad_key()
            headers["Authorization"] = f"Bearer {key}"
        try:
            base = httpx2.URL(request.base_url.strip())
            url = base.copy_with(path=base.path.rstrip("/") + "/chat/completions")
            if url.scheme not in ("http", "https") or not url.host:
                raise errors.bad_address()
            return transport.client().build_request("POST", url, content=json.dumps(body), headers=headers)
        except (httpx2.InvalidURL, UnicodeError) as error:
            raise errors.bad_address() from error

    def _read_events(self, chunks: Iterator[bytes]) -> Iterator[TextDelta]:
        parser = sse.Parser(self.limit)
        open_ = True
        while open_:
            try:
                chunk = self._next(chunks)
            except ProviderError:
                if self.finished_at is None:
                    raise
                return
            open_ = chunk is not None
            try:
                for event in parser.close() if chunk is None else parser.feed(chunk):
                    if event.data.strip() == "[DONE]":
                        yield from self._text("", final=True)
                        return
                    yield from self._take(self._parse(event.data), is_error=event.name == "error")
            except sse.EventTooLongError as error:
                raise errors.too_long(self.request.max_response_chars, interrupted=self.begun) from error
        yield from self._text("", final=True)
        if self.finished_at is None:
            raise errors.cut_off(interrupted=self.begun)

    def _read_whole(self, chunks: Iterator[bytes]) -> Iterator[TextDelta]:
        body = bytearray()
        while (chunk := self._next(chunks)) is not None:
            body += chunk
            if len(body) > self.limit:
                raise errors.too_long(self.request.max_response_chars, interrupted=False)
        payload = self._parse(body.decode("utf-8", "replace"))
        if not (payload.get("choices") or payload.get("error")):
            raise errors.bad_response()
        yield from self._take(payload)
        yield from self._text("", final=True)

    def _take(self, payload: dict[str, Any], *, is_error: bool = False) -> Iterator[TextDelta]:
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
            self.begun = True
            yield from self._text(_content(delta))
            self.progress = monotonic()
        reason = choice.get("finish_reason")
        if reason == "error":
            raise errors.from_stream({}, self.request.api_key, interrupted=self.begun)
        if isinstance(reason, str) and reason:
            self.finish_reason = reason[:50]
            self.finished_at = monotonic()

    def _text(self, text: str, *, final: bool = False) -> Iterator[TextDelta]:
        text = self.decoder.decode(text.encode("utf-16-le", "surrogatepass"), final).replace(
            "\0", "\N{REPLACEMENT CHARACTER}"
        )
        room = self.request.max_response_chars - self.chars
        self.chars += len(text)
        if text[:room]:
            yield TextDelta(text[:room])
        if len(text) > room:
            raise errors.too_long(self.request.max_response_chars, interrupted=True)

    def _parse(self, data: str) -> dict[str, Any]:
        try:
            payload = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise errors.bad_response(interrupted=self.begun) from error
        if not isinstance(payload, dict):
            raise errors.bad_response(interrupted=self.begun)
        return payload

    def _refusal(self, response: httpx2.Response, chunks: Iterator[bytes]) -> ProviderError:
        body = b""
        try:
            while len(body) < ERROR_BYTES and (chunk := self._next(chunks)) is not None:
                body += chunk
        except ProviderError:
            pass  # The status alone says enough.
        text = body.decode("utf-8", "replace")
        try:
            payload = json.loads(text)
        except (ValueError, RecursionError):
            payload = text
        return errors.from_status(response.status_code, response.headers, payload, self.request.api_key)

    def _next(self, chunks: Iterator[bytes]) -> bytes | None:
        with self._network():
            return next(chunks, None)

    @contextmanager
    def _network(self) -> Generator[None]:
        """Every wait for the network stands in here: it ends in time, and its errors are ours."""
        request, until = self.request, self._until()
        try:
            with transport.deadlines(connect=min(self.started + request.connect_seconds, until), read=until):
                yield
        except httpx2.ConnectTimeout as error:
            raise errors.connect_timeout(request.connect_seconds) from error
        except httpx2.TimeoutException as error:
            raise self._timeout() from error
        except (httpx2.ConnectError, httpx2.ProxyError) as error:
            raise errors.refused() from error
        except httpx2.NetworkError as error:
            raise errors.reset(interrupted=self.begun) from error
        except httpx2.RemoteProtocolError as error:
            if "disconnected" in str(error) or "closed" in str(error):
                raise errors.reset(interrupted=self.begun) from error
            raise errors.bad_response(interrupted=self.begun) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise errors.bad_response(interrupted=self.begun) from error

    def _until(self) -> float:
        request = self.request
        if self.finished_at is not None:
            silence = self.finished_at + GRACE_SECONDS
        elif self.begun:
            silence = self.progress + request.stall_seconds
        else:
            silence = self.started + request.first_token_seconds
        return min(silence, self.started + request.total_seconds)

    def _timeout(self) -> ProviderError:
        request = self.request
        if monotonic() >= self.started + request.total_seconds:
            return errors.total_timeout(request.total_seconds, interrupted=self.begun)
        if self.begun:
            return errors.stalled(request.stall_seconds)
        return errors.first_token_timeout(request.first_token_seconds)


def _content(delta: dict[str, Any]) -> str:
    """The text of a delta; some models send it in typed parts, of which thinking is not answer."""
    content = delta.get("content") or delta.get("refusal")
    if isinstance(content, list):
        content = "".join(part["text"] for part in content if isinstance(part, dict) and _is_text(part))
    return content if isinstance(content, str) else ""


def _is_text(part: dict[str, Any]) -> bool:
    return part.get("type") == "text" and isinstance(part.get("text"), str)


def _usage(reported: dict[str, Any]) -> Usage:
    def count(value: Any) -> int | None:
        return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None

    def part(details: str, name: str) -> int | None:
        found = reported.get(details)
        return count(found.get(name)) if isinstance(found, dict) else None

    cached = part("prompt_tokens_details", "cached_tokens")
    return Usage(
        input_tokens=count(reported.get("prompt_tokens")),
        output_tokens=count(reported.get("completion_tokens")),
        cached_tokens=count(reported.get("prompt_cache_hit_tokens")) if cached is None else cached,
        reasoning_tokens=part("completion_tokens_details", "reasoning_tokens"),
    )
