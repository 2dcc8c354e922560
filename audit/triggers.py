"""What the database refuses to do to the audit log, whoever asks."""

from promptlib.core.sql import Trigger, refuse


def _append_only(table: str, what: str) -> list[Trigger]:
    return [
        Trigger(
            name=f"{table}_refuse_{event.lower()}",
            table=table,
            timing="BEFORE",
            event=event,
            body=lambda vendor, word=word: [refuse(vendor, f"{what} is append-only: its rows are never {word}.")],
            serves=f"{what} is append-only",
        )
        for event, word in (("UPDATE", "changed"), ("DELETE", "deleted"))
    ]


TRIGGERS = [*_append_only("audit_logs", "The audit log"), *_append_only("audit_seals", "The chain of seals")]
