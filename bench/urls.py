"""Every address of promptlib, and three views to compare its pages with: what Django costs when a view does little."""

from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.urls import path

from promptlib import urls as site
from templates_app.models import PromptTemplate

ROWS = 30
LIST = '<!doctype html><title>Templates</title><ul>{% for row in rows %}<li><a href="{{ row.get_absolute_url }}">{{ row.title }}</a> by {{ row.owner }}, {{ row.updated_at|date }}: {{ row.summary }}</li>{% endfor %}</ul>'  # noqa: E501


def bare(request: HttpRequest) -> HttpResponse:
    """Nothing but the middleware."""
    return HttpResponse("bare")


def signed_in(request: HttpRequest) -> HttpResponse:
    """Who is asking: the session and the person."""
    return HttpResponse(request.user.get_username())


def rows(request: HttpRequest) -> HttpResponse:
    """Thirty rows in the plainest page, straight from the models."""
    found = PromptTemplate.objects.visible_to(request.user).select_related("owner").order_by("-pk")[:ROWS]
    return HttpResponse(Template(LIST).render(Context({"rows": found})))


urlpatterns = [
    path("bench/bare/", bare),
    path("bench/signed-in/", signed_in),
    path("bench/rows/", rows),
    *site.urlpatterns,
]
for _name in ("handler400", "handler403", "handler404", "handler500"):
    if hasattr(site, _name):
        globals()[_name] = getattr(site, _name)
