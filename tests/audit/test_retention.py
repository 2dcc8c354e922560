"""What purge_trash takes, when, and that a dry run says it exactly."""

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import DatabaseError, models
from django.utils import timezone

from accounts.models import User
from audit.models import AuditLog, RetentionRule
from audit.retention import holds, purging, removal
from audit.trash.entries import entries_of
from conversations.models import Conversation, Participant, Prompt
from promptlib.core.soft_delete import soft_delete_models
from templates_app.models import PromptTemplate, Rating
from tests.audit.whole import every_row, whole_conversation, whole_template
from tests.core.test_statistics import differences
from tests.factories import (
    ConversationFactory,
    FavoriteFactory,
    PromptFactory,
    RatingFactory,
    TemplateFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def rule(model: type[models.Model], **days: int) -> RetentionRule:
    made = RetentionRule(content_type=ContentType.objects.get_for_model(model), **days)
    made.full_clean()
    made.save()
    return made


def deleted_before(days: float, *things: Any) -> None:
    """Move each to the trash, and set the clock back."""
    for thing in things:
        thing.delete()
        for model in soft_delete_models():
            old = model.all_objects.unlogged("a test's clock").filter(deletion_id=thing.deletion_id)  # type: ignore[attr-defined]
            old.update(deleted_at=timezone.now() - timedelta(days=days))
        thing.refresh_from_db()


def purge_trash(**options: Any) -> str:
    out = StringIO()
    call_command("purge_trash", stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def test_what_has_lain_there_for_30_days_goes_and_nothing_else() -> None:
    old, young, living = TemplateFactory(), TemplateFactory(), TemplateFactory()
    deleted_before(30.1, old)
    deleted_before(29.9, young)
    assert purge_trash() == "Deleted for good: 1 template.\nMoved to the trash: nothing.\n"
    assert set(PromptTemplate.all_objects.all()) == {young, living}
    assert purge_trash() == "Deleted for good: nothing.\nMoved to the trash: nothing.\n"


def test_each_kind_has_its_own_rule_and_the_trash_says_so() -> None:
    rule(Conversation, trash_days=7)
    conversation, template = ConversationFactory(), TemplateFactory()
    PromptFactory(conversation=conversation)
    alone = PromptFactory()
    deleted_before(8, conversation, template, alone)
    days = {type(entry.row): (entry.days_left, entry.days_of) for entry in entries_of([conversation, template, alone])}
    assert days == {Conversation: (0, 7), PromptTemplate: (21, 30), Prompt: (21, 30)}
    assert purge_trash().startswith("Deleted for good: 1 conversation, 1 interaction.\n")
    assert (Conversation.all_objects.count(), Prompt.all_objects.get()) == (1, alone)


def test_a_dry_run_says_exactly_what_then_happens_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that two deletions would take count once; what was begun goes whatever its age; what is held stays."""
    monkeypatch.setattr(removal, "BATCH", 3)
    template, conversation, held, begun = (
        whole_template(),
        whole_conversation(),
        whole_conversation(),
        TemplateFactory(),
    )
    rating = RatingFactory(template=template)
    deleted_before(40, rating, RatingFactory())  # before its template
    deleted_before(35, template, conversation, held)
    deleted_before(1, begun)
    purging.Purge.objects.create(deletion_id=begun.deletion_id)
    holds.place_hold(subject=held, reason="Case 7", by=UserFactory())
    busy, gone = ConversationFactory(), UserFactory()
    deleted_before(31, gone)
    Conversation.objects.filter(pk=busy.pk).update(owner=gone)
    rule(PromptTemplate, idle_days=30)
    PromptTemplate.objects.unlogged("a test's clock").filter(title__startswith="T").update(
        updated_at=timezone.now() - timedelta(days=31)
    )
    before, logged = every_row(), AuditLog.objects.count()
    said = purge_trash(dry_run=True)
    assert (every_row(), AuditLog.objects.count()) == (before, logged)
    counts = {model: model.all_objects.count() for model in (PromptTemplate, Conversation, Prompt, Rating, User)}
    done = purge_trash()
    assert said.replace("Would be deleted", "Deleted").replace("Would be moved", "Moved") == done
    gone_rows = {model: count - model.all_objects.count() for model, count in counts.items()}
    told = dict(reversed(pair.split(" ", 1)) for pair in re.search(r"for good: (.*)\.", done)[1].split(", "))  # type: ignore[index]
    assert {model: int(told[_word(model, told)]) for model in gone_rows if _word(model, told)} == {
        model: count for model, count in gone_rows.items() if count
    }
    assert "Kept by a legal hold: 1 deletions." in done
    assert "Kept because others need it: 1 deletions" in done
    assert differences() == []


def _word(model: type[models.Model], told: dict[str, str]) -> str:
    names = (str(model._meta.verbose_name), str(model._meta.verbose_name_plural))
    return next((name for name in names if name in told), "")


def test_what_nobody_has_touched_for_as_long_as_its_rule_says_goes_to_the_trash() -> None:
    """Each with a deletion of its own and a reason; what is held, pinned or kept as a favourite stays."""
    rule(Conversation, idle_days=90)
    rule(PromptTemplate, idle_days=365)
    old, asked, pinned, held = (ConversationFactory() for _ in range(4))
    PromptFactory(conversation=asked)
    Participant.objects.filter(conversation=pinned).update(pinned_at=timezone.now())
    holds.place_hold(subject=held, reason="Case 7", by=UserFactory())
    forgotten, kept = TemplateFactory(), TemplateFactory()
    FavoriteFactory(template=kept)
    for model in (Conversation, PromptTemplate):
        clock = model.objects.unlogged("a test's clock")  # type: ignore[attr-defined]
        clock.update(updated_at=timezone.now() - timedelta(days=366))
    said = "Moved to the trash: 1 template, 1 conversation.\n"
    assert purge_trash().endswith(said)
    assert set(Conversation.objects.all()) == {asked, pinned, held}
    assert list(PromptTemplate.objects.all()) == [kept]
    row = AuditLog.objects.filter(object_pk=str(old.pk), action=AuditLog.Action.DELETE).get()
    assert row.reason.startswith("Nobody has touched it")
    old.refresh_from_db()
    forgotten.refresh_from_db()
    assert old.deletion_id != forgotten.deletion_id


def test_one_that_fails_leaves_the_others_to_go_and_ends_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = TemplateFactory(), TemplateFactory()
    deleted_before(31, bad, good)
    begin = purging._begin

    def fail(deletion_id: Any, *rest: Any) -> Any:
        if deletion_id == bad.deletion_id:
            raise DatabaseError("the disk is full")
        return begin(deletion_id, *rest)

    monkeypatch.setattr(purging, "_begin", fail)
    with pytest.raises(CommandError, match=f"1 deletions are not done:\n{bad.deletion_id}: the disk is full"):
        purge_trash()
    assert PromptTemplate.all_objects.get() == bad


@pytest.mark.parametrize(
    ("model", "days"),
    [(PromptTemplate, {"trash_days": 0}), (Conversation, {"idle_days": 29}), (Rating, {"idle_days": 90})],
)
def test_a_rule_that_makes_no_sense_is_refused(model: type[models.Model], days: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        rule(model, **days)
