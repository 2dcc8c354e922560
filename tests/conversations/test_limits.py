"""Limits of use: what people and teams may use in a day or a month holds, whoever asks at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from conversations.models import Prompt, UsageLimit
from conversations.services import LimitReached, ask, producer
from conversations.services.asking import Target
from conversations.services.finishing import finish
from conversations.services.limits import end_of, estimate, limits_of
from tests.factories import (
    AIModelFactory,
    AIModelPriceFactory,
    ConversationFactory,
    PromptFactory,
    TeamFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions wait for answers that nobody gives."""
    monkeypatch.setattr(producer, "start", lambda *_args, **_kwargs: None)


@pytest.fixture
def model() -> Any:
    made = AIModelFactory(openai=True, max_output_tokens=100)
    AIModelPriceFactory(model=made, input_price=Decimal(1000), output_price=Decimal(10_000), cached_price=None)
    return made


def question(author: User, model: Any, text: str = "Why?") -> Prompt:
    return ask(target=Target(), author=author, text=text, model=model)


def used(author: User, model: Any, *, days_ago: int = 0, **fields: Any) -> Prompt:
    at = timezone.now() - timedelta(days=days_ago)
    conversation = ConversationFactory(owner=author)
    return PromptFactory(
        conversation=conversation, author=author, ai_model=model, provider="openai", created_at=at, **fields
    )


def test_runs_of_a_day(model: Any) -> None:
    author = UserFactory()
    UsageLimit.objects.create(user=author, period="day", runs=2)
    used(author, model, days_ago=1)
    used(author, model)
    question(author, model)
    with pytest.raises(LimitReached, match="You may use 2 runs"):
        question(author, model)
    question(UserFactory(), model)
    assert Prompt.objects.filter(author=author, status="pending").count() == 1


def test_tokens_and_money_are_held_back_for_what_waits(model: Any) -> None:
    author = UserFactory()
    once = estimate("Why?", model)
    assert (once.output_tokens, once.cost) == (100, Decimal(once.input_tokens) / 1000 + 1)
    UsageLimit.objects.create(user=author, period="month", tokens=2 * once.tokens)
    question(author, model)
    question(author, model)
    with pytest.raises(LimitReached, match=f"{2 * once.tokens} tokens"):
        question(author, model)
    UsageLimit.objects.update(tokens=None, cost=3 * once.cost)
    assert question(author, model).parameters["max_tokens"] == 100
    with pytest.raises(LimitReached, match="Nothing was charged"):
        question(author, model)


def test_a_finished_question_counts_with_what_it_took(model: Any) -> None:
    author = UserFactory()
    UsageLimit.objects.create(user=author, period="month", tokens=300)
    first = question(author, model)
    Prompt.objects.filter(pk=first.pk).update(status="completed", input_tokens=3, output_tokens=7)
    ((_limit, now),) = limits_of(author)
    assert (now.runs, now.tokens) == (1, 10)


@pytest.mark.parametrize(("status", "counts"), [("completed", True), ("interrupted", True), ("failed", False)])
def test_an_answer_of_which_nobody_says_what_it_took_counts_by_estimate(model: Any, status: str, counts: bool) -> None:
    author = UserFactory()
    UsageLimit.objects.create(user=author, period="month", tokens=300)
    prompt = question(author, model, text="Why is the sky blue?")
    text = "" if status == "failed" else "Because of the light."
    finish(prompt, Prompt.Status(status), {"response_text": text})
    ((_limit, now),) = limits_of(author)
    assert (now.runs, now.tokens, now.cost) == (1, 5 + 6 if counts else 0, Decimal("0.065") if counts else 0)
    prompt.refresh_from_db()
    assert (prompt.input_tokens, prompt.output_tokens, prompt.cost) == (None, None, None)  # they stay unknown


def test_what_is_thrown_away_still_counts(model: Any) -> None:
    author = UserFactory()
    UsageLimit.objects.create(user=author, period="month", runs=9)
    for fields in (
        {"input_tokens": 3, "output_tokens": 7, "cost": Decimal("0.5"), "currency": "EUR"},
        {"pending": True},
    ):
        used(author, model, **fields).conversation.delete(by=author)
    ((_limit, now),) = limits_of(author)
    assert (now.runs, now.tokens, now.cost) == (2, 10, Decimal("0.5"))


def test_a_person_sees_what_is_left(client: Client, model: Any) -> None:
    author = UserFactory()
    UsageLimit.objects.create(user=author, period="day", runs=5, cost=2)
    UsageLimit.objects.create(team=TeamFactory(name="Gatherers", members=[author]), period="month", tokens=1_000)
    UsageLimit.objects.create(user=UserFactory(), period="day", runs=77)
    used(author, model, input_tokens=300, output_tokens=100, cost=Decimal("0.5"), currency="EUR")
    client.force_login(author)
    html = client.get(reverse("site:analytics")).content.decode()
    for words in ("4 of 5 left", "€1.50 of €2.00 left", "600 of 1,000 left", "Gatherers, a month", "no limit"):
        assert words in html
    assert "of 77 left" not in html


def test_the_composer_says_what_asking_takes(client: Client, model: Any) -> None:
    prompt = PromptFactory(input_text="a" * 400, response_text="b" * 400, ai_model=model, output_tokens=50)
    client.force_login(prompt.author)
    html = client.get(prompt.conversation.get_absolute_url()).content.decode()
    assert "about 251 tokens, €0.70" in html  # 201 in for €0.201, 50 out for €0.50
    assert f"&quot;{model.pk}&quot;: [1000.0, 10000.0]" in html


def test_a_team_shares_its_limit(model: Any) -> None:
    first, second = UserFactory(), UserFactory()
    team = TeamFactory(name="Gatherers", members=[first, second])
    UsageLimit.objects.create(team=team, period="day", runs=1)
    question(first, model)
    with pytest.raises(LimitReached, match="The team Gatherers may use 1 runs"):
        question(second, model)


def test_what_was_recorded_or_imported_counts_for_nothing(model: Any) -> None:
    author = UserFactory()
    UsageLimit.objects.create(user=author, period="day", runs=1)
    conversation = ConversationFactory(owner=author)
    PromptFactory(conversation=conversation, author=author, recorded=True, provider="")
    PromptFactory(conversation=conversation, author=author, recorded=True, provider="chatgpt")
    ask(target=Target(), author=author, text="By hand", model=None)
    assert question(author, model).status == "pending"


def test_without_a_limit_an_answer_may_be_as_long_as_it_likes(model: Any) -> None:
    prompt = question(UserFactory(), model)
    assert (prompt.parameters, prompt.metadata) == ({}, {})


@pytest.mark.parametrize(
    ("period", "day", "end"),
    [
        ("day", date(2026, 12, 31), date(2027, 1, 1)),
        ("month", date(2026, 12, 31), date(2027, 1, 1)),
        ("month", date(2026, 1, 31), date(2026, 2, 1)),
    ],
)
def test_when_there_is_more(period: str, day: date, end: date) -> None:
    assert end_of(period, day) == end


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_stay_within_the_limit(model: Any) -> None:
    author = UserFactory()
    cost = estimate("Why?", model).cost
    assert cost is not None
    UsageLimit.objects.create(user=author, period="day", cost=7 * cost)

    def try_it(_number: int) -> bool:
        try:
            question(author, model)
            return True
        except LimitReached:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(try_it, range(50))) == 7
    assert Prompt.objects.filter(author=author).count() == 7


PAGES: dict[str, Callable[[Any], str]] = {
    "thread": lambda conversation: reverse("conversations:ask", args=[conversation.pk]),
    "new": lambda _conversation: reverse("conversations:create"),
}


@pytest.mark.parametrize("page", PAGES)
def test_the_page_says_so_and_keeps_the_question(client: Client, model: Any, page: str) -> None:
    author = UserFactory()
    UsageLimit.objects.create(user=author, period="day", runs=0)
    client.force_login(author)
    url = PAGES[page](ConversationFactory(owner=author))
    response = client.post(url, {"input_text": "A long question", "model": str(model.pk), "key": "k", "title": ""})
    html = response.content.decode()
    assert response.status_code == 422
    assert "You may use 0 runs, and this question could go beyond it." in html
    assert "A long question" in html
    assert not Prompt.objects.exists()
