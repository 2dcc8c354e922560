"""Where questions may be sent: the hosts that the operator listed, or any public one where none is listed.

An address of this machine or its network is reached only by a name that is listed: else whoever may add a model could
have this server knock at doors that only it can reach.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings


def is_listed(host: str, port: int | None) -> bool:
    """Whether the operator named this host, alone or with this port."""
    return not {host.lower(), f"{host.lower()}:{port}"}.isdisjoint(settings.PROVIDER_HOSTS)


def is_allowed(url: str) -> bool:
    """Whether a base URL may be used at all, as far as its text tells; what its name stands for is seen later."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return False
    if not host or parts.username or parts.password:
        return False
    return is_listed(host, port) or (not settings.PROVIDER_HOSTS and not is_private(host))


def is_private(address: str) -> bool:
    """Whether this is an address that not all of the internet reaches; False for a name."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address.lower() == "localhost" or address.lower().endswith(".localhost")
    return not found.is_global or found.is_multicast
