"""Who acts, from where, in which request: what every audit row written meanwhile carries."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import structlog


@dataclass(frozen=True)
class Origin:
    """Where an action comes from. `actor` is a user, a lazy user, or None where nobody is signed in."""

    actor: Any = None
    ip: str | None = None
    user_agent: str = ""
    request_id: str | None = None
    reason: str = ""


_origin: ContextVar[Origin] = ContextVar("audit_origin", default=Origin())  # noqa: B039  # it is frozen


def current_origin() -> Origin:
    return _origin.get()


def request_id() -> str | None:
    """The id that the log lines of this request carry too; None outside a request."""
    return _origin.get().request_id or structlog.contextvars.get_contextvars().get("request_id")


@contextmanager
def acting(
    actor: Any = None, *, ip: str | None = None, user_agent: str = "", request_id: str | None = None
) -> Iterator[None]:
    """Everything inside is done by `actor`. For commands, threads and streaming responses, which have no request."""
    token = _origin.set(Origin(actor, ip, user_agent, request_id))
    try:
        yield
    finally:
        _origin.reset(token)


@contextmanager
def acting_as(actor: Any, *, reason: str = "") -> Iterator[None]:
    """Everything inside is done by `actor`, from wherever the request came: for services that are told who acts."""
    token = _origin.set(replace(_origin.get(), actor=actor, reason=reason))
    try:
        yield
    finally:
        _origin.reset(token)


@dataclass(frozen=True)
class Undone:
    """Which event is being taken back, and why: what each row written meanwhile says."""

    told: dict[str, Any]
    reason: str = ""


_undone: ContextVar[Undone | None] = ContextVar("audit_undone", default=None)


def current_undo() -> Undone | None:
    return _undone.get()


@contextmanager
def undoing(told: dict[str, Any], *, reason: str = "") -> Iterator[None]:
    """Every row of the log that is written inside names the event that it takes back."""
    token = _undone.set(Undone(told, reason))
    try:
        yield
    finally:
        _undone.reset(token)
