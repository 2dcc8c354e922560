"""Out of the trash for good: what goes, what stays, who may."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import AuditLog
from audit.retention import holds
from audit.retention.purging import purge
from conversations.models import Conversation, Prompt
from conversations.services.path import path_up
from promptlib.core import soft_delete
from templates_app.models import PromptTemplate, Rating
from tests.factories import (
    ConversationFactory,
    ParticipantFactory,
    PromptFactory,
    RatingFactory,
    TemplateFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def deleted(row: Any, by: Any = None) -> Any:
    row.delete(by=by or row.owner)
    return row


def purge_page(client: Client, rows: list[Any], **data: Any) -> Any:
    return client.post(reverse("audit:purge_selection"), {"ids": [row.deletion_id for row in rows], **data})


def kept() -> set[Any]:
    models = (PromptTemplate, Conversation, Prompt, Rating)
    return {row for model in models for row in model.all_objects.all()}


class TestSelection:
    def test_it_says_first_what_goes_and_then_deletes_that_alone(self, client: Client) -> None:
        owner = UserFactory()
        conversation = ConversationFactory(owner=owner, title="Names for the tent")
        PromptFactory.create_batch(3, conversation=conversation)
        other = deleted(TemplateFactory(owner=owner))
        deleted(conversation)
        client.force_login(owner)
        html = purge_page(client, [conversation]).content.decode()
        assert "Delete 1 thing for good?" in html
        assert "<b>1</b> conversation, <b>3</b> interactions" in html
        assert len(kept()) == 5
        response = purge_page(client, [conversation], sure="1", reason="Private")
        assert response.url == reverse("audit:trash")
        assert kept() == {other}
        row = AuditLog.objects.about(conversation.pk).filter(action=AuditLog.Action.PURGE).first()
        assert row is not None
        assert (row.actor, row.reason) == (owner, "Private")

    def test_what_a_hold_keeps_is_named_and_stays(self, client: Client) -> None:
        owner, staff = UserFactory(), UserFactory(staff=True)
        held = deleted(TemplateFactory(owner=owner, title="Evidence"))
        free = deleted(TemplateFactory(owner=owner, title="Old tone"))
        holds.place_hold(subject=held, reason="A lawsuit", by=staff)
        client.force_login(owner)
        assert "A legal hold keeps it" in client.get(reverse("audit:trash")).content.decode()
        html = purge_page(client, [held, free]).content.decode()
        going, stays = html.split("This stays: a legal hold keeps it")
        assert ("Old tone" in going, "Evidence" in going, "Evidence" in stays) == (True, False, True)
        html = client.post(
            reverse("audit:purge_selection"),
            {"ids": f"{held.deletion_id},{free.deletion_id}", "sure": "1"},
            follow=True,
        ).content.decode()
        assert "1 thing is deleted for good." in html
        assert "1 thing stays: a legal hold keeps it." in html
        assert kept() == {held}

    @pytest.mark.parametrize("is_staff", [False, True])
    def test_others_things_are_not_touched(self, client: Client, is_staff: bool) -> None:
        template = deleted(TemplateFactory())
        client.force_login(UserFactory(staff=is_staff))
        purge_page(client, [template], sure="1", reason="Mine")
        assert kept() == {template}

    def test_staff_do_it_for_others_with_a_reason(self, client: Client) -> None:
        template = deleted(TemplateFactory())
        client.force_login(UserFactory(staff=True))
        assert purge_page(client, [template], sure="1", as_staff="1").status_code == 422
        assert kept() == {template}
        purge_page(client, [template], sure="1", as_staff="1", reason="Asked by the owner")
        assert kept() == set()

    def test_who_deleted_a_question_of_another_s_conversation_does_not_take_it_from_the_owner(
        self, client: Client
    ) -> None:
        conversation = ConversationFactory()
        editor = ParticipantFactory(conversation=conversation, role="editor").user
        prompt = deleted(PromptFactory(conversation=conversation, author=editor), by=editor)
        client.force_login(editor)
        purge_page(client, [prompt], sure="1")
        assert Prompt.all_objects.filter(pk=prompt.pk).exists()
        client.force_login(conversation.owner)
        purge_page(client, [prompt], sure="1")
        assert not Prompt.all_objects.filter(pk=prompt.pk).exists()

    def test_what_is_gone_already_is_said(self, client: Client) -> None:
        template = deleted(TemplateFactory())
        client.force_login(template.owner)
        purge([template.deletion_id], by=template.owner)
        response = client.post(
            reverse("audit:purge_selection"), {"ids": template.deletion_id, "sure": "1"}, follow=True
        )
        assert "Nothing is selected that is in the trash" in response.content.decode()


class TestEmpty:
    def test_all_of_ones_own_goes_and_nothing_else(self, client: Client) -> None:
        owner = UserFactory()
        rating = deleted(RatingFactory(user=owner, template=TemplateFactory(visibility="public")), by=owner)
        deleted(TemplateFactory(owner=owner))
        conversation = ConversationFactory(owner=owner)
        deleted(PromptFactory(conversation=conversation), by=owner)
        foreign = deleted(TemplateFactory())
        client.force_login(owner)
        html = client.get(reverse("audit:empty_trash")).content.decode()
        assert "Delete 3 things for good?" in html
        response = client.post(reverse("audit:empty_trash"), {"sure": "1"})
        assert response.url == reverse("audit:trash")
        assert kept() == {rating.template, conversation, foreign}

    def test_what_came_after_the_page_that_asked_stays(self, client: Client) -> None:
        template = deleted(TemplateFactory())
        client.force_login(template.owner)
        until = client.get(reverse("audit:empty_trash")).context["form"]["until"].value()
        later = deleted(TemplateFactory(owner=template.owner))
        client.post(reverse("audit:empty_trash"), {"sure": "1", "until": until})
        assert kept() == {later}

    def test_an_empty_trash_has_nothing_to_ask(self, client: Client) -> None:
        client.force_login(UserFactory())
        html = client.get(reverse("audit:empty_trash"), follow=True).content.decode()
        assert "There is nothing in the trash" in html
        assert reverse("audit:empty_trash") not in html


def test_what_is_being_deleted_for_good_is_not_in_the_trash_any_more(client: Client) -> None:
    from audit.models import Purge

    template = deleted(TemplateFactory(title="Old tone"))
    Purge.objects.create(deletion_id=template.deletion_id)
    client.force_login(template.owner)
    assert "Old tone" not in client.get(reverse("audit:trash")).content.decode()
    response = client.post(reverse("audit:restore", args=[template.deletion_id]))
    assert "or deleted for good" in response.content.decode()
    assert not PromptTemplate.objects.exists()


def test_what_followed_an_answer_that_is_gone_for_good_follows_what_stood_before() -> None:
    conversation = ConversationFactory()
    first = PromptFactory(conversation=conversation)
    second, other = PromptFactory.create_batch(2, conversation=conversation, parent=first)
    third = PromptFactory(conversation=conversation, parent=second)
    soft_delete.delete([first])
    for row in (second, first):
        row.delete()
        purge([row.deletion_id])
    third.refresh_from_db()
    other.refresh_from_db()
    assert (third.parent, other.parent) == (None, None)
    fourth = PromptFactory(conversation=conversation, parent=other)
    fifth = PromptFactory(conversation=conversation, parent=fourth)
    again = PromptFactory(conversation=conversation, parent=other)
    fourth.delete()
    purge([fourth.deletion_id])
    fifth.refresh_from_db()
    assert fifth.parent == other
    assert path_up(conversation.pk, end=fifth.pk, limit=2) == [other.pk, fifth.pk]
    assert again.pk not in path_up(conversation.pk, end=fifth.pk, limit=9)
