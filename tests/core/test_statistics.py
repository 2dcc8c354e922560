"""Whatever raw SQL does, every statistic equals what its rows give: nothing here goes through a model's save."""

import copy
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import close_old_connections, connection, transaction
from django.db.models import Model
from uuid_utils.compat import uuid7

from accounts.models import User
from conversations.models import Conversation, Participant, Prompt, UsageDaily
from promptlib.core import statistics
from promptlib.core.transactions import in_transaction
from templates_app.models import Favorite, ForkCount, PromptTemplate, Rating, TemplateVersion
from tests.factories import ConversationFactory, ParticipantFactory, TemplateFactory, UserFactory

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def insert(model: type[Model], /, **values: Any) -> Any:
    """One raw INSERT of exactly these columns; everything else is the database's own default."""
    key = uuid7()
    columns = {"id": key, **values}
    names = ", ".join(connection.ops.quote_name(name) for name in columns)
    places = ", ".join(["%s"] * len(columns))
    _run(f"INSERT INTO {model._meta.db_table} ({names}) VALUES ({places})", model, columns)
    return key


def update(model: type[Model], key: Any, /, **values: Any) -> None:
    sets = ", ".join(f"{name} = %s" for name in values)
    _run(f"UPDATE {model._meta.db_table} SET {sets} WHERE id = %s", model, {**values, "id": key})


def delete(model: type[Model], key: Any) -> None:
    _run(f"DELETE FROM {model._meta.db_table} WHERE id = %s", model, {"id": key})


def _run(statement: str, model: type[Model], values: dict[str, Any]) -> None:
    fields = {field.column: field for field in model._meta.concrete_fields}
    with connection.cursor() as cursor:
        cursor.execute(statement, [fields[name].get_db_prep_save(value, connection) for name, value in values.items()])


def differences() -> list[Any]:
    return [
        (statistic.name, *difference) for statistic in statistics.declared() for difference in statistic.differences()
    ]


class World:
    """Two of everything that an interaction can belong to, and random raw statements about it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.users = [UserFactory(), UserFactory()]
        self.templates = [TemplateFactory(owner=self.users[0], versions=2) for _ in range(2)]
        self.versions = list(TemplateVersion.objects.values_list("pk", flat=True))
        self.conversations = [ConversationFactory(owner=self.users[0]).pk for _ in range(2)]
        self.prompts: list[Any] = []

    def numbers(self) -> dict[str, Any]:
        choose = self.random.choice
        return {
            "status": choose(["pending", "streaming", "completed", "failed", "interrupted", "recorded"]),
            "input_tokens": choose([None, 0, 17]),
            "output_tokens": choose([None, 5, 4000]),
            "latency_ms": choose([None, 0, 900]),
            "cost": choose([None, Decimal("0.000001"), Decimal("1.25")]),
            "currency": "EUR",
            "template_version_id": choose([None, *self.versions]),
            "conversation_id": choose(self.conversations),
            "author_id": choose(self.users).pk,
            "provider": choose(["", "openai"]),
            "model": choose(["", "m-1", "M-1"]),
            "created_at": NOW - timedelta(hours=self.random.randrange(72), microseconds=self.random.randrange(10**6)),
        }

    def ask(self) -> None:
        texts = ("system_prompt", "response_text", "error_code", "error_message", "finish_reason", "feedback_note")
        objects: dict[str, Any] = {"values": {}, "parameters": {}, "metadata": {}}
        self.prompts.append(insert(Prompt, input_text="q", **dict.fromkeys(texts, ""), **objects, **self.numbers()))

    def change(self) -> None:
        if self.prompts:
            numbers = self.numbers()
            names = self.random.sample(sorted(set(numbers) - {"currency"}), 3)
            update(Prompt, self.random.choice(self.prompts), **{name: numbers[name] for name in names})

    def trash(self) -> None:
        if self.prompts:
            update(Prompt, self.random.choice(self.prompts), deleted_at=NOW)

    def restore(self) -> None:
        if self.prompts:
            update(Prompt, self.random.choice(self.prompts), deleted_at=None)

    def purge(self) -> None:
        if self.prompts:
            delete(Prompt, self.prompts.pop(self.random.randrange(len(self.prompts))))

    def act(self) -> None:
        self.random.choice([self.ask, self.ask, self.change, self.change, self.trash, self.restore, self.purge])()


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_random_raw_sql_on_interactions_leaves_every_statistic_right(seed: int) -> None:
    world = World(seed)
    for step in range(60):
        world.act()
        assert differences() == [], f"after step {step}"
    assert world.prompts


@pytest.mark.django_db
def test_a_rating_counts_while_it_lives() -> None:
    template, user = TemplateFactory(versions=2), UserFactory()
    first, second = template.versions.order_by("number")
    row = {"template_id": template.pk, "user_id": user.pk, "review": "", "model": ""}

    def numbers() -> tuple[Any, ...]:
        template.refresh_from_db()
        counts = [tuple(version) for version in template.versions.order_by("number").values_list("rating_count")]
        return template.rating_count, template.rating_sum, template.rating_average, template.rank_score, counts

    rating = insert(Rating, version_id=first.pk, score=5, **row)
    assert numbers() == (1, 5, Decimal("5.00"), Decimal("3.7500"), [(1,), (0,)])
    update(Rating, rating, version_id=second.pk, score=2)
    assert numbers() == (1, 2, Decimal("2.00"), Decimal("3.2500"), [(0,), (1,)])
    update(Rating, rating, deleted_at=NOW)
    assert numbers() == (0, 0, None, Decimal("3.5000"), [(0,), (0,)])
    update(Rating, rating, deleted_at=None)
    assert numbers() == (1, 2, Decimal("2.00"), Decimal("3.2500"), [(0,), (1,)])
    delete(Rating, rating)
    assert numbers() == (0, 0, None, Decimal("3.5000"), [(0,), (0,)])
    assert differences() == []


@pytest.mark.django_db
def test_favourites_forks_and_seats_are_counted() -> None:
    template, fork, user = TemplateFactory(), TemplateFactory(), UserFactory()
    conversation = ConversationFactory()

    def numbers() -> tuple[Any, ...]:
        forks = ForkCount.objects.filter(template=template).values_list("fork_count", flat=True).first()
        template.refresh_from_db()
        conversation.refresh_from_db()
        return template.favorite_count, forks, conversation.participant_count

    assert numbers() == (0, None, 1)
    favorite = insert(Favorite, template_id=template.pk, user_id=user.pk)
    seat = insert(Participant, conversation_id=conversation.pk, user_id=user.pk, role="viewer")
    update(PromptTemplate, fork.pk, forked_from_id=template.current_version_id)
    assert numbers() == (1, 1, 2)
    update(PromptTemplate, fork.pk, deleted_at=NOW)
    assert numbers() == (1, 0, 2)
    update(PromptTemplate, fork.pk, deleted_at=None)
    update(User, user.pk, deleted_at=NOW)
    assert numbers() == (0, 1, 1)
    update(User, user.pk, deleted_at=NOW + timedelta(days=1), display_name="Still there")
    insert(Favorite, template_id=fork.pk, user_id=user.pk)
    assert differences() == []
    update(User, user.pk, deleted_at=None)
    assert numbers() == (1, 1, 2)
    delete(Favorite, favorite)
    delete(Participant, seat)
    assert numbers() == (0, 1, 1)
    update(PromptTemplate, fork.pk, forked_from_id=None)
    assert numbers() == (0, 0, 1)
    assert differences() == []


@pytest.mark.django_db
def test_what_somebody_in_the_trash_takes_along_is_taken_from_the_counts_once() -> None:
    conversation, user, other = ConversationFactory(), UserFactory(), UserFactory()
    seat = insert(Participant, conversation_id=conversation.pk, user_id=user.pk, role="viewer")
    update(User, user.pk, deleted_at=NOW)
    update(Participant, seat, user_id=other.pk)
    conversation.refresh_from_db()
    assert conversation.participant_count == 2
    update(Participant, seat, user_id=user.pk)
    delete(Participant, seat)
    conversation.refresh_from_db()
    assert conversation.participant_count == 1
    assert differences() == []


@pytest.mark.mysql_only
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["a seat is made", "a seat is passed on"])
@pytest.mark.parametrize("first", ["to the trash", "the seat"])
def test_whoever_gets_a_seat_while_they_go_to_the_trash_is_counted_right(first: str, way: str) -> None:
    """Each waits for the end of the other's transaction, and looks then at what is there."""
    seat, user = ParticipantFactory(), UserFactory()
    place = {"conversation_id": seat.conversation_id, "user_id": user.pk, "role": "viewer"}
    acts: list[Callable[[], Any]] = [
        lambda: update(User, user.pk, deleted_at=NOW),
        lambda: insert(Participant, **place) if way == "a seat is made" else update(Participant, seat.pk, **place),
    ]
    at_once, later = acts if first == "to the trash" else reversed(acts)

    def act() -> None:
        later()
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            at_once()
            waiting = pool.submit(act)
            wait([waiting], timeout=0.5)
            assert not waiting.done()
        waiting.result(timeout=10)
    assert differences() == []


@pytest.mark.django_db
def test_a_stale_object_cannot_undo_a_count() -> None:
    template = TemplateFactory()
    stale = PromptTemplate.objects.get(pk=template.pk)
    Favorite.objects.create(template=template, user=UserFactory())
    stale.title = "A better title"
    stale.save()
    template.refresh_from_db()
    assert (template.title, template.favorite_count) == ("A better title", 1)


@pytest.mark.django_db
def test_a_seat_follows_the_last_activity_of_its_conversation() -> None:
    world = World(7)
    conversation = Conversation.objects.get(pk=world.conversations[0])
    late = ParticipantFactory(conversation=conversation)
    late.refresh_from_db()
    assert late.last_activity_at == conversation.created_at
    world.conversations = [conversation.pk]
    world.ask()
    late.refresh_from_db()
    assert late.last_activity_at == Prompt.objects.get().created_at
    world.trash()
    late.refresh_from_db()
    assert late.last_activity_at == conversation.created_at


@pytest.mark.django_db
def test_verify_stats_names_and_mends_what_is_wrong() -> None:
    world = World(3)
    for _ in range(10):
        world.ask()
    template = world.templates[0]
    update(PromptTemplate, template.pk, favorite_count=99)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM usage_daily")
    out = StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("verify_stats", stdout=out)
    assert "favorite_count: 99 → 0" in out.getvalue()
    assert "usage_daily" in out.getvalue()
    call_command("verify_stats", repair=True, stdout=StringIO())
    out = StringIO()
    call_command("verify_stats", stdout=out)
    assert out.getvalue() == "Every statistic is right.\n"
    assert UsageDaily.objects.exists() == Prompt.objects.filter(status__in=Prompt.FINISHED).exists()


@pytest.mark.django_db(transaction=True)
def test_counting_many_rows_at_once_takes_none_from_the_search() -> None:
    """On MySQL a duplicate key in a trigger undoes the full text of the rows before it."""
    conversation = ConversationFactory()
    prompts = [
        Prompt(conversation=conversation, author=conversation.owner, input_text=f"quokka {number}", status="recorded")
        for number in range(5)
    ]
    Prompt.objects.bulk_create(prompts)
    assert Prompt.objects.search("quokka").count() == 5
    assert UsageDaily.objects.get().runs == 5


@pytest.mark.mysql_only
@pytest.mark.django_db(transaction=True)
def test_eight_threads_of_random_raw_sql_leave_every_statistic_right() -> None:
    """Statements that move rows between the same few targets may deadlock; begun again, they count once."""
    world = World(5)

    def work(number: int) -> None:
        own = copy.copy(world)
        own.random, own.prompts = random.Random(number), []
        for _ in range(25):
            in_transaction(own.act)

    assert in_threads(work, 8) == []
    assert differences() == []
    assert Prompt.all_objects.count() > 20


@pytest.mark.mysql_only
@pytest.mark.django_db(transaction=True)
def test_eight_people_on_one_popular_template_wait_their_turn_and_never_deadlock() -> None:
    """Everybody asks, finishes, rates and keeps the same template, each statement on its own and begun only once."""
    world = World(5)
    people = [UserFactory() for _ in range(8)]
    conversations = [ConversationFactory(owner=user).pk for user in people]
    version = world.templates[0].current_version

    def work(number: int) -> None:
        own = copy.copy(world)
        own.random, own.prompts, own.versions = random.Random(number), [], [version.pk]
        own.conversations, own.users = [conversations[number]], [people[number]]
        row = {"template_id": version.template_id, "version_id": version.pk, "user_id": people[number].pk}
        rating = insert(Rating, **row, score=number % 5 + 1, review="", model="")
        insert(Favorite, template_id=version.template_id, user_id=people[number].pk)
        for step in range(20):
            own.ask()
            update(Prompt, own.prompts[-1], status="completed", output_tokens=step, latency_ms=step)
            update(Rating, rating, score=step % 5 + 1)

    assert in_threads(work, 8) == []
    assert differences() == []
    world.templates[0].refresh_from_db()
    assert (world.templates[0].favorite_count, world.templates[0].rating_count) == (8, 8)


def in_threads(work: Callable[[int], None], count: int) -> list[BaseException]:
    """Run `work(0)` … `work(count - 1)` at once; the exceptions they ended with."""
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            errors.append(error)
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return errors
