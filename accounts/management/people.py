"""Whom a command is told to act for."""

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from accounts.models import User


def person_by_email(email: str) -> User:
    """The person with this address; raises CommandError with exit code 2."""
    try:
        person: User = User.objects.get_by_natural_key(email)
    except User.DoesNotExist:
        message = _("Nobody here has the e-mail address %(email)s.") % {"email": email}
        raise CommandError(message, returncode=2) from None
    return person
