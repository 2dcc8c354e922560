"""Rows of the audit log as a file: those that a history's filters let through, oldest first, sent as they are read."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone

from audit.history.values import model_of, told_fields
from audit.models import AuditLog
from audit.services import record
from promptlib.core.spreadsheets import cell, csv_row

CHUNK = 500

COLUMNS = (
    *("id", "at", "actor_id", "actor", "action", "kind", "object_id", "object", "subject_id", "changes", "reason"),
    *("address", "browser", "request", "undoes"),
)


def write_csv(rows: Iterable[AuditLog], user: Any) -> Iterator[str]:
    yield csv_row(COLUMNS)
    for row in rows:
        facts = facts_of(row, user)
        facts["changes"] = json.dumps(facts["changes"], ensure_ascii=False) if facts["changes"] else ""
        yield csv_row(cell(facts[name]) for name in COLUMNS)


def write_lines(rows: Iterable[AuditLog], user: Any) -> Iterator[str]:
    for row in rows:
        yield json.dumps(facts_of(row, user), ensure_ascii=False) + "\n"


FORMATS: dict[str, tuple[str, Callable[[Iterable[AuditLog], Any], Iterator[str]]]] = {
    "csv": ("text/csv; charset=utf-8", write_csv),
    "jsonl": ("application/x-ndjson; charset=utf-8", write_lines),
}


def export(
    rows: "QuerySet[AuditLog]", *, user: Any, format_: str, about: Any, filters: dict[str, str]
) -> StreamingHttpResponse:
    """A download, read from the database while it is sent. That it was taken is in the log before it begins.

    `about` is the template, conversation or person whose history it is; `filters` are told with it.
    """
    content_type, write = FORMATS[format_]
    told = {"format": [None, format_], **({"filters": [None, filters]} if filters else {})}
    row = record(AuditLog.Action.EXPORT, about, changes=told, actor=user)
    response = StreamingHttpResponse(_sent(write(_all(rows.filter(pk__lt=row.pk)), user)), content_type=content_type)
    day = timezone.localdate().isoformat()
    response.headers["Content-Disposition"] = f'attachment; filename="history-{day}.{format_}"'
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def facts_of(row: AuditLog, user: Any) -> dict[str, Any]:
    """The row in plain values, without what this reader does not see on the page either."""
    model = model_of(row)
    changes = row.changes or {}
    return {
        "id": str(row.pk),
        "at": row.timestamp.isoformat(),
        "actor_id": str(row.actor_id) if row.actor_id else None,
        "actor": row.who if row.actor_id else row.actor_email,
        "action": str(AuditLog.Action(row.action).name).lower(),
        "kind": model._meta.model_name if model else str(row.content_type_id),
        "object_id": row.object_pk,
        "object": row.object_repr,
        "subject_id": str(row.subject_id) if row.subject_id else None,
        "changes": {name: changes[name] for name in told_fields(model, row, user)},
        "reason": row.reason,
        "address": row.remote_addr,
        "browser": row.user_agent if user.is_staff or row.actor_id == user.pk else None,
        "request": None if row.is_planted else row.cid,
        "undoes": (row.additional_data or {}).get("undoes"),
    }


def _all(rows: "QuerySet[AuditLog]") -> Iterator[AuditLog]:
    """By keyset, so that no cursor stays open and a long log needs no more memory than a short one."""
    last: UUID | None = None
    rows = rows.defer("serialized_data", "changes_text").order_by("pk")
    while True:
        chunk = list((rows.filter(pk__gt=last) if last else rows)[:CHUNK])
        yield from chunk
        if len(chunk) < CHUNK:
            return
        last = chunk[-1].pk


def _sent(lines: Iterator[str]) -> Iterator[str]:
    """Some lines at a time."""
    while batch := list(islice(lines, CHUNK)):
        yield "".join(batch)
