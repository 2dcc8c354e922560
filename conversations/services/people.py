"""Who is in a conversation, and as what. Each function is one audited transaction.

Only the owner may call them, but for `leave`; the views see to that.
"""

import logging
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from conversations.models import Conversation, Participant, SeatOffer
from conversations.querysets import WRITERS
from promptlib.core.fields import normalize_key

logger = logging.getLogger(__name__)

OWNER, EDITOR = Participant.Role.OWNER, Participant.Role.EDITOR


class NotPossible(ValueError):
    """The change would leave the conversation without an owner, or its new owner with two of the same."""


@transaction.atomic
def invite(conversation: Conversation, *, person: Any, role: str, by: Any) -> bool:
    """Give the person a seat and tell them by e-mail; False if they have one, which stays as it is."""
    _lock(conversation)
    if conversation.participants.filter(user=person).exists():
        return False
    Participant.objects.create(conversation=conversation, user=person, role=role, invited_by=by)
    SeatOffer.objects.filter(conversation=conversation, email_key=person.email_key).delete()
    transaction.on_commit(lambda: _tell(conversation, person.email, by, f"{conversation.get_absolute_url()}"))
    return True


@transaction.atomic
def offer(conversation: Conversation, *, email: str, role: str, by: Any) -> SeatOffer:
    """Keep a seat for whoever confirms this address, and write to it. A second offer changes the role."""
    _lock(conversation)
    kept: SeatOffer | None = SeatOffer.objects.filter(conversation=conversation, email_key=normalize_key(email)).first()
    if kept is None:
        kept = SeatOffer.objects.create(conversation=conversation, email=email, role=role, invited_by=by)
    elif kept.role != role:
        kept.role = role
        kept.save(update_fields=["role"])
    url = f"{reverse('account_signup')}?{urlencode({'email': email, 'next': conversation.get_absolute_url()})}"
    transaction.on_commit(lambda: _tell(conversation, email, by, url, is_new=True))
    return kept


@transaction.atomic
def take_offers(*, person: Any, email: str) -> list[Participant]:
    """The seats that were kept for this address, which the person has just shown to be theirs."""
    offers = SeatOffer.objects.select_for_update().filter(email_key=normalize_key(email), conversation__alive=1)
    taken = []
    for kept in offers.select_related("conversation", "invited_by"):
        if not kept.conversation.participants.filter(user=person).exists():
            seat = {"conversation": kept.conversation, "user": person, "role": kept.role}
            taken.append(Participant.objects.create(**seat, invited_by=kept.invited_by))
        kept.delete()
    return taken


@transaction.atomic
def change_role(seat: Participant, role: str) -> bool:
    """False if it is that already. The owner's is changed by handing over alone: raises NotPossible."""
    _lock(seat.conversation)
    fresh = Participant.objects.filter(pk=seat.pk).first()
    if fresh is None or fresh.role == role:
        return False
    if OWNER in (fresh.role, role):
        raise NotPossible
    fresh.role = role
    fresh.save(update_fields=["role"])
    if role not in WRITERS:
        _revoke_links(seat)
    return True


@transaction.atomic
def remove(seat: Participant) -> bool:
    """Take the seat away, and with it what the person reads just now and the links they made. False if it is gone.

    Raises NotPossible for the owner's.
    """
    _lock(seat.conversation)
    fresh = Participant.objects.filter(pk=seat.pk).first()
    if fresh is None:
        return False
    if fresh.role == OWNER:
        raise NotPossible
    _revoke_links(seat)
    fresh.delete()
    return True


@transaction.atomic
def hand_over(conversation: Conversation, *, to: Any, by: Any) -> bool:
    """Make somebody who is in it the owner; `by` becomes an editor. False if they are not in it or cannot sign in.

    Raises NotPossible where the new owner has imported the same conversation.
    """
    locked = _lock(conversation)
    seats = {seat.user_id: seat for seat in locked.participants.filter(user__in=[to, by])}
    if to.pk == by.pk or to.pk not in seats or to.deleted_at or not to.is_active:
        return False
    same = Conversation.objects.filter(owner=to, source=locked.source, source_id=locked.source_id)
    if locked.source_id is not None and same.exists():
        raise NotPossible
    for person, role in ((to, OWNER), (by, EDITOR)):
        seats[person.pk].role = role
        seats[person.pk].save(update_fields=["role"])
    locked.owner = conversation.owner = to
    locked.save(update_fields=["owner"])
    return True


def _lock(conversation: Conversation) -> Conversation:
    """Of two changes at once, the second sees what the first did."""
    return Conversation.objects.select_for_update().get(pk=conversation.pk)


def _revoke_links(seat: Participant) -> None:
    """Links do not outlive the right of whoever made them."""
    for link in seat.conversation.links.filter(created_by=seat.user_id, revoked_at=None):
        link.revoked_at = timezone.now()
        link.save(update_fields=["revoked_at"])


def _tell(conversation: Conversation, email: str, by: Any, path: str, *, is_new: bool = False) -> None:
    """The seat stands whether or not the mail server takes the letter."""
    context = {"by": by, "conversation": conversation, "email": email, "is_new": is_new}
    context |= {"url": f"{settings.BASE_URL}{path}", "base_url": settings.BASE_URL}
    try:
        text = render_to_string("conversations/email/invited.txt", context)
        send_mail(_("You are invited to a conversation"), text, None, [email])
    except (OSError, SMTPException):
        logger.exception("The invitation to a conversation could not be sent")
