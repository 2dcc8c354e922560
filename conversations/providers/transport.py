"""An HTTP client whose calls end when they should.

The client's own timeouts start again at every byte, so a server that drips keeps a call open for ever: before its
headers, in the TLS handshake, between two tokens. Here each call carries its deadlines in the thread that makes it, and
every wait for the network, looking up the name included, lasts until the deadline at most.
"""

import socket
import ssl
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from time import monotonic
from typing import Any, cast

import httpcore2
import httpx2

from conversations.providers import hosts

_making = threading.Lock()
_deadlines = threading.local()
# A lookup cannot be interrupted, only left behind.
_resolver = ThreadPoolExecutor(max_workers=8, thread_name_prefix="resolve")


def client() -> httpx2.Client:
    """The one client of this process: making one costs 45 ms. It follows no redirect and honours HTTPS_PROXY.

    No connection is used twice: the server may just have closed it, and a call is never repeated.
    """
    with _making:
        return _make_client()


@cache
def _make_client() -> httpx2.Client:
    made = httpx2.Client(follow_redirects=False, limits=httpx2.Limits(max_keepalive_connections=0))
    for transport in (made._transport, *made._mounts.values()):
        if isinstance(transport, httpx2.HTTPTransport):
            transport._pool._network_backend = _Backend()
    return made


class PrivateAddressError(httpcore2.ConnectError):
    """A name that is not listed stands for an address of this machine or its network."""


@contextmanager
def deadlines(*, connect: float, read: float, public_host: str = "") -> Iterator[None]:
    """Inside, this thread waits for a connection and for bytes until these moments (of `time.monotonic`) at most.

    `public_host` is reached at public addresses alone, whatever its name stands for at that moment.

    Not to be held across a `yield` of a generator, which another thread may go on with.
    """
    _deadlines.connect, _deadlines.read, _deadlines.public_host = connect, read, public_host
    try:
        yield
    finally:
        del _deadlines.connect, _deadlines.read, _deadlines.public_host


def _left(deadline: float, error: type[Exception]) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise error("The deadline has passed.")
    return left


class _Backend(httpcore2.NetworkBackend):
    def __init__(self) -> None:
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        failure: Exception = httpcore2.ConnectError("The name has no address.")
        for address in _resolve(host, port):
            left = _left(_deadlines.connect, httpcore2.ConnectTimeout)
            if host == _deadlines.public_host and hosts.is_private(address):
                failure = PrivateAddressError(address)
                continue
            try:
                return _Stream(self._inner.connect_tcp(address, port, left, local_address, socket_options))
            except httpcore2.ConnectError as error:
                failure = error
        raise failure

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.NetworkStream:
        raise httpcore2.UnsupportedProtocol("Only TCP.")


def _resolve(host: str, port: int) -> list[str]:
    try:
        found = _resolver.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM).result(
            timeout=_left(_deadlines.connect, httpcore2.ConnectTimeout)
        )
    except TimeoutError as error:
        raise httpcore2.ConnectTimeout("The name was not found in time.") from error
    except (OSError, UnicodeError) as error:
        raise httpcore2.ConnectError(str(error)) from error
    return [cast(str, address[0]) for *_, address in found]


class _Stream(httpcore2.NetworkStream):
    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(_deadlines.read, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(_deadlines.read, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = _left(_deadlines.connect, httpcore2.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
