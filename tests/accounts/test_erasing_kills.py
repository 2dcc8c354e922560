"""`kill -9` at any moment of an erasure: run again, it is completed, nothing of the person is left, all else is right.

In the suite one kill; `PROOF_ROUNDS=20` makes it twenty.
"""

import random

import pytest

from accounts.closing import close_account
from accounts.erasing import HAND_OVER, PURGE
from accounts.models import Closure, User
from audit.context import acting
from audit.models import AuditLog, AuditRedaction
from conversations.models import Conversation, Prompt
from templates_app.models import PromptTemplate, Rating
from tests.accounts.test_erasing import where
from tests.factories import ConversationFactory, FavoriteFactory, RatingFactory, TemplateFactory, UserFactory
from tests.proof import rounds
from tests.test_kills import ended_well, kill_at_work, manage, nothing_is_wrong

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
ROWS = 150
"""Interactions of each of the person's conversations."""


def test_an_erasure_that_is_killed_is_completed_by_the_next() -> None:
    kills, chance = rounds(1), random.Random(17)
    heir, other = UserFactory(), UserFactory()
    ines = UserFactory(display_name="Ines Wrackspurt", handle="wrackspurt", email="wrackspurt@example.org")
    elsewhere = ConversationFactory(owner=other)
    with acting(ines, ip="192.0.2.7", user_agent="Wrackspurt’s browser"):
        for _ in range(kills * 2):
            thread = ConversationFactory(owner=ines, title="Of Wrackspurt")
            _ask(thread, ines, ROWS)
            TemplateFactory(owner=ines, versions=2)
            RatingFactory(user=ines)
            FavoriteFactory(user=ines)
        _ask(elsewhere, ines, ROWS)
    nothing_is_wrong()
    plan = {"templates": HAND_OVER, "conversations": PURGE}
    close_account(ines, by=ines, days=0, is_erasure=True, plan=plan, heir=heir)

    def progress() -> int:
        return AuditRedaction.objects.count() + AuditLog.objects.count()

    killed = sum(kill_at_work(manage("close_accounts"), progress, chance) for _ in range(kills))
    ended_well(manage("close_accounts"))
    assert killed >= kills * 3 // 4
    assert not Closure.objects.exists()
    assert where("wrackspurt") == {}
    assert AuditLog.objects.filter(action=AuditLog.Action.ERASE).count() == 1
    assert User.all_objects.get(pk=ines.pk).display_name == "Former member"
    assert list(Conversation.all_objects.all()) == [elsewhere]
    assert Prompt.all_objects.filter(author=ines).count() == ROWS
    assert PromptTemplate.objects.filter(owner=heir).count() == Rating.objects.filter(user=ines).count() == kills * 2
    nothing_is_wrong()


def _ask(thread: Conversation, person: User, count: int) -> None:
    Prompt.objects.bulk_create(
        Prompt(conversation=thread, author=person, input_text=f"q {number}", status="recorded")
        for number in range(count)
    )
