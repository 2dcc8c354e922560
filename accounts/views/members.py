"""Who is in a team, and as what: for its owners; and leaving, for everybody in it."""

from collections.abc import Callable

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import teams
from accounts.forms import MemberForm
from accounts.models import Team, TeamMembership, User
from accounts.views.teams import page
from promptlib.core.toasts import notify


@login_required
@require_POST
def add(request: HttpRequest, slug: str) -> HttpResponse:
    team = _own(request, slug)
    form = MemberForm(request.POST, asked_by=request.user)
    if not form.is_valid():
        return page(request, team, form=form, status=422)
    person = form.cleaned_data["who"]
    if teams.add_member(team, person=person, role=form.cleaned_data["role"]):
        notify(request, _("%(person)s is in the team.") % {"person": person})
    else:
        notify(request, _("%(person)s was in the team already.") % {"person": person})
    return redirect(team)


@login_required
@require_POST
def change_role(request: HttpRequest, slug: str, handle: str) -> HttpResponse:
    team = _own(request, slug)
    person = _member(team, handle)
    role = request.POST.get("role", "")
    if role not in TeamMembership.Role.values:
        raise Http404
    return _kept(request, team, lambda: teams.set_role(team, person=person, role=role))


@login_required
@require_POST
def remove(request: HttpRequest, slug: str, handle: str) -> HttpResponse:
    team = _own(request, slug)
    person = _member(team, handle)
    said = _("%(person)s is no longer in the team.") % {"person": person}
    return _kept(request, team, lambda: teams.remove_member(team, person=person), said)


@login_required
@require_POST
def leave(request: HttpRequest, slug: str) -> HttpResponse:
    team = get_object_or_404(Team.objects.visible_to(request.user), slug=slug)
    me = User.objects.get(pk=request.user.pk)
    said = _("You have left “%(team)s”.") % {"team": team}
    return _kept(request, team, lambda: teams.remove_member(team, person=me), said)


@login_required
@require_POST
def hand_over(request: HttpRequest, slug: str, handle: str) -> HttpResponse:
    team = _own(request, slug)
    person = _member(team, handle)
    if not teams.hand_over(team, to=person, by=User.objects.get(pk=request.user.pk)):
        raise Http404
    notify(request, _("%(person)s owns the team now; you are a member.") % {"person": person})
    return redirect(team)


def _kept(request: HttpRequest, team: Team, change: Callable[[], bool], said: str = "") -> HttpResponse:
    """What a change of seats is answered: it is refused where no owner would be left."""
    try:
        if change() and said:
            notify(request, said)
    except teams.LastOwner:
        problem = _("A team needs an owner. Hand it over to somebody first.")
        return page(request, team, status=409, problem=problem)
    still_in = Team.objects.visible_to(request.user).filter(pk=team.pk).exists()
    return redirect(team) if still_in else redirect("accounts:teams")


def _own(request: HttpRequest, slug: str) -> Team:
    return get_object_or_404(Team.objects.owned_by(request.user), slug=slug)


def _member(team: Team, handle: str) -> User:
    return get_object_or_404(User.objects.filter(memberships__team=team), handle=handle)
