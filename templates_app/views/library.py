"""The library: what the person may see of it, narrowed and sorted by the query string."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from templates_app.filters import TemplateFilter
from templates_app.library import LibraryPage, library_of
from templates_app.views.access import open_to_visitors


@open_to_visitors
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    filters = TemplateFilter(request.GET, queryset=library_of(request.user), request=request)
    context = {"filters": filters, "library": LibraryPage(filters, request.user, request.GET.get("cursor"))}
    status = 200 if filters.is_valid() else 422
    if not request.htmx:  # type: ignore[attr-defined]  # of HtmxMiddleware
        return render(request, "templates_app/list.html", context, status=status)
    response = render(request, "templates_app/_results.html", context, status=status)
    response["HX-Push-Url"] = reverse("templates_app:list") + (filters.url() if filters.query else "")
    return response
