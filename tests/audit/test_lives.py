"""Things live, go to the trash, come back and go for good in any order: a model of what should be, beside what is.

In the suite a few runs; `PROOF_ROUNDS=500` makes it 500 runs of 50 steps.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import models, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from audit.models import LegalHold
from audit.retention import holds, purging, removal
from conversations.models import Conversation, Participant, Prompt, PromptComment
from promptlib.core.soft_delete import RestoreConflict, delete, restore
from templates_app.models import PromptTemplate, Rating, TemplateVersion
from tests.core.test_statistics import differences
from tests.factories import (
    ConversationFactory,
    ParticipantFactory,
    PromptFactory,
    RatingFactory,
    TemplateFactory,
    UserFactory,
)
from tests.proof import rounds

KINDS: tuple[type[models.Model], ...] = (
    PromptTemplate,
    TemplateVersion,
    Rating,
    Conversation,
    Participant,
    Prompt,
    PromptComment,
)
SOFT = (PromptTemplate, Rating, Conversation, Prompt)
DAYS = 30
START = datetime(2026, 11, 1, tzinfo=UTC)

number = st.integers(0, 10_000)


@dataclass
class Row:
    """What should be known of one row: what it hangs on, whose hold keeps it, and by which delete it is gone."""

    kind: type[models.Model]
    parent: UUID | None
    subjects: set[UUID]
    deletion: UUID | None = None
    title: str = ""


@dataclass
class Deletion:
    at: datetime
    is_begun: bool = False
    rows: set[UUID] = field(default_factory=set)


class Lives(RuleBasedStateMachine):
    """Two people and what they make. Each run begins with an empty database and is undone at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.clock = patch("django.utils.timezone.now", lambda: self.now)
        self.clock.start()
        self.people = [UserFactory(), UserFactory()]
        self.rows: dict[UUID, Row] = {}
        self.deletions: dict[UUID, Deletion] = {}
        self.held: list[LegalHold] = []

    def teardown(self) -> None:
        self.clock.stop()
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    # ---- making and changing ----

    @rule(who=number)
    def make_template(self, who: int) -> None:
        template = TemplateFactory(owner=self._person(who))
        self._add(template, None, {template.pk, template.owner_id})
        self._add(template.current_version, template, {template.pk, template.owner_id})

    @rule(who=number, which=number)
    def rate(self, who: int, which: int) -> None:
        person, template = self._person(who), self._pick(PromptTemplate, which)
        if template and not Rating.objects.filter(template=template, user=person).exists():
            rating = RatingFactory(template=template, user=person)
            self._add(rating, template, {template.pk, template.owner_id, person.pk})

    @rule(who=number)
    def make_conversation(self, who: int) -> None:
        conversation = ConversationFactory(owner=self._person(who))
        subjects = {conversation.pk, conversation.owner_id}
        self._add(conversation, None, subjects)
        self._add(conversation.participants.get(), conversation, set())

    @rule(who=number, which=number, parent=number, template=number)
    def ask(self, who: int, which: int, parent: int, template: int) -> None:
        person, conversation = self._person(who), self._pick(Conversation, which)
        if conversation:
            chosen = self._pick(PromptTemplate, template) if template % 2 else None
            above = conversation.prompts.order_by("pk")
            prompt = PromptFactory(
                conversation=conversation,
                author=person,
                parent=above[parent % len(above)] if above else None,
                template_version=chosen.current_version if chosen else None,
            )
            self._add(prompt, conversation, {conversation.pk, conversation.owner_id, person.pk})

    @rule(who=number, which=number)
    def remark(self, who: int, which: int) -> None:
        person, prompt = self._person(who), self._pick(Prompt, which)
        if prompt:
            comment = PromptComment.objects.create(prompt=prompt, author=person, text="Well")
            self._add(comment, prompt, {prompt.conversation_id, prompt.conversation.owner_id, person.pk})

    @rule(who=number, which=number)
    def share(self, who: int, which: int) -> None:
        person, conversation = self._person(who), self._pick(Conversation, which)
        if conversation:
            seat = conversation.participants.filter(user=person).first()
            if seat is None:
                self._add(ParticipantFactory(conversation=conversation, user=person), conversation, set())
            elif seat.role != "owner":
                del self.rows[seat.pk]
                seat.delete()

    @rule(which=number, kind=st.sampled_from([PromptTemplate, Conversation]))
    def edit(self, which: int, kind: Any) -> None:
        if thing := self._pick(kind, which):
            thing.title = self.rows[thing.pk].title = f"Title {which}"
            thing.save(update_fields=["title"])

    # ---- going and coming back ----

    @rule(which=number, kind=st.sampled_from(SOFT))
    def delete(self, which: int, kind: Any) -> None:
        if thing := self._pick(kind, which):
            delete([thing], by=self.people[0])
            deletion_id = kind.all_objects.get(pk=thing.pk).deletion_id
            taken = {pk for pk in self._below({thing.pk}) if self._is_soft(pk) and self.rows[pk].deletion is None}
            for pk in taken:
                self.rows[pk].deletion = deletion_id
            self.deletions[deletion_id] = Deletion(self.now, rows=taken)

    @precondition(lambda self: self.deletions)
    @rule(which=number)
    def restore(self, which: int) -> None:
        deletion_id = self._deletion(which)
        rows = self._of(deletion_id)
        is_begun = self.deletions[deletion_id].is_begun
        if is_begun and not any(kind.all_objects.filter(deletion_id=deletion_id).exists() for kind in SOFT):
            assert restore(deletion_id) == 0  # the purge was interrupted when it had only to take back its mark
            return
        if is_begun or self._stands_in_the_way(rows):
            with pytest.raises(RestoreConflict):
                restore(deletion_id)
            return
        assert restore(deletion_id) == len(rows)
        for pk in rows:
            self.rows[pk].deletion = None
        del self.deletions[deletion_id]

    @precondition(lambda self: self.deletions)
    @rule(which=number)
    def purge(self, which: int) -> None:
        deletion_id = self._deletion(which)
        outcome = purging.purge([deletion_id])
        stays = self._is_held(deletion_id)
        assert outcome.held == ([deletion_id] if stays else [])
        if not stays:
            self._forget({deletion_id})

    @precondition(lambda self: self.deletions)
    @rule(which=number, steps=st.integers(0, 4))
    def purge_and_be_interrupted(self, which: int, steps: int) -> None:
        deletion_id, left = self._deletion(which), iter(range(steps))

        def stop(_outcome: Any) -> None:
            if next(left, None) is None:
                raise KeyboardInterrupt

        try:
            purging.purge([deletion_id], progress=stop)
        except KeyboardInterrupt:
            self.deletions[deletion_id].is_begun = True
            return
        if not self._is_held(deletion_id):
            self._forget({deletion_id})

    @rule(days=st.integers(0, 40))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule()
    def purge_trash(self) -> None:
        begun = {pk for pk, each in self.deletions.items() if each.is_begun}
        self._forget(begun | {pk for pk in self.deletions if self._is_due(pk) and not self._is_held(pk)})
        call_command("purge_trash", stdout=StringIO(), stderr=StringIO())

    # ---- holds ----

    @rule(which=number)
    def hold(self, which: int) -> None:
        things = [pk for pk, row in self.rows.items() if row.kind in (PromptTemplate, Conversation)]
        things += [person.pk for person in self.people]
        key = things[which % len(things)]
        kind = self.rows[key].kind if key in self.rows else type(self.people[0])
        subject = kind.all_objects.filter(pk=key).first()  # type: ignore[attr-defined]  # those in the trash too
        if subject is None:  # half of it has gone
            return
        try:
            self.held.append(holds.place_hold(subject=subject, reason="Case 7", by=self.people[0]))
        except holds.TooLate:
            assert any(self._is_held(pk, {key}) for pk, each in self.deletions.items() if each.is_begun)

    @precondition(lambda self: self.held)
    @rule(which=number)
    def lift(self, which: int) -> None:
        holds.lift_hold(self.held.pop(which % len(self.held)), reason="Settled", by=self.people[0])

    # ---- what holds at every moment ----

    @invariant()
    def nothing_is_half_deleted_and_nothing_wrongly_back(self) -> None:
        doomed = self._doomed()
        for kind in KINDS:
            column = "deletion_id" if issubclass(kind, SOFT) else "pk"
            found = dict(kind._base_manager.values_list("pk", column))
            wanted = {pk: row for pk, row in self.rows.items() if row.kind is kind}
            assert found.keys() - wanted.keys() == set()
            assert wanted.keys() - found.keys() <= doomed
            if issubclass(kind, SOFT):
                assert {pk: wanted[pk].deletion for pk in found} == found
                living = set(kind.objects.values_list("pk", flat=True))  # type: ignore[attr-defined]
                assert living == {pk for pk, row in wanted.items() if row.deletion is None} - doomed
        for kind in (PromptTemplate, Conversation):
            titles = dict(kind._base_manager.values_list("pk", "title"))
            assert {pk: self.rows[pk].title for pk in titles} == titles

    @invariant()
    def every_statistic_is_right(self) -> None:
        assert differences() == []

    # ---- the model ----

    def _person(self, which: int) -> Any:
        return self.people[which % len(self.people)]

    def _pick(self, kind: Any, which: int) -> Any:
        """A living row."""
        keys = [pk for pk, row in self.rows.items() if row.kind is kind and row.deletion is None]
        return kind.objects.get(pk=keys[which % len(keys)]) if keys else None

    def _add(self, row: Any, parent: Any, subjects: set[UUID]) -> None:
        title = row.title if isinstance(row, PromptTemplate | Conversation) else ""
        self.rows[row.pk] = Row(type(row), parent.pk if parent else None, subjects, title=title)

    def _deletion(self, which: int) -> UUID:
        return sorted(self.deletions)[which % len(self.deletions)]

    def _is_soft(self, pk: UUID) -> bool:
        return self.rows[pk].kind in SOFT

    def _of(self, deletion_id: UUID) -> set[UUID]:
        return {pk for pk, row in self.rows.items() if row.deletion == deletion_id}

    def _below(self, keys: set[UUID]) -> set[UUID]:
        """These rows and all that hangs on them."""
        found = set(keys)
        while more := {pk for pk, row in self.rows.items() if row.parent in found} - found:
            found |= more
        return found

    def _stands_in_the_way(self, rows: set[UUID]) -> bool:
        for row in (self.rows[pk] for pk in rows):
            parent = self.rows.get(row.parent) if row.parent else None
            if parent and parent.deletion and parent.deletion != row.deletion:
                return True
            if row.kind is Rating and self._is_rated_again(row):
                return True
        return False

    def _is_rated_again(self, gone: Row) -> bool:
        return any(
            row.kind is Rating and row.deletion is None and row.parent == gone.parent and row.subjects == gone.subjects
            for row in self.rows.values()
        )

    def _is_held(self, deletion_id: UUID, subjects: set[UUID] | None = None) -> bool:
        subjects = {each.subject_id for each in self.held} if subjects is None else subjects
        if self.deletions[deletion_id].is_begun and self.held:
            return False  # the hold came later, and concerns none of it
        return any(self.rows[pk].subjects & subjects for pk in self._below(self._of(deletion_id)))

    def _is_due(self, deletion_id: UUID) -> bool:
        return self.deletions[deletion_id].at < self.now - timedelta(days=DAYS)

    def _doomed(self) -> set[UUID]:
        """Rows of purges that were interrupted: some are gone and some are not."""
        begun = [pk for pk, each in self.deletions.items() if each.is_begun]
        return set().union(*(self._below(self._of(pk)) for pk in begun))

    def _forget(self, deletion_ids: set[UUID]) -> None:
        gone = self._below(set().union(*(self._of(pk) for pk in deletion_ids)))
        self.rows = {pk: row for pk, row in self.rows.items() if pk not in gone}
        self.deletions = {pk: each for pk, each in self.deletions.items() if pk not in deletion_ids and self._of(pk)}


@pytest.mark.django_db
def test_whatever_is_done_in_whatever_order_nothing_is_half_gone_or_wrongly_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(removal, "BATCH", 2)
    runs = rounds(6)
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=runs,
            stateful_step_count=50 if runs >= 100 else 20,
            phases=(Phase.generate, Phase.shrink) if runs < 100 else (Phase.generate,),
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
