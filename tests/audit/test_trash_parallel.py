"""Two people at the trash in the same moment: each thing is wholly there or wholly gone, and each is told what it is.

`PROOF_ROUNDS=1000` on MySQL is the proof; the suite has a few rounds.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from conversations.models import Conversation, Prompt
from templates_app.models import Rating
from tests.core.test_statistics import differences
from tests.factories import ConversationFactory, PromptFactory, RatingFactory, UserFactory
from tests.proof import rounds

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def pool() -> Any:
    with ThreadPoolExecutor(2) as made:
        yield made


def at_once(pool: Any, *calls: Callable[[], Any]) -> list[Any]:
    start = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            start.wait(10)
            return call()
        finally:
            connection.close()

    return [each.result(60) for each in [pool.submit(run, call) for call in calls]]


def browser(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def restore(client: Client, row: Any) -> Callable[[], int]:
    url = reverse("audit:restore", args=[row.deletion_id])
    return lambda: client.post(url).status_code


def delete(client: Client, row: Any) -> Callable[[], int]:
    url = reverse("conversations:delete", args=[row.pk])
    return lambda: client.post(url).status_code


def purge(client: Client, row: Any) -> Callable[[], int]:
    data = {"ids": row.deletion_id, "sure": "1"}
    return lambda: client.post(reverse("audit:purge_selection"), data).status_code


def test_restoring_twice_or_while_it_goes_for_good(pool: Any) -> None:
    owner = UserFactory()
    one, two = browser(owner), browser(owner)
    for number in range(rounds(6)):
        conversation = ConversationFactory(owner=owner)
        PromptFactory.create_batch(3, conversation=conversation, author=owner)
        conversation.delete(by=owner)
        other = purge(two, conversation) if number % 2 else restore(two, conversation)
        first, second = at_once(pool, restore(one, conversation), other)
        there = (
            Conversation.objects.filter(pk=conversation.pk).count(),
            Prompt.objects.filter(conversation=conversation.pk).count(),
        )
        left = Prompt.all_objects.filter(conversation=conversation.pk).count()
        if number % 2:
            assert (there, left) in {((1, 3), 3), ((0, 0), 0)}
            assert first in ({302} if left else {404, 409})
            assert second == 302
        else:
            assert (there, sorted([first, second])) == ((1, 3), [302, 404])
    assert differences() == []


def test_two_for_one_place(pool: Any) -> None:
    """Of two ratings of one person one comes back, and the other waits for a decision."""
    rating = RatingFactory(template__visibility="public")
    user = rating.user
    one, two = browser(user), browser(user)
    for _round in range(rounds(4)):
        Rating.objects.filter(user=user).delete()
        first = RatingFactory(template=rating.template, user=user)
        first.delete(by=user)
        second = RatingFactory(template=rating.template, user=user)
        second.delete(by=user)
        answers = at_once(pool, restore(one, first), restore(two, second))
        assert sorted(answers) == [302, 409]
        assert Rating.objects.filter(user=user).count() == 1
    assert differences() == []


def test_a_question_comes_back_while_its_conversation_goes(pool: Any) -> None:
    """Never a living question in a deleted conversation that its restore would not bring back."""
    owner = UserFactory()
    one, two = browser(owner), browser(owner)
    for _round in range(rounds(4)):
        conversation = ConversationFactory(owner=owner)
        prompt = PromptFactory(conversation=conversation, author=owner)
        prompt.delete(by=owner)
        restored, deleted = at_once(pool, restore(one, prompt), delete(two, conversation))
        assert (restored in {302, 409}, deleted) == (True, 302)
        conversation, prompt = (type(row).all_objects.get(pk=row.pk) for row in (conversation, prompt))
        assert conversation.is_deleted
        assert prompt.is_deleted
        assert (prompt.deletion_id == conversation.deletion_id) == (restored == 302)
    assert differences() == []
