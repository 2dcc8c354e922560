"""Deleting for good: all that hangs on a thing goes, each row leaves its word in the log, and nothing else changes."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError

from accounts.models import User
from audit.context import acting
from audit.models import AuditLog, Purge
from audit.registry import audited_models
from audit.retention import purging, removal
from conversations.models import Conversation, Prompt
from promptlib.core.soft_delete import RestoreConflict, restore, soft_delete_models
from templates_app.models import PromptTemplate, Upstream
from tests.audit.whole import every_row, hanging_rows, whole_conversation, whole_template
from tests.core.test_statistics import differences
from tests.factories import ConversationFactory, PromptFactory, RatingFactory, TemplateFactory, UserFactory

Action = AuditLog.Action
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "BATCH", 2)


def logged() -> Counter[str]:
    """The rows of which the log says that they went for good."""
    models = {model._meta.model_name: model._meta.label for model in audited_models()}
    kept = {model._meta.model_name for model in soft_delete_models()}
    found = AuditLog.objects.values_list("content_type__model", "action")
    gone = [name for name, action in found if action == (Action.PURGE if name in kept else Action.DELETE)]
    return Counter(models[name] for name in gone)


@pytest.mark.parametrize("make", [whole_template, whole_conversation])
def test_all_that_hangs_on_a_thing_goes_and_each_row_is_logged(make: Callable[[], Any]) -> None:
    """But for the rows above it, which go themselves, each row that loses what it pointed at is logged too."""
    keeper = make()
    thing, by = make(), UserFactory()
    thing.delete(by=by)
    hung, before = hanging_rows(thing), every_row()
    with acting(by):
        outcome = purging.purge([thing.deletion_id], by=by, reason="Emptied the trash")
    assert outcome.purged == [thing.deletion_id]
    assert dict(outcome.rows) == hung
    assert Counter(before) - Counter(hung) == Counter(every_row())
    audited = {model._meta.label for model in audited_models()}
    assert logged() == {label: count for label, count in hung.items() if label in audited}
    row = AuditLog.objects.filter(object_pk=str(thing.pk), action=Action.PURGE).get()
    assert (row.actor_id, row.reason, row.subject_id) == (by.pk, "Emptied the trash", thing.pk)
    assert row.changes["title"] == [thing.title, None]
    assert type(thing).objects.filter(pk=keeper.pk).exists()
    assert differences() == []
    assert not Purge.objects.exists()


def test_what_pointed_at_a_purged_version_points_at_nothing_and_says_so() -> None:
    template = whole_template()
    runs, fork = list(Prompt.objects.order_by("id")), Upstream.objects.get()
    template.delete()
    last, version = AuditLog.objects.latest(), str(fork.base_id)
    purging.purge([template.deletion_id])
    changed = AuditLog.objects.filter(action=Action.UPDATE, pk__gt=last.pk)
    expected = {(str(run.pk), "template_version") for run in runs}
    expected |= {(str(fork.pk), "base"), (str(fork.template_id), "forked_from")}
    assert {(row.object_pk, name) for row in changed for name in row.changes} == expected
    assert all(change == [version, None] for row in changed for change in row.changes.values())
    assert {run.template_version_id for run in Prompt.objects.all()} == {None}


def test_only_what_one_delete_took_goes() -> None:
    conversation = ConversationFactory()
    stays, goes = PromptFactory(conversation=conversation), PromptFactory(conversation=conversation)
    goes.delete()
    purging.purge([goes.deletion_id])
    assert list(Prompt.all_objects.all()) == [stays]
    conversation.refresh_from_db()
    assert conversation.prompt_count == 1


@pytest.mark.parametrize("make", [whole_template, whole_conversation])
@pytest.mark.parametrize("at", [0, 4, 8])
def test_interrupted_anywhere_it_cannot_come_back_and_the_next_one_goes_on(
    make: Callable[[], Any], at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As kill -9 does between two transactions; what a killed process leaves is proved by tests/test_kills.py."""
    thing, by = make(), UserFactory()
    thing.delete()
    hung = hanging_rows(thing)
    steps = iter(range(at))

    def stop(_outcome: purging.Outcome) -> None:
        if next(steps, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        purging.purge([thing.deletion_id], by=by, reason="Away with it", progress=stop)
    assert purging.unfinished() == [thing.deletion_id]
    assert differences() == []
    with pytest.raises(RestoreConflict, match="cannot come back"):
        restore(thing.deletion_id)
    assert not purging.without_purges(type(thing).all_objects.deleted()).exists()
    purging.purge(purging.unfinished())
    assert hanging_rows(thing) == {}
    assert logged().total() == sum(
        count for label, count in hung.items() if label in {model._meta.label for model in audited_models()}
    )
    told = AuditLog.objects.filter(action=Action.PURGE).values_list("actor_id", "reason")
    assert set(told) == {(by.pk, "Away with it")}
    assert differences() == []


def test_a_purge_whose_audit_row_fails_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rating = RatingFactory()
    rating.delete()

    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise DatabaseError("no audit")

    monkeypatch.setattr(AuditLog, "take_origin", fail)
    with pytest.raises(DatabaseError):
        purging.purge([rating.deletion_id])
    assert type(rating).all_objects.get() == rating


def test_what_is_alive_or_unknown_is_left_alone() -> None:
    template = TemplateFactory()
    template.delete()
    deletion_id = template.deletion_id
    template.restore()
    outcome = purging.purge([deletion_id, template.pk])
    assert (outcome.purged, outcome.rows, purging.unfinished()) == ([], {}, [])
    assert PromptTemplate.objects.get() == template


def test_a_person_goes_with_what_is_theirs_alone_but_not_while_others_need_it() -> None:
    rating = RatingFactory()
    person = rating.user
    person.delete()
    conversation = ConversationFactory(owner=UserFactory())
    Conversation.objects.filter(pk=conversation.pk).update(owner=person)
    assert purging.purge([person.deletion_id]).in_use == [person.deletion_id]
    assert User.all_objects.filter(pk=person.pk).exists()
    Conversation.objects.filter(pk=conversation.pk).update(owner=conversation.owner)
    outcome = purging.purge([person.deletion_id])
    assert dict(outcome.rows) == {"accounts.User": 1, "templates_app.Rating": 1}
    assert not User.all_objects.filter(pk=person.pk).exists()
