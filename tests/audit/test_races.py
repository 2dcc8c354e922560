"""A restore, a purge and a hold at the same moment: each thing is wholly there or wholly gone.

In the suite a few rounds; `PROOF_ROUNDS=1000` makes it a thousand.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import close_old_connections, connection

from audit.models import AuditLog
from audit.retention import holds, purging, removal
from conversations.models import Conversation, Prompt, PromptComment
from promptlib.core.soft_delete import RestoreConflict, restore
from promptlib.core.transactions import in_transaction
from tests.core.test_statistics import differences
from tests.factories import ConversationFactory, PromptFactory, UserFactory
from tests.proof import rounds

WHOLE = (1, 5, 1)


def at_once(*works: Callable[[], None]) -> list[BaseException]:
    """Run them in threads of their own that start together; what they raised."""
    barrier, errors = threading.Barrier(len(works)), []

    def run(work: Callable[[], None]) -> None:
        try:
            barrier.wait()
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return errors


@pytest.mark.mysql_only
@pytest.mark.django_db(transaction=True)
def test_of_a_restore_and_a_purge_at_once_one_finds_the_thing_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "BATCH", 2)
    chance, outcomes, staff = random.Random(7), Counter[str](), UserFactory(staff=True)
    for number in range(rounds(12)):
        conversation = ConversationFactory(owner=staff)
        prompts = PromptFactory.create_batch(5, conversation=conversation)
        PromptComment.objects.create(prompt=prompts[0], author=staff, text="Well")
        conversation.delete()
        refused: list[str] = []
        pauses = [chance.uniform(0, 0.02) for _ in range(3)]

        def back(conversation: Any = conversation, refused: Any = refused, pauses: Any = pauses) -> None:
            time.sleep(pauses[0])
            try:
                if not in_transaction(lambda: restore(conversation.deletion_id)):
                    refused.append("gone")
            except RestoreConflict:
                refused.append("going")

        def away(conversation: Any = conversation, pauses: Any = pauses) -> None:
            time.sleep(pauses[1])
            purging.purge([conversation.deletion_id])

        def hold(conversation: Any = conversation, pauses: Any = pauses) -> None:
            time.sleep(pauses[2])
            with suppress(holds.TooLate):
                in_transaction(lambda: holds.place_hold(subject=conversation, reason="Case 7", by=staff))

        works = [back, away, hold] if number % 3 == 0 else [away, hold] if number % 3 == 1 else [back, away]
        assert at_once(*works) == []
        there = (
            Conversation.all_objects.filter(pk=conversation.pk).count(),
            Prompt.all_objects.filter(conversation=conversation.pk).count(),
            PromptComment.objects.filter(prompt__in=prompts).count(),
        )
        assert there in {WHOLE, (0, 0, 0)}
        came_back = back in works and not refused
        assert Conversation.objects.filter(pk=conversation.pk).exists() == came_back
        assert Prompt.objects.filter(conversation=conversation.pk).count() == (5 if came_back else 0)
        assert not (came_back and there != WHOLE)
        outcomes["back" if came_back else "kept" if there == WHOLE else "gone"] += 1
        if there != WHOLE:
            purges = AuditLog.objects.filter(subject_id=conversation.pk, action=AuditLog.Action.PURGE)
            assert purges.count() == 6
    assert purging.unfinished() == []
    assert differences() == []
    assert outcomes["back"], outcomes
    assert outcomes["gone"], outcomes
