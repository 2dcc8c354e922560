"""Writing to the audit log what no model signal tells."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connections, router

from audit.models import PLANTED, AuditLog
from audit.querysets import subject_of

BATCH = 500
"""Rows of one statement."""


def record(
    action: int,
    instance: Any,
    *,
    changes: dict[str, Any] | None = None,
    reason: str = "",
    actor: Any = None,
    subject_id: Any = None,
) -> AuditLog:
    """Write one row about `instance`, in the caller's transaction.

    `changes` is {field: [before, after]}. `actor` defaults to the person of the request or of `acting()`; the row is
    read in the history of `subject_id`, by default the instance's own `audit_subject`.
    """
    row = AuditLog(**_row(action, instance, changes, reason, actor, subject_id))
    _insert([row])
    return row


def record_many(
    action: int,
    instances: Sequence[Any],
    *,
    changes: dict[str, Any] | Callable[[Any], dict[str, Any]] | None = None,
    reason: str = "",
    actor: Any = None,
) -> None:
    """Write one row per instance in one statement per 500; `changes` are those of all, or a function of each."""
    tell = changes if callable(changes) else lambda _instance: changes
    _insert([AuditLog(**_row(action, instance, tell(instance), reason, actor, None)) for instance in instances])


@dataclass(frozen=True)
class Past:
    """What `actor` did at another time than now."""

    at: datetime
    action: int
    instance: Any
    actor: Any
    changes: dict[str, Any] = field(default_factory=dict)


def record_past(events: Iterable[Past], *, reason: str = "") -> None:
    """Write what was brought in with its history, in order of time. The rows' own ids are of today, as they must be."""
    rows = []
    for event in sorted(events, key=lambda event: event.at):
        row = AuditLog(**_row(event.action, event.instance, event.changes, reason, event.actor, None))
        row.timestamp = event.at
        row.cid = f"{PLANTED}{row.pk.hex}"
        rows.append(row)
    _insert(rows)


def _insert(rows: Sequence[AuditLog]) -> None:
    """As bulk_create, at a third of what it costs: every write waits for this."""
    connection = connections[router.db_for_write(AuditLog)]
    columns = AuditLog._meta.concrete_fields
    names = ", ".join(connection.ops.quote_name(each.column) for each in columns)
    values = []
    for row in rows:
        row.take_origin()
        values.append([each.get_db_prep_save(getattr(row, each.attname), connection) for each in columns])
        row._state.adding, row._state.db = False, connection.alias
    statement = f"INSERT INTO audit_logs ({names}) VALUES ({', '.join(['%s'] * len(columns))})"  # noqa: S608  # our names
    with connection.cursor() as cursor:
        for start in range(0, len(values), BATCH):
            cursor.executemany(statement, values[start : start + BATCH])


def _row(
    action: int, instance: Any, changes: dict[str, Any] | None, reason: str, actor: Any, subject_id: Any
) -> dict[str, Any]:
    return {
        "action": action,
        "content_type": ContentType.objects.get_for_model(instance),
        "object_pk": str(instance.pk or ""),
        "object_repr": str(instance)[:1000],
        "subject_id": subject_id or subject_of(instance),
        "changes": changes or {},
        "reason": reason[:500],
        "actor": actor,
    }
