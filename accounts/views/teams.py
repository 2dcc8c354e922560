"""Teams: mine, one of them, a new one."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import teams
from accounts.forms import MemberForm, TeamForm
from accounts.models import Team, TeamMembership
from promptlib.core.pagination import KeysetPage
from promptlib.core.toasts import notify


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """One's own seats, by the team's name; how many sit there is counted for the page alone."""
    seats = TeamMembership.objects.filter(user=request.user.pk).select_related("team")
    page = KeysetPage(seats, order=("team__name", "team"), cursor=request.GET.get("cursor"))
    counts = Team.objects.filter(pk__in=[seat.team_id for seat in page.items]).with_counts()
    member_counts = {team.pk: team.member_count for team in counts}  # type: ignore[attr-defined]  # with_counts()
    rows = [(seat.team, seat, member_counts.get(seat.team_id, 0)) for seat in page.items]
    return render(request, "accounts/teams.html", {"page": page, "rows": rows})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    form = TeamForm(request.POST or None)
    if form.is_valid():
        team = teams.create_team(by=request.user, **form.cleaned_data)
        notify(request, _("“%(team)s” is made. Now add people.") % {"team": team})
        return redirect(team)
    return render(request, "accounts/team_edit.html", {"form": form}, status=422 if form.is_bound else 200)


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    return page(request, get_object_or_404(Team.objects.visible_to(request.user), slug=slug))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    team = get_object_or_404(Team.objects.owned_by(request.user), slug=slug)
    form = TeamForm(request.POST or None, initial={"name": team.name, "description": team.description})
    if form.is_valid():
        teams.change_team(team, **form.cleaned_data)
        notify(request, _("“%(team)s” is saved.") % {"team": form.cleaned_data["name"]})
        return redirect(team)
    context = {"form": form, "team": team}
    return render(request, "accounts/team_edit.html", context, status=422 if form.is_bound else 200)


def page(request: HttpRequest, team: Team, *, form: Any = None, status: int = 200, problem: str = "") -> HttpResponse:
    """A team's page: who is in it, and what is shared with it. What is refused comes back here."""
    seats = team.memberships.filter(user__deleted_at__isnull=True).select_related("user")
    members = KeysetPage(seats, order=("-role", "id"), cursor=request.GET.get("cursor"))
    mine = team.memberships.filter(user=request.user.pk).first()
    is_owner = mine is not None and mine.role == TeamMembership.Role.OWNER
    context = {
        "team": team,
        "page": members,
        "mine": mine,
        "is_owner": is_owner,
        "form": form or (MemberForm(asked_by=request.user) if is_owner else None),
        "problem": problem,
    }
    return render(request, "accounts/team.html", context, status=status)
