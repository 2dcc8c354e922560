"""What becomes of conversations when a person is erased."""

from collections.abc import Iterator

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy

from accounts import forgetting
from accounts.erasing import BATCH, Erasure, Estate, register
from accounts.models import User
from audit.models import AuditLog
from audit.proof.redactions import CONTENT
from conversations.models import Conversation, LinkView, Participant, Prompt, SeatOffer, ShareLink, UsageDaily
from promptlib.core.fields import normalize_key


def give(conversation: Conversation, giver: User, heir: User) -> None:
    """The heir sits in it as its owner; where it came from is forgotten if they have it from there already."""
    changed = {"owner"}
    source = {"source": conversation.source, "source_id": conversation.source_id}
    if conversation.source_id is not None and Conversation.objects.filter(owner=heir, **source).exists():
        conversation.source, conversation.source_id = "", None
        changed |= set(source)
    conversation.participants.filter(user=giver).delete()
    seat = conversation.participants.filter(user=heir).first()
    if seat is None:
        Participant.objects.create(conversation=conversation, user=heir, role=Participant.Role.OWNER)
    elif seat.role != Participant.Role.OWNER:
        seat.role = Participant.Role.OWNER
        seat.save(update_fields=["role"])
    conversation.owner = heir
    conversation.save(update_fields=changed)


def forget_offers(erasure: Erasure) -> Iterator[None]:
    """Places that were kept for an address of the person."""
    addresses = forgetting.known_as(erasure.person, "email", "confirmed_email")
    yield from erasure.delete(SeatOffer.objects.filter(email_key__in={normalize_key(each) for each in addresses}))
    for address in sorted(addresses):
        offered = AuditLog.objects.filter(
            Q(object_repr__startswith=f"{address}:"),
            content_type__app_label="conversations",
            content_type__model="seatoffer",
        )
        yield from erasure.forget(offered, CONTENT)


def delete_links_and_drafts(erasure: Erasure) -> Iterator[None]:
    """The links that they made, where they opened others', and what they had not sent."""
    yield from erasure.delete(ShareLink.objects.filter(created_by=erasure.person))
    yield from erasure.forget_gone(ShareLink, "created_by")
    opened = LinkView.objects.filter(user=erasure.person)
    while pks := list(opened.values_list("pk", flat=True)[:BATCH]):
        LinkView.objects.filter(pk__in=pks).update(user=None, ip=None, user_agent="")
        yield
    yield from erasure.delete(Prompt.all_objects.filter(author=erasure.person, status=Prompt.Status.DRAFT))


def _owned(person: User) -> "QuerySet[Conversation]":
    return Conversation.all_objects.filter(owner=person)


def _shared(person: User) -> "QuerySet[Conversation]":
    return Conversation.objects.filter(owner=person, participant_count__gt=1)


CONVERSATIONS = Estate("conversations", gettext_lazy("Conversations"), owned=_owned, shared=_shared, give=give)


def start() -> None:
    register(estates=[CONVERSATIONS], cleaners=[forget_offers, delete_links_and_drafts])
    forgetting.keep(UsageDaily)
