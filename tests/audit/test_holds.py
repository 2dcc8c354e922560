"""What a legal hold keeps: from every way to delete for good, and from nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import Error, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AuditLog, LegalHold, Purge
from audit.retention import holds, purging
from conversations.models import Prompt, PromptComment
from promptlib.core.models import SoftDeleteModel
from promptlib.core.soft_delete import restore
from templates_app.models import PromptTemplate, Rating, TemplateVersion
from tests.audit.whole import every_row, whole_conversation, whole_template
from tests.factories import ConversationFactory, PromptFactory, TemplateFactory, UserFactory, VersionFactory

pytestmark = pytest.mark.django_db


def hold(subject: Any) -> LegalHold:
    return holds.place_hold(subject=subject, reason="Case 7", by=UserFactory(staff=True))


SUBJECTS: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "a template": (whole_template, lambda template: template),
    "its owner": (whole_template, lambda template: template.owner),
    "who wrote a version": (
        whole_template,
        lambda template: VersionFactory(template=template, author=UserFactory()).author,
    ),
    "who reviewed it": (whole_template, lambda template: template.ratings.get().user),
    "who suggested a change": (whole_template, lambda template: template.suggestions.get().author),
    "a conversation": (whole_conversation, lambda conversation: conversation),
    "a conversation's owner": (whole_conversation, lambda conversation: conversation.owner),
    "who asked in it": (
        whole_conversation,
        lambda conversation: PromptFactory(conversation=conversation, author=UserFactory()).author,
    ),
    "who remarked in it": (
        whole_conversation,
        lambda conversation: PromptComment.objects.get(prompt__conversation=conversation).author,
    ),
}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_what_is_held_stays_whatever_is_tried_until_the_hold_is_lifted(subject: str) -> None:
    make, of = SUBJECTS[subject]
    thing, other = make(), make()
    placed = hold(of(thing))
    thing.delete()
    other.delete()
    before = every_row()
    for way in (thing.hard_delete, type(thing).all_objects.all().hard_delete):
        with pytest.raises(holds.Held, match="A legal hold keeps"), transaction.atomic():
            way()
    with pytest.raises(Error, match="legal hold"), transaction.atomic():
        type(thing)._base_manager.filter(pk=thing.pk).delete()  # past the kernel, by Django's own collector
    assert every_row() == before
    outcome = purging.purge([thing.deletion_id, other.deletion_id])
    assert (outcome.held, outcome.purged) == ([thing.deletion_id], [other.deletion_id])
    restore(thing.deletion_id)
    thing.refresh_from_db()
    thing.delete()
    holds.lift_hold(placed, reason="Settled", by=placed.placed_by)
    assert purging.purge([thing.deletion_id]).purged == [thing.deletion_id]


def test_a_deletion_of_one_row_stays_whole_where_another_of_its_rows_is_held() -> None:
    mine, others = ConversationFactory(), ConversationFactory()
    PromptFactory(conversation=mine)
    held = PromptFactory(conversation=others, author=UserFactory())
    type(mine).objects.filter(pk__in=[mine.pk, others.pk]).delete()
    hold(held.author)
    deletion_id = type(mine).all_objects.get(pk=mine.pk).deletion_id
    assert purging.purge([deletion_id]).held == [deletion_id]
    assert Prompt.all_objects.count() == 2


def test_a_person_is_kept_with_all_that_must_go_before_them() -> None:
    """So that whoever erases a person asks once."""
    person, other = UserFactory(), UserFactory()
    template = TemplateFactory(owner=person)
    assert not holds.keeps(person)
    hold(template)
    hold(ConversationFactory(owner=other))
    assert holds.keeps(person) and holds.keeps(other) and holds.keeps(template)
    assert not holds.keeps(UserFactory()) and not holds.keeps(TemplateFactory(owner=person))


def test_a_hold_that_comes_too_late_is_refused_and_never_leaves_half_a_thing() -> None:
    conversation, elsewhere = whole_conversation(), TemplateFactory()
    conversation.delete()
    Purge.objects.create(deletion_id=conversation.deletion_id)  # as a purge that was interrupted leaves it
    for subject in (conversation, conversation.owner, PromptComment.objects.get().author):
        with pytest.raises(holds.TooLate):
            hold(subject)
    hold(elsewhere)
    assert purging.purge(purging.unfinished()).purged == [conversation.deletion_id]


def test_placing_and_lifting_are_logged_and_no_hold_is_deleted() -> None:
    template, staff = TemplateFactory(title="Reply"), UserFactory(staff=True)
    placed = holds.place_hold(subject=template, reason="Case 7", by=staff)
    holds.lift_hold(placed, reason="Settled", by=staff)
    rows = AuditLog.objects.filter(object_pk=str(placed.pk)).order_by("id")
    assert [(row.get_action_display(), row.subject_id) for row in rows] == [("created", None), ("changed", None)]
    assert rows[0].changes["reason"] == [None, "Case 7"]
    assert rows[1].changes["lift_reason"] == ["", "Settled"]
    for queryset in (LegalHold.objects.all(), LegalHold.objects.filter(pk=placed.pk)):
        with pytest.raises(Error, match="lifted, not deleted"), transaction.atomic():
            queryset.delete()


def test_every_kind_of_thing_in_the_trash_says_by_whose_hold_it_is_kept() -> None:
    ours = [model for model in apps.get_models() if issubclass(model, SoftDeleteModel)]
    assert {User, PromptTemplate, Rating, Prompt} < set(ours)
    assert [model for model in ours if not model.HELD_BY] == []
    assert TemplateVersion.HELD_BY == ("template", "template__owner", "author")


def test_without_a_hold_the_question_costs_one_query(django_assert_num_queries: Any) -> None:
    template = TemplateFactory()
    template.delete()
    with django_assert_num_queries(1):
        assert holds.held([template.deletion_id]) == set()


@pytest.mark.django_db(transaction=True)
def test_who_deletes_a_remark_that_is_held_is_told_so(client: Client) -> None:
    conversation = ConversationFactory()
    prompt = PromptFactory(conversation=conversation)
    remark = PromptComment.objects.create(prompt=prompt, author=conversation.owner, text="Well")
    client.force_login(conversation.owner)
    address = reverse("conversations:delete_remark", args=[conversation.pk, prompt.pk, remark.pk])
    placed = hold(conversation)
    response = client.post(address)
    assert (response.status_code, PromptComment.objects.get()) == (409, remark)
    assert "A legal hold keeps this" in response.content.decode()
    holds.lift_hold(placed, reason="Settled", by=placed.placed_by)
    client.post(address)
    assert not PromptComment.objects.exists()
