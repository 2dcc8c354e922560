"""One interaction: asking, asking again, stopping, recording, judging; and who may."""

import pytest
from django.urls import reverse

from audit.models import AuditLog
from conversations.models import Prompt
from tests.factories import (
    AIModelFactory,
    ConversationFactory,
    ParticipantFactory,
    PromptFactory,
    TemplateFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

WRITERS = {
    "owner": 303,
    "editor": 303,
    "commenter": 404,
    "viewer": 404,
    "outsider": 404,
    "staff": 404,
    "anonymous": 302,
}


@pytest.fixture(autouse=True)
def _echo(settings):
    settings.ECHO_PROVIDER = True


@pytest.fixture
def model():
    return AIModelFactory()


@pytest.fixture
def conversation():
    return ConversationFactory()


def enter(client, conversation, role):
    """Sign in somebody of that role; the user, or None."""
    if role == "anonymous":
        return None
    if role == "owner":
        user = conversation.owner
    else:
        user = UserFactory(staff=role == "staff")
        if role in {"editor", "commenter", "viewer"}:
            ParticipantFactory(conversation=conversation, user=user, role=role)
    client.force_login(user)
    return user


def address(name, prompt):
    return reverse(f"conversations:{name}", args=[prompt.conversation_id, prompt.pk])


@pytest.mark.parametrize(("role", "status"), WRITERS.items())
class TestWhoMay:
    def test_ask(self, client, conversation, model, role, status):
        user = enter(client, conversation, role)
        data = {"input_text": "Why?", "model": str(model.pk), "key": "k"}
        response = client.post(reverse("conversations:ask", args=[conversation.pk]), data)
        asked = list(Prompt.objects.values_list("author", "input_text", "status"))
        assert response.status_code == status
        assert asked == ([(user.pk, "Why?", "pending")] if status == 303 else [])

    def test_ask_again(self, client, conversation, model, role, status):
        prompt = PromptFactory(conversation=conversation, failed=True, ai_model=model)
        enter(client, conversation, role)
        assert client.post(address("retry", prompt), {"key": "k"}).status_code == status
        assert Prompt.objects.count() == (2 if status == 303 else 1)

    def test_stop(self, client, conversation, role, status):
        prompt = PromptFactory(conversation=conversation, pending=True)
        enter(client, conversation, role)
        assert client.post(address("stop", prompt)).status_code == status
        prompt.refresh_from_db()
        assert prompt.status == ("interrupted" if status == 303 else "pending")

    def test_record(self, client, conversation, role, status):
        prompt = PromptFactory(conversation=conversation, pending=True, status="draft")
        enter(client, conversation, role)
        assert client.post(address("record", prompt), {"response_text": "This."}).status_code == status
        prompt.refresh_from_db()
        assert (prompt.status, prompt.response_text) == (("recorded", "This.") if status == 303 else ("draft", ""))

    def test_judge(self, client, conversation, role, status):
        prompt = PromptFactory(conversation=conversation)
        enter(client, conversation, role)
        assert client.post(address("feedback", prompt), {"feedback": "1"}).status_code == status
        prompt.refresh_from_db()
        assert prompt.feedback == (1 if status == 303 else None)


@pytest.mark.parametrize(
    ("role", "status"),
    {
        "owner": 200,
        "editor": 200,
        "commenter": 200,
        "viewer": 200,
        "outsider": 404,
        "staff": 404,
        "anonymous": 302,
    }.items(),
)
def test_who_may_read(client, conversation, role, status):
    prompt = PromptFactory(conversation=conversation, response_text="Only for us.")
    enter(client, conversation, role)
    for name in ("prompt", "stream"):
        response = client.get(address(name, prompt), headers={"HX-Request": "true"})
        expected = 204 if role == "anonymous" and name else status  # a fragment sends the whole page to sign in
        assert response.status_code == expected
        text = b"".join(response.streaming_content) if response.streaming else response.content
        assert (b"Only for us." in text) == (status == 200)


@pytest.mark.parametrize("name", ["retry", "stop", "record", "feedback"])
def test_an_interaction_is_found_in_its_own_conversation_alone(client, conversation, name):
    prompt = PromptFactory(conversation__owner=conversation.owner)
    client.force_login(conversation.owner)
    wrong = reverse(f"conversations:{name}", args=[conversation.pk, prompt.pk])
    assert client.post(wrong, {"response_text": "x", "feedback": "1", "key": "k"}).status_code == 404


@pytest.mark.parametrize("name", ["ask", "retry", "stop", "record", "feedback"])
def test_a_get_changes_nothing(client, conversation, name):
    prompt = PromptFactory(conversation=conversation)
    client.force_login(conversation.owner)
    args = [conversation.pk] if name == "ask" else [conversation.pk, prompt.pk]
    assert client.get(reverse(f"conversations:{name}", args=args)).status_code == 405


class TestAsk:
    def test_line_breaks_are_kept_as_typed(self, client, conversation, model):
        client.force_login(conversation.owner)
        data = {"input_text": "  a\r\n\r\nb 𝄞 ", "model": str(model.pk)}
        client.post(reverse("conversations:ask", args=[conversation.pk]), data)
        assert Prompt.objects.get().input_text == "  a\n\nb 𝄞 "

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            ({"input_text": " \n", "model": "record"}, "Write something to ask."),
            ({"input_text": "Why?", "model": "nonsense"}, "Choose one of the models."),
            ({"input_text": "Why? \0", "model": "record"}, "Null characters are not allowed."),
        ],
    )
    def test_a_mistake_is_told_and_the_text_is_still_there(self, client, conversation, data, message):
        client.force_login(conversation.owner)
        response = client.post(reverse("conversations:ask", args=[conversation.pk]), data)
        assert (response.status_code, Prompt.objects.count()) == (422, 0)
        assert message in response.content.decode()
        assert f">{data['input_text']}</textarea>".replace("\0", "") in response.content.decode().replace("\0", "")

    def test_on_another_branch_it_follows_what_is_shown_there(self, client, conversation, model):
        first = PromptFactory(conversation=conversation)
        second, other = (PromptFactory(conversation=conversation, parent=first) for _ in range(2))
        client.force_login(conversation.owner)
        page = client.get(f"{conversation.get_absolute_url()}?at={second.pk}").content.decode()
        assert f'name="leaf" value="{second.pk}"' in page
        assert str(other.pk) in page  # a step away
        data = {"input_text": "And?", "model": str(model.pk), "leaf": str(second.pk)}
        client.post(reverse("conversations:ask", args=[conversation.pk]), data)
        assert Prompt.objects.get(input_text="And?").parent == second

    def test_what_follows_may_not_be_somewhere_else(self, client, conversation, model):
        stranger = PromptFactory()
        client.force_login(conversation.owner)
        data = {"input_text": "And?", "model": str(model.pk), "after": str(stranger.pk)}
        client.post(reverse("conversations:ask", args=[conversation.pk]), data)
        assert Prompt.objects.get(input_text="And?").parent is None

    def test_without_a_model_it_is_a_draft(self, client, conversation):
        client.force_login(conversation.owner)
        client.post(reverse("conversations:ask", args=[conversation.pk]), {"input_text": "Why?", "model": "record"})
        assert Prompt.objects.get().status == "draft"


class TestRetry:
    def test_it_asks_the_same_again_beside_the_first(self, client, conversation, model):
        version = TemplateFactory(owner=conversation.owner).current_version
        first = PromptFactory(conversation=conversation)
        failed = PromptFactory(
            conversation=conversation,
            parent=first,
            failed=True,
            ai_model=model,
            template_version=version,
            values={"topic": "tides"},
            system_prompt="S",
            parameters={"temperature": 1},
        )
        client.force_login(conversation.owner)
        response = client.post(address("retry", failed), {"key": "k"})
        again = Prompt.objects.get(idempotency_key="k")
        assert response["Location"] == f"{conversation.get_absolute_url()}#p-{again.pk}"
        same = ("parent", "template_version", "values", "system_prompt", "input_text", "parameters", "ai_model")
        assert [getattr(again, name) for name in same] == [getattr(failed, name) for name in same]
        assert (again.status, again.response_text, again.error_message) == ("pending", "", "")
        failed.refresh_from_db()
        assert failed.status == "failed"

    def test_another_model_may_be_chosen(self, client, conversation, model):
        prompt = PromptFactory(conversation=conversation, ai_model=AIModelFactory())
        client.force_login(conversation.owner)
        client.post(address("retry", prompt), {"key": "k", "model": str(model.pk)})
        assert Prompt.objects.get(idempotency_key="k").ai_model == model

    def test_a_model_that_is_gone_is_not_called(self, client, conversation, model):
        prompt = PromptFactory(conversation=conversation, ai_model=AIModelFactory(is_enabled=False))
        client.force_login(conversation.owner)
        response = client.post(address("retry", prompt), {"key": "k"}, follow=True)
        assert "That model is not available any more. Choose another one." in response.content.decode()
        assert Prompt.objects.count() == 1


class TestRecord:
    def test_the_answer_is_kept_as_pasted_and_audited(self, client, conversation):
        prompt = PromptFactory(conversation=conversation, pending=True, status="draft", model="", provider="")
        client.force_login(conversation.owner)
        response = client.post(address("record", prompt), {"response_text": "a\r\nb ", "model_name": " gpt-5 "})
        prompt.refresh_from_db()
        assert response["Location"] == prompt.get_absolute_url()
        assert (prompt.status, prompt.response_text, prompt.model, prompt.cost) == ("recorded", "a\nb ", "gpt-5", None)
        assert prompt.completed_at is not None
        row = AuditLog.objects.filter(object_pk=str(prompt.pk)).order_by("-id").first()
        told = {"response_text": ["", "a\nb "], "status": ["draft", "recorded"], "model": ["", "gpt-5"]}
        assert (row.actor_id, row.changes.pop("completed_at")[0], row.changes) == (conversation.owner.pk, None, told)

    def test_an_answer_is_not_overwritten(self, client, conversation):
        prompt = PromptFactory(conversation=conversation, recorded=True, response_text="The first")
        client.force_login(conversation.owner)
        response = client.post(address("record", prompt), {"response_text": "The second"}, follow=True)
        prompt.refresh_from_db()
        assert prompt.response_text == "The first"
        assert "This question has an answer already; yours was not kept over it." in response.content.decode()

    def test_an_empty_answer_is_refused_at_its_field(self, client, conversation):
        prompt = PromptFactory(conversation=conversation, pending=True, status="draft")
        client.force_login(conversation.owner)
        response = client.post(address("record", prompt), {"response_text": " "})
        assert response.status_code == 422
        assert f'id="answer-{prompt.pk}-error"' in response.content.decode()
        assert "Paste the answer." in response.content.decode()


class TestFeedback:
    def test_it_is_given_changed_and_taken_back(self, client, conversation):
        prompt = PromptFactory(conversation=conversation)
        client.force_login(conversation.owner)
        seen = []
        for data in (
            {"feedback": "1"},
            {"feedback": "1", "feedback_note": "Exact."},
            {"feedback": "-1", "feedback_note": ""},
            {"feedback": "", "feedback_note": "left over"},
        ):
            client.post(address("feedback", prompt), data)
            prompt.refresh_from_db()
            seen.append((prompt.feedback, prompt.feedback_note))
        assert seen == [(1, ""), (1, "Exact."), (-1, ""), (None, "")]

    def test_nonsense_is_refused(self, client, conversation):
        prompt = PromptFactory(conversation=conversation)
        client.force_login(conversation.owner)
        client.post(address("feedback", prompt), {"feedback": "7"})
        prompt.refresh_from_db()
        assert prompt.feedback is None

    def test_htmx_gets_the_turn_alone(self, client, conversation):
        prompt = PromptFactory(conversation=conversation)
        client.force_login(conversation.owner)
        page = client.post(
            address("feedback", prompt), {"feedback": "1"}, headers={"HX-Request": "true"}
        ).content.decode()
        assert page.lstrip().startswith(f'<article class="turn" id="p-{prompt.pk}"')
        assert 'aria-label="Good answer" aria-pressed="true"' in page
        assert "<html" not in page


class TestFragment:
    def test_a_reader_without_htmx_is_led_to_the_place_in_the_thread(self, client, conversation):
        prompt = PromptFactory(conversation=conversation)
        client.force_login(conversation.owner)
        assert client.get(address("prompt", prompt))["Location"] == prompt.get_absolute_url()

    def test_it_holds_the_answer_and_the_new_totals(self, client, conversation):
        prompt = PromptFactory(conversation=conversation, response_text="**Yes**")
        client.force_login(conversation.owner)
        page = client.get(address("prompt", prompt), headers={"HX-Request": "true"}).content.decode()
        assert "<strong>Yes</strong>" in page
        assert 'id="conversation-totals"' in page
        assert 'id="conversation-stats"' in page
        assert "aria-busy" not in page
