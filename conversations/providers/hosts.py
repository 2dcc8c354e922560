"""Where questions may be sent: the hosts that the operator listed, or any public one where none is listed.

An address of this machine or its network is reached only by a name that is listed: else whoever may add a model could
have this server knock at doors that only it can reach.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
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


CARRIERS = [ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")]
"""IPv6 addresses that end in an IPv4 address, to which a gateway may pass things on."""
FORMERLY_LOCAL = ip_network("fec0::/10")


def is_private(address: str) -> bool:
    """Whether this is an address that not all of the internet reaches; False for a name."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        name = address.lower().rstrip(".")
        return name == "localhost" or name.endswith(".localhost")
    inner = _carried(found) if isinstance(found, IPv6Address) else None
    if inner is not None and is_private(str(inner)):
        return True
    return not found.is_global or found.is_multicast or found in FORMERLY_LOCAL


def _carried(address: IPv6Address) -> IPv4Address | None:
    if any(address in net for net in CARRIERS):
        return IPv4Address(address.packed[-4:])
    return address.sixtofour
