"""Closing an account: asked for, taken back within the grace period, done by `manage.py close_accounts` after it."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.erasing import HAND_OVER, Held, erase, estates_of, refuse_if_held
from accounts.forgetting import end_sessions
from accounts.models import Closure, TeamMembership, User
from audit.context import acting_as

logger = logging.getLogger(__name__)


class CannotClose(Exception):
    """Something has to be done first; `obstacles` says what, in sentences."""

    def __init__(self, obstacles: list[str]) -> None:
        super().__init__(" ".join(obstacles))
        self.obstacles = obstacles


def obstacles(person: User, *, is_erasure: bool) -> list[str]:
    """What the person, or staff, must do before the account can be closed."""
    seats = _sole_ownerships(person).select_related("team")
    found = [_("The team “%(team)s” has no other owner: hand it over first.") % {"team": seat.team} for seat in seats]
    staff = User.objects.filter(is_active=True, is_superuser=True, closes_at=None)
    if person.is_superuser and not staff.exclude(pk=person.pk).exists():
        found.append(_("There is no other administrator: make somebody one first."))
    if is_erasure:
        try:
            refuse_if_held(person)
        except Held:
            found.append(_("A legal hold keeps this account or something in it: it can be closed, but not erased."))
    return found


@transaction.atomic
def close_account(
    person: User,
    *,
    by: Any,
    days: int | None = None,
    plan: dict[str, str] | None = None,
    heir: User | None = None,
    is_erasure: bool = False,
    reason: str = "",
) -> Closure:
    """Sign the person out everywhere, and have the account closed in `days`, by default ACCOUNT_GRACE_DAYS.

    With `is_erasure` the person is erased then, and `plan` says for each kind of what they own whether it is handed
    over to `heir` or deleted. Asked for again, it replaces what was asked for before. Raises CannotClose.
    """
    locked = User.objects.select_for_update().get(pk=person.pk)
    if found := obstacles(locked, is_erasure=is_erasure):
        raise CannotClose(found)
    plan = plan if plan and is_erasure else {}
    heir = heir if HAND_OVER in plan.values() else None
    days = settings.ACCOUNT_GRACE_DAYS if days is None else days
    with acting_as(by):
        Closure.objects.filter(user=locked).delete()
        told = {"plan": plan, "heir": heir, "is_erasure": is_erasure, "reason": reason}
        closure = Closure.objects.create(user=locked, asked_by=by, **told)
        locked.closes_at = timezone.now() + timedelta(days=days)
        locked.save(update_fields=["closes_at"])
        end_sessions(locked)
    transaction.on_commit(lambda: _write_to(locked, "closing", closure))
    if heir is not None:
        transaction.on_commit(lambda: _write_to(heir, "inheriting", closure))
    return closure


@transaction.atomic
def keep_account(person: User, *, by: Any, reason: str = "") -> bool:
    """Take the wish back; False if there is none, or its erasure has begun."""
    locked = User.objects.select_for_update().get(pk=person.pk)
    closure = Closure.objects.filter(user=locked, erasure_id=None).first()
    if closure is None:
        return False
    with acting_as(by):
        closure.delete()
        locked.closes_at = None
        locked.save(update_fields=["closes_at"])
    transaction.on_commit(lambda: _write_to(locked, "kept", closure))
    return True


def due() -> "QuerySet[Closure]":
    """What is to be done now: closures whose day has come, and erasures that were interrupted."""
    come = Q(user__closes_at__lte=timezone.now()) | Q(erasure_id__isnull=False)
    return Closure.objects.filter(come).select_related("user").order_by("pk")


def finish(closure: Closure) -> Iterator[None]:
    """Close the account, or erase the person, a step at a time. Raises Held, NoHeir."""
    if closure.is_erasure:
        yield from erase(closure)
        return
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=closure.user_id)
        person.is_active, person.closes_at = False, None
        person.save(update_fields=["is_active", "closes_at"])
        end_sessions(person)
        closure.delete()
    yield


def _sole_ownerships(person: User) -> "QuerySet[TeamMembership]":
    """Seats of the person as the only owner who stays, in teams where others sit too."""
    others = TeamMembership.objects.filter(team=OuterRef("team")).exclude(user=person)
    staying = others.filter(role="owner", user__is_active=True, user__deleted_at=None, user__closes_at=None)
    return TeamMembership.objects.filter(Exists(others), ~Exists(staying), user=person, role="owner")


def _write_to(person: User, kind: str, closure: Closure) -> None:
    """The wish stands whether or not the mail server takes the letter."""
    subjects = {
        "closing": _("Your account will be closed"),
        "kept": _("Your account stays"),
        "inheriting": _("Work is handed over to you"),
    }
    context = {"person": person, "closure": closure, "closes_at": closure.closes_at, "base_url": settings.BASE_URL}
    handed_over = [found for found in estates_of(closure.user) if closure.plan.get(found[0].name) == HAND_OVER]
    context["handed_over"] = [f"{estate.label}: {count:,}" for estate, count, _shared in handed_over]
    try:
        text = render_to_string(f"accounts/email/account_{kind}.txt", context)
        send_mail(subjects[kind], text, None, [person.email])
    except (OSError, SMTPException):
        logger.exception("The e-mail about a closing account could not be sent")
