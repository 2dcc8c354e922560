"""PUBLIC_LIBRARY: what somebody who is not signed in reads, and that it is nothing else."""

import re
from html import unescape
from typing import Any
from urllib.parse import urljoin

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from templates_app.models import PromptTemplate
from tests.factories import (
    CategoryFactory,
    ConversationFactory,
    GrantFactory,
    LabelFactory,
    PromptFactory,
    RatingFactory,
    SuggestionFactory,
    TeamFactory,
    TemplateFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
LIST = "/templates/"


@pytest.fixture
def _public(settings: Any) -> None:
    settings.PUBLIC_LIBRARY = True


@pytest.fixture
def shown() -> PromptTemplate:
    """A public template with all that its page can show, and around it what a visitor must not see."""
    owner = UserFactory(handle="ines", email="ines.secret@example.org", display_name="Ines Okafor")
    template = TemplateFactory(
        owner=owner,
        title="Reply to a ticket",
        visibility="public",
        category=CategoryFactory(name="Support desk", slug="support-desk"),
        tags=["customers"],
        versions=2,
        body="Dear {{ customer }}.",
        variables=[{"name": "customer", "type": "text", "label": "Customer", "help": "Who asked."}],
    )
    LabelFactory(version=template.current_version)
    reviewer = UserFactory(email="reviewer.secret@example.org", display_name="Tomas")
    RatingFactory(template=template, user=reviewer, review="Sent unedited.")
    TemplateFactory(owner=owner, title="Private one")
    TemplateFactory(owner=owner, title="A draft", visibility="public", status="draft")
    TemplateFactory(owner=owner, title="An archived one", visibility="public", status="archived")
    GrantFactory(template=TemplateFactory(title="Shared one", visibility="shared"), team=TeamFactory())
    TemplateFactory(owner=owner, title="Deleted one", visibility="public").delete(by=owner)
    return template


def titles(client: Client, query: str = "") -> list[str]:
    return [template.title for template in client.get(f"{LIST}{query}").context["library"].page.items]


def test_by_default_visitors_sign_in(client: Client, shown: PromptTemplate) -> None:
    for url in (LIST, shown.get_absolute_url()):
        assert client.get(url)["Location"] == f"{reverse('account_login')}?next={url}"
    assert PromptTemplate.objects.visible_to(client.get("/").wsgi_request.user).count() == 0


@pytest.mark.usefixtures("_public")
class TestPublicLibrary:
    def test_the_list_holds_what_is_public_and_published(self, client: Client, shown: PromptTemplate) -> None:
        response = client.get(LIST)
        assert [each.title for each in response.context["library"].page.items] == ["Reply to a ticket"]
        shelves = response.context["library"].shelves
        assert (shelves.total, shelves.mine, shelves.favorites, shelves.shared) == (1, 0, 0, 0)
        assert shelves.tags == [("customers", "customers", 1)]

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("?category=support-desk", 1),
            ("?tag=customers&rating=4", 1),
            ("?visibility=public", 1),
            ("?owner=ines", 1),
            *((f"?scope={scope}", 0) for scope in ("mine", "favorites", "shared")),
            *((f"?status={status}", 0) for status in ("draft", "archived")),
            *((f"?visibility={visibility}", 0) for visibility in ("private", "shared")),
        ],
    )
    def test_filters_reach_nothing_else(self, client: Client, shown: PromptTemplate, query: str, count: int) -> None:
        assert titles(client, query) == ["Reply to a ticket"] * count

    def test_a_template_is_read_without_a_form(self, client: Client, shown: PromptTemplate) -> None:
        for url in (shown.get_absolute_url(), reverse("templates_app:version", args=[shown.pk, 1])):
            html = client.get(url).content.decode()
            main = html[html.index("<main") : html.index("</main>")]
            assert [word for word in ("<form", "<input", "<textarea", "secret@", 'type="radio"') if word in main] == []
            assert f'href="{reverse("account_login")}?next={url}"' in main
            assert "Sign in to run it" in main
            assert [word for word in ("Who asked.", "Sent unedited.", "Tomas", "production") if word not in main] == []

    def test_no_link_leads_a_visitor_to_a_closed_door(self, client: Client, shown: PromptTemplate) -> None:
        """But the ones that say "sign in"."""
        SuggestionFactory(template=shown)
        PromptFactory(conversation=ConversationFactory(), template_version=shown.current_version)
        TemplateFactory(title="A fork", visibility="public", forked_from=shown.current_version)
        names = {"detail": (), "versions": (), "compare": (1, 2), "forks": ()}
        pages = [LIST, *(reverse(f"templates_app:{name}", args=[shown.pk, *args]) for name, args in names.items())]
        closed, seen = [], set()
        for page in pages:
            html = client.get(page).content.decode()
            for href in re.findall(r'href="([^"#]+)', html[html.index("<main") : html.index("</main>")]):
                url = urljoin(page, unescape(href))
                if url not in seen and not url.startswith("/accounts/"):
                    seen.add(url)
                    response = client.get(url, follow=True)
                    if reverse("account_login") in [
                        place.partition("?")[0] for place, _status in response.redirect_chain
                    ]:
                        closed.append((page, url))
        assert closed == []
        assert len(seen) > 10

    def test_what_a_visitor_may_not_see_leads_to_the_sign_in_page_like_what_does_not_exist(
        self, client: Client, shown: PromptTemplate
    ) -> None:
        urls = [f"{LIST}00000000-0000-7000-8000-000000000000/"]
        urls += [each.get_absolute_url() for each in PromptTemplate.all_objects.exclude(pk=shown.pk)]
        urls += [reverse("templates_app:version", args=[shown.pk, 9])]
        assert len(urls) == 7
        for url in urls:
            response = client.get(url)
            assert (response.status_code, response["Location"]) == (302, f"{reverse('account_login')}?next={url}")

    def test_nobody_who_is_signed_in_sees_more_or_less(self, client: Client, shown: PromptTemplate) -> None:
        client.force_login(UserFactory())
        assert titles(client) == ["Reply to a ticket"]
        assert titles(client, "?status=archived") == ["An archived one"]

    def test_the_landing_page_shows_the_way(self, client: Client) -> None:
        assert f'href="{LIST}">' in client.get("/").content.decode()

    def test_query_counts_do_not_grow(self, client: Client, shown: PromptTemplate) -> None:
        counts = []
        for more in (9, 20):
            for _each in range(more):
                TemplateFactory(visibility="public", tags=["customers"])
            cache.clear()  # which remembers how large the library is
            with CaptureQueriesContext(connection) as seen:
                assert len(titles(client)) == min(30, PromptTemplate.objects.filter(visibility="public").count() - 2)
            counts.append(len(seen))
        assert counts[0] == counts[1] <= 12


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_public")
def test_visitors_search(client: Client, shown: PromptTemplate) -> None:
    TemplateFactory(title="Private reply to a ticket")
    assert titles(client, "?q=ticket") == ["Reply to a ticket"]
    empty = client.get(f"{LIST}?q=nothingholdsthis").content.decode()
    assert [word for word in (reverse("templates_app:create"), reverse("site:search")) if word in empty] == []
