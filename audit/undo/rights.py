"""Who may take a row of the log back: those who may change the thing now, and staff."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from audit.history.kinds import Right, kind_of
from audit.history.values import model_of
from audit.models import AuditLog
from audit.undo.reasons import MADE, Action, why_not


def undoable(rows: Iterable[AuditLog], user: Any) -> set[UUID]:
    """The rows that this person may take back; a query for each right that is asked for, none for staff."""
    able = [row for row in rows if not why_not(row)]
    if user.is_staff:
        return {row.pk for row in able}
    found: set[UUID] = set()
    asked: dict[Right, list[AuditLog]] = defaultdict(list)
    for row in able:
        if (right := _right(row)) is not None and row.subject_id:
            asked[right].append(row)
        elif _is_own(row, user):
            found.add(row.pk)
    for right, about in asked.items():
        subjects = {row.subject_id for row in about}
        allowed = set(right(user).filter(pk__in=subjects).values_list("pk", flat=True))
        found |= {row.pk for row in about if row.subject_id in allowed}
    return found


def field_right(row: AuditLog, name: str, user: Any) -> bool:
    """Whether the person may set back this field of a row that they may take back."""
    model = model_of(row)
    assert model is not None  # the row can be taken back
    kind = kind_of(model)
    if name in kind.entitling:
        return bool(user.is_superuser)
    right = kind.field_rights.get(name)
    return user.is_staff or right is None or right(user).filter(pk=row.subject_id).exists()


def _right(row: AuditLog) -> Right | None:
    model = model_of(row)
    kind = kind_of(model) if model else None
    if kind is None or kind.own:
        return None
    if row.action in {*MADE, Action.DELETE, Action.RESTORE}:
        return kind.restore_right or kind.right
    return kind.right


def _is_own(row: AuditLog, user: Any) -> bool:
    """Whose thing it is, is said by its row in the log when it was made or removed, else by who changed it."""
    model = model_of(row)
    own = kind_of(model).own if model else ""
    if not own:
        return False
    values: Sequence[Any] = (row.changes or {}).get(own) or ()
    return str(user.pk) in map(str, values) if values else row.actor_id == user.pk
