"""Rows of one request that belong together: the first of them stands in the history, the others unfold below it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Window
from django.db.models.functions import RowNumber

from audit.models import AuditLog

Key = tuple[str, Any]
"""A request, and who made it."""

SHOWN = 20
"""So many further rows of a request unfold; the rest has a page of its own."""


@dataclass
class Belonging:
    """What one request wrote besides its first row, as far as the filters let it through."""

    rows: list[AuditLog] = field(default_factory=list)
    tally: Counter[tuple[int, int]] = field(default_factory=Counter)
    """How many rows of each action and kind, the first row included."""
    subjects: int = 1
    """How many templates, conversations or people they were about."""

    @property
    def count(self) -> int:
        return sum(self.tally.values())


def first_of_each_request(rows: "QuerySet[AuditLog]") -> "QuerySet[AuditLog]":
    """`rows` without those that another one of the same request goes before. Each costs a look into one index.

    The same person's, for a request's id may come from outside: nobody hides what they did behind somebody else's.
    """
    earlier = rows.order_by().filter(cid=OuterRef("cid"), actor_id=OuterRef("actor_id"), pk__lt=OuterRef("pk"))
    return rows.filter(~Exists(earlier))


def belongings(rows: "QuerySet[AuditLog]", firsts: Sequence[AuditLog]) -> dict[Key, Belonging]:
    """What belongs to each first row, by request and person; two queries, none where no row has a request."""
    found: dict[Key, Belonging] = defaultdict(Belonging)
    requests = {row.cid for row in firsts if row.cid and row.actor_id and not row.is_planted}
    if not requests:
        return found
    inside = rows.order_by().filter(cid__in=requests)
    counted = inside.values("cid", "actor_id", "action", "content_type_id").annotate(
        number=Count("pk"), subjects=Count("subject_id", distinct=True)
    )
    for each in counted:
        belonging = found[each["cid"], each["actor_id"]]
        belonging.tally[each["action"], each["content_type_id"]] += each["number"]
        belonging.subjects = max(belonging.subjects, each["subjects"])
    if several := [cid for (cid, _actor), belonging in found.items() if belonging.count > 1]:
        place = Window(RowNumber(), partition_by=[F("cid"), F("actor_id")], order_by=F("pk").asc())
        placed = rows.order_by().filter(cid__in=several).annotate(place=place).filter(place__range=(2, SHOWN + 1))
        for row in placed.defer("serialized_data", "changes_text").order_by("pk"):
            found[str(row.cid), row.actor_id].rows.append(row)
    return found
