"""Erasing a person: what they made is handed over or deleted, what they said among others stays without their name.

Each app says what it keeps of people: `Estate`s are what the person decides about, cleaners see to the rest. All of it
comes in small steps, a transaction each, that can be done again: a killed erasure is begun anew and goes on where it
was. The last step empties the person's own row and ends the closure, so there is no half-erased person whom nobody
finds again. The database's rows of the audit log lose what they say of the person, see `audit.proof.redactions`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet
from django.utils.functional import Promise

from accounts.forgetting import (
    FORMER_MEMBER,
    delete_own_rows,
    end_sessions,
    forget_addresses,
    forget_in_log,
    forget_in_search,
    leave_a_tombstone,
)
from accounts.models import Closure, User
from audit.models import AuditLog, LegalHold
from audit.proof.redactions import ACTOR, CONTENT, redact
from audit.retention import holds
from audit.retention.removal import remove
from audit.services import record
from promptlib.core.models import BaseModel
from promptlib.core.transactions import in_transaction

BATCH = 200
HAND_OVER, PURGE = "hand_over", "purge"


@dataclass(frozen=True)
class Estate:
    """A kind of things that a person owns, and decides about before they go."""

    name: str
    label: Promise
    owned: Callable[[User], "QuerySet[Any]"]
    """All of them, those in the trash included."""
    shared: Callable[[User], "QuerySet[Any]"]
    """Those that other people use as well."""
    give: Callable[[Any, User, User], None]
    """Hand one over, from whom, to whom, in the caller's transaction."""


Cleaner = Callable[["Erasure"], Iterable[None]]

ESTATES: list[Estate] = []
CLEANERS: list[Cleaner] = []


def register(*, estates: Iterable[Estate] = (), cleaners: Iterable[Cleaner] = ()) -> None:
    ESTATES.extend(each for each in estates if each not in ESTATES)
    CLEANERS.extend(each for each in cleaners if each not in CLEANERS)


class Held(Exception):
    """A legal hold keeps the person or something of theirs."""


class NoHeir(Exception):
    """Nobody is there any more to whom things were to be handed over."""


@dataclass(frozen=True)
class Erasure:
    """One person's erasure while it is done."""

    closure: Closure
    person: User
    row: AuditLog
    """The row of the log that says so: what is made anonymous in the log names it."""

    def forget(self, rows: "QuerySet[AuditLog]", *parts: int) -> Iterator[None]:
        """Make these parts of rows of the log anonymous, a batch a step. The erasure's own row stays.

        Newest first: the beginning of a thing, by which `forget_gone` finds it again, goes last.
        """
        told = Q()
        if ACTOR in parts:
            told |= ~Q(actor_name="", user_agent="") | Q(actor_email__isnull=False) | Q(remote_addr__isnull=False)
        if CONTENT in parts:
            told |= ~Q(object_repr="", reason="") | Q(changes__isnull=False)
        rows = rows.filter(told).exclude(action=AuditLog.Action.ERASE).order_by("-pk")
        last = UUID(int=2**128 - 1)
        while ids := list(rows.filter(pk__lt=last).values_list("pk", flat=True)[:BATCH]):
            in_transaction(lambda ids=ids: redact(self.row, ids, *parts))  # type: ignore[misc]
            last = ids[-1]
            yield

    def delete(self, rows: "QuerySet[Any]") -> Iterator[None]:
        """Delete small things for good, and with them what the log says of them; a batch a step."""
        while pks := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
            in_transaction(lambda pks=pks: self._delete(rows.model, pks))  # type: ignore[misc]
            yield

    def purge(self, rows: "QuerySet[Any]") -> Iterator[None]:
        """Delete things of any size for good, then what the log says of them: in many steps, see `forget_gone`."""
        while pks := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
            self.forget_holds(pks)
            for _removed in remove(rows.model._base_manager.filter(pk__in=pks)):
                yield
            yield from self.forget(self.about(pks), CONTENT)

    def forget_gone(self, model: type[Model], field: str) -> Iterator[None]:
        """What the log says of rows that were the person's, by this key, and are not there any more."""
        person, last = str(self.person.pk), UUID(int=0)
        kind = ContentType.objects.get_for_model(model)
        named = AuditLog.objects.filter(content_type=kind, changes__icontains=person).order_by("pk")
        while chunk := list(named.filter(pk__gt=last).values_list("pk", "object_pk", "changes")[:BATCH]):
            last = chunk[-1][0]
            gone = {UUID(key) for _pk, key, changes in chunk if key and person in (changes.get(field) or ())}
            gone -= set(model._base_manager.filter(pk__in=gone).values_list("pk", flat=True))
            yield from self.forget(self.about(gone), CONTENT)

    def _delete(self, model: type[Model], pks: list[Any]) -> None:
        for _removed in remove(model._base_manager.filter(pk__in=pks)):
            pass
        if issubclass(model, BaseModel):  # else nothing in the log is about them by key
            self.forget_holds(pks)
            for _step in self.forget(self.about(pks), CONTENT):
                pass

    def forget_holds(self, pks: list[Any]) -> None:
        """Holds that were lifted, and the log's rows about them, name what they kept."""
        lifted = LegalHold.objects.unlogged("the log would tell what is erased").filter(subject_id__in=pks)
        keys = list(lifted.values_list("pk", flat=True))
        lifted.update(subject_repr="")
        for _step in self.forget(self.about(keys), CONTENT):
            pass

    def about(self, pks: Iterable[Any]) -> "QuerySet[AuditLog]":
        """What the log says of rows, and of what belongs to them."""
        pks = list(pks)
        return AuditLog.objects.filter(Q(object_pk__in=[str(pk) for pk in pks]) | Q(subject_id__in=pks))


def estates_of(person: User) -> list[tuple[Estate, int, int]]:
    """What the person decides about: kind, how many there are, and how many of these others use as well."""
    counts = ((each, each.owned(person).count(), each.shared(person).count()) for each in ESTATES)
    return [found for found in counts if found[1]]


def under_way() -> "QuerySet[User]":
    """People whose erasure has begun: a hold comes too late for what is theirs."""
    return User.all_objects.filter(closure__erasure_id__isnull=False)


def refuse_if_held(person: User) -> None:
    if holds.keeps(person):
        raise Held


def erase(closure: Closure) -> Iterator[None]:
    """Erase the closure's person, a step at a time; whoever stops in between begins again and goes on.

    Raises Held or NoHeir before anything is done.
    """
    erasure = in_transaction(lambda: _begin(closure))
    for estate in ESTATES:
        if erasure.closure.plan.get(estate.name) == HAND_OVER:
            yield from _hand_over(erasure, estate)
        owned = estate.owned(erasure.person)
        yield from erasure.purge(owned)
        yield from erasure.forget_gone(owned.model, "owner")
    for clean in (forget_addresses, *CLEANERS, delete_own_rows, forget_in_log, forget_in_search, leave_a_tombstone):
        yield from clean(erasure)


def _begin(closure: Closure) -> Erasure:
    closure = Closure.objects.select_for_update().select_related("user", "heir").get(pk=closure.pk)
    holds.lock()
    refuse_if_held(closure.user)
    heir = closure.heir
    if HAND_OVER in closure.plan.values() and (heir is None or heir.is_deleted or not heir.is_active or heir.closes_at):
        raise NoHeir
    row = AuditLog.objects.filter(pk=closure.erasure_id).first()
    if row is None:
        changes: dict[str, Any] = {kind: [None, fate] for kind, fate in closure.plan.items()}
        if closure.is_asked_by_others:
            changes["asked_by"] = [None, str(closure.asked_by_id)]
        nameless = User(pk=closure.user_id, display_name=FORMER_MEMBER)
        row = record(
            AuditLog.Action.ERASE, nameless, changes=changes, reason=closure.reason, subject_id=closure.user_id
        )
        closure.erasure_id = row.pk
        closure.save(update_fields=["erasure_id"])
        User.objects.filter(pk=closure.user_id).update(is_active=False)
        end_sessions(closure.user)
    return Erasure(closure, closure.user, row)


def _hand_over(erasure: Erasure, estate: Estate) -> Iterator[None]:
    heir = erasure.closure.heir
    assert heir is not None
    living = estate.owned(erasure.person).filter(deleted_at__isnull=True)
    while pks := list(living.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        for pk in pks:

            def give(pk: Any = pk) -> None:
                thing = living.select_for_update(of=("self",)).filter(pk=pk).first()
                if thing is not None:
                    estate.give(thing, erasure.person, heir)

            in_transaction(give)
            yield
