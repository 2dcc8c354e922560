"""`seed_demo`: what it says, when it does nothing, and how it gets on with people who are here already."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import User
from conversations.models import AIModel, Conversation, Prompt
from promptlib.site.demo import plant
from promptlib.site.seed import load
from templates_app.models import PromptTemplate
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

DATA = load()
PASSWORD = "halden-tents-42"


def run(**options: Any) -> str:
    out = StringIO()
    call_command("seed_demo", stdout=out, **options)
    return out.getvalue()


def test_beside_people_who_are_here_already() -> None:
    other = UserFactory(handle="mei", email="mei@elsewhere.example")
    plant(PASSWORD)
    assert User.objects.get(email="mei@example.com").handle == "mei-2"
    assert User.objects.get(handle="mei") == other
    assert not PromptTemplate.objects.filter(owner=other).exists()


def test_the_command_says_what_it_added_and_how_to_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_PASSWORD", PASSWORD)
    lines = run().splitlines()
    conversations, interactions = Conversation.objects.count(), Prompt.objects.count()
    assert lines[0] == f"Added 6 people, 40 templates, {conversations} conversations, {interactions} interactions."
    assert lines[2] == "Sign in at http://127.0.0.1:8000/accounts/login/ as one of these:"
    assert [line.split() for line in lines[3:]] == [
        [person.email, PASSWORD, *(["(staff)"] if person.is_staff else [])] for person in DATA.people
    ]
    assert run() == "The demonstration is here already; nothing was changed.\n"


def test_without_a_password_it_makes_one_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEMO_PASSWORD", raising=False)
    password = run().splitlines()[3].split()[1]
    assert len(password) == 14
    assert User.objects.get(handle="ines").check_password(password)


def test_if_empty_leaves_a_database_with_people_alone() -> None:
    UserFactory().delete()
    assert run(if_empty=True) == ""
    assert (User.objects.count(), PromptTemplate.all_objects.count()) == (0, 0)


def test_if_empty_fills_an_empty_one() -> None:
    run(if_empty=True, password=PASSWORD)
    assert (User.objects.count(), User.objects.get(handle="ines").check_password(PASSWORD)) == (6, True)


@pytest.mark.parametrize("offered", [True, False])
def test_a_model_that_answers_is_offered_only_where_it_is_allowed(settings: Any, offered: bool) -> None:
    settings.ECHO_PROVIDER = offered
    plant(PASSWORD)
    plant(PASSWORD)
    assert list(AIModel.objects.values_list("provider", "label")) == ([("echo", "Echo")] if offered else [])
