"""Many templates at once: what is ticked in the library is tagged, shelved, shared, put away, exported; and undone."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from promptlib.core.soft_delete import RestoreConflict
from promptlib.core.toasts import notify
from promptlib.core.transactions import in_transaction
from templates_app import services
from templates_app.bulk_words import done_words, undone_words
from templates_app.filters import TemplateFilter
from templates_app.forms.bulk import BulkGrantForm, BulkShelfForm, BulkTagsForm, BulkVisibilityForm, selected_ids
from templates_app.library import library_of
from templates_app.models import BulkAction, PromptTemplate

FORMS: dict[str, Any] = {
    "tag": BulkTagsForm,
    "untag": BulkTagsForm,
    "shelve": BulkShelfForm,
    "visibility": BulkVisibilityForm,
    "share": BulkGrantForm,
}
TITLES_SHOWN = 5


@login_required
@require_POST
def act(request: HttpRequest, action: str) -> HttpResponse:
    """Without what it needs (the tags, the shelf, …) the page that asks for it, the selection kept; else it is done."""
    if action not in services.BULK_KINDS:
        raise Http404
    pks = selection(request)
    if not pks:
        notify(request, _("Nothing is selected: tick some templates first."))
        return _back(request)
    form = _form(request, action)
    if form is not None and not form.is_valid():
        return _ask(request, action, pks, form)
    choice = form.choice if form is not None else None
    outcome = in_transaction(lambda: services.act_on_many(action, pks, by=request.user, choice=choice))
    undo = reverse("templates_app:undo_bulk", args=[outcome.action.pk]) if outcome.action else ""
    notify(request, done_words(action, outcome, choice), undo=undo)
    return _back(request)


@login_required
@require_POST
def undo(request: HttpRequest, pk: UUID) -> HttpResponse:
    action = get_object_or_404(BulkAction, pk=pk, user=request.user)
    try:
        undone = in_transaction(lambda: services.undo_many(action, by=request.user))
    except RestoreConflict as conflict:
        notify(request, " ".join(conflict.conflicts[:3]))
        return redirect("audit:trash")
    notify(request, undone_words(undone))
    return redirect("templates_app:list")


@login_required
@require_POST
def export(request: HttpRequest) -> HttpResponse:
    """To the page that asks for the format: with the selection, or the filters where all that match are meant."""
    if request.POST.get("everything"):
        return redirect(f"{reverse('templates_app:export_all')}?{_query(request).urlencode()}")
    pks = selection(request)
    if not pks:
        notify(request, _("Nothing is selected: tick some templates first."))
        return _back(request)
    ids = ",".join(pk.hex for pk in pks)
    return redirect(f"{reverse('templates_app:export_all')}?{urlencode({'ids': ids}, safe=',')}")


def selection(request: HttpRequest) -> list[UUID]:
    """The ticked templates; or, with `everything`, those that the list's filters leave, up to the limit."""
    if not request.POST.get("everything"):
        return selected_ids(request.POST)[: services.SELECTION_LIMIT]
    filters = TemplateFilter(_query(request), queryset=library_of(request.user), request=request)
    if not filters.is_valid():
        return []
    return list(filters.qs.order_by(*filters.order).values_list("pk", flat=True)[: services.SELECTION_LIMIT])


def _form(request: HttpRequest, action: str) -> Any:
    """Bound once what it asks for was sent; the first time it is asked."""
    if action not in FORMS:
        return None
    make = FORMS[action]
    is_sent = any(name in request.POST for name in make.base_fields)
    return make(request.POST, asked_by=request.user) if is_sent else make(asked_by=request.user)


def _ask(request: HttpRequest, action: str, pks: Sequence[UUID], form: Any) -> HttpResponse:
    visible = PromptTemplate.objects.visible_to(request.user).filter(pk__in=pks)
    allowed = services.permitted(action, pks, request.user)
    titles = list(visible.order_by("title").values_list("title", flat=True)[:TITLES_SHOWN])
    asking = {"visibility": ["visibility", "share"], "share": ["visibility", "share"]}.get(action, [action])
    context = {
        "action": action,
        "forms": [(each, form if each == action else FORMS[each](asked_by=request.user)) for each in asking],
        "ids": ",".join(str(pk) for pk in pks),
        "count": len(pks),
        "allowed_count": len(allowed),
        "skipped_count": len(pks) - len(allowed),
        "titles": titles,
        "more": len(pks) - len(titles),
        "query": request.POST.get("query", ""),
    }
    return render(request, "templates_app/bulk.html", context, status=422 if form.is_bound else 200)


def _query(request: HttpRequest) -> QueryDict:
    return QueryDict(request.POST.get("query", "")[:2000])


def _back(request: HttpRequest) -> HttpResponse:
    """To the list as it was: its filters, of which only what the library knows is kept."""
    filters = TemplateFilter(_query(request), queryset=library_of(request.user), request=request)
    return redirect(reverse("templates_app:list") + (filters.url() if filters.query else ""))
