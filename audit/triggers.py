"""What the database refuses to do to the audit log, whoever asks."""

from collections.abc import Callable
from typing import Literal

from promptlib.core.sql import Trigger, refuse

REFUSED: dict[Literal["UPDATE", "DELETE"], str] = {"UPDATE": "changed", "DELETE": "deleted"}


def _refusal(message: str) -> Callable[[str], list[str]]:
    return lambda vendor: [refuse(vendor, message)]


def _append_only(table: str, what: str) -> list[Trigger]:
    return [
        Trigger(
            name=f"{table}_refuse_{event.lower()}",
            table=table,
            timing="BEFORE",
            event=event,
            body=_refusal(f"{what} is append-only: its rows are never {word}."),
            serves=f"{what} is append-only",
        )
        for event, word in REFUSED.items()
    ]


TRIGGERS = [*_append_only("audit_logs", "The audit log"), *_append_only("audit_seals", "The chain of seals")]
