"""Following a template, and having seen what changed in it."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from audit.forms import SeenForm
from templates_app import services
from templates_app.views import access


@login_required
@require_POST
def follow(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _set(request, pk, following=True)


@login_required
@require_POST
def unfollow(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _set(request, pk, following=False)


@login_required
@require_POST
def seen(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A script says so when the page was opened, and a button where there is none: a GET writes nothing."""
    template = access.visible(request, pk)
    form = SeenForm(request.POST)
    until = form.cleaned_data["until"] if form.is_valid() else None
    services.mark_seen(template, user=request.user, until=until)
    return HttpResponse(status=204) if request.htmx else redirect(template)  # type: ignore[attr-defined]  # of HtmxMiddleware


def _set(request: HttpRequest, pk: UUID, *, following: bool) -> HttpResponse:
    template = access.visible(request, pk)
    services.set_following(template, following=following, user=request.user)
    if request.htmx:  # type: ignore[attr-defined]  # as above
        return render(request, "templates_app/_follow.html", {"template": template, "is_followed": following})
    return redirect(template)
