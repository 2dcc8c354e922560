"""What happens to teams: made, renamed, joined, left, handed over. Each function is one audited transaction."""

from typing import Any

from django.db import transaction

from accounts.models import RESERVED_SLUGS, Team, TeamMembership, User

OWNER, MEMBER = TeamMembership.Role.OWNER, TeamMembership.Role.MEMBER


class LastOwner(ValueError):
    """A team keeps an owner who can still sign in."""


@transaction.atomic
def create_team(*, name: str, description: str = "", by: Any) -> Team:
    """A team of one: whoever makes it owns it."""
    team = Team.objects.create(name=name, description=description, slug=free_slug(name))
    TeamMembership.objects.create(team=team, user=by, role=OWNER)
    return team


@transaction.atomic
def change_team(team: Team, *, name: str, description: str) -> bool:
    """Rename and describe it; its address stays. False if nothing differs."""
    locked = _lock(team)
    wanted = {"name": name, "description": description}
    changed = [field for field, value in wanted.items() if getattr(locked, field) != value]
    for field in changed:
        setattr(locked, field, wanted[field])
    if changed:
        locked.save(update_fields=changed)
    return bool(changed)


@transaction.atomic
def add_member(team: Team, *, person: User, role: str = MEMBER) -> bool:
    """Give the person a seat; False if they have one, which stays as it is."""
    _lock(team)
    if team.memberships.filter(user=person).exists():
        return False
    TeamMembership.objects.create(team=team, user=person, role=role)
    return True


@transaction.atomic
def set_role(team: Team, *, person: User, role: str) -> bool:
    """Make a member an owner, or an owner a member; False if they are that already, or no member.

    Raises LastOwner.
    """
    _lock(team)
    seat = team.memberships.filter(user=person).first()
    if seat is None or seat.role == role:
        return False
    if role != OWNER:
        _keep_an_owner(team, seat)
    seat.role = role
    seat.save(update_fields=["role"])
    return True


@transaction.atomic
def remove_member(team: Team, *, person: User) -> bool:
    """Take the person's seat away: they lose what is shared with the team. False if they had none. Raises LastOwner."""
    _lock(team)
    seat = team.memberships.filter(user=person).first()
    if seat is None:
        return False
    _keep_an_owner(team, seat)
    seat.delete()
    return True


@transaction.atomic
def hand_over(team: Team, *, to: User, by: User) -> bool:
    """Make another member the owner in place of `by`; False if that member is not there."""
    _lock(team)
    seats = {seat.user_id: seat for seat in team.memberships.filter(user__in=[to, by])}
    if to.pk == by.pk or to.pk not in seats or to.is_deleted or not to.is_active:
        return False
    for person, role in ((to, OWNER), (by, MEMBER)):
        seat = seats.get(person.pk)
        if seat is not None and seat.role != role:
            seat.role = role
            seat.save(update_fields=["role"])
    return True


def free_slug(wish: str) -> str:
    """An address like `wish` that no team has; one query."""
    base = Team.slug_of(wish)
    taken = {*RESERVED_SLUGS, *Team.objects.filter(slug__startswith=base).values_list("slug", flat=True)}
    return next(name for name in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if name not in taken)


def _lock(team: Team) -> Team:
    """Of two who leave at once, the second sees that the first has left."""
    return Team.objects.select_for_update().get(pk=team.pk)


def _keep_an_owner(team: Team, seat: TeamMembership) -> None:
    staying = {"user__is_active": True, "user__deleted_at__isnull": True, "user__closes_at__isnull": True}
    living = team.memberships.filter(role=OWNER, **staying)
    if seat.role == OWNER and not living.exclude(pk=seat.pk).exists():
        raise LastOwner
