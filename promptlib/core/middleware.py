"""What a page must know when htmx asks for a part of it, and how much may be sent to any."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils.cache import patch_vary_headers


class FragmentMiddleware:
    """One URL, two answers: caches must tell them apart, and a sign-in page must never land inside a fragment."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        patch_vary_headers(response, ["HX-Request"])
        if request.headers.get("HX-Request") == "true" and self._leads_to_sign_in(response):
            return self._whole_page(request, response)
        return response

    def _leads_to_sign_in(self, response: HttpResponseBase) -> bool:
        if response.status_code not in (301, 302, 303):
            return False
        return urlsplit(response.headers.get("Location", "")).path == resolve_url(settings.LOGIN_URL)

    def _whole_page(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponse:
        """Leave for the sign-in page, and from there come back to the page that was shown, not to the fragment."""
        shown = urlsplit(request.headers.get("HX-Current-URL", ""))
        if shown.netloc == request.get_host() and shown.path.startswith("/"):
            back = shown.path + (f"?{shown.query}" if shown.query else "")
            target = redirect_to_login(back, resolve_url(settings.LOGIN_URL)).headers["Location"]
        else:
            target = response.headers["Location"]
        answer = HttpResponse(status=204, headers={"HX-Redirect": target})
        patch_vary_headers(answer, ["HX-Request"])
        answer.cookies = response.cookies
        return answer


class PrivateMiddleware:
    """What somebody sees who is signed in is kept by no proxy, and by their browser until they sign out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            response.headers.setdefault("Cache-Control", "private, no-cache")
            ended = response.cookies.get(settings.SESSION_COOKIE_NAME)
            if ended is not None and not ended.value:
                response.headers["Clear-Site-Data"] = '"cache"'  # the pages behind the Back button
        return response


class BodyLimitMiddleware:
    """Refuses what is too large by its announced length, before a byte of it is read or written to a disk."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        limit = settings.MAX_BODY_BYTES_OF.get(request.path_info, settings.MAX_BODY_BYTES)
        if not length.isascii() or not length.isdigit() or int(length) > limit:
            response = render(request, "413.html", {"limit": limit // (1024 * 1024)}, status=413)
            response.headers["Connection"] = "close"  # the rest of it is on its way
            return response
        return self.get_response(request)
