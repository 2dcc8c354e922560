"""The first page, and the sign that the program lives."""

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from promptlib.site import home


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return render(request, "site/landing.html")
    return render(request, "site/home.html", home.overview(request.user))


@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """200 where the database answers, 503 where it does not; for load balancers and containers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return HttpResponse("The database does not answer.\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")
