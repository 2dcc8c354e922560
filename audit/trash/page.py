"""The page of the trash: kinds with their numbers, and the lines of the one that was chosen."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from audit.trash import Trash
from audit.trash.entries import entries_of
from audit.trash.pages import MixedPage


def trash_page(request: HttpRequest, trash: Trash) -> HttpResponse:
    kinds = {str(model._meta.model_name): model for model in trash.kinds}
    chosen = request.GET.get("kind", "")
    shown = [kinds[chosen]] if chosen in kinds else trash.kinds
    size = request.user.rows_per_page or 30  # type: ignore[union-attr]  # signed in
    page = MixedPage([trash.rows(model) for model in shown], cursor=request.GET.get("cursor"), size=size)
    counts = trash.counts()
    context = {
        "trash": trash,
        "page": page,
        "entries": entries_of(page.items),
        "count": sum(counts.values()),
        "tabs": _tabs(trash, {name: counts[model] for name, model in kinds.items()}, chosen if chosen in kinds else ""),
        "kind": chosen if chosen in kinds else "",
        "days": settings.RETENTION_TRASH_DAYS,
    }
    return render(request, "audit/trash.html", context)


def _tabs(trash: Trash, counts: dict[str, int], chosen: str) -> list[dict[str, Any]]:
    """Kinds of which there is nothing are left out, but for the one that is looked at."""
    names = {str(model._meta.model_name): capfirst(str(model._meta.verbose_name_plural)) for model in trash.kinds}
    kept = {name: value for name, value in (("q", trash.text), ("person", trash.person)) if value}
    everything = {"label": _("Everything"), "url": f"?{urlencode(kept)}", "count": sum(counts.values())}
    tabs = [{**everything, "current": not chosen}]
    for name, count in counts.items():
        if count or name == chosen:
            url = f"?{urlencode({'kind': name, **kept})}"
            tabs.append({"label": names[name], "url": url, "count": count, "current": name == chosen})
    return tabs
