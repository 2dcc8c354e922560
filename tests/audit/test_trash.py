"""The trash: what stands in it for whom, what went along, and the way back."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from uuid_utils.compat import uuid7

from accounts.models import User
from audit.models import AuditLog
from conversations.models import Conversation, Prompt
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


def deleted(row: Any, by: Any = None, **fields: Any) -> Any:
    row.delete(by=by or row.owner, **fields)
    return row


def aged(row: Any, days: int) -> Any:
    type(row).all_objects.filter(pk=row.pk).update(deleted_at=timezone.now() - timezone.timedelta(days=days))
    return row


def page(client: Client, name: str = "trash", **query: Any) -> str:
    response = client.get(reverse(f"audit:{name}"), query)
    assert response.status_code == 200
    return response.content.decode()


def titles(html: str) -> list[str]:
    return re.findall(r'<h2 class="lost__title"><a[^>]*>(.*?)</a>', html)


def restore(client: Client, row: Any, **data: Any) -> Any:
    return client.post(reverse("audit:restore", args=[row.deletion_id]), data)


class TestPage:
    def test_all_kinds_stand_together_the_latest_first(self, client: Client) -> None:
        owner = UserFactory()
        conversation = ConversationFactory(owner=owner, title="Names for the tent")
        prompt = PromptFactory(conversation=conversation, author=owner, input_text="Which is kinder?")
        rating = RatingFactory(user=owner, template=TemplateFactory(visibility="public", title="Letters"), score=4)
        template = deleted(TemplateFactory(owner=owner, title="Old tone"))
        soft_delete.delete([prompt], by=owner)
        soft_delete.delete([rating], by=owner)
        deleted(conversation)
        client.force_login(owner)
        html = page(client)
        assert titles(html) == ["Names for the tent", "4 ★ Letters", "Which is kinder?", "Old tone"]
        assert "Interaction in Names for the tent, deleted by you" in html
        for kind, title in (("prompttemplate", "Old tone"), ("rating", "4 ★ Letters"), ("prompt", "Which is kinder?")):
            assert titles(page(client, kind=kind)) == [title]
        assert template.deletion_id

    def test_what_went_with_a_thing_is_counted_and_named(self, client: Client) -> None:
        conversation = ConversationFactory(title="Names for the tent")
        for number in range(7):
            PromptFactory(conversation=conversation, input_text=f"Question {number}")
        ParticipantFactory(conversation=conversation)
        deleted(conversation, reason="Of no use any more")
        client.force_login(conversation.owner)
        html = page(client)
        assert "Interactions: 7" in html
        assert re.findall(r"<li>(Question \d)</li>", html) == [f"Question {number}" for number in range(5)]
        assert "and 2 more" in html
        assert "1 person it is shared with" in html
        assert "Of no use any more" in html
        html = client.get(reverse("audit:trash_thing", args=[conversation.deletion_id])).content.decode()
        assert re.findall(r"<li>(Question \d)</li>", html) == [f"Question {number}" for number in range(7)]

    def test_who_is_in_the_trash_themselves_is_not_counted_among_those_it_is_shared_with(self) -> None:
        seat = ParticipantFactory()
        gone = ParticipantFactory(conversation=seat.conversation).user
        gone.delete()
        assert Conversation.objects.get().stays_with == ["1 person it is shared with"]

    def test_the_days_left_are_red_when_few(self, client: Client) -> None:
        owner = UserFactory()
        aged(deleted(TemplateFactory(owner=owner, title="Soon")), 26)
        aged(deleted(TemplateFactory(owner=owner, title="Later")), 25)
        client.force_login(owner)
        html = page(client)
        assert re.findall(r'countdown--soon"><span>(.*?)</span>', html) == ["3 days left"]
        assert "4 days left" in html

    @pytest.mark.django_db(transaction=True)  # InnoDB's full text sees committed rows only
    def test_the_search_finds_titles_and_texts(self, client: Client) -> None:
        owner = UserFactory()
        deleted(TemplateFactory(owner=owner, title="Old tone", body="Write to the {{ dealer }} about maize."))
        conversation = ConversationFactory(owner=owner, title="Names for the tent")
        PromptFactory(conversation=conversation, response_text="Call it the big maize.")
        deleted(conversation)
        deleted(TemplateFactory(owner=owner, title="Nothing of it"))
        client.force_login(owner)
        assert titles(page(client, q="maize")) == ["Names for the tent", "Old tone"]
        assert titles(page(client, q="tent")) == ["Names for the tent"]
        assert "Nothing like that in the trash" in page(client, q="barley")

    def test_pages_follow_each_other_there_and_back(self, client: Client) -> None:
        owner = UserFactory(preferences={"rows_per_page": 15})
        for number in range(20):
            deleted((TemplateFactory if number % 2 else ConversationFactory)(owner=owner, title=f"Thing {number}"))
        client.force_login(owner)
        first = page(client)
        cursor = re.search(r'\?cursor=([^"&]+)"', first)
        assert cursor
        second = page(client, cursor=cursor[1])
        names = [f"Thing {number}" for number in range(19, -1, -1)]
        assert titles(first) + titles(second) == names
        back = re.search(r'\?cursor=([^"&]+)"', second)
        assert back
        assert titles(page(client, cursor=back[1])) == names[:15]

    def test_a_longer_page_costs_no_more_queries(
        self, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        owner = UserFactory()
        other = TemplateFactory(visibility="public")
        client.force_login(owner)
        counts = []
        for _ in range(2):
            for _ in range(5):
                deleted(RatingFactory(template__owner=owner, user=UserFactory()).template)
                conversation = ConversationFactory(owner=owner)
                gone, _kept = PromptFactory.create_batch(2, conversation=conversation, author=owner)
                soft_delete.delete([gone], by=owner)
                deleted(conversation)
                soft_delete.delete([RatingFactory(user=owner, template=other)], by=owner)
            with django_assert_max_num_queries(12) as captured:
                page(client)
            counts.append(len(captured))
        assert counts[0] == counts[1]


class TestWhose:
    def test_a_stranger_sees_nothing_of_it(self, client: Client) -> None:
        deleted(TemplateFactory(title="Old tone", visibility="public"))
        client.force_login(UserFactory())
        assert "Old tone" not in page(client)

    def test_a_question_is_brought_back_by_the_owner_or_by_who_deleted_it(self, client: Client) -> None:
        conversation = ConversationFactory()
        editor, other = (ParticipantFactory(conversation=conversation, role="editor").user for _ in range(2))
        prompt = PromptFactory(conversation=conversation, author=editor, input_text="Which is kinder?")
        prompt.delete(by=editor)
        for person, shown in ((editor, 1), (conversation.owner, 1), (other, 0), (UserFactory(), 0)):
            client.force_login(person)
            assert len(titles(page(client))) == shown
        conversation.delete(by=conversation.owner)
        client.force_login(editor)
        assert titles(page(client)) == []

    def test_a_review_that_a_curator_removed_stays_removed(self, client: Client) -> None:
        rating = RatingFactory(template__visibility="public")
        rating.delete(by=UserFactory(staff=True))
        client.force_login(rating.user)
        assert titles(page(client)) == []
        assert restore(client, rating).status_code == 404

    def test_ones_rating_says_nothing_of_a_template_that_one_may_not_see(self, client: Client) -> None:
        rating = RatingFactory(template__visibility="public", template__title="Harvest plan")
        rating.delete(by=rating.user)
        client.force_login(rating.user)
        assert titles(page(client)) == ["4 ★ Harvest plan"]
        rating.template.visibility = "private"
        rating.template.save()
        assert titles(page(client)) == []

    @pytest.mark.parametrize("role", ["editor", "commenter", "viewer"])
    def test_only_the_owner_may_bring_a_conversation_back(self, client: Client, role: str) -> None:
        conversation = ConversationFactory()
        seat = ParticipantFactory(conversation=conversation, role=role)
        deleted(conversation)
        client.force_login(seat.user)
        assert restore(client, conversation).status_code == 404
        assert not Conversation.objects.exists()


class TestRestore:
    def test_it_brings_back_exactly_what_went(self, client: Client) -> None:
        owner = UserFactory()
        conversation = ConversationFactory(owner=owner)
        kept, gone = PromptFactory(conversation=conversation), PromptFactory(conversation=conversation)
        gone.delete(by=owner)
        deleted(conversation)
        client.force_login(owner)
        assert restore(client, conversation).url == conversation.get_absolute_url()
        assert list(Prompt.objects.values_list("pk", flat=True)) == [kept.pk]

    @pytest.mark.parametrize("factory", [TemplateFactory, ConversationFactory])
    def test_an_import_that_came_again_is_decided_in_the_form(self, client: Client, factory: Any) -> None:
        lost = deleted(factory(source="x", source_id="1", title="The first"))
        rival = factory(owner=lost.owner, source="x", source_id="1", title="The second")
        client.force_login(lost.owner)
        response = restore(client, lost)
        assert response.status_code == 409
        assert "Keep both" in response.content.decode()
        assert type(lost).objects.get() == rival
        response = restore(client, lost, **{f"place-{lost.pk.hex}": "replace"})
        assert response.url == lost.get_absolute_url()
        assert type(lost).objects.get() == lost

    def test_a_title_that_was_given_since_is_chosen_anew_and_what_was_typed_stays(self, client: Client) -> None:
        lost = deleted(ConversationFactory(title="Test"))
        ConversationFactory(owner=lost.owner, title="Test")
        client.force_login(lost.owner)
        html = restore(client, lost).content.decode()
        assert 'value="Test (restored)"' in html
        response = restore(client, lost, **{f"title-{lost.pk.hex}": "x" * 400})
        assert response.status_code == 422
        assert "x" * 400 in response.content.decode()
        restore(client, lost, **{f"title-{lost.pk.hex}": "The older test"})
        assert sorted(Conversation.objects.values_list("title", flat=True)) == ["Test", "The older test"]

    def test_two_of_one_title_from_before_are_no_conflict(self, client: Client) -> None:
        ConversationFactory(owner=(lost := ConversationFactory(title="Test")).owner, title="Test")
        deleted(lost)
        client.force_login(lost.owner)
        assert restore(client, lost).status_code == 302

    def test_a_question_brings_its_conversation_along(self, client: Client) -> None:
        conversation = ConversationFactory(title="Names for the tent")
        prompt = PromptFactory(conversation=conversation)
        prompt.delete(by=conversation.owner)
        deleted(conversation)
        client.force_login(conversation.owner)
        html = restore(client, prompt).content.decode()
        assert "Restore “Names for the tent” too" in html
        assert not Prompt.objects.exists()
        restore(client, prompt, **{f"parent-{conversation.deletion_id.hex}": "on"})
        assert Prompt.objects.get().conversation == Conversation.objects.get()

    @pytest.mark.parametrize(("choice", "score"), [("keep", 5), ("replace", 2)])
    def test_of_two_ratings_one_is_kept(self, client: Client, choice: str, score: int) -> None:
        lost = RatingFactory(score=2, template__visibility="public")
        lost.delete(by=lost.user)
        RatingFactory(template=lost.template, user=lost.user, score=5)
        client.force_login(lost.user)
        assert restore(client, lost).status_code == 409
        restore(client, lost, **{f"place-{lost.pk.hex}": choice})
        assert Rating.objects.get().score == score
        assert Rating.all_objects.count() == 2

    def test_a_rating_that_was_withdrawn_comes_back_by_the_toast(self, client: Client) -> None:
        rating = RatingFactory(template__visibility="public", score=2, review="Too long.")
        client.force_login(rating.user)
        url = reverse("templates_app:withdraw", args=[rating.template_id])
        html = client.post(url, follow=True).content.decode()
        assert not Rating.objects.exists()
        undo = reverse("audit:restore", args=[Rating.all_objects.get().deletion_id])
        assert f'action="{undo}"' in html
        assert client.post(undo).url == rating.get_absolute_url()
        assert Rating.objects.get() == rating

    def test_what_is_gone_and_what_is_not_ones_own_read_alike(self, client: Client) -> None:
        template = deleted(TemplateFactory())
        client.force_login(template.owner)
        answers = [client.post(reverse("audit:restore", args=[uuid7()]))]
        assert client.get(reverse("audit:restore", args=[template.deletion_id])).status_code == 405
        assert not PromptTemplate.objects.exists()
        restore(client, template)
        answers += [restore(client, template), client.get(reverse("audit:trash_thing", args=[template.deletion_id]))]
        client.force_login(UserFactory())
        answers.append(restore(client, deleted(TemplateFactory())))
        for response in answers:
            assert response.status_code == 404
            assert "It was restored already, or deleted for good" in response.content.decode()

    def test_one_that_somebody_restored_in_the_same_moment(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        template = deleted(TemplateFactory())
        client.force_login(template.owner)
        monkeypatch.setattr("audit.views.trash.bring_back", lambda row, **_kwargs: row.restore() and row.restore())
        assert "It was restored already" in restore(client, template).content.decode()

    def test_a_selection_comes_back_but_for_what_is_to_be_decided(self, client: Client) -> None:
        owner = UserFactory()
        one, other = (deleted(TemplateFactory(owner=owner, title=title)) for title in ("One", "Other"))
        doubtful = deleted(TemplateFactory(owner=owner, title="Doubtful"))
        TemplateFactory(owner=owner, title="Doubtful")
        foreign = deleted(TemplateFactory())
        client.force_login(owner)
        ids = [row.deletion_id for row in (one, other, doubtful, foreign)]
        response = client.post(reverse("audit:restore_selection"), {"ids": ids})
        assert response.status_code == 409
        assert titles(response.content.decode()) == ["Doubtful"]
        back = PromptTemplate.objects.filter(pk__in=[row.pk for row in (one, other, doubtful, foreign)])
        assert set(back) == {one, other}


class TestStaff:
    def test_staff_see_everybodys_and_filter_by_person(self, client: Client) -> None:
        ines, jonas = UserFactory(handle="ines", display_name="Ines Okafor"), UserFactory(handle="jonas")
        deleted(TemplateFactory(owner=ines, title="By Ines"))
        deleted(ConversationFactory(owner=jonas, title="By Jonas"))
        deleted(TemplateFactory(owner=jonas, title="By a third"), by=ines)
        client.force_login(UserFactory(staff=True))
        assert titles(page(client)) == []
        assert titles(page(client, "trash_of_everybody")) == ["By a third", "By Jonas", "By Ines"]
        for person in ("ines", "@ines", "INES@example.org", "okafor"):
            assert titles(page(client, "trash_of_everybody", person=person)) == ["By a third", "By Ines"]
        assert titles(page(client, "trash_of_everybody", person="nobody")) == []
        client.force_login(jonas)
        assert client.get(reverse("audit:trash_of_everybody")).status_code == 404

    def test_they_restore_with_a_reason_which_the_owner_reads(self, client: Client) -> None:
        staff, template = UserFactory(staff=True), deleted(TemplateFactory(title="Old tone"))
        client.force_login(staff)
        assert restore(client, template).status_code == 422
        assert restore(client, template, reason="").status_code == 422
        assert not PromptTemplate.objects.exists()
        restore(client, template, reason="Asked by phone")
        row = AuditLog.objects.about(template.pk).filter(action=AuditLog.Action.RESTORE).get()
        assert (row.actor, row.reason) == (staff, "As staff: Asked by phone")

    def test_a_selection_wants_a_reason_too(self, client: Client) -> None:
        rows = [deleted(TemplateFactory()), deleted(ConversationFactory())]
        client.force_login(UserFactory(staff=True))
        data = {"ids": [row.deletion_id for row in rows], "as_staff": "1"}
        assert client.post(reverse("audit:restore_selection"), data).status_code == 422
        assert not PromptTemplate.objects.exists()
        client.post(reverse("audit:restore_selection"), {**data, "reason": "Asked by phone"})
        assert PromptTemplate.objects.count() == Conversation.objects.count() == 1
        client.force_login(UserFactory())
        gone = deleted(TemplateFactory())
        client.post(reverse("audit:restore_selection"), {**data, "ids": [gone.deletion_id], "reason": "Mine now"})
        assert not PromptTemplate.objects.filter(pk=gone.pk).exists()

    def test_a_person_comes_back_under_another_handle(self, client: Client) -> None:
        lost = UserFactory(handle="ines", email="ines@example.org")
        lost.delete(by=lost)
        UserFactory(handle="ines", email="ines@example.org")
        client.force_login(UserFactory(staff=True))
        html = restore(client, lost, reason="Back from leave").content.decode()
        assert "This handle is taken." in html
        assert 'value="Back from leave"' in html
        names = {f"handle-{lost.pk.hex}": "ines-2", f"email-{lost.pk.hex}": "ines.two@example.org"}
        assert restore(client, lost, reason="Back from leave", **names).status_code == 302
        assert User.objects.get(pk=lost.pk).handle == "ines-2"

    def test_staff_who_may_not_delete_people_do_not_bring_them_back(self, client: Client) -> None:
        lost = UserFactory(display_name="Ines Okafor")
        lost.delete(by=lost)
        client.force_login(UserFactory(is_staff=True))
        assert titles(page(client, "trash_of_everybody")) == []
        assert restore(client, lost, reason="Why not").status_code == 404
