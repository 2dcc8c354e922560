"""Into the trash and back: exactly what one delete took, and what is decided where something is in the way."""

from typing import Any

import pytest
from django.db import IntegrityError
from django.db.models import UniqueConstraint

from accounts.models import User
from audit.models import AuditLog
from conversations.models import Conversation, Prompt
from promptlib.core import soft_delete
from promptlib.core.restoring import Answers
from promptlib.core.soft_delete import RestoreConflict, soft_delete_models
from templates_app.models import PromptTemplate, Rating
from tests.factories import ConversationFactory, PromptFactory, RatingFactory, TemplateFactory, UserFactory

pytestmark = pytest.mark.django_db


def living() -> dict[str, int]:
    counts = {model._meta.model_name: model.objects.count() for model in soft_delete_models()}
    return {str(name): count for name, count in counts.items() if count and name != "user"}


def gone(row: Any) -> Any:
    row.delete(by=UserFactory())
    return row


class TestSeveral:
    def test_each_goes_and_comes_back_alone_with_what_hangs_on_it(self) -> None:
        one, other = RatingFactory().template, RatingFactory().template
        deletions = soft_delete.delete_each([one, other])
        assert living() == {}
        assert soft_delete.restore(deletions[one.pk]) == 2
        assert list(PromptTemplate.objects.all()) == [one]
        assert Rating.objects.get().template == one
        assert Rating.all_objects.get(template=other).deletion_id == deletions[other.pk] == other.deletion_id

    def test_what_a_delete_was_about_stands_by_itself(self) -> None:
        conversation = ConversationFactory()
        first, second = PromptFactory(conversation=conversation), PromptFactory(conversation=conversation)
        soft_delete.delete([first])
        conversation.delete()
        assert list(Conversation.all_objects.heads()) == [conversation]
        assert list(Prompt.all_objects.heads()) == [first]
        assert Prompt.all_objects.get(pk=second.pk).deletion_id == conversation.deletion_id

    def test_who_deleted_their_own_account_stands_there(self) -> None:
        person = UserFactory()
        person.delete(by=person)
        assert list(User.all_objects.heads()) == [person]

    def test_a_branch_that_went_at_once_stands_there_once(self) -> None:
        conversation = ConversationFactory()
        root = PromptFactory(conversation=conversation)
        leaf = PromptFactory(conversation=conversation, parent=root)
        loose = PromptFactory(conversation=conversation)
        soft_delete.delete([root, leaf, loose])
        assert list(Prompt.all_objects.heads()) == [root]


class TestConflicts:
    def test_every_place_among_the_living_has_a_way_back(self) -> None:
        for model in soft_delete_models():
            unique = [each for each in model._meta.constraints if isinstance(each, UniqueConstraint)]
            shared = {
                each.name for each in unique if "alive" in {getattr(part, "name", "") for part in each.expressions}
            }
            assert shared == set(model.WAYS_BACK)

    def test_a_person_comes_back_under_another_address_and_handle(self) -> None:
        lost = gone(UserFactory(email="ines@example.org", handle="ines"))
        UserFactory(email="Ines@example.org", handle="ines")
        with pytest.raises(RestoreConflict) as raised:
            lost.restore()
        assert [each.way.rename for each in raised.value.found] == ["email", "handle"]
        names = {(lost.pk, "email"): "Ines.Two@example.org", (lost.pk, "handle"): "ines-2"}
        assert soft_delete.restore(lost.deletion_id, answers=Answers(names=names)) == 1
        back = User.objects.get(pk=lost.pk)
        assert (back.email, back.email_key, back.handle) == ("ines.two@example.org", "ines.two@example.org", "ines-2")

    def test_a_name_that_is_taken_too_changes_nothing(self) -> None:
        lost = gone(UserFactory(handle="ines"))
        UserFactory(handle="ines")
        UserFactory(handle="ines-2")
        with pytest.raises(RestoreConflict):
            soft_delete.restore(lost.deletion_id, answers=Answers(names={(lost.pk, "handle"): "ines-2"}))
        assert User.all_objects.get(pk=lost.pk).handle == "ines"
        assert not User.objects.filter(pk=lost.pk).exists()

    @pytest.mark.parametrize("factory", [TemplateFactory, ConversationFactory])
    def test_an_imported_thing_comes_back_without_its_source_or_instead_of_the_new_one(self, factory: Any) -> None:
        lost = gone(factory(source="x", source_id="1"))
        rival = factory(owner=lost.owner, source="x", source_id="1")
        with pytest.raises(RestoreConflict) as raised:
            lost.restore()
        assert [each.rival for each in raised.value.found] == [rival]
        soft_delete.restore(lost.deletion_id, answers=Answers(detached=frozenset({lost.pk})))
        back = type(lost).objects.get(pk=lost.pk)
        assert (back.source, back.source_id) == ("", None)
        third = gone(factory(owner=lost.owner, source="x", source_id="2"))
        newer = factory(owner=lost.owner, source="x", source_id="2")
        soft_delete.restore(third.deletion_id, answers=Answers(replaced=frozenset({newer.pk})))
        assert set(type(lost).objects.all()) == {lost, rival, third}

    def test_a_rating_replaces_the_one_that_was_given_since(self) -> None:
        lost = gone(RatingFactory(score=2))
        newer = RatingFactory(template=lost.template, user=lost.user, score=5)
        soft_delete.restore(lost.deletion_id, by=lost.user, answers=Answers(replaced=frozenset({newer.pk})))
        assert Rating.objects.get() == lost
        lost.template.refresh_from_db()
        assert (lost.template.rating_count, lost.template.rating_sum) == (1, 2)
        assert Rating.all_objects.get(pk=newer.pk).deleted_by == lost.user

    def test_what_is_not_in_the_way_is_never_replaced(self) -> None:
        lost, other = gone(RatingFactory()), RatingFactory()
        soft_delete.restore(lost.deletion_id, answers=Answers(replaced=frozenset({other.pk})))
        assert Rating.objects.count() == 2

    def test_the_parent_comes_along_where_that_was_decided(self) -> None:
        conversation = ConversationFactory()
        lost = gone(PromptFactory(conversation=conversation))
        kept = PromptFactory(conversation=conversation)
        gone(conversation)
        with pytest.raises(RestoreConflict) as raised:
            lost.restore()
        assert [each.parent for each in raised.value.found] == [conversation]
        answers = Answers(parents=frozenset({conversation.deletion_id}))
        assert soft_delete.restore(lost.deletion_id, answers=answers) == 3
        assert set(Prompt.objects.all()) == {lost, kept}
        actions = AuditLog.objects.filter(action=AuditLog.Action.RESTORE).values_list("object_pk", flat=True)
        assert sorted(actions) == sorted(str(row.pk) for row in (conversation, lost, kept))

    def test_a_place_taken_in_the_same_moment_is_a_conflict(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lost = gone(RatingFactory())
        RatingFactory(template=lost.template, user=lost.user)
        look, calls = soft_delete.conflicts_of, []

        def late(*args: Any) -> Any:
            calls.append(args)
            return look(*args) if len(calls) > 1 else iter(())

        monkeypatch.setattr(soft_delete, "conflicts_of", late)
        with pytest.raises(RestoreConflict) as raised:
            lost.restore()
        assert isinstance(raised.value.__cause__, IntegrityError)
        assert Rating.all_objects.get(pk=lost.pk).is_deleted

    def test_restoring_twice_is_nothing(self) -> None:
        lost = gone(ConversationFactory())
        assert soft_delete.restore(lost.deletion_id) == 1
        assert soft_delete.restore(lost.deletion_id) == 0
