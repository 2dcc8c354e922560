"""The trash of a person, and the way back."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from audit import trash
from promptlib.core import soft_delete
from promptlib.core.pagination import KeysetPage, capped_count
from promptlib.core.toasts import notify


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    return _page(request)


@login_required
@require_POST
def restore(request: HttpRequest, deletion_id: UUID) -> HttpResponse:
    if not trash.may_restore(request.user, deletion_id):
        raise Http404
    things = trash.restored_things(deletion_id)
    try:
        soft_delete.restore(deletion_id, by=request.user)
    except soft_delete.RestoreConflict as conflict:
        return _page(request, conflicts=conflict.conflicts, status=409)
    notify(request, _("“%(thing)s” is restored.") % {"thing": things[0]})
    target: Any = things[0] if len(things) == 1 else "audit:trash"
    return redirect(target)


def _page(request: HttpRequest, *, conflicts: list[str] | None = None, status: int = 200) -> HttpResponse:
    kinds = {str(model._meta.model_name): model for model in trash.kinds()}
    counts = {name: capped_count(trash.lost(model, request.user))[0] for name, model in kinds.items()}
    chosen = request.GET.get("kind", "")
    if chosen not in kinds:
        chosen = next((name for name, count in counts.items() if count), next(iter(kinds)))
    page = KeysetPage(
        trash.lost(kinds[chosen], request.user), order=("-deleted_at", "-id"), cursor=request.GET.get("cursor")
    )
    gone_with = trash.companions(page.items)
    tabs = [
        {
            "label": str(model._meta.verbose_name_plural).capitalize(),
            "url": f"?kind={name}",
            "count": counts[name],
            "current": name == chosen,
        }
        for name, model in kinds.items()
    ]
    rows = [(row, trash.days_left(row), gone_with.get(row.deletion_id, [])) for row in page.items]
    return render(
        request, "audit/trash.html", {"page": page, "rows": rows, "tabs": tabs, "conflicts": conflicts}, status=status
    )
