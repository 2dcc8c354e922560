"""Who may do what with a template: the permission spec of the library's pages."""

import re
from dataclasses import dataclass
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import User
from templates_app.models import Favorite, PromptTemplate, Rating
from tests.factories import GrantFactory, TeamFactory, TemplateFactory, UserFactory

pytestmark = pytest.mark.django_db

SIGN_IN = "sign in"


@dataclass
class Scene:
    """A shared template, and everybody who might want something of it."""

    template: PromptTemplate
    people: dict[str, User | None]

    def ask(self, who: str, method: str, name: str, data: dict[str, object] | None = None, **kwargs: object) -> object:
        """The status; "sign in" where the answer leads to the sign-in page."""
        client, person = Client(), self.people[who]
        if person is not None:
            client.force_login(person)
        url = reverse(f"templates_app:{name}", kwargs={"pk": self.template.pk, **kwargs})
        response = getattr(client, method)(url, data or {})
        if response.status_code == 302 and response["Location"].startswith(reverse("account_login")):
            assert response["Location"].endswith(f"?next={url}")
            return SIGN_IN
        return response.status_code


@pytest.fixture
def scene() -> Scene:
    template = TemplateFactory(visibility="shared", body="Write about {{ topic }}.", title="Secret plan")
    editor, viewer, member, team_editor = UserFactory.create_batch(4)
    GrantFactory(template=template, user=editor, role="editor")
    GrantFactory(template=template, user=viewer)
    GrantFactory(template=template, team=TeamFactory(members=[member]))
    GrantFactory(template=template, team=TeamFactory(members=[team_editor]), role="editor")
    people = {
        "owner": template.owner,
        "editor": editor,
        "team editor": team_editor,
        "viewer": viewer,
        "member": member,
        "outsider": UserFactory(),
        "staff": UserFactory(staff=True),
        "anonymous": None,
    }
    return Scene(template, people)


def spec(owner: int, editor: int, reader: int, stranger: int = 404) -> dict[str, object]:
    """What each of them is answered, by what they are to the template."""
    return {
        "owner": owner,
        "editor": editor,
        "team editor": editor,
        "viewer": reader,
        "member": reader,
        "outsider": stranger,
        "staff": stranger,
        "anonymous": SIGN_IN,
    }


RATING = {"version": 1, "score": 4}
ROUTES: dict[str, tuple[str, str, dict[str, object], dict[str, object]]] = {
    "detail": ("get", "detail", {}, spec(200, 200, 200)),
    "version": ("get", "version", {"number": 1}, spec(200, 200, 200)),
    "no such version": ("get", "version", {"number": 2}, spec(404, 404, 404)),
    "preview": ("post", "preview", {}, spec(422, 422, 422)),
    "edit": ("get", "edit", {}, spec(200, 200, 404)),
    "save": ("post", "edit", {}, spec(422, 422, 404)),
    "find variables": ("post", "edit_variables", {}, spec(200, 200, 404)),
    "rate": ("post", "rate", {}, spec(404, 302, 302)),
    "withdraw": ("post", "withdraw", {}, spec(404, 404, 404)),
    "favorite": ("post", "favorite", {}, spec(302, 302, 302)),
    "archive": ("post", "archive", {}, spec(302, 404, 404)),
    "unarchive": ("post", "unarchive", {}, spec(404, 404, 404)),
    "delete": ("post", "delete", {}, spec(302, 404, 404)),
    "history": ("get", "history", {}, spec(200, 200, 404)),
}


@pytest.mark.parametrize("route", ROUTES)
def test_who_may_do_what(scene: Scene, route: str) -> None:
    method, name, kwargs, expected = ROUTES[route]
    data: dict[str, object] = {"rate": RATING, "save": {"title": ""}, "find variables": {"body": "{{ a }}"}}.get(
        route, {}
    )
    people = list(scene.people)
    answers = {who: scene.ask(who, method, name, data, **kwargs) for who in people[::-1]}  # the owner deletes last
    assert answers == {who: expected[who] for who in people}


@pytest.mark.parametrize("name", ["preview", "edit_variables", "rate", "withdraw", "favorite", "archive", "delete"])
def test_a_get_changes_nothing(scene: Scene, name: str) -> None:
    assert scene.ask("owner", "get", name) == 405
    scene.template.refresh_from_db()
    assert (scene.template.status, scene.template.is_deleted) == ("published", False)
    assert (Favorite.objects.count(), Rating.objects.count()) == (0, 0)


def without_paths(response: HttpResponse) -> str:
    """The page without what names the address asked for, or is made anew for every answer."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[A-Za-z0-9]{64}", "", response.content.decode())


def test_strangers_learn_nothing_of_what_they_may_not_see(scene: Scene, client: Client) -> None:
    client.force_login(scene.people["outsider"])
    hidden = client.get(reverse("templates_app:detail", args=[scene.template.pk]))
    nowhere = client.get(reverse("templates_app:detail", args=[uuid4()]))
    assert hidden.status_code == nowhere.status_code == 404
    assert without_paths(hidden) == without_paths(nowhere)
    listed = client.get(reverse("templates_app:list"))
    assert b"Secret plan" not in listed.content


def test_a_trashed_template_is_nowhere(scene: Scene) -> None:
    scene.template.delete(by=scene.template.owner)
    routes = [(method, name, kwargs) for method, name, kwargs, _expected in ROUTES.values()]
    assert {scene.ask("owner", method, name, **kwargs) for method, name, kwargs in routes} == {404}


def test_a_grant_on_a_private_template_opens_nothing(scene: Scene) -> None:
    PromptTemplate.objects.filter(pk=scene.template.pk).update(visibility="private")
    assert [scene.ask(who, "get", "detail") for who in ("owner", "editor", "member")] == [200, 404, 404]


def test_a_public_template_is_read_by_all_and_a_public_draft_by_its_people(scene: Scene) -> None:
    def public(name: str) -> list[object]:
        return [scene.ask(who, "get", name) for who in ("outsider", "staff", "viewer", "editor", "anonymous")]

    PromptTemplate.objects.filter(pk=scene.template.pk).update(visibility="public")
    assert public("detail") == [200, 200, 200, 200, SIGN_IN]
    assert public("edit") == [404, 404, 404, 200, SIGN_IN]
    assert public("history") == [404, 200, 404, 200, SIGN_IN]
    PromptTemplate.objects.filter(pk=scene.template.pk).update(status="draft")
    assert public("detail") == [404, 404, 200, 200, SIGN_IN]
