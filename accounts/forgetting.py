"""What an erasure does with whatever belongs to the person alone, and with what the audit log says of them."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Model, Q, QuerySet
from django.utils import timezone

from accounts.models import Closure, Invitation, Team, User
from audit.models import AuditLog
from audit.proof.redactions import ACTOR, CONTENT
from promptlib.core.deletion import links_to
from promptlib.core.fields import normalize_key
from promptlib.core.models import BaseModel
from promptlib.core.search import indexes
from promptlib.core.transactions import in_transaction

KEPT: set[type[Model]] = set()
"""Models whose rows go with a person who is deleted, but stay, without a name, when one is erased."""

FORMER_MEMBER = "Former member"
"""What stands in place of a name. It is stored, and a trigger knows it: not translated."""

CHUNK = 500


def keep(*models: type[Model]) -> None:
    KEPT.update(models)


def own_rows() -> "list[tuple[type[Model], str]]":
    """What belongs to one person: the model, and the name of the key that points at them."""
    links = links_to(User).cascade
    return [(link.model, link.field) for link in links if link.model not in {*KEPT, Closure}]


def forget_addresses(erasure: Any) -> Iterator[None]:
    """Invitations, and attempts to sign in, by an address. First, for the log is asked which ones there were."""
    addresses = known_as(erasure.person, "email", "confirmed_email")
    keys = {normalize_key(each) for each in addresses}
    yield from erasure.delete(Invitation.objects.filter(email_key__in=keys))
    invitations = AuditLog.objects.filter(content_type=_kind(Invitation), object_repr__in=addresses)
    yield from erasure.forget(invitations, CONTENT)
    tried = AuditLog.objects.filter(object_pk="", object_repr__in=addresses, actor_id=None)
    yield from erasure.forget(tried, ACTOR, CONTENT)


def delete_own_rows(erasure: Any) -> Iterator[None]:
    """Seats, favourites, devices, second factors: and what the log says of those that went earlier."""
    person = erasure.person
    yield from erasure.delete(Team.objects.filter(pk__in=list(_only_theirs(person))))
    for model, field in own_rows():
        yield from erasure.delete(model._base_manager.filter(**{field: person.pk}))
        if issubclass(model, BaseModel):
            yield from erasure.forget_gone(model, field)
    about = Q(content_type=_kind(User), object_id=str(person.pk))
    yield from erasure.delete(LogEntry.objects.filter(about))


def forget_in_log(erasure: Any) -> Iterator[None]:
    """The rows that the person wrote, and those about the person."""
    person = erasure.person
    yield from erasure.forget(AuditLog.objects.filter(actor_id=person.pk), ACTOR)
    about = AuditLog.objects.filter(Q(subject_id=person.pk) | Q(object_pk=str(person.pk)))
    yield from erasure.forget(about.filter(actor_id=None), ACTOR)
    yield from erasure.forget(about, CONTENT)


def forget_in_search(_erasure: Any) -> Iterator[None]:
    for index in indexes():
        in_transaction(index.forget)
        yield


def leave_a_tombstone(erasure: Any) -> Iterator[None]:
    """The last step, one transaction: the person's row keeps its key and nothing else, and the closure ends."""
    in_transaction(lambda: _leave_a_tombstone(erasure))
    yield


def _leave_a_tombstone(erasure: Any) -> None:
    person: User = erasure.person
    Closure.objects.get(pk=erasure.closure.pk).delete()
    person.groups.clear()
    person.user_permissions.clear()
    erasure.forget_holds([person.pk])
    nobody = User(email=f"{person.pk.hex}@erased.invalid")
    nobody.set_unusable_password()
    columns: dict[str, Any] = {
        "email": nobody.email,
        "email_key": normalize_key(nobody.email),
        "handle": f"former-{person.pk.hex[-12:]}",
        "display_name": FORMER_MEMBER,
        "password": nobody.password,
        "deleted_at": timezone.now(),
        "deleted_by": None,
        "deletion_id": None,
        "is_active": False,
    }
    for name in ("bio", "timezone", "locale", "preferences", "is_staff", "is_superuser"):
        columns[name] = User._meta.get_field(name).get_default()  # type: ignore[union-attr]  # columns have one
    columns |= dict.fromkeys(["last_login", "last_seen_at", "closes_at"])
    rows = User.all_objects.unlogged("the log would tell what is erased; its row about the erasure tells that it was")
    rows.filter(pk=person.pk).update(**columns)
    for _step in forget_in_log(erasure):
        pass


def known_as(person: User, *fields: str) -> set[str]:
    """What stands, or stood as far as the log knows, in these fields of the person."""
    found = {str(getattr(person, name, "") or "") for name in fields}
    if "email" in fields:
        found |= set(EmailAddress.objects.filter(user=person).values_list("email", flat=True))
    rows = AuditLog.objects.filter(subject_id=person.pk, content_type=_kind(User), changes__isnull=False).order_by("pk")
    last = UUID(int=0)
    while chunk := list(rows.filter(pk__gt=last).values_list("pk", "changes")[:CHUNK]):
        for last, changes in chunk:  # noqa: B007  # the last one is asked for below
            told = [changes.get(name) for name in fields if isinstance(changes.get(name), list)]
            found |= {value for pair in told for value in pair if isinstance(value, str)}
    return found - {""}


def end_sessions(person: User) -> None:
    """Sign the person out everywhere."""
    for session in UserSession.objects.filter(user=person):
        session.end()


def _only_theirs(person: User) -> "QuerySet[Team, UUID]":
    """Teams in which nobody else sits."""
    counted = Team.objects.annotate(seats=Count("memberships")).filter(seats=1, memberships__user=person)
    return counted.values_list("pk", flat=True)


def _kind(model: type[Model]) -> ContentType:
    return ContentType.objects.get_for_model(model)
