"""What stands in no log: the secret part of an address that is itself the right to something."""

import re
from collections.abc import MutableMapping
from typing import Any

SECRET_PARTS = re.compile(r"(/shared/|/accounts/confirm-email/|/accounts/password/reset/key/)[^/?#\s\"']+")


def without_secrets(text: str) -> str:
    """`/shared/…/` for the address of a link to read; likewise those of links in e-mails."""
    return SECRET_PARTS.sub(r"\1…", text)


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog, for whatever is logged."""
    for name, value in event.items():
        if isinstance(value, str) and "/" in value:
            event[name] = without_secrets(value)
    return event
