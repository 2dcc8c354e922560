"""Ties every audit row of a request to the person, address and request it came from; says it when a hold refuses."""

import ipaddress
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject

from audit.context import acting
from audit.retention.holds import Held


class AuditMiddleware:
    """Sets the origin for the whole request; the person is looked up only when something is written."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with acting(
            SimpleLazyObject(lambda: request.user),
            ip=client_ip(request),
            user_agent=request.headers.get("User-Agent", "")[:300],
            request_id=structlog.contextvars.get_contextvars().get("request_id"),
        ):
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """What a hold keeps is no error of the program's; the transaction that met it is undone."""
        return render(request, "audit/held.html", status=409) if isinstance(exception, Held) else None


def client_ip(request: HttpRequest) -> str | None:
    """The client's address: behind N trusted proxies the N-th of X-Forwarded-For from the right. None if invalid."""
    address = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXY_COUNT:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        if len(hops) >= settings.TRUSTED_PROXY_COUNT:
            address = hops[-settings.TRUSTED_PROXY_COUNT]
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None
