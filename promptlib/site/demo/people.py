"""The people of the demonstration, their addresses, groups and teams."""

from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from accounts.models import Team, TeamMembership, User
from audit.models import AuditLog
from promptlib.core.fields import normalize_key
from promptlib.site.demo.diary import Diary, insert
from promptlib.site.seed.schema import Person, SeedData
from promptlib.site.seed.schema import Team as TeamContent
from templates_app.initial_data import CURATORS

People = dict[str, User]


def plant_people(data: SeedData, password: str, diary: Diary) -> tuple[People, list[User]]:
    """Everybody by the handle of the content, and those who are new here."""
    people, new = _known(data), []
    password_hash = make_password(password)
    for person in data.people:
        if person.handle not in people:
            people[person.handle] = _user(person, password_hash, diary)
            new.append(people[person.handle])
    insert(new)
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in new
    )
    for user in new:
        diary.tell(user, user, user.created_at, "email", "handle", "display_name")
    _seat_curators([people[person.handle] for person in data.people if person.is_curator], new, diary)
    _plant_teams(data, people, diary)
    return people, new


def _known(data: SeedData) -> People:
    """Who is here already, in the trash too; a living person goes before a deleted one."""
    keys = {normalize_key(person.email): person.handle for person in data.people}
    users = User.all_objects.filter(email_key__in=keys)
    return {keys[user.email_key]: user for user in sorted(users, key=lambda user: not user.is_deleted)}


def _user(person: Person, password_hash: str, diary: Diary) -> User:
    return User(
        email=person.email,
        email_key=normalize_key(person.email),
        handle=User.free_handle(person.handle),
        display_name=person.display_name,
        bio=person.bio,
        timezone=person.timezone,
        locale=person.locale,
        is_staff=person.is_staff,
        is_superuser=person.is_staff,
        password=password_hash,
        **diary.dated(diary.early(person.joined_days_ago, person.handle)),
    )


def _seat_curators(curators: list[User], new: list[User], diary: Diary) -> None:
    group, _created = Group.objects.get_or_create(name=CURATORS)
    seated = [user for user in curators if user in new]
    User.groups.through.objects.bulk_create(User.groups.through(user=user, group=group) for user in seated)
    for user in seated:
        added = {"groups": {"type": "m2m", "operation": "add", "objects": [group.name]}}
        diary.tell(user, curators[0], user.created_at, action=AuditLog.Action.PERMISSION, changes=added)


def _plant_teams(data: SeedData, people: People, diary: Diary) -> None:
    joined = {person.handle: person.joined_days_ago for person in data.people}
    known = set(Team.objects.filter(slug__in=[team.slug for team in data.teams]).values_list("slug", flat=True))
    teams, seats = [], []
    for content in data.teams:
        if content.slug in known:
            continue
        team = _team(content, joined, diary)
        teams.append(team)
        for member in content.members:
            at = max(team.created_at, diary.early(joined[member.user] - 1, member.user))
            seats.append(TeamMembership(team=team, user=people[member.user], role=member.role, **diary.dated(at)))
    insert(teams)
    insert(seats)
    owners = {seat.team_id: seat.user for seat in seats if seat.role == TeamMembership.Role.OWNER}
    for team in teams:
        diary.tell(team, owners[team.pk], team.created_at, "name", "slug")
    for seat in seats:
        diary.tell(seat, owners[seat.team_id], seat.created_at, "team", "user", "role")


def _team(content: TeamContent, joined: dict[str, int], diary: Diary) -> Team:
    owner = next(member.user for member in content.members if member.role == TeamMembership.Role.OWNER)
    at: datetime = diary.early(joined[owner] - 1, content.slug)
    columns: dict[str, Any] = diary.dated(at)
    return Team(slug=content.slug, name=content.name, description=content.description, **columns)
