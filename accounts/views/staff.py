"""What staff do with somebody's account on request: give them their data, close it, erase them."""

from allauth.account.decorators import reauthentication_required
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.closing import CannotClose, close_account, keep_account, obstacles
from accounts.closing_forms import ReasonForm, StaffClosingForm
from accounts.models import Closure, User
from accounts.views.own_data import zip_response
from accounts.views.people import may_look_after
from promptlib.core.toasts import notify


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required
def account(request: HttpRequest, handle: str) -> HttpResponse:
    person, staff = _somebody(request, handle)
    form = StaffClosingForm(request.POST or None, person=person, asked_by=staff)
    if not form.is_valid():
        return _page(request, person, form, obstacles(person, is_erasure=False), status=422 if form.is_bound else 200)
    try:
        close_account(person, by=staff, **form.wish())
    except CannotClose as refused:
        return _page(request, person, form, refused.obstacles, status=409)
    notify(request, _("%(person)s is signed out, and told by e-mail.") % {"person": person})
    return redirect("accounts:account", person.handle)


@login_required
@require_POST
@reauthentication_required
def download(request: HttpRequest, handle: str) -> HttpResponseBase:
    person, staff = _somebody(request, handle)
    form = ReasonForm(request.POST, auto_id="download-%s")
    if not form.is_valid():
        closing_form = StaffClosingForm(person=person, asked_by=staff)
        return _page(request, person, closing_form, [], reason_form=form, status=422)
    return zip_response(person, by=staff, reason=form.cleaned_data["reason"])


@login_required
@require_POST
@reauthentication_required
def keep(request: HttpRequest, handle: str) -> HttpResponse:
    person, staff = _somebody(request, handle)
    if keep_account(person, by=staff):
        notify(request, _("The account of %(person)s stays.") % {"person": person})
    return redirect("accounts:account", person.handle)


def _somebody(request: HttpRequest, handle: str) -> tuple[User, User]:
    """The person, and who of the staff asks; a 404 for everybody else."""
    if not may_look_after(request):
        raise Http404
    return get_object_or_404(User, handle=handle), User.objects.get(pk=request.user.pk)


def _page(
    request: HttpRequest,
    person: User,
    form: StaffClosingForm,
    problems: list[str],
    *,
    status: int,
    reason_form: ReasonForm | None = None,
) -> HttpResponse:
    closure = Closure.objects.filter(user=person).select_related("asked_by", "heir").first()
    reason_form = reason_form or ReasonForm(auto_id="download-%s")
    context = {"person": person, "form": form, "problems": problems, "closure": closure, "reason_form": reason_form}
    return render(request, "accounts/account.html", context, status=status)
