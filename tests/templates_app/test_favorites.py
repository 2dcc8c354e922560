"""Favourites in one's own order: on their page, in the library, and nobody else's business."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from templates_app.models import Favorite, PromptTemplate
from tests.factories import FavoriteFactory, TemplateFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines() -> User:
    return UserFactory(handle="ines")


@pytest.fixture
def kept(ines: User) -> dict[str, PromptTemplate]:
    """a, b, c, d, kept in this order; c is somebody else's and no longer seen."""
    made = {}
    for title in "abcd":
        made[title] = TemplateFactory(title=title, owner=ines if title != "c" else UserFactory())
        FavoriteFactory(template=made[title], user=ines)
    return made


@pytest.fixture
def move(client: Client, ines: User, kept: dict[str, PromptTemplate]) -> Callable[[str, str], HttpResponse]:
    client.force_login(ines)

    def post(direction: str, title: str) -> HttpResponse:
        return client.post(reverse(f"templates_app:{direction}_favorite", args=[kept[title].pk]))

    return post


def shown(client: Client) -> str:
    page = client.get(reverse("templates_app:favorites")).context["page"]
    return "".join(favorite.template.title for favorite in page.items)


def test_what_is_new_comes_first_until_it_is_moved(
    client: Client, move: Callable[[str, str], HttpResponse], ines: User
) -> None:
    assert shown(client) == "dba"
    response = move("raise", "a")
    assert response["Location"].startswith(reverse("templates_app:favorites") + "#favorite-")
    assert shown(client) == "dab"
    move("lower", "d")
    assert shown(client) == "adb"
    move("raise", "a")  # it is the first
    move("lower", "b")  # it is the last
    assert shown(client) == "adb"
    FavoriteFactory(template=TemplateFactory(title="e", owner=ines), user=ines)
    assert shown(client) == "eadb"


def test_one_passes_what_one_no_longer_sees(
    client: Client, move: Callable[[str, str], HttpResponse], kept: dict[str, PromptTemplate]
) -> None:
    move("raise", "b")
    assert shown(client) == "bda"
    PromptTemplate.objects.filter(pk=kept["c"].pk).update(visibility="public")
    assert sorted(shown(client)) == list("abcd")


def test_what_is_no_favourite_or_not_seen_is_left_alone(
    client: Client, move: Callable[[str, str], HttpResponse], ines: User, kept: dict[str, PromptTemplate]
) -> None:
    other = TemplateFactory(owner=ines)
    assert client.post(reverse("templates_app:raise_favorite", args=[other.pk])).status_code == 302
    assert move("raise", "c").status_code == 404
    assert set(Favorite.objects.values_list("position", flat=True)) == {0}


def test_everybody_has_an_order_of_their_own(
    client: Client, move: Callable[[str, str], HttpResponse], kept: dict[str, PromptTemplate]
) -> None:
    tomas = UserFactory()
    theirs = [FavoriteFactory(template=kept[title], user=tomas, position=7) for title in "ab"]
    move("raise", "a")
    assert [Favorite.objects.get(pk=each.pk).position for each in theirs] == [7, 7]


def test_the_library_lists_favourites_in_this_order(
    client: Client, move: Callable[[str, str], HttpResponse], ines: User
) -> None:
    move("raise", "a")
    FavoriteFactory(template=TemplateFactory(title="x", visibility="public"), user=UserFactory())
    for title in ("m", "n"):
        FavoriteFactory(template=TemplateFactory(title=title, owner=ines), user=ines)
    own = client.get("/templates/?scope=favorites").context["library"]
    assert "".join(template.title for template in own.page.items) == "nmdab"
    newest = client.get("/templates/?scope=favorites&sort=newest").context["library"]
    assert "".join(template.title for template in newest.page.items) == "nmdba"
    assert client.get("/templates/?sort=own").context["filters"].sorting == "rating"
    assert client.get("/").context["favorites"][0].title == "n"


def test_the_library_cuts_this_order_by_keyset(client: Client, ines: User) -> None:
    ines.preferences = {"rows_per_page": 15}
    ines.save(update_fields=["preferences"])
    client.force_login(ines)
    for number in range(40):
        FavoriteFactory(template=TemplateFactory(title=str(number), owner=ines), user=ines, position=number % 3)
    titles, url = [], "/templates/?scope=favorites"
    for _page in range(3):
        page = client.get(url).context["library"].page
        titles += [template.title for template in page.items]
        url = f"/templates/?scope=favorites&cursor={page.next_cursor}"
    assert titles == sorted(map(str, range(40)), key=lambda title: (int(title) % 3, -int(title)))


@pytest.mark.parametrize("url", ["/templates/favorites/", "/templates/?scope=favorites"])
def test_query_counts_do_not_grow(client: Client, ines: User, url: str) -> None:
    client.force_login(ines)
    counts = []
    for more in (10, 20):
        for _each in range(more):
            FavoriteFactory(template=TemplateFactory(visibility="public"), user=ines)
        client.get(url)
        with CaptureQueriesContext(connection) as seen:
            client.get(url)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 12
