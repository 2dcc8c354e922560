"""The admin asks for no password of its own: whoever enters has come through the sign-in, second factor included."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

FACTOR_KNOWN = "_lacks_second_factor"


class SecureAdminSite(admin.AdminSite):
    """Django's own forms for signing in and changing the password would go round the second factor: none is shown."""

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and not self._lacks_second_factor(request)

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
        if not url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
            wanted = resolve_url("admin:index")
        if not request.user.is_authenticated:
            return redirect_to_login(wanted)
        if self.has_permission(request):
            return redirect(wanted)
        if super().has_permission(request):
            messages.warning(
                request, _("The administration asks for a second factor. Set one up, then go there again.")
            )
            return redirect("mfa_index")
        raise PermissionDenied

    def password_change(  # type: ignore[override]  # a redirect where Django shows a page
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("account_change_password")

    @method_decorator(require_POST)
    def logout(  # type: ignore[override]  # as above
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        logout(request)
        return redirect("account_login")

    def _lacks_second_factor(self, request: HttpRequest) -> bool:
        """One query a request: the admin asks for the permission several times."""
        if not settings.ADMIN_REQUIRES_SECOND_FACTOR:
            return False
        known: bool | None = getattr(request, FACTOR_KNOWN, None)
        if known is None:
            known = not is_mfa_enabled(request.user, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN])
            setattr(request, FACTOR_KNOWN, known)
        return known
