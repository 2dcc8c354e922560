"""Closing one's own account, and changing one's mind."""

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.closing import CannotClose, close_account, keep_account, obstacles
from accounts.closing_forms import ClosingForm
from accounts.models import Closure, User
from promptlib.core.toasts import notify


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required
def close(request: HttpRequest) -> HttpResponse:
    person = User.objects.get(pk=request.user.pk)
    form = ClosingForm(request.POST or None, person=person, asked_by=person)
    if form.is_valid():
        try:
            closure = close_account(person, by=person, **form.wish())
        except CannotClose as refused:
            return _page(request, form, refused.obstacles, status=409)
        logout(request)
        text = _("Your account closes on %(day)s. If you change your mind before that day, sign in and keep it.")
        messages.warning(request, text % {"day": date_format(closure.closes_at, "j F Y")})
        return redirect("account_login")
    return _page(request, form, obstacles(person, is_erasure=False), status=422 if form.is_bound else 200)


@login_required
@require_safe
def closing(request: HttpRequest) -> HttpResponse:
    """All that somebody sees whose account is to be closed."""
    closure = Closure.objects.filter(user=request.user.pk).select_related("heir").first()
    if closure is None:
        return redirect("accounts:profile")
    return render(request, "accounts/closing.html", {"closure": closure})


@login_required
@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    person = User.objects.get(pk=request.user.pk)
    closure = Closure.objects.filter(user=person).first()
    if closure is not None and closure.is_asked_by_others:
        return redirect("accounts:closing")
    if keep_account(person, by=person):
        notify(request, _("Your account stays."))
    return redirect("/")


def _page(request: HttpRequest, form: ClosingForm, problems: list[str], *, status: int) -> HttpResponse:
    context = {"form": form, "problems": problems, "days": settings.ACCOUNT_GRACE_DAYS}
    return render(request, "accounts/close.html", context, status=status)
