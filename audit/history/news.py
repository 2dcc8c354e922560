"""What others changed of a thing since somebody looked: read from the log, by the thing's own index.

Apps say what is news to their readers (`Kind`) and how it reads. Nothing else of the log gets here, so what is not for
everybody who sees a thing (invitations, links, rights) is no news. What was deleted again since is none either.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Case, Model, OuterRef, Q, QuerySet, Subquery, When, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.models import AuditLog
from promptlib.core.fields import UUIDField
from promptlib.core.moments import KeyAfter, key_after

LOOK = timedelta(hours=1)
"""How old the note of the last look may be, where nothing is new: a visit does not write each time."""

MOST = 8
"""So many changes of one thing are told; of more it is said that there are more."""

Action = AuditLog.Action
GONE = (Action.DELETE, Action.PURGE)
OF_SUBJECT = ("subject_id", "-pk")
WHO = ("actor", "actor_name", "actor_email")
READ = (*WHO, "content_type", "object_pk", "object_repr", "subject_id", "action", "changes", "timestamp")
Told = tuple[list["AuditLog"], bool]


@dataclass(frozen=True)
class Kind:
    """Rows about `model` that are news: those of `actions`, but no updates of `silent`, which another row tells."""

    model: type[Model]
    actions: tuple[int, ...]
    silent: str = ""


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
    """What changed since `since`, newest first; `has_more`: and more, further back."""

    since: datetime | None = None
    changes: list[Change] = field(default_factory=list)
    has_more: bool = False

    def __bool__(self) -> bool:
        return bool(self.changes)

    @property
    def count(self) -> int:
        return sum(change.count for change in self.changes)


def is_long_ago(seen_at: datetime) -> bool:
    return timezone.now() - seen_at > LOOK


def rows_for(reader: Any, kinds: Iterable[Kind]) -> "QuerySet[AuditLog]":
    """Rows of these kinds that somebody else is behind, of things that are not in the trash, or gone, by now."""
    wanted = Q()
    for kind in kinds:
        about = Q(content_type=ContentType.objects.get_for_model(kind.model).pk, action__in=kind.actions)
        if kind.silent:
            about &= ~Q(action=Action.UPDATE, changes__has_key=kind.silent)
        wanted |= about
    fates = AuditLog.objects.filter(object_pk=OuterRef("object_pk"), action__in=(*GONE, Action.RESTORE))
    rows = AuditLog.objects.filter(wanted).exclude(actor=reader.pk)
    rows = rows.alias(last=Subquery(fates.order_by("-pk").values("action")[:1]))
    return rows.filter(Q(action__in=GONE) | Q(last__isnull=True) | Q(last=Action.RESTORE))


def with_news(marks: QuerySet[Any], rows: "QuerySet[AuditLog]", *, subject: str, since: str) -> QuerySet[Any]:
    """Somebody's marks on things that changed after the moment `since`, with the key of the `newest` row.

    Ordered by the index's own columns, for MySQL sorts a subquery's rows else; and of a thing with nothing at all after
    the moment, the newest row alone is looked at.
    """
    about = {"subject_id": OuterRef(subject)}
    touched = AuditLog.objects.filter(**about).order_by(*OF_SUBJECT).values("pk")[:1]
    fresh = rows.filter(**about, pk__gt=KeyAfter(OuterRef(since))).order_by(*OF_SUBJECT).values("pk")
    newest = Case(When(touched__gt=KeyAfter(since), then=Subquery(fresh[:1])), output_field=UUIDField())
    return marks.alias(touched=Subquery(touched)).annotate(newest=newest).filter(newest__isnull=False)


def read(rows: "QuerySet[AuditLog]", since: Mapping[Any, datetime]) -> dict[Any, Told]:
    """By subject the rows about it after a moment, newest first, and whether there are more. One query."""
    found: dict[Any, list[AuditLog]] = {subject: [] for subject in since}
    wanted = [Q(subject_id=subject, pk__gt=key_after(moment)) for subject, moment in since.items()]
    if len(wanted) == 1:  # the index has them in order: no more are looked at than are shown
        shown: Iterable[AuditLog] = rows.filter(wanted[0]).only(*READ).order_by(*OF_SUBJECT)[: MOST + 1]
    elif wanted:
        place = Window(RowNumber(), partition_by="subject_id", order_by="-pk")
        shown = rows.filter(reduce(or_, wanted)).only(*READ).alias(place=place).filter(place__lte=MOST + 1)
    else:
        shown = ()
    for row in shown:
        found[row.subject_id].append(row)
    for several in found.values():
        several.sort(key=lambda row: row.pk, reverse=True)
    return {subject: (several[:MOST], len(several) > MOST) for subject, several in found.items()}


def who(row: AuditLog) -> SafeString:
    return format_html("<b>{}</b>", row.who)


def changed(row: AuditLog, name: str) -> tuple[Any, Any]:
    """One field before and after; nothing and nothing where the row does not say, or does no longer."""
    pair = (row.changes or {}).get(name)
    return (pair[0], pair[1]) if isinstance(pair, list) and len(pair) == 2 else (None, None)
