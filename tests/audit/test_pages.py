"""The history of the installation."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from audit.context import acting
from audit.models import AuditLog
from tests.factories import TemplateFactory, UserFactory

pytestmark = pytest.mark.django_db


def page(client: Client, name: str, **query: Any) -> str:
    response = client.get(reverse(f"audit:{name}"), query)
    assert response.status_code == 200
    return response.content.decode()


class TestHistory:
    def test_staff_read_everything_and_others_their_own_actions(self, client: Client) -> None:
        owner, other = UserFactory(display_name="Olga Owner"), UserFactory()
        with acting(owner):
            TemplateFactory(owner=owner, title="Visible words")
        client.force_login(UserFactory(staff=True))
        assert "Visible words" in page(client, "history")
        client.force_login(owner)
        assert "Visible words" in page(client, "history")
        client.force_login(other)
        html = page(client, "history")
        assert "Visible words" not in html
        assert "Olga" not in html

    def test_a_visitor_is_sent_to_sign_in(self, client: Client) -> None:
        for name in ("history", "trash"):
            response = client.get(reverse(f"audit:{name}"))
            assert response.url == f"{reverse('account_login')}?next={reverse(f'audit:{name}')}"

    def test_it_is_filtered_by_person_kind_and_action(self, client: Client) -> None:
        staff, owner = UserFactory(staff=True), UserFactory()
        with acting(owner):
            template = TemplateFactory(owner=owner, title="Alpha")
            template.title = "Beta"
            template.save()
        client.force_login(staff)
        html = page(client, "history", who=owner.pk, action=AuditLog.Action.UPDATE)
        assert "<del>Alpha</del>" in html
        assert "<ins>Beta</ins>" in html
        assert "created" not in html.split("</form>")[-1]
        assert "One of the filters is not a choice" in page(client, "history", action="99")
        assert "Beta" not in page(client, "history", action="99")

    def test_what_people_wrote_is_escaped(self, client: Client) -> None:
        owner = UserFactory(display_name="<i>Eve</i>")
        with acting(owner):
            TemplateFactory(owner=owner, title="<script>alert(1)</script>")
        client.force_login(UserFactory(staff=True))
        html = page(client, "history")
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
        assert "<script>alert" not in html
        assert "<i>Eve" not in html

    def test_a_longer_page_costs_no_more_queries(
        self, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        client.force_login(UserFactory(staff=True))
        page(client, "history")
        counts = []
        for _ in range(2):
            for _ in range(12):
                TemplateFactory(owner=UserFactory())
            with django_assert_max_num_queries(12) as captured:
                page(client, "history")
            counts.append(len(captured))
        assert counts[0] == counts[1]
