"""Writing to the audit log what no model signal tells."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connections, router
from uuid_utils.compat import uuid7

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
    row, own = _shared(action, reason, actor), _own(instance, changes, subject_id)
    _insert(_prepared(row, [own]))
    for name, value in own.items():
        setattr(row, name, value)
    row._state.adding = False
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
    owns = [_own(instance, tell(instance)) for instance in instances]
    if owns:
        _insert(_prepared(_shared(action, reason, actor), owns))


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
    values: list[list[Any]] = []
    for event in sorted(events, key=lambda event: event.at):
        row, own = _shared(event.action, reason, event.actor), _own(event.instance, event.changes)
        row.timestamp, row.cid = event.at, f"{PLANTED}{own['id'].hex}"
        values += _prepared(row, [own])
    _insert(values)


# ---- every write waits for this: it goes past the model's own way, at a third of what that costs --------------------


def _shared(action: int, reason: str, actor: Any) -> AuditLog:
    """What the rows about several things have in common, from where it happened on."""
    row = AuditLog(action=action, reason=reason[:500], actor=actor)
    row.take_origin()
    return row


def _own(instance: Any, changes: dict[str, Any] | None, subject_id: Any = None) -> dict[str, Any]:
    """What a row says of its own thing: column → value."""
    return {
        "id": uuid7(),
        "content_type_id": ContentType.objects.get_for_model(instance).pk,
        "object_pk": str(instance.pk or ""),
        "object_repr": str(instance)[:1000],
        "subject_id": subject_id or subject_of(instance),
        "changes": changes or {},
    }


def _prepared(shared: AuditLog, owns: Sequence[dict[str, Any]]) -> list[list[Any]]:
    """A row of the table for each of `owns`, as the database takes it; what they share is made ready once."""
    connection, columns = connections[router.db_for_write(AuditLog)], AuditLog._meta.concrete_fields
    same = [each.get_db_prep_save(getattr(shared, each.attname), connection) for each in columns]
    differing = [(place, each) for place, each in enumerate(columns) if each.attname in owns[0]]
    rows = []
    for own in owns:
        row = same.copy()
        for place, column in differing:
            row[place] = column.get_db_prep_save(own[column.attname], connection)
        rows.append(row)
    return rows


def _insert(rows: Sequence[list[Any]]) -> None:
    connection, columns = connections[router.db_for_write(AuditLog)], AuditLog._meta.concrete_fields
    names = ", ".join(connection.ops.quote_name(each.column) for each in columns)
    statement = f"INSERT INTO audit_logs ({names}) VALUES ({', '.join(['%s'] * len(columns))})"  # noqa: S608  # our names
    with connection.cursor() as cursor:
        for start in range(0, len(rows), BATCH):
            cursor.executemany(statement, rows[start : start + BATCH])
