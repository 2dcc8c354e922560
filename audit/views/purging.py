"""Out of the trash for good: a selection, or all of one's own. A page says first what goes and what stays."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from audit import trash
from audit.retention.purging import Outcome, purge
from audit.trash.forms import PurgeForm
from audit.trash.purging import prospect_of
from audit.views.trash import SELECTION_LIMIT
from promptlib.core.ids import read_ids
from promptlib.core.models import SoftDeleteModel
from promptlib.core.toasts import notify

EMPTIED_AT_ONCE = 1_000
"""As many things as one answer waits for; of a fuller trash the oldest."""


@login_required
@require_POST
def purge_selection(request: HttpRequest) -> HttpResponse:
    """Without the word that one is sure the page that asks for it; else it is done."""
    as_staff = request.user.is_staff and "as_staff" in request.POST
    wanted = read_ids(request.POST.getlist("ids"), SELECTION_LIMIT)
    rows = trash.find_purgeable(request.user, wanted, as_staff=as_staff)
    form = PurgeForm(request.POST if "sure" in request.POST else None, is_required=as_staff)
    if not rows:
        notify(request, _("Nothing is selected that is in the trash and yours to delete for good."))
    elif not form.is_valid():
        return _ask(request, form, rows, as_staff=as_staff)
    else:
        _purge(request, rows, form.cleaned_data["reason"])
    return redirect("audit:trash_of_everybody" if as_staff else "audit:trash")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def empty(request: HttpRequest) -> HttpResponse:
    """What comes into the trash after the page that asks is not on it, and stays."""
    form = PurgeForm(request.POST if request.method == "POST" else None, initial={"until": timezone.now().isoformat()})
    is_sure = form.is_bound and form.is_valid()
    until: datetime = (form.cleaned_data["until"] if is_sure else None) or timezone.now()
    wanted = trash.Trash(request.user).purgeable_deletions(limit=EMPTIED_AT_ONCE, until=until)
    rows = trash.find_purgeable(request.user, wanted, as_staff=False)
    if not rows:
        notify(request, _("There is nothing in the trash that you could delete for good."))
    elif not is_sure:
        return _ask(request, form, rows, is_all=True)
    else:
        _purge(request, rows, form.cleaned_data["reason"])
    return redirect("audit:trash")


def _ask(
    request: HttpRequest,
    form: PurgeForm,
    rows: Sequence[SoftDeleteModel],
    *,
    as_staff: bool = False,
    is_all: bool = False,
) -> HttpResponse:
    context = {
        "form": form,
        "prospect": prospect_of(rows),
        "ids": ",".join(str(row.deletion_id) for row in rows),
        "as_staff": as_staff,
        "is_all": is_all,
    }
    return render(request, "audit/trash_purge.html", context, status=422 if form.is_bound else 200)


def _purge(request: HttpRequest, rows: Sequence[SoftDeleteModel], reason: str) -> None:
    outcome = purge([row.deletion_id for row in rows if row.deletion_id], by=request.user, reason=reason)
    for text in _told(outcome):
        notify(request, text)


def _told(outcome: Outcome) -> list[str]:
    words: list[tuple[Any, int]] = [
        (
            ngettext(
                "%(count)d thing is deleted for good.", "%(count)d things are deleted for good.", len(outcome.purged)
            ),
            len(outcome.purged),
        ),
        (
            ngettext(
                "%(count)d thing stays: a legal hold keeps it.",
                "%(count)d things stay: a legal hold keeps them.",
                len(outcome.held),
            ),
            len(outcome.held),
        ),
        (
            ngettext(
                "%(count)d thing stays: something else still needs it.",
                "%(count)d things stay: something else still needs them.",
                len(outcome.in_use),
            ),
            len(outcome.in_use),
        ),
    ]
    told = [text % {"count": count} for text, count in words if count]
    return told or [_("Nothing was left to delete: somebody was quicker.")]
