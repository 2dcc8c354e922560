"""Search over everything, as a page and as the list of the palette."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from promptlib.site import search as everything
from promptlib.site.forms import SearchForm


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    target = request.htmx.target if request.htmx else ""  # type: ignore[attr-defined]  # of HtmxMiddleware
    if target == "palette-list":
        return _palette(request, text)
    only = form.cleaned_data.get("kind", "") if form.is_valid() else ""
    groups = everything.find(request.user, text, only=only, cursor=request.GET.get("cursor"))
    total = sum(group.count for group in groups)
    context = {
        "form": form,
        "query": text,
        "only": only,
        "groups": groups,
        "total": total,
        "tabs": _tabs(groups, text, only, total),
    }
    return render(request, "site/_search_results.html" if target == "results" else "site/search.html", context)


def _palette(request: HttpRequest, text: str) -> HttpResponse:
    groups = [
        {
            "label": group.kind.label,
            "icon": group.kind.icon,
            "items": [{"url": hit.url, "text": hit.title, "where": ""} for hit in group.hits],
        }
        for group in everything.find(request.user, text, size=4)
    ]
    return render(request, "components/palette_list.html", {"groups": groups, "query": text, "do": True})


def _tabs(groups: list[everything.Group], text: str, only: str, total: int) -> list[dict[str, object]]:
    tabs = [{"label": _("Everything"), "url": f"?{urlencode({'q': text})}", "count": total, "current": not only}]
    for group in groups:
        name = group.kind.name
        url = f"?{urlencode({'q': text, 'kind': name})}"
        tabs.append({"label": group.kind.label, "url": url, "count": group.count, "current": only == name})
    return tabs
