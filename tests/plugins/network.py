"""Nothing in a test may reach beyond this machine."""

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest


def _is_here(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else str(host or "")
    if name in {"", "localhost", socket.gethostname()}:
        return True
    try:
        return ipaddress.ip_address(name.split("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def network_guard(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A connection or a name lookup beyond loopback is refused, and fails the test even if the code swallows it.

    Names under `.invalid` do not exist (RFC 6761): they fail as they would anywhere, and nothing else happens.
    """
    strayed: list[str] = []

    def refuse(host: Any) -> None:
        strayed.append(str(host))
        raise ConnectionRefusedError(f"A test tried to reach {host!r}: tests stay on this machine.")

    def guarded(original: Any, position: int = 0) -> Any:
        def call(self: socket.socket, *args: Any) -> Any:
            address = args[position if position < len(args) else -1]
            if (
                self.family in (socket.AF_INET, socket.AF_INET6)
                and isinstance(address, tuple)
                and not _is_here(address[0])
            ):
                refuse(address[0])
            return original(self, *args)

        return call

    def lookup(host: Any, *args: Any, _original: Any = socket.getaddrinfo, **kwargs: Any) -> Any:
        if str(host).endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if not _is_here(host):
            refuse(host)
        return _original(host, *args, **kwargs)

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))
    monkeypatch.setattr(socket.socket, "sendto", guarded(socket.socket.sendto, position=-1))
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    yield strayed
    if strayed:
        pytest.fail(f"This test tried to reach {', '.join(sorted(set(strayed)))}.")
