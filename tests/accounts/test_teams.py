"""Teams: who sees them, who changes what, and that none is ever without an owner."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import teams
from accounts.models import Team, TeamMembership, User
from accounts.people import MISSES_ALLOWED
from audit.models import AuditLog
from tests.factories import GrantFactory, TeamFactory, TemplateFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines() -> User:
    return UserFactory(handle="ines", display_name="Ines Okafor")


@pytest.fixture
def tomas() -> User:
    return UserFactory(handle="tomas", email="tomas@example.org", display_name="Tomas Lind")


@pytest.fixture
def team(ines: User) -> Team:
    return teams.create_team(name="Support desk", description="Answers tickets.", by=ines)


@pytest.fixture
def as_(client: Client) -> Callable[[User], Client]:
    def sign_in(user: User) -> Client:
        client.force_login(user)
        return client

    return sign_in


def seats(team: Team) -> dict[str, str]:
    return dict(team.memberships.values_list("user__handle", "role"))


def post(client: Client, name: str, /, *args: Any, **data: Any) -> HttpResponse:
    return client.post(reverse(f"accounts:{name}", args=args), data)


def test_the_list_holds_my_teams_alone(as_: Callable[[User], Client], ines: User, team: Team) -> None:
    TeamFactory(name="Of others", members=[UserFactory()])
    mine = TeamFactory(name="Also mine", members=[ines, UserFactory(), UserFactory()])
    mine.memberships.last().user.delete(by=ines)
    response = as_(ines).get(reverse("accounts:teams"))
    rows = [(row[0].name, row[1].role, row[2]) for row in response.context["rows"]]
    assert rows == [("Also mine", "member", 2), ("Support desk", "owner", 1)]
    assert b"Of others" not in response.content


def test_whoever_is_signed_in_makes_a_team(as_: Callable[[User], Client], ines: User) -> None:
    TeamFactory(name="Support desk", slug="support-desk")
    response = post(as_(ines), "create_team", name="  Support   desk ", description="We answer.")
    team = Team.objects.get(description="We answer.")
    assert (team.name, team.slug, seats(team)) == ("Support desk", "support-desk-2", {"ines": "owner"})
    assert response["Location"] == "/teams/support-desk-2/"
    assert post(as_(ines), "create_team", name="New")["Location"] == "/teams/new-2/"
    assert post(as_(ines), "create_team", name="支援")["Location"] == "/teams/%E6%94%AF%E6%8F%B4/"
    refused = post(as_(ines), "create_team", name="  ", description="Typed already")
    assert (refused.status_code, Team.objects.count()) == (422, 4)
    assert b"Typed already" in refused.content


def test_a_stranger_finds_no_team(as_: Callable[[User], Client], tomas: User, team: Team) -> None:
    client = as_(tomas)
    asked = [client.get(team.get_absolute_url()), client.get("/teams/nowhere/")]
    asked += [post(client, "add_member", team.slug, who="tomas"), post(client, "leave_team", team.slug)]
    assert [response.status_code for response in asked] == [404] * 4
    assert seats(team) == {"ines": "owner"}


def test_a_member_reads_and_leaves_and_changes_nothing(
    as_: Callable[[User], Client], ines: User, tomas: User, team: Team
) -> None:
    teams.add_member(team, person=tomas)
    client = as_(tomas)
    html = client.get(team.get_absolute_url()).content.decode()
    main = html[html.index("<main") : html.index("</main>")]
    assert main.count("<form") == 1  # to leave
    assert [word for word in ("Answers tickets.", "Ines Okafor", "@tomas · you") if word not in main] == []
    refused = [
        client.get(reverse("accounts:edit_team", args=[team.slug])),
        post(client, "edit_team", team.slug, name="Mine now"),
        post(client, "add_member", team.slug, who=UserFactory().handle, role="member"),
        post(client, "change_member", team.slug, "tomas", role="owner"),
        post(client, "hand_over", team.slug, "tomas"),
        post(client, "remove_member", team.slug, "ines"),
    ]
    assert [response.status_code for response in refused] == [404] * 6
    assert seats(team) == {"ines": "owner", "tomas": "member"}
    assert post(client, "leave_team", team.slug)["Location"] == reverse("accounts:teams")
    assert seats(team) == {"ines": "owner"}


@pytest.mark.parametrize("who", ["tomas", "@tomas", " @Tomas ", "tomas@example.org", "Tomas@Example.ORG"])
def test_an_owner_adds_people_by_handle_or_address(
    as_: Callable[[User], Client], ines: User, tomas: User, team: Team, who: str
) -> None:
    client = as_(ines)
    assert post(client, "add_member", team.slug, who=who, role="member")["Location"] == team.get_absolute_url()
    assert seats(team) == {"ines": "owner", "tomas": "member"}
    post(client, "add_member", team.slug, who=who, role="owner")  # once more: nothing changes
    assert seats(team) == {"ines": "owner", "tomas": "member"}


def test_whoever_is_not_found_is_told_of_alike(as_: Callable[[User], Client], ines: User, team: Team) -> None:
    UserFactory(handle="asleep", is_active=False)
    UserFactory(handle="gone", email="gone@example.org").delete(by=ines)
    for who in ("asleep", "gone", "gone@example.org", "never", "never@example.org"):
        response = post(as_(ines), "add_member", team.slug, who=who, role="member")
        assert (response.status_code, response.context["form"].errors) == (
            422,
            {"who": [f"Nobody here goes by “{who}”."]},
        )
        assert f'value="{who}"' in response.content.decode()
    assert seats(team) == {"ines": "owner"}


def test_whoever_guesses_has_to_wait(as_: Callable[[User], Client], ines: User, tomas: User, team: Team) -> None:
    cache.clear()
    for number in range(MISSES_ALLOWED):
        post(as_(ines), "add_member", team.slug, who=f"guess-{number}", role="member")
    response = post(as_(ines), "add_member", team.slug, who="tomas", role="member")
    assert response.context["form"].errors == {"who": ["That were many names that nobody has. Try again in an hour."]}
    assert seats(team) == {"ines": "owner"}


def test_an_owner_changes_roles_and_hands_over(
    as_: Callable[[User], Client], ines: User, tomas: User, team: Team
) -> None:
    teams.add_member(team, person=tomas)
    client = as_(ines)
    post(client, "change_member", team.slug, "tomas", role="owner")
    assert seats(team) == {"ines": "owner", "tomas": "owner"}
    post(client, "change_member", team.slug, "tomas", role="member")
    assert post(client, "change_member", team.slug, "tomas", role="king").status_code == 404
    assert seats(team) == {"ines": "owner", "tomas": "member"}
    post(client, "hand_over", team.slug, "tomas")
    assert seats(team) == {"ines": "member", "tomas": "owner"}
    assert post(client, "hand_over", team.slug, "tomas").status_code == 404


def test_a_team_keeps_its_last_owner(as_: Callable[[User], Client], ines: User, tomas: User, team: Team) -> None:
    """One who may no longer sign in, or is in the trash, does not count."""
    for person in (UserFactory(is_active=False), gone := UserFactory()):
        teams.add_member(team, person=person, role="owner")
    gone.delete(by=ines)
    teams.add_member(team, person=tomas)
    client = as_(ines)
    before = seats(team)
    asked = [
        post(client, "leave_team", team.slug),
        post(client, "change_member", team.slug, "ines", role="member"),
        post(client, "remove_member", team.slug, "ines"),
    ]
    assert [response.status_code for response in asked] == [409] * 3
    assert all("A team needs an owner. Hand it over to somebody first." in each.content.decode() for each in asked)
    assert seats(team) == before
    post(client, "hand_over", team.slug, "tomas")
    assert post(client, "leave_team", team.slug)["Location"] == reverse("accounts:teams")


def test_a_team_is_renamed_and_keeps_its_address(as_: Callable[[User], Client], ines: User, team: Team) -> None:
    post(as_(ines), "edit_team", team.slug, name="Help desk", description="")
    team.refresh_from_db()
    assert (team.name, team.description, team.slug) == ("Help desk", "", "support-desk")


def test_everything_is_audited(as_: Callable[[User], Client], ines: User, tomas: User) -> None:
    client = as_(ines)
    before = set(AuditLog.objects.values_list("pk", flat=True))
    post(client, "create_team", name="Audited")
    post(client, "edit_team", "audited", name="Renamed", description="")
    post(client, "add_member", "audited", who="tomas", role="member")
    post(client, "change_member", "audited", "tomas", role="owner")
    post(client, "remove_member", "audited", "tomas")
    rows = AuditLog.objects.exclude(pk__in=before).order_by("id")
    actions = AuditLog.Action
    told = [(row.content_type.model, row.action, row.actor_id) for row in rows.select_related("content_type")]
    assert told == [
        ("team", actions.CREATE, ines.pk),
        ("teammembership", actions.CREATE, ines.pk),
        ("team", actions.UPDATE, ines.pk),
        ("teammembership", actions.CREATE, ines.pk),
        ("teammembership", actions.UPDATE, ines.pk),
        ("teammembership", actions.DELETE, ines.pk),
    ]


def test_what_is_shared_with_the_team_stands_on_its_page(
    as_: Callable[[User], Client], ines: User, tomas: User, team: Team
) -> None:
    teams.add_member(team, person=tomas)
    for title, visibility in (("Shared one", "shared"), ("Private again", "private"), ("Deleted", "shared")):
        GrantFactory(template=TemplateFactory(owner=ines, title=title, visibility=visibility), team=team)
    team.template_grants.get(template__title="Deleted").template.delete(by=ines)
    html = as_(tomas).get(team.get_absolute_url()).content.decode()
    assert [title for title in ("Shared one", "Private again", "Deleted") if title in html] == ["Shared one"]


@pytest.mark.parametrize("page", ["teams", "team"])
def test_query_counts_do_not_grow(as_: Callable[[User], Client], ines: User, team: Team, page: str) -> None:
    url = reverse(f"accounts:{page}", args=[team.slug] if page == "team" else [])
    client, counts = as_(ines), []
    for more in (9, 20):
        for _each in range(more):
            teams.add_member(team, person=UserFactory())
            TeamFactory(members=[ines])
            GrantFactory(template=TemplateFactory(owner=ines, visibility="shared"), team=team)
        with CaptureQueriesContext(connection) as seen:
            response = client.get(url)
        assert len(response.context["page"].items) == (10 if not counts else 30)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 12


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_at_once_leave_one(ines: User, tomas: User) -> None:
    team = teams.create_team(name="Two", by=ines)
    teams.add_member(team, person=tomas, role="owner")
    start = Barrier(2)
    refused = []

    def leave(person: User) -> None:
        try:
            start.wait()
            teams.remove_member(team, person=person)
        except teams.LastOwner:
            refused.append(person)
        finally:
            connection.close()

    threads = [Thread(target=leave, args=[person]) for person in (ines, tomas)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left = list(TeamMembership.objects.filter(team=team))
    assert (len(refused), len(left), left[0].user) == (1, 1, refused[0])
