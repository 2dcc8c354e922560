"""The trash of a person, for staff everybody's, and the way back."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from audit import trash
from audit.access import note_access
from audit.trash.entries import NAMES_ON_ITS_PAGE, entries_of
from audit.trash.forms import ReasonForm, RestoreForm
from audit.trash.page import trash_page
from audit.trash.restoring import bring_back, bring_back_many, conflicts_of
from promptlib.core.ids import read_ids
from promptlib.core.models import SoftDeleteModel
from promptlib.core.soft_delete import RestoreConflict
from promptlib.core.toasts import notify

SELECTION_LIMIT = 200
"""As many things as are restored or deleted for good at once."""


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    return trash_page(request, trash.Trash(request.user, text=request.GET.get("q", "")[:200]))


@login_required
@require_safe
def everybodys(request: HttpRequest) -> HttpResponse:
    """What anybody deleted, for staff."""
    if not request.user.is_staff:
        raise Http404
    text, person = (request.GET.get(name, "")[:200] for name in ("q", "person"))
    return trash_page(request, trash.Trash(request.user, is_everybodys=True, text=text, person=person))


@login_required
@require_safe
def show(request: HttpRequest, deletion_id: UUID) -> HttpResponse:
    found = trash.find(request.user, deletion_id)
    if found is None:
        return _gone(request)
    row, as_staff = found
    if as_staff:
        note_access(request.user, row, reason=_("as staff, in the trash"))
    return _thing(request, row, as_staff, status=200)


@login_required
@require_POST
def restore(request: HttpRequest, deletion_id: UUID) -> HttpResponse:
    """What is to be decided is asked on the thing's page; there what was typed stays, and nothing has changed."""
    found = trash.find(request.user, deletion_id)
    if found is None:
        return _gone(request)
    row, as_staff = found
    conflicts = conflicts_of(row)
    form = _form(request, conflicts, as_staff)
    if form.fields and not form.is_answered:
        return _thing(request, row, as_staff, status=409 if conflicts else 422)
    if not form.is_valid():
        return _thing(request, row, as_staff, form=form, status=422)
    if form.keeps_the_other:
        notify(request, _("Everything stays as it was."))
        return redirect("audit:trash")
    try:
        count = bring_back(
            row, by=request.user, answers=form.answers, as_staff=as_staff, reason=form.cleaned_data.get("reason", "")
        )
    except (RestoreConflict, ValidationError) as error:
        return _still_in_the_way(request, row, as_staff, error)
    return _back(request, row, as_staff) if count else _gone(request)


@login_required
@require_POST
def restore_together(request: HttpRequest, deletion_id: UUID) -> HttpResponse:
    """Undo what was done to a selection: the thing, and what the same person deleted with it."""
    here = trash.Trash(request.user)
    row = here.find(deletion_id)
    return _gone(request) if row is None else _restore_all(request, here.together_with(row))


@login_required
@require_POST
def restore_many(request: HttpRequest) -> HttpResponse:
    """Those about which something is to be decided stay, and are named."""
    as_staff = request.user.is_staff and "as_staff" in request.POST
    rows = trash.find_many(request.user, read_ids(request.POST.getlist("ids"), SELECTION_LIMIT), as_staff=as_staff)
    form = ReasonForm(request.POST, is_required=as_staff)
    if not rows:
        notify(request, _("Nothing is selected that is still in the trash."))
    elif not form.is_valid():
        return render(request, "audit/trash_reason.html", {"form": form, "rows": rows}, status=422)
    else:
        return _restore_all(request, rows, as_staff=as_staff, reason=form.cleaned_data["reason"])
    return redirect("audit:trash_of_everybody" if as_staff else "audit:trash")


def _restore_all(
    request: HttpRequest, rows: list[SoftDeleteModel], *, as_staff: bool = False, reason: str = ""
) -> HttpResponse:
    outcome = bring_back_many(rows, by=request.user, as_staff=as_staff, reason=reason)
    _tell_restored(request, outcome.restored)
    if outcome.undecided:
        return render(request, "audit/trash_undecided.html", {"rows": outcome.undecided}, status=409)
    return redirect("audit:trash_of_everybody" if as_staff else "audit:trash")


def _form(request: HttpRequest, conflicts: Sequence[Any], as_staff: bool, data: Any = None) -> RestoreForm:
    return RestoreForm(
        request.POST if data is None else data or None,
        initial={"reason": request.POST.get("reason", "")},
        conflicts=conflicts,
        may_restore=lambda deletion_id: trash.find(request.user, deletion_id) is not None,
        is_required=as_staff,
    )


def _thing(
    request: HttpRequest, row: SoftDeleteModel, as_staff: bool, *, form: RestoreForm | None = None, status: int
) -> HttpResponse:
    """A thing in the trash, with what is asked before it comes back."""
    if form is None:
        form = _form(request, conflicts_of(row), as_staff, data={})
    entries = entries_of([row], names=NAMES_ON_ITS_PAGE)
    if not entries:  # it went for good, or came back, a moment ago
        return _gone(request)
    context = {
        "entry": entries[0],
        "form": form,
        "as_staff": as_staff,
        "is_refused": status == 409,
        "may_purge": bool(trash.find_purgeable(request.user, read_ids([str(row.deletion_id)]), as_staff=as_staff)),
    }
    return render(request, "audit/trash_thing.html", context, status=status)


def _still_in_the_way(
    request: HttpRequest, row: SoftDeleteModel, as_staff: bool, error: RestoreConflict | ValidationError
) -> HttpResponse:
    """What was answered is taken too, or something came between: the form again, as it was filled in."""
    form = _form(request, conflicts_of(row), as_staff)
    for text in error.conflicts if isinstance(error, RestoreConflict) else error.messages:
        form.add_error(None, text)
    return _thing(request, row, as_staff, form=form, status=409)


def _back(request: HttpRequest, row: SoftDeleteModel, as_staff: bool) -> HttpResponse:
    row.refresh_from_db()
    _tell_restored(request, [row])
    thing: Any = row  # every kind has a page of its own
    return redirect("audit:trash_of_everybody" if as_staff else thing.get_absolute_url())


def _tell_restored(request: HttpRequest, rows: Sequence[SoftDeleteModel]) -> None:
    if len(rows) == 1:
        notify(request, _("“%(thing)s” is restored.") % {"thing": Truncator(str(rows[0])).chars(80)})
    elif rows:
        text = ngettext("%(count)d thing is restored.", "%(count)d things are restored.", len(rows))
        notify(request, text % {"count": len(rows)})


def _gone(request: HttpRequest) -> HttpResponse:
    """The same words for what was restored meanwhile, is gone for good, was never there, or is somebody else's."""
    return render(request, "audit/trash_gone.html", {"trash_url": reverse("audit:trash")}, status=404)
