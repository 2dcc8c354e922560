"""Sharing: who sees a template and who changes it, as its owner says on one page."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import teams
from accounts.models import Team, User
from audit.models import AuditLog
from templates_app import services
from templates_app.models import Grant, PromptTemplate
from tests.factories import GrantFactory, TeamFactory, TemplateFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines() -> User:
    return UserFactory(handle="ines", display_name="Ines Okafor")


@pytest.fixture
def tomas() -> User:
    return UserFactory(handle="tomas", email="tomas@example.org", display_name="Tomas Lind")


@pytest.fixture
def template(ines: User) -> PromptTemplate:
    return TemplateFactory(owner=ines, title="Reply to a ticket")


@pytest.fixture
def post(client: Client, ines: User, template: PromptTemplate) -> Callable[..., HttpResponse]:
    client.force_login(ines)

    def send(name: str, *args: Any, **data: Any) -> HttpResponse:
        return client.post(reverse(f"templates_app:{name}", args=[template.pk, *args]), data)

    return send


def rights(template: PromptTemplate) -> dict[str, str]:
    template.refresh_from_db()
    grants = Grant.objects.filter(template=template).select_related("user", "team")
    return {"": template.visibility} | {str(grant.user or grant.team): grant.role for grant in grants}


def may(user: User, template: PromptTemplate) -> str:
    queryset = PromptTemplate.objects.filter(pk=template.pk)
    return "".join(
        letter for letter, method in (("v", "visible_to"), ("e", "editable_by")) if getattr(queryset, method)(user)
    )


def test_visibility(post: Callable[..., HttpResponse], template: PromptTemplate, tomas: User) -> None:
    shared = GrantFactory(template=template, user=UserFactory()).user
    seen = {}
    for visibility in ("private", "public", "shared"):
        assert post("share", visibility=visibility)["Location"] == reverse("templates_app:share", args=[template.pk])
        seen[visibility] = (may(shared, template), may(tomas, template))
    assert seen == {"private": ("", ""), "public": ("v", "v"), "shared": ("v", "")}
    refused = post("share", visibility="secret")
    assert (refused.status_code, rights(template)[""]) == (422, "shared")


def test_a_change_of_visibility_makes_an_open_edit_page_stale(
    post: Callable[..., HttpResponse], template: PromptTemplate
) -> None:
    post("share", visibility="public")
    post("share", visibility="public")
    template.refresh_from_db()
    assert template.revision == 1


@pytest.mark.parametrize("who", ["tomas", "@tomas", "tomas@example.org"])
def test_sharing_with_a_person(
    post: Callable[..., HttpResponse], template: PromptTemplate, tomas: User, who: str
) -> None:
    post("grant", who=who, role="viewer")
    assert (rights(template), may(tomas, template)) == ({"": "shared", "Tomas Lind": "viewer"}, "v")
    post("grant", who=who, role="editor")  # again: the later word counts
    assert (rights(template), may(tomas, template)) == ({"": "shared", "Tomas Lind": "editor"}, "ve")
    grant = Grant.objects.get()
    post("change_grant", grant.pk, role="viewer")
    assert may(tomas, template) == "v"
    assert post("change_grant", grant.pk, role="owner").status_code == 404
    post("remove_grant", grant.pk)
    assert (rights(template), may(tomas, template)) == ({"": "shared"}, "")
    assert post("remove_grant", grant.pk).status_code == 404


def test_sharing_with_a_team_of_mine(
    post: Callable[..., HttpResponse], template: PromptTemplate, ines: User, tomas: User
) -> None:
    team = teams.create_team(name="Support desk", by=ines)
    post("grant", team=team.pk, role="editor")
    assert (rights(template), may(tomas, template)) == ({"": "shared", "Support desk": "editor"}, "")
    teams.add_member(team, person=tomas)
    assert may(tomas, template) == "ve"
    teams.remove_member(team, person=tomas)
    assert may(tomas, template) == ""


def test_a_public_template_stays_public_when_somebody_becomes_its_editor(
    post: Callable[..., HttpResponse], template: PromptTemplate, tomas: User
) -> None:
    post("share", visibility="public")
    post("grant", who="tomas", role="editor")
    assert (rights(template), may(tomas, template)) == ({"": "public", "Tomas Lind": "editor"}, "ve")


def test_what_is_refused_says_why_and_changes_nothing(
    post: Callable[..., HttpResponse], template: PromptTemplate, ines: User, tomas: User
) -> None:
    foreign = TeamFactory(name="Of others", members=[tomas])
    mine = TeamFactory(members=[ines])
    told = {}
    for name, data in {
        "nobody": {"who": "never@example.org"},
        "me": {"who": "@ines"},
        "neither": {},
        "both": {"who": "tomas", "team": mine.pk},
        "not my team": {"team": foreign.pk},
        "role": {"who": "tomas", "role": "owner"},
    }.items():
        response = post("grant", **{"role": "viewer", **data})
        assert response.status_code == 422
        told[name] = [text for texts in response.context["grant_form"].errors.values() for text in texts]
    assert told == {
        "nobody": ["Nobody here goes by “never@example.org”."],
        "me": ["That is you: what is yours needs no sharing with you."],
        "neither": ["Name one person, or choose one team."],
        "both": ["Name one person, or choose one team."],
        "not my team": ["Select a valid choice. That choice is not one of the available choices."],
        "role": ["Select a valid choice. owner is not one of the available choices."],
    }
    assert rights(template) == {"": "private"}


def test_only_the_owner_shares(client: Client, template: PromptTemplate, tomas: User) -> None:
    editor = GrantFactory(template=template, user=tomas, role="editor")
    PromptTemplate.objects.filter(pk=template.pk).update(visibility="shared")
    client.force_login(tomas)
    mine = TemplateFactory(owner=tomas)
    asked = [
        client.get(reverse("templates_app:share", args=[template.pk])),
        client.post(reverse("templates_app:share", args=[template.pk]), {"visibility": "public"}),
        client.post(reverse("templates_app:grant", args=[template.pk]), {"who": "tomas", "role": "editor"}),
        client.post(reverse("templates_app:change_grant", args=[template.pk, editor.pk]), {"role": "viewer"}),
        client.post(reverse("templates_app:remove_grant", args=[template.pk, editor.pk])),
        client.post(reverse("templates_app:remove_grant", args=[mine.pk, editor.pk])),  # a child of another template
    ]
    assert [response.status_code for response in asked] == [404] * 6
    assert rights(template) == {"": "shared", "Tomas Lind": "editor"}


def test_the_page_shows_who_has_which_right(
    client: Client, post: Callable[..., HttpResponse], template: PromptTemplate, tomas: User
) -> None:
    post("grant", who="tomas", role="editor")
    gone = GrantFactory(template=template, user=UserFactory(display_name="Gone Person")).user
    gone.delete(by=tomas)
    html = client.get(reverse("templates_app:share", args=[template.pk])).content.decode()
    words = ("Tomas Lind", "@tomas", "tomas@example.org", "Gone Person")
    assert [word for word in words if word in html] == ["Tomas Lind", "@tomas"]
    page = client.get(template.get_absolute_url()).content.decode()
    assert f'href="{reverse("templates_app:share", args=[template.pk])}"' in page
    assert "shared with 1<" in page


def test_it_is_audited_in_the_history_of_the_template(
    post: Callable[..., HttpResponse], template: PromptTemplate, ines: User, tomas: User
) -> None:
    before = set(AuditLog.objects.values_list("pk", flat=True))
    post("grant", who="tomas", role="viewer")
    post("change_grant", Grant.objects.get().pk, role="editor")
    post("remove_grant", Grant.objects.get().pk)
    rows = AuditLog.objects.about(template.pk).exclude(pk__in=before).order_by("id").select_related("content_type")
    actions = AuditLog.Action
    assert [(row.content_type.model, row.action, row.actor_id) for row in rows] == [
        ("prompttemplate", actions.UPDATE, ines.pk),
        ("grant", actions.CREATE, ines.pk),
        ("grant", actions.UPDATE, ines.pk),
        ("grant", actions.DELETE, ines.pk),
    ]


def test_query_counts_do_not_grow(client: Client, template: PromptTemplate, ines: User) -> None:
    client.force_login(ines)
    counts = []
    for more in (5, 10):
        for _each in range(more):
            GrantFactory(template=template, user=UserFactory())
            GrantFactory(template=template, team=TeamFactory(members=[ines]))
        with CaptureQueriesContext(connection) as seen:
            response = client.get(reverse("templates_app:share", args=[template.pk]))
        assert len(response.context["page"].items) == (10 if not counts else 30)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 12


def test_who_is_deleted_for_good_takes_the_rights_along(
    post: Callable[..., HttpResponse], template: PromptTemplate, ines: User
) -> None:
    team: Team = teams.create_team(name="Short lived", by=ines)
    post("grant", team=team.pk, role="viewer")
    person = UserFactory()
    post("grant", who=person.handle, role="viewer")
    team.delete()
    person.hard_delete()
    assert rights(template) == {"": "shared"}


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_share_once(ines: User, tomas: User) -> None:
    template = TemplateFactory(owner=ines)
    start = Barrier(20)

    def share(role: str) -> None:
        try:
            start.wait()
            services.grant_right(template, role=role, user=tomas)
        finally:
            connection.close()

    threads = [Thread(target=share, args=[role]) for role in ("viewer", "editor") * 10]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    template.refresh_from_db()
    assert Grant.objects.filter(template=template).count() == 1
    assert (template.visibility, template.revision) == ("shared", 1)
