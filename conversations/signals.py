"""What happens in conversations when something happens to a person."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.contrib.auth import get_user_model
from django.dispatch import receiver

from conversations.services.people import take_offers


@receiver(email_confirmed, dispatch_uid="conversations_offers_taken")
def take_offered_seats(email_address: EmailAddress, **_kwargs: Any) -> None:
    person = get_user_model().objects.filter(pk=email_address.user_id, is_active=True).first()
    if person is not None:
        take_offers(person=person, email=email_address.email)
