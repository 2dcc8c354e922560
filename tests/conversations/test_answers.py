"""One question to several models: asked together or not at all, read side by side, the better one picked."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import AuditLog
from conversations.models import Participant, Prompt, UsageLimit
from conversations.services import producer
from tests.factories import AIModelFactory, ConversationFactory, ParticipantFactory, PromptFactory, TemplateFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(producer, "start", lambda *_args, **_kwargs: None)


@pytest.fixture
def models() -> list[Any]:
    return [AIModelFactory(openai=True, label=f"Model {number}", name=f"m-{number}") for number in range(5)]


@pytest.fixture
def conversation() -> Any:
    return ConversationFactory()


def question(models: list[Any], **changes: Any) -> dict[str, Any]:
    first, *others = [str(model.pk) for model in models]
    return {"input_text": "Why?", "model": first, "also": others, "key": "k", **changes}


def send(client: Client, conversation: Any, data: dict[str, Any]) -> Any:
    client.force_login(conversation.owner)
    return client.post(reverse("conversations:ask", args=[conversation.pk]), data)


@pytest.mark.parametrize("has_earlier", [False, True])
def test_each_model_is_asked_the_same_once(
    client: Client, conversation: Any, models: list[Any], has_earlier: bool
) -> None:
    earlier = PromptFactory(conversation=conversation) if has_earlier else None
    responses = [send(client, conversation, question(models[:3])) for _ in range(2)]  # a double click
    asked = list(Prompt.objects.exclude(pk=earlier.pk if earlier else None).order_by("pk"))
    assert [(each.input_text, each.ai_model, each.parent, each.status) for each in asked] == [
        ("Why?", model, earlier, "pending") for model in models[:3]
    ]
    place = reverse("conversations:answers", args=[conversation.pk, asked[0].pk])
    assert [(response.status_code, response["Location"]) for response in responses] == [(303, place)] * 2
    html = client.get(place).content.decode()
    assert [f"Answer {number + 1}: Model {number}" in html for number in range(4)] == [True, True, True, False]
    assert html.count("data-stream=") == 3
    assert f'content="2; url=?look=1#p-{asked[0].pk}"' in html


def test_a_chosen_model_counts_once_and_alone_it_is_read_in_the_thread(
    client: Client, conversation: Any, models: Any
) -> None:
    response = send(client, conversation, question([models[0], models[0]]))
    prompt = Prompt.objects.get()
    assert response["Location"].startswith(conversation.get_absolute_url())
    assert response["Location"].endswith(f"#p-{prompt.pk}")


def test_limits_hold_for_all_of_them_together(client: Client, conversation: Any, models: list[Any]) -> None:
    UsageLimit.objects.create(user=conversation.owner, period="day", runs=2)
    response = send(client, conversation, question(models[:3]))
    assert response.status_code == 422
    assert "You may use 2 runs" in response.content.decode()
    assert not Prompt.objects.exists()
    assert send(client, conversation, question(models[:2])).status_code == 303
    assert Prompt.objects.count() == 2


@pytest.mark.parametrize(
    ("also", "message"),
    [(slice(1, 5), "Choose four models at most."), (None, "One of these is not available any more.")],
)
def test_a_choice_that_does_not_do(
    client: Client, conversation: Any, models: list[Any], also: Any, message: str
) -> None:
    chosen = [str(model.pk) for model in models[also]] if also else [str(conversation.pk)]
    response = send(client, conversation, question(models[:1], also=chosen))
    html = response.content.decode()
    assert (response.status_code, message in html, "Why?" in html) == (422, True, True)
    assert not Prompt.objects.exists()


def test_a_template_is_run_by_several(client: Client, models: list[Any]) -> None:
    template = TemplateFactory(body="Say {{ word }}.", title="Say it")
    client.force_login(template.owner)
    data = {"v-word": "hello", "model": str(models[0].pk), "also": [str(models[1].pk)], "key": "k"}
    response = client.post(reverse("conversations:runs", args=[template.pk]), data)
    first, second = Prompt.objects.order_by("pk")
    assert response["Location"] == reverse("conversations:answers", args=[first.conversation_id, first.pk])
    assert (first.conversation, first.input_text, first.template_version) == (
        second.conversation,
        "Say hello.",
        template.current_version,
    )
    assert (second.input_text, second.values, second.ai_model) == ("Say hello.", {"word": "hello"}, models[1])


@pytest.fixture
def answers(conversation: Any) -> list[Prompt]:
    before = PromptFactory(conversation=conversation)
    fields = {"conversation": conversation, "parent": before, "input_text": "Why?"}
    PromptFactory(**{**fields, "input_text": "Why not?"})  # the question edited: of another comparison
    return [PromptFactory(**fields, response_text=text) for text in ("Because.", "Therefore.")]


def test_picking_judges_remembers_and_goes_on_from_there(client: Client, answers: list[Prompt]) -> None:
    worse, better = reversed(answers)
    owner = better.author
    client.force_login(owner)
    response = client.post(reverse("conversations:pick", args=[better.conversation_id, better.pk]))
    assert response["Location"] == better.get_absolute_url()
    better.refresh_from_db()
    worse.refresh_from_db()
    assert (better.feedback, better.metadata, worse.feedback) == (1, {"preferred_to": [str(worse.pk)]}, None)
    assert Participant.objects.get(user=owner).leaf == better
    assert {
        row.actor_id for row in AuditLog.objects.filter(object_pk=str(better.pk), action=AuditLog.Action.UPDATE)
    } == {owner.pk}
    client.post(reverse("conversations:ask", args=[better.conversation_id]), {"input_text": "And?", "model": "record"})
    assert Prompt.objects.get(input_text="And?").parent == better


def test_what_has_no_answer_is_not_picked(client: Client, conversation: Any) -> None:
    waiting = PromptFactory(conversation=conversation, pending=True)
    client.force_login(conversation.owner)
    response = client.post(reverse("conversations:pick", args=[conversation.pk, waiting.pk]))
    assert response["Location"] == reverse("conversations:answers", args=[conversation.pk, waiting.pk])
    waiting.refresh_from_db()
    assert (waiting.feedback, waiting.metadata) == (None, {})


@pytest.mark.parametrize("role", ["viewer", "commenter"])
def test_who_may_not_write_does_not_pick(client: Client, answers: list[Prompt], role: str) -> None:
    seat = ParticipantFactory(conversation=answers[0].conversation, role=role)
    client.force_login(seat.user)
    assert (
        client.post(reverse("conversations:pick", args=[answers[0].conversation_id, answers[0].pk])).status_code == 404
    )
    html = client.get(
        reverse("conversations:answers", args=[answers[0].conversation_id, answers[0].pk])
    ).content.decode()
    assert ("Because." in html, "Therefore." in html, "Go on from this one" in html) == (True, True, False)


def test_a_question_that_was_edited_stands_in_another_comparison(client: Client, answers: list[Prompt]) -> None:
    client.force_login(answers[0].author)
    html = client.get(
        reverse("conversations:answers", args=[answers[0].conversation_id, answers[0].pk])
    ).content.decode()
    assert html.count('class="sides__one"') == 2
