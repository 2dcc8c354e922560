"""What others changed of a thing since somebody looked: read from the log, by the thing's own index.

Apps say what is news to their readers (`Kind`) and how it reads. Nothing else of the log gets here, so what is not for
everybody who sees a thing (invitations, links, rights) is no news. What was deleted again since is none either.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.models import AuditLog
from promptlib.core.moments import KeyAfter, key_after

LOOK = timedelta(hours=1)
"""How old the note of the last look may be, where nothing is new: a visit does not write each time."""

MOST = 20
"""So many changes of one thing are told; of more it is said that there are more."""

Action = AuditLog.Action
GONE = (Action.DELETE, Action.PURGE)
UNREAD = ("serialized_data", "changes_text", "additional_data", "user_agent")


@dataclass(frozen=True)
class Kind:
    """Rows about `model` that are news: those of `actions`, but updates only where one of `fields` changed."""

    model: type[Model]
    actions: tuple[int, ...]
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """One sentence: what happened, and where it is to be seen and compared. `count`: of how many changes it tells."""

    text: SafeString
    at: datetime
    url: str = ""
    compare: str = ""
    note: str = ""
    count: int = 1


@dataclass(frozen=True)
class News:
    """What changed since `since`, newest first; `has_more`: and more, further back. `newest`: the key of the latest."""

    since: datetime | None = None
    changes: list[Change] = field(default_factory=list)
    has_more: bool = False
    newest: UUID | None = None

    def __bool__(self) -> bool:
        return bool(self.changes)

    @property
    def count(self) -> int:
        return sum(change.count for change in self.changes)


Teller = Callable[[Sequence[AuditLog]], list[Change]]


def is_long_ago(seen_at: datetime) -> bool:
    return timezone.now() - seen_at > LOOK


def rows_for(reader: Any, kinds: Iterable[Kind]) -> "QuerySet[AuditLog]":
    """Rows of these kinds that somebody else is behind."""
    wanted = Q()
    for kind in kinds:
        about = Q(content_type=ContentType.objects.get_for_model(kind.model).pk, action__in=kind.actions)
        if kind.fields:
            about &= ~Q(action=Action.UPDATE) | Q(changes__has_any_keys=list(kind.fields))
        wanted |= about
    return AuditLog.objects.filter(wanted).exclude(actor=reader.pk)


def with_news(marks: QuerySet[Any], rows: "QuerySet[AuditLog]", *, subject: str, since: str) -> QuerySet[Any]:
    """Somebody's marks on things, each with the `newest` row after the moment `since`, and the key it is told after."""
    fresh = rows.filter(subject_id=OuterRef(subject), pk__gt=KeyAfter(OuterRef(since))).order_by("-pk").values("pk")
    return marks.annotate(newest=Subquery(fresh[:1]), told_after=Subquery(fresh[MOST : MOST + 1]))


def latest(
    marks: QuerySet[Any], rows: "QuerySet[AuditLog]", tell: Teller, *, subject: str, since: str, most: int
) -> list[tuple[Any, News]]:
    """Marks on things that changed, with what changed, newest first. Two queries; what says nothing is left out."""
    found = list(
        with_news(marks, rows, subject=subject, since=since).filter(newest__isnull=False).order_by("-newest")[:most]
    )
    after = {getattr(mark, subject): mark.told_after or key_after(getattr(mark, since)) for mark in found}
    read = read_many(rows, after)
    news = []
    for mark in found:
        changes = tell(_but(mark, read[getattr(mark, subject)]))
        news.append((mark, News(getattr(mark, since), changes, mark.told_after is not None, mark.newest)))
    return [(mark, each) for mark, each in news if each]


def read_one(rows: "QuerySet[AuditLog]", subject: UUID, since: datetime) -> tuple[list[AuditLog], bool]:
    """The rows about one thing, newest first, and whether there are more. One query."""
    found = list(_read(rows, subject_id=subject, pk__gt=key_after(since))[: MOST + 1])
    return found[:MOST], len(found) > MOST


def read_many(rows: "QuerySet[AuditLog]", after: Mapping[UUID, UUID]) -> dict[UUID, list[AuditLog]]:
    """The same of a few things, whatever came after a key. One query."""
    wanted = [Q(subject_id=subject, pk__gt=key) for subject, key in after.items()]
    found: dict[UUID, list[AuditLog]] = {subject: [] for subject in after}
    for row in _read(rows, reduce(or_, wanted)) if wanted else ():
        found[row.subject_id].append(row)  # type: ignore[index]  # it was asked for by its subject
    return found


def _but(mark: Any, rows: list[AuditLog]) -> list[AuditLog]:
    """That somebody got a mark, a seat for one, is no news to themselves."""
    return [row for row in rows if row.object_pk != str(mark.pk)]


def _read(rows: "QuerySet[AuditLog]", *wanted: Q, **more: Any) -> "QuerySet[AuditLog]":
    """The rows, newest first, without what tells of things that are in the trash, or gone, by now."""
    fates = AuditLog.objects.filter(object_pk=OuterRef("object_pk"), action__in=(*GONE, Action.RESTORE))
    last = Subquery(fates.order_by("-pk").values("action")[:1])
    stands = Q(action__in=GONE) | Q(last__isnull=True) | Q(last=Action.RESTORE)
    rows = rows.filter(*wanted, **more).annotate(last=last).filter(stands)
    return rows.defer(*UNREAD).order_by("-pk")


def who(row: AuditLog) -> SafeString:
    return format_html("<b>{}</b>", row.who)


def changed(row: AuditLog, name: str) -> tuple[Any, Any]:
    """One field before and after; nothing and nothing where the row does not say, or does no longer."""
    pair = (row.changes or {}).get(name)
    return (pair[0], pair[1]) if isinstance(pair, list) and len(pair) == 2 else (None, None)
