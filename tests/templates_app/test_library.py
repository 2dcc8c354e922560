"""The library: what it lists, how it is narrowed and sorted, and what it costs."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from templates_app import library as library_module
from templates_app.models import Category, PromptTemplate
from tests.factories import (
    ConversationFactory,
    FavoriteFactory,
    GrantFactory,
    LabelFactory,
    PromptFactory,
    RatingFactory,
    TeamFactory,
    TemplateFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
LIST = "/templates/"


@pytest.fixture
def ines() -> User:
    return UserFactory(handle="ines", display_name="Ines Okafor")


@pytest.fixture
def browse(client: Client, ines: User) -> Callable[..., HttpResponse]:
    client.force_login(ines)

    def get(query: str = "", **kwargs: Any) -> HttpResponse:
        return client.get(f"{LIST}{query}", **kwargs)

    return get


def titles(response: HttpResponse) -> list[str]:
    return [template.title for template in response.context["library"].page.items]


def test_strangers_sign_in_first(client: Client) -> None:
    response = client.get(LIST)
    assert (response.status_code, response["Location"]) == (302, f"{reverse('account_login')}?next={LIST}")


def test_lists_what_the_person_may_see_and_nothing_else(browse: Callable[..., HttpResponse], ines: User) -> None:
    TemplateFactory(owner=ines, title="Mine, private")
    TemplateFactory(owner=ines, title="Mine, a draft", status="draft")
    TemplateFactory(title="Public", visibility="public")
    TemplateFactory(title="Public draft of another", visibility="public", status="draft")
    TemplateFactory(title="Private of another")
    TemplateFactory(title="Shared with others", visibility="shared")
    GrantFactory(template=TemplateFactory(title="Shared with me", visibility="shared"), user=ines)
    team = TeamFactory(members=[ines])
    GrantFactory(template=TemplateFactory(title="Shared with my team", visibility="shared"), team=team)
    GrantFactory(template=TemplateFactory(title="No longer shared"), user=ines)
    TemplateFactory(owner=ines, title="Put away", status="archived")
    TemplateFactory(owner=ines, title="Deleted").delete(by=ines)
    response = browse("?sort=newest")
    seen = ["Shared with my team", "Shared with me", "Public", "Mine, a draft", "Mine, private"]
    assert titles(response) == seen
    shelves = response.context["library"].shelves
    assert (shelves.total, shelves.mine, shelves.shared, shelves.favorites) == (5, 2, 2, 0)
    assert [
        title for title in ("Private of another", "Deleted", "Put away") if title.encode() in response.content
    ] == []


def make_many(ines: User) -> None:
    support = Category.objects.get(slug="support")
    below = Category.objects.create(parent=support, name="Returns", slug="returns")
    TemplateFactory(owner=ines, title="A", category=support, tags=["one", "two"], language="de")
    TemplateFactory(title="B", visibility="public", category=below, tags=["one"], owner__handle="tomas")
    TemplateFactory(title="C", visibility="public", status="archived")
    rated = TemplateFactory(title="D", visibility="public", tags=["two"])
    for score in (4, 5):
        RatingFactory(template=rated, score=score)
    LabelFactory(version=rated.current_version, name="production")
    FavoriteFactory(template=rated, user=ines)
    FavoriteFactory(template=PromptTemplate.objects.get(title="B"))
    RatingFactory(template=PromptTemplate.objects.get(title="B"), score=3)
    GrantFactory(template=TemplateFactory(title="E", visibility="shared"), user=ines)


FILTERS = {
    "": "EDBA",
    "?scope=mine": "A",
    "?scope=favorites": "D",
    "?scope=shared": "E",
    "?category=support": "BA",
    "?category=returns": "B",
    "?tag=one": "BA",
    "?tag=one&tag=two": "A",
    "?tag=ONE": "BA",
    "?owner=tomas": "B",
    "?owner=@Tomas": "B",
    "?owner=nobody": "",
    "?language=de": "A",
    "?visibility=private": "A",
    "?visibility=shared": "E",
    "?visibility=public": "DB",
    "?rating=4": "D",
    "?rating=3": "DB",
    "?rating=unrated": "EA",
    "?label=production": "D",
    "?label=Production": "D",
    "?status=archived": "C",
    "?status=draft": "",
    "?tag=one&language=en&rating=3": "B",
}


@pytest.mark.parametrize("query", FILTERS)
def test_filters(browse: Callable[..., HttpResponse], ines: User, query: str) -> None:
    make_many(ines)
    response = browse(f"{query or '?'}&sort=newest")
    assert "".join(titles(response)) == FILTERS[query]
    assert response.context["library"].count == len(FILTERS[query])


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("?tag=nowhere", "There is no tag “nowhere”."),
        ("?category=nowhere", "There is no such shelf."),
        ("?sort=random", "There is no such order."),
        ("?rating=9", "rating: Select a valid choice"),
        ("?scope=theirs", "scope: Select a valid choice"),
        (f"?q={'x' * 401}", "q: Ensure this value has at most 400 characters"),
        ("?" + "&".join(f"tag=t{n}" for n in range(9)), "Choose 8 tags at most."),
    ],
)
def test_a_filter_that_makes_no_sense_says_so_and_lists_nothing(
    browse: Callable[..., HttpResponse], ines: User, query: str, problem: str
) -> None:
    make_many(ines)
    response = browse(query)
    assert response.status_code == 422
    assert problem in response.content.decode()
    assert b'class="row"' not in response.content


def test_chips_take_back_one_filter_each(browse: Callable[..., HttpResponse], ines: User) -> None:
    make_many(ines)
    response = browse("?tag=one&tag=two&rating=4&owner=ines&sort=usage&cursor=x")
    assert {chip["what"]: chip["url"] for chip in response.context["filters"].chips} == {
        "tag one": "?owner=ines&rating=4&sort=usage&tag=two",
        "tag two": "?owner=ines&rating=4&sort=usage&tag=one",
        "owner @ines": "?tag=one&tag=two&rating=4&sort=usage",
        "rated 4 and up": "?tag=one&tag=two&owner=ines&sort=usage",
    }


def test_sorts(browse: Callable[..., HttpResponse], ines: User) -> None:
    one, two, three = (TemplateFactory(owner=ines, title=title) for title in "ABC")
    RatingFactory(template=two, score=5)
    RatingFactory(template=three, score=1)
    talk = ConversationFactory(owner=ines)
    PromptFactory(conversation=talk, template_version=three.current_version)
    PromptFactory(conversation=talk, template_version=three.current_version)
    PromptFactory(conversation=talk, template_version=one.current_version)
    assert {sort: "".join(titles(browse(f"?sort={sort}"))) for sort in ("rating", "usage", "newest", "used", "")} == {
        "rating": "BAC",
        "usage": "CAB",
        "newest": "CBA",
        "used": "ACB",
        "": "BAC",
    }


@pytest.mark.parametrize("sort", ["rating", "usage", "newest", "used"])
def test_pages_hold_every_row_once(
    browse: Callable[..., HttpResponse], ines: User, sort: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(library_module, "PAGE_SIZE", 3)
    made = [TemplateFactory(owner=ines, title=f"T{n}") for n in range(8)]
    RatingFactory(template=made[2], score=5)
    PromptFactory(conversation=ConversationFactory(owner=ines), template_version=made[4].current_version)
    seen, query = [], f"?sort={sort}"
    for _page in range(4):
        response = browse(query)
        seen.append(titles(response))
        page = response.context["library"].page
        if not page.has_next:
            break
        query = f"?sort={sort}&cursor={page.next_cursor}"
        assert query.partition("cursor=")[2].encode() in response.content
    assert [len(each) for each in seen] == [3, 3, 2]
    assert sorted(title for each in seen for title in each) == [f"T{n}" for n in range(8)]
    back = browse(f"?sort={sort}&cursor={page.previous_cursor}")
    assert titles(back) == seen[1]


def test_htmx_gets_the_rows_alone_and_the_clean_address(browse: Callable[..., HttpResponse], ines: User) -> None:
    make_many(ines)
    page, part = browse("?rating=4&q=&tag="), browse("?rating=4&q=&tag=", headers={"HX-Request": "true"})
    assert part["HX-Push-Url"] == "/templates/?rating=4"
    assert (titles(part), b"<html" in part.content, b"<html" in page.content) == (["D"], False, True)
    assert part.content.decode().strip() in page.content.decode()
    assert "HX-Request" in part["Vary"]


def test_first_day_and_no_match_say_what_to_do(browse: Callable[..., HttpResponse], ines: User) -> None:
    assert b"A library starts with one good prompt" in browse().content
    make_many(ines)
    nothing = browse("?rating=4&tag=one").content.decode()
    assert "Nothing here yet" in nothing
    assert "A library starts" not in nothing


def test_a_large_library_is_counted_to_the_cap_and_its_shelves_not(
    browse: Callable[..., HttpResponse], ines: User, monkeypatch: Any
) -> None:
    make_many(ines)
    monkeypatch.setattr(library_module, "capped_count", lambda queryset: (3, True))
    response = browse()
    assert b"3+ templates" in response.content
    assert (response.context["library"].shelves.categories, len(titles(response))) == ({}, 4)


def test_markup_in_titles_tags_and_searches_is_text(browse: Callable[..., HttpResponse], ines: User) -> None:
    TemplateFactory(owner=ines, title="<script>alert(1)</script>", summary="<b>s</b>", tags=["<i>t</i>"])
    content = browse("?sort=newest").content.decode()
    assert [part for part in ("<script>alert", "<b>s</b>", "<i>t</i>") if part in content] == []
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in content


def queries(browse: Callable[..., HttpResponse], query: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert browse(query).status_code == 200
    return len(captured)


def rows(count: int, ines: User) -> None:
    category = Category.objects.get(slug="support")
    for n in range(count):
        template = TemplateFactory(
            title=f"Rowed {n}", visibility="public", category=category, tags=[f"t{n % 5}", "all"], versions=2
        )
        LabelFactory(version=template.current_version)
        RatingFactory(template=template)
        FavoriteFactory(template=template, user=ines)


@pytest.mark.parametrize("query", ["", "?sort=newest", "?tag=all&category=support&rating=3&label=production"])
def test_as_many_queries_for_thirty_rows_as_for_ten(
    browse: Callable[..., HttpResponse], ines: User, query: str
) -> None:
    rows(10, ines)
    browse(query)  # the first request of a session makes its row
    ten = queries(browse, query)
    rows(20, ines)
    thirty = queries(browse, query)
    assert len(titles(browse(query))) == 30
    assert (ten, thirty <= 12) == (thirty, True)
    rows(5, ines)
    assert queries(browse, query) <= 12


# ---- full text, which sees committed rows only ---------------------------------


@pytest.mark.django_db(transaction=True)
def test_search_finds_marks_and_ranks(browse: Callable[..., HttpResponse], ines: User) -> None:
    TemplateFactory(owner=ines, title="Reply to a complaint", body="Quote the refund policy word for word.")
    TemplateFactory(
        owner=ines, title="Refund refused", body="Say no to the refund. The policy says why: the refund policy."
    )
    TemplateFactory(owner=ines, title="Summarise", body="Shorten {{ text }}.")
    TemplateFactory(title="Refund policy of a stranger")
    response = browse("?q=refund+policy")
    assert sorted(titles(response)) == ["Refund refused", "Reply to a complaint"]
    assert response.context["filters"].sorting == "relevance"
    content = response.content.decode()
    assert "<mark>refund</mark>" in content or "<mark>refund policy</mark>" in content
    assert "for “refund policy”" in content
    assert queries(browse, "?q=refund+policy") <= 12


@pytest.mark.django_db(transaction=True)
def test_where_nothing_matches_the_ways_out_are_counted(browse: Callable[..., HttpResponse], ines: User) -> None:
    TemplateFactory(owner=ines, title="Warranty letter", body="A letter about the warranty.")
    response = browse("?q=%22letter+warranty%22&category=legal")
    assert titles(response) == []
    ways = [(way["text"], way["count"]) for way in response.context["library"].ways_out if way["count"]]
    assert ways == []
    response = browse("?q=%22letter+warranty%22")
    ways = {way["text"]: (way["url"], way["count"]) for way in response.context["library"].ways_out}
    assert ways["Drop the quotation marks"] == ("?q=letter+warranty", 1)
    response = browse("?q=warranty&category=legal")
    ways = {way["text"]: (way["url"], way["count"]) for way in response.context["library"].ways_out}
    assert ways["Search without the filters"] == ("?q=warranty", 1)


@pytest.mark.django_db(transaction=True)
def test_whatever_one_types_is_text(browse: Callable[..., HttpResponse], ines: User) -> None:
    TemplateFactory(owner=ines, title="Anything")
    typed = ["c++", 'foo"bar', "((", "x@y.com", "-", "+the", "*", "中", "%", "'; --", "\\"]
    answers = {text: browse(f"?q={quote(text)}").status_code for text in typed}
    assert answers == dict.fromkeys(typed, 200)
    assert browse("?q=%00").status_code == 422
