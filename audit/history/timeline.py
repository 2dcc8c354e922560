"""A page of the audit log as people read it: by request, in sentences, with what was changed."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from audit.history.changes import Change, changes_of, fields_phrase
from audit.history.grouping import Belonging, belongings, first_of_each_request
from audit.history.sentences import bulk_sentence, company, sentence
from audit.history.values import Names, dated
from audit.models import AuditLog
from audit.undo.reasons import why_not
from audit.undo.rights import undoable
from promptlib.core.pagination import KeysetPage

LIGHT = ("serialized_data", "changes_text")
"""Columns that nothing here reads."""


@dataclass(frozen=True)
class Actor:
    """A person as the log remembers them, for an avatar and a name."""

    pk: Any
    display_name: str


@dataclass(frozen=True)
class Event:
    """One audit row, ready to be read; of a request that wrote several, the first, with the others in `members`."""

    row: AuditLog
    actor: Actor
    sentence: SafeString
    changes: list[Change]
    company: str = ""
    members: list["Event"] = field(default_factory=list)
    count: int = 1
    revert_url: str = ""

    @property
    def why_not(self) -> str:
        """Why nobody can take this back; nothing where somebody can."""
        return why_not(self.row)

    @property
    def undoes(self) -> str:
        """The event that this one took back."""
        return str((self.row.additional_data or {}).get("undoes") or "")

    @property
    def undoes_phrase(self) -> str:
        at = parse_datetime(str((self.row.additional_data or {}).get("at", "")))
        return _("undid the change of %(time)s") % {"time": dated(at)} if at else _("undid an earlier change")

    @property
    def is_new(self) -> bool:
        """Whether there was nothing before."""
        return bool(self.changes) and all(change.is_new for change in self.changes)

    @property
    def fields(self) -> str:
        return fields_phrase(self.changes)

    @property
    def hidden(self) -> int:
        """How many rows of the request are not shown here."""
        return self.count - 1 - len(self.members)

    @property
    def request_id(self) -> str:
        """The id that log lines of the server carry too; what was brought in from elsewhere has none."""
        return self.row.cid if self.row.cid and not self.row.is_planted else ""


class Timeline(KeysetPage[AuditLog]):
    """One page of the log, newest first: `events` for `user`; the same few queries however many rows there are.

    `about` is the template, conversation or person whose history it is; `path` the page's own, to come back to. Not
    `grouped`, every row stands by itself.
    """

    def __init__(
        self,
        rows: "QuerySet[AuditLog]",
        cursor: str | None = None,
        size: int = 30,
        *,
        user: Any,
        about: Any = None,
        grouped: bool = True,
        path: str = "",
    ) -> None:
        firsts = first_of_each_request(rows) if grouped else rows
        super().__init__(firsts.defer(*LIGHT), order=("-id",), cursor=cursor, size=size)
        self._of_requests = dict(belongings(rows, self.items)) if grouped else {}
        self._about = about
        self.user = user
        self._here = path
        self.events = self._told()

    def _told(self) -> list[Event]:
        extra = [row for belonging in self._of_requests.values() for row in belonging.rows]
        names = Names(self.user)
        if self._about is not None:
            names.know(type(self._about), self._about.pk, str(self._about))
        names.want([*self.items, *extra])
        self._undoable = undoable([*self.items, *extra], self.user)
        return [self._entry(row, names) for row in self.items]

    def _entry(self, row: AuditLog, names: Names) -> Event:
        belonging = self._of_requests.get((row.cid or "", row.actor_id)) or Belonging()
        event = replace(told(row, names, about=self._about), revert_url=self._revert_url(row))
        if not belonging.rows:
            return event
        members = [
            replace(told(each, names, about=self._about), revert_url=self._revert_url(each)) for each in belonging.rows
        ]
        is_undoable = any(each.pk in self._undoable for each in (row, *belonging.rows))
        same = belonging.tally[row.action, row.content_type_id]
        is_bulk = same > 1 and belonging.subjects > 1
        return Event(
            row,
            event.actor,
            bulk_sentence(row, event.actor.display_name, same) if is_bulk else event.sentence,
            event.changes,
            company="" if is_bulk else company(row, belonging),
            members=members,
            count=belonging.count,
            revert_url=self._address("revert_all", row) if is_undoable else "",
        )

    def _revert_url(self, row: AuditLog) -> str:
        return self._address("revert", row) if row.pk in self._undoable else ""

    def _address(self, name: str, row: AuditLog) -> str:
        query = f"?{urlencode({'next': self._here})}" if self._here else ""
        return f"{reverse(f'audit:{name}', args=[row.pk])}{query}"


def told(row: AuditLog, names: Names, *, about: Any = None) -> Event:
    """The row as its reader wants it; no query once `names` knows the row."""
    actor = Actor(row.actor_id, row.who)
    words = sentence(row, actor.display_name, about=about.pk if about is not None else None, subject=names.subject(row))
    return Event(row, actor, words, changes_of(row, names))


def told_all(rows: Iterable[AuditLog], user: Any) -> list[Event]:
    """Rows that stand by themselves, such as those of one undo."""
    rows = list(rows)
    names = Names(user)
    names.want(rows)
    return [told(row, names) for row in rows]
