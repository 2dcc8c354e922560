"""How the sign-in library behaves here."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up follows `REGISTRATION`."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.REGISTRATION != "closed"
