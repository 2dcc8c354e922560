"""What a person's preferences change about every request, and when they were last seen."""

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import User

SEEN_EVERY = timedelta(minutes=5)


class PreferencesMiddleware:
    """Shows the pages in the person's own language and time zone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not user.is_authenticated:
            return self.get_response(request)
        if user.locale != translation.get_language() and user.locale in dict(settings.LANGUAGES):
            translation.activate(user.locale)  # LocaleMiddleware sets it anew for each request
        with timezone.override(ZoneInfo(user.timezone)):
            response = self.get_response(request)
        if "HX-Request" not in request.headers:
            note_visit(request, user)
        return response


class ClosingMiddleware:
    """Whoever has asked that their account be closed sees one page: to keep it, to take their data, to sign out."""

    OPEN = ("accounts:closing", "accounts:keep", "accounts:data", "accounts:download_data", "account_logout")
    ALSO = ("account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if user.is_authenticated and user.closes_at is not None and not self._is_open(request.path):
            return redirect("accounts:closing")
        return self.get_response(request)

    def _is_open(self, path: str) -> bool:
        return path in map(reverse, (*self.OPEN, *self.ALSO))


def note_visit(request: HttpRequest, user: User) -> None:
    """At most every five minutes: two small updates, and nothing in the audit log."""
    now = timezone.now()
    if user.last_seen_at is not None and user.last_seen_at > now - SEEN_EVERY:
        return
    old = Q(last_seen_at=None) | Q(last_seen_at__lte=now - SEEN_EVERY)
    if User.objects.filter(old, pk=user.pk).update(last_seen_at=now):
        UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=now)
