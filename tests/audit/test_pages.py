"""The history of the installation, the trash, and the way back."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from uuid_utils.compat import uuid7

from audit.context import acting
from audit.models import AuditLog
from conversations.models import Conversation, Prompt
from templates_app.models import PromptTemplate
from tests.factories import ConversationFactory, ParticipantFactory, PromptFactory, TemplateFactory, UserFactory

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


class TestTrash:
    def test_an_owner_sees_what_was_deleted_with_what_went_with_it(self, client: Client) -> None:
        owner, stranger = UserFactory(), UserFactory()
        conversation = ConversationFactory(owner=owner, title="Names for the tent")
        PromptFactory(conversation=conversation)
        PromptFactory(conversation=conversation)
        conversation.delete(by=owner)
        client.force_login(owner)
        html = page(client, "trash")
        assert "Names for the tent" in html
        assert "Interactions: 2" in html
        assert "deleted by you" in html
        assert "29 days left" in html
        client.force_login(stranger)
        assert "Names for the tent" not in page(client, "trash")

    @pytest.mark.parametrize("role", ["editor", "commenter", "viewer"])
    def test_only_the_owner_may_bring_a_conversation_back(self, client: Client, role: str) -> None:
        conversation = ConversationFactory()
        seat = ParticipantFactory(conversation=conversation, role=role)
        conversation.delete(by=conversation.owner)
        client.force_login(seat.user)
        response = client.post(reverse("audit:restore", args=[conversation.deletion_id]))
        assert response.status_code == 404
        assert not Conversation.objects.exists()

    def test_restoring_brings_back_exactly_what_went(self, client: Client) -> None:
        owner = UserFactory()
        conversation = ConversationFactory(owner=owner)
        kept, gone = PromptFactory(conversation=conversation), PromptFactory(conversation=conversation)
        gone.delete(by=owner)
        conversation.delete(by=owner)
        client.force_login(owner)
        response = client.post(reverse("audit:restore", args=[conversation.deletion_id]))
        assert response.url == conversation.get_absolute_url()
        assert list(Prompt.objects.values_list("pk", flat=True)) == [kept.pk]

    def test_a_conflict_is_said_and_nothing_is_changed(self, client: Client) -> None:
        template = TemplateFactory(source="x", source_id="1")
        template.delete(by=template.owner)
        TemplateFactory(owner=template.owner, source="x", source_id="1", title="The new one")
        client.force_login(template.owner)
        response = client.post(reverse("audit:restore", args=[template.deletion_id]))
        assert response.status_code == 409
        assert "Nothing was restored" in response.content.decode()
        assert PromptTemplate.objects.get().title == "The new one"

    def test_an_unknown_deletion_and_a_get_change_nothing(self, client: Client) -> None:
        template = TemplateFactory()
        template.delete(by=template.owner)
        client.force_login(template.owner)
        assert client.post(reverse("audit:restore", args=[uuid7()])).status_code == 404
        assert client.get(reverse("audit:restore", args=[template.deletion_id])).status_code == 405
        assert not PromptTemplate.objects.exists()

    def test_a_longer_page_costs_no_more_queries(
        self, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        owner = UserFactory()
        client.force_login(owner)
        page(client, "trash")
        counts = []
        for _ in range(2):
            for _ in range(10):
                TemplateFactory(owner=owner).delete(by=owner)
            with django_assert_max_num_queries(12) as captured:
                page(client, "trash")
            counts.append(len(captured))
        assert counts[0] == counts[1]
