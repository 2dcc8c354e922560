"""Home, search over everything and analytics: each person's own view."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from promptlib.site import analytics
from tests.factories import (
    ConversationFactory,
    FavoriteFactory,
    ParticipantFactory,
    PromptFactory,
    TemplateFactory,
    UserFactory,
)


def page(client: Client, name: str, **query: Any) -> str:
    response = client.get(reverse(f"site:{name}"), query)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.django_db
class TestHome:
    def test_a_visitor_learns_what_this_is(self, client: Client) -> None:
        html = page(client, "home")
        assert "keeps a team’s work with AI" in html
        assert reverse("account_login") in html

    def test_a_person_sees_their_own_threads_favourites_and_what_is_new(self, client: Client) -> None:
        user = UserFactory()
        ConversationFactory(owner=user, title="My own thread")
        FavoriteFactory(user=user, template=TemplateFactory(owner=user, title="Kept one"))
        TemplateFactory(title="Fresh and public", visibility="public")
        TemplateFactory(title="Hidden from others")
        ConversationFactory(title="Hidden thread")
        TemplateFactory(title="Thrown away", visibility="public").delete()
        client.force_login(user)
        html = page(client, "home")
        for words in ("My own thread", "Kept one", "Fresh and public"):
            assert words in html
        for words in ("Hidden from others", "Hidden thread", "Thrown away"):
            assert words not in html


@pytest.mark.django_db(transaction=True)
class TestSearch:
    @pytest.fixture
    def reader(self) -> Any:
        """Somebody who may see one of each kind that holds “zebra”; a stranger's and the trash's hold “quagga” too."""
        reader, stranger = UserFactory(), UserFactory()
        TemplateFactory(owner=stranger, visibility="public", title="Public zebra", body="Feed the zebra {{ food }}.")
        TemplateFactory(owner=stranger, title="zebra quagga private template")
        TemplateFactory(owner=reader, title="zebra quagga deleted template").delete()
        own = ConversationFactory(owner=stranger, title="Shared zebra talk")
        ParticipantFactory(conversation=own, user=reader, role="viewer")
        PromptFactory(conversation=own, input_text="Why has a zebra stripes?", response_text="Nobody <b>knows</b>.")
        hidden = ConversationFactory(owner=stranger, title="zebra quagga hidden talk")
        PromptFactory(conversation=hidden, input_text="zebra quagga hidden question")
        return reader

    def test_it_finds_every_kind_and_marks_the_hits(self, client: Client, reader: Any) -> None:
        client.force_login(reader)
        html = page(client, "search", q="zebra")
        assert "Public <mark>zebra</mark>" in html
        assert "Shared <mark>zebra</mark> talk" in html
        assert "Why has a <mark>zebra</mark> stripes?" in html
        assert ">3 results<" in html

    def test_what_one_may_not_see_shows_nowhere(self, client: Client, reader: Any) -> None:
        client.force_login(reader)
        for query in ({"q": "zebra"}, {"q": "zebra", "kind": "templates"}, {"q": "zebra", "kind": "prompts"}):
            assert "quagga" not in page(client, "search", **query)
        assert "Nothing found" in page(client, "search", q="quagga")

    def test_the_palette_gets_a_list(self, client: Client, reader: Any) -> None:
        client.force_login(reader)
        headers = {"HX-Request": "true", "HX-Target": "palette-list"}
        html = client.get(reverse("site:search"), {"q": "zebra"}, headers=headers).content.decode()
        assert 'role="option"' in html
        assert "Public <mark>zebra</mark>" in html
        assert "quagga" not in html
        assert "<html" not in html

    def test_one_kind_is_paged(self, client: Client) -> None:
        reader = UserFactory()
        for number in range(23):
            TemplateFactory(owner=reader, title=f"Okapi number {number}")
        client.force_login(reader)
        first = client.get(reverse("site:search"), {"q": "okapi", "kind": "templates"})
        groups = first.context["groups"]
        second = client.get(
            reverse("site:search"), {"q": "okapi", "kind": "templates", "cursor": groups[0].page.next_cursor}
        )
        found = [hit.row.pk for answer in (first, second) for hit in answer.context["groups"][0].hits]
        assert (len(found), len(set(found))) == (23, 23)

    def test_a_longer_page_costs_no_more_queries(
        self, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        reader = UserFactory()
        client.force_login(reader)
        counts = []
        for _ in range(2):
            for _ in range(10):
                TemplateFactory(owner=UserFactory(), visibility="public", title="Okapi")
                PromptFactory(conversation=ConversationFactory(owner=reader, title="okapi"), input_text="okapi")
            page(client, "search", q="okapi")
            with django_assert_max_num_queries(12) as captured:
                page(client, "search", q="okapi")
            counts.append(len(captured))
        assert counts[0] == counts[1]


@pytest.mark.django_db
class TestAnalytics:
    def test_the_figures_are_those_of_the_interactions(self) -> None:
        user = UserFactory()
        conversation = ConversationFactory(owner=user)
        today = timezone.now()
        numbers = {"conversation": conversation, "author": user, "currency": "EUR", "model": "m", "provider": "openai"}
        PromptFactory(
            **numbers, status="completed", cost=Decimal("0.5"), latency_ms=1000, input_tokens=10, output_tokens=5
        )
        PromptFactory(
            **numbers, status="completed", cost=Decimal("0.25"), latency_ms=3000, input_tokens=1, output_tokens=1
        )
        PromptFactory(**numbers, status="failed", cost=None, latency_ms=9000, input_tokens=None, output_tokens=None)
        PromptFactory(**numbers, status="recorded", cost=None, latency_ms=9000, input_tokens=None, output_tokens=None)
        PromptFactory(**numbers, status="completed", created_at=today - timedelta(days=40), cost=Decimal(9))
        rows = analytics.usage_of(user, None, (today - timedelta(days=29)).date())
        total = analytics.total(rows)
        assert (total.runs, total.failures, total.cost, total.tokens) == (4, 1, Decimal("0.75"), 17)
        assert (total.mean_latency_ms, total.failure_rate) == (2000, 0.25)
        days = analytics.by_day(rows, (today - timedelta(days=29)).date())
        assert [(len(days), days[-1].runs, days[0].runs)] == [(30, 4, 0)]
        assert [(use.label, use.runs) for use in analytics.by_model(rows)] == [("m", 4)]

    def test_others_use_is_for_staff_alone(self, client: Client) -> None:
        user, other = UserFactory(), UserFactory(display_name="Otto Other")
        for author, model in ((user, "my-model"), (other, "their-model")):
            conversation = ConversationFactory(owner=author)
            PromptFactory(conversation=conversation, author=author, model=model, status="completed")
        client.force_login(user)
        for query in ({}, {"person": other.handle}):
            html = page(client, "analytics", **query)
            assert "my-model" in html
            assert "their-model" not in html
            assert "Otto" not in html
        client.force_login(UserFactory(staff=True))
        html = page(client, "analytics")
        assert "my-model" in html
        assert "their-model" in html
        assert "my-model" not in page(client, "analytics", person=other.handle)

    def test_every_chart_has_its_table(self, client: Client) -> None:
        user = UserFactory()
        PromptFactory(conversation=ConversationFactory(owner=user), author=user, status="completed")
        client.force_login(user)
        html = page(client, "analytics", days=7)
        assert html.count("<figure") == html.count("The same as a table") == 4
        assert html.count('<th scope="row">') >= 4 * 7

    def test_a_longer_page_costs_no_more_queries(
        self, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        client.force_login(UserFactory(staff=True))
        counts = []
        for _ in range(2):
            for _ in range(8):
                template = TemplateFactory(visibility="public")
                conversation = ConversationFactory(owner=UserFactory())
                PromptFactory(
                    conversation=conversation,
                    author=conversation.owner,
                    status="completed",
                    template_version=template.current_version,
                )
            page(client, "analytics")
            with django_assert_max_num_queries(12) as captured:
                page(client, "analytics")
            counts.append(len(captured))
        assert counts[0] == counts[1]


@pytest.mark.django_db
def test_health_says_when_the_database_is_away(client: Client) -> None:
    assert client.get("/healthz").content == b"ok\n"
    with patch.object(connection, "cursor", side_effect=DatabaseError):
        response = client.get("/healthz")
    assert (response.status_code, response.content) == (503, b"The database does not answer.\n")
