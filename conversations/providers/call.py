"""One call of a model over HTTP, whatever its wire format: deadlines, faults, size limits, whole characters.

A wire format says what is sent (`url_path`, `body`, `headers`) and what a piece of the answer means (`take`).
"""

import codecs
import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, ClassVar

import httpx2

from conversations.providers import errors, hosts, sse, transport
from conversations.providers.base import ChatRequest, Finished, ProviderError, TextDelta, Usage

# After the finish reason only the usage can follow.
GRACE_SECONDS = 5
ERROR_BYTES = 64 * 1024
PORTS = {"http": 80, "https": 443}


class Call:
    """One request. `begun` once text or reasoning has arrived; `finish_reason` and `usage` are the provider's."""

    URL_PATH: ClassVar[str]

    def __init__(self, request: ChatRequest) -> None:
        self.request = request
        self.sent = monotonic()
        self.started = self.sent if request.began is None else request.began
        self.begun = False
        self.progress = self.started
        self.finished_at: float | None = None
        self.finish_reason = ""
        self.model = request.model
        self.usage = Usage()
        self.chars = 0
        self.public_host = ""
        # A JSON character takes twelve bytes at most, so whatever stays under the cap in characters fits.
        self.limit = 12 * request.max_response_chars + 64 * 1024
        # Some servers cut an emoji's surrogate pair in two; half a pair can be stored in no database.
        self.decoder = codecs.getincrementaldecoder("utf-16-le")("replace")

    # ---- what a wire format says ---------------------------------------------

    def body(self) -> dict[str, Any]:
        """What is sent, as JSON."""
        raise NotImplementedError

    def headers(self, key: str) -> dict[str, str]:
        """How the provider wants its key, and what else it must be told."""
        raise NotImplementedError

    def take(self, payload: dict[str, Any], *, is_error: bool = False) -> Iterator[TextDelta]:
        """One event of the stream."""
        raise NotImplementedError

    def take_whole(self, payload: dict[str, Any]) -> Iterator[TextDelta]:
        """The answer of a server that does not stream."""
        raise NotImplementedError

    def is_last(self, event: sse.Event) -> bool:
        """Whether nothing comes after this event."""
        raise NotImplementedError

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
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json"}
        headers |= {"Accept-Encoding": "identity", "User-Agent": "promptlib"}
        key = request.api_key.strip()
        if not key.isascii() or (key and not key.isprintable()):
            raise errors.bad_key()
        headers |= self.headers(key)
        try:
            base = httpx2.URL(request.base_url.strip())
            url = base.copy_with(path=base.path.rstrip("/") + self.URL_PATH)
            if url.scheme not in ("http", "https") or not url.host:
                raise errors.bad_address()
            if not hosts.is_allowed(request.base_url.strip()):
                raise errors.not_allowed()
            name, port = (
                url.raw_host.decode(),
                url.port or PORTS[url.scheme],
            )  # as it is looked up: xn--… for a letter é
            is_listed = hosts.is_listed(url.host, port) or hosts.is_listed(name, port)
            self.public_host = "" if is_listed else name
            content = json.dumps(self.body())
            return transport.client().build_request("POST", url, content=content, headers=headers)
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
                    if event.data.strip() != "[DONE]":
                        yield from self.take(self._parse(event.data), is_error=event.name == "error")
                    if self.is_last(event):
                        yield from self.text("", final=True)
                        return
            except sse.EventTooLongError as error:
                raise errors.too_long(self.request.max_response_chars, interrupted=self.begun) from error
        yield from self.text("", final=True)
        if self.finished_at is None:
            raise errors.cut_off(interrupted=self.begun)

    def _read_whole(self, chunks: Iterator[bytes]) -> Iterator[TextDelta]:
        body = bytearray()
        while (chunk := self._next(chunks)) is not None:
            body += chunk
            if len(body) > self.limit:
                raise errors.too_long(self.request.max_response_chars, interrupted=False)
        yield from self.take_whole(self._parse(body.decode("utf-8", "replace")))
        yield from self.text("", final=True)

    def arrive(self, text: str) -> Iterator[TextDelta]:
        """A piece of the answer, or of its reasoning with an empty `text`."""
        self.begun = True
        yield from self.text(text)
        self.progress = monotonic()

    def finish(self, reason: str) -> None:
        self.finish_reason = reason[:50]
        self.finished_at = monotonic()

    def text(self, text: str, *, final: bool = False) -> Iterator[TextDelta]:
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
            connect = min(self.sent + request.connect_seconds, until)
            with transport.deadlines(connect=connect, read=until, public_host=self.public_host):
                yield
        except httpx2.ConnectTimeout as error:
            raise errors.connect_timeout(request.connect_seconds) from error
        except httpx2.TimeoutException as error:
            raise self._timeout() from error
        except (httpx2.ConnectError, httpx2.ProxyError) as error:
            is_private = isinstance(error.__cause__, transport.PrivateAddressError)
            raise (errors.not_allowed() if is_private else errors.refused()) from error
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


def token_count(value: Any) -> int | None:
    """A number of tokens as a provider reports it; None for anything that cannot be one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None
