"""One's own pages: profile and preferences."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.forms import PreferencesForm, ProfileForm
from accounts.models import User
from promptlib.core.toasts import notify


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    form = ProfileForm(request.POST or None, instance=_fresh(request))
    if form.is_valid():
        form.save()
        notify(request, _("Your profile is saved."))
        return redirect("accounts:profile")
    return render(request, "accounts/profile.html", {"form": form}, status=422 if form.is_bound else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    form = PreferencesForm(request.POST or None, instance=_fresh(request), request=request)
    if form.is_valid():
        form.save()
        notify(request, _("Your preferences are saved."))
        response = redirect("accounts:preferences")
        response.delete_cookie("theme", samesite="Lax")  # what this device was set to gives way to what was just chosen
        return response
    return render(request, "accounts/preferences.html", {"form": form}, status=422 if form.is_bound else 200)


def _fresh(request: HttpRequest) -> User:
    """Not the request's own object: a form that fails leaves its values on it, and the page would show them."""
    return User.objects.get(pk=request.user.pk)
