"""What others see of a person, and what that person did."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import User
from audit.access import note_access
from audit.history import page as history_page
from audit.models import AuditLog


@login_required
@require_safe
def person(request: HttpRequest, handle: str) -> HttpResponse:
    context = {"person": get_object_or_404(User, handle=handle), "may_look_after": may_look_after(request)}
    return render(request, "accounts/person.html", context)


def may_look_after(request: HttpRequest) -> bool:
    """Whether whoever asks may close accounts, and has come into the administration as it wants it."""
    return admin.site.has_permission(request) and request.user.has_perm("accounts.delete_user")


@login_required
@require_safe
def history(request: HttpRequest, handle: str) -> HttpResponse:
    person = _told_of(request, handle)
    _note_look(request, person)
    page = history_page.HistoryPage(request, _rows(request, person), is_personal=not _is_account(request))
    context = {"person": person, "history": page, "is_account": _is_account(request)}
    return render(request, "accounts/history.html", context)


@login_required
@require_safe
def export_history(request: HttpRequest, handle: str) -> HttpResponseBase:
    person = _told_of(request, handle)
    _note_look(request, person)
    return history_page.export(request, _rows(request, person), about=person)


def _told_of(request: HttpRequest, handle: str) -> Any:
    """Staff read what anybody did, those in the trash too; others what they did themselves."""
    people = User.all_objects.filter(handle=handle).order_by("-alive", "-pk")
    user: Any = request.user
    people = people if user.is_staff else people.filter(pk=user.pk)
    if (found := people.first()) is None:
        raise Http404
    return found


def _note_look(request: HttpRequest, person: Any) -> None:
    if person.pk != request.user.pk:
        note_access(request.user, person, reason=_("as staff: what the person did"))


def _rows(request: HttpRequest, person: Any) -> QuerySet[AuditLog]:
    """What the person did; or what was done to their account, which may name others: for staff."""
    return AuditLog.objects.about(person.pk) if _is_account(request) else AuditLog.objects.filter(actor_id=person.pk)


def _is_account(request: HttpRequest) -> bool:
    return request.user.is_staff and request.GET.get("of") == "account"
