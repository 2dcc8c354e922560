"""Bringing a thing back, with what the person decided about what is in its way."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from promptlib.core import soft_delete
from promptlib.core.models import SoftDeleteModel
from promptlib.core.restoring import Answers, Conflict, WayBack
from promptlib.core.soft_delete import RestoreConflict
from promptlib.core.transactions import in_transaction


def conflicts_of(row: SoftDeleteModel) -> list[Conflict]:
    """What a person has to decide first: what the database forbids, and a title that another thing has since."""
    assert row.deletion_id is not None
    return [*soft_delete.conflicts(row.deletion_id), *_same_title(row)]


def bring_back(
    row: SoftDeleteModel, *, by: Any, answers: Answers | None = None, as_staff: bool = False, reason: str = ""
) -> int:
    """Restore what its delete took; 0 where somebody was quicker. Raises RestoreConflict, ValidationError."""
    deletion_id = row.deletion_id
    assert deletion_id is not None
    told = _("As staff: %(reason)s") % {"reason": reason} if as_staff else reason
    return in_transaction(lambda: soft_delete.restore(deletion_id, by=by, reason=told[:500], answers=answers))


@dataclass
class Outcome:
    """Of several things: those that are back, those about which something is to be decided, those that were gone."""

    restored: list[SoftDeleteModel] = field(default_factory=list)
    undecided: list[SoftDeleteModel] = field(default_factory=list)
    gone: list[SoftDeleteModel] = field(default_factory=list)


def bring_back_many(rows: list[SoftDeleteModel], *, by: Any, as_staff: bool = False, reason: str = "") -> Outcome:
    """Each wholly or not at all; one with a conflict waits for a decision of its own."""
    outcome = Outcome()
    for row in rows:
        if any(_same_title(row)):
            outcome.undecided.append(row)
            continue
        try:
            is_back = bring_back(row, by=by, as_staff=as_staff, reason=reason)
        except RestoreConflict:
            outcome.undecided.append(row)
        else:
            (outcome.restored if is_back else outcome.gone).append(row)
    return outcome


def _same_title(row: SoftDeleteModel) -> Iterator[Conflict]:
    """Titles may repeat; but one that was given since is seen before there are two of them."""
    if not row.TITLE or row.deleted_at is None:
        return
    owner, title = f"{row.OWNER}_id", getattr(row, row.TITLE)
    others: Any = type(row)._default_manager.filter(**{owner: getattr(row, owner), row.TITLE: title})
    if rival := others.filter(deleted_at__isnull=True, created_at__gt=row.deleted_at).first():
        text = _("Another %(kind)s is called “%(title)s” now.")
        words = text % {"kind": row._meta.verbose_name, "title": title}
        yield Conflict(row, words, rival=rival, way=WayBack(rename=row.TITLE))
