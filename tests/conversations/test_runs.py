"""POST /templates/<uuid>/runs/: who may run what, into which conversation, and what is said about a wrong value."""

import json
import threading
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from audit.models import AuditLog
from conversations.models import Conversation, Participant, Prompt
from conversations.services import producer
from conversations.templatetags.runs import forecast_of
from tests.factories import (
    AIModelFactory,
    AIModelPriceFactory,
    ConversationFactory,
    GrantFactory,
    ParticipantFactory,
    PromptFactory,
    TemplateFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

VARIABLES = [
    {"name": "topic", "type": "text", "required": True},
    {"name": "words", "type": "integer", "min": 40, "max": 400, "default": 100},
]


@pytest.fixture(autouse=True)
def _echo(settings):
    settings.ECHO_PROVIDER = True


@pytest.fixture
def model():
    return AIModelFactory()


@pytest.fixture
def template():
    return TemplateFactory(
        title="Explain it",
        body="Explain {{ topic }} in {{ words }} words.",
        system_prompt="You know {{ topic }}.",
        variables=VARIABLES,
        parameters={"temperature": 0.3},
        versions=2,
    )


def run(client, template, **data):
    return client.post(
        reverse("conversations:runs", args=[template.pk]), {"v-topic": "tides", "v-words": "50", "key": "k1", **data}
    )


class TestWithAModel:
    def test_it_begins_a_conversation_with_the_rendered_prompt(self, client, template, model):
        client.force_login(template.owner)
        response = run(client, template, model=str(model.pk))
        prompt = Prompt.objects.get()
        conversation = prompt.conversation
        assert (response.status_code, response["Location"]) == (
            303,
            f"{conversation.get_absolute_url()}#p-{prompt.pk}",
        )
        assert {
            "title": (conversation.title, conversation.owner, conversation.system_prompt),
            "seat": [(seat.user, seat.role) for seat in conversation.participants.all()],
            "prompt": (prompt.status, prompt.author, prompt.parent, prompt.idempotency_key),
            "text": (prompt.system_prompt, prompt.input_text, prompt.response_text),
            "from": (prompt.template_version, prompt.values, prompt.parameters),
            "model": (prompt.ai_model, prompt.provider, prompt.model),
        } == {
            "title": ("Explain it", template.owner, "You know tides."),
            "seat": [(template.owner, "owner")],
            "prompt": ("pending", template.owner, None, "k1"),
            "text": ("You know tides.", "Explain tides in 50 words.", ""),
            "from": (template.current_version, {"topic": "tides", "words": 50}, {"temperature": 0.3}),
            "model": (model, "echo", model.name),
        }

    def test_the_run_is_audited_with_its_address(self, client, template, model):
        client.force_login(template.owner)
        run(client, template, model=str(model.pk))
        row = AuditLog.objects.get(action=AuditLog.Action.RUN)
        prompt = Prompt.objects.get()
        assert (row.object_pk, row.actor_id, row.remote_addr, row.subject_id) == (
            str(prompt.pk),
            template.owner.pk,
            "127.0.0.1",
            prompt.conversation_id,
        )

    def test_the_version_that_was_filled_in_is_run(self, client, template, model):
        client.force_login(template.owner)
        run(client, template, model=str(model.pk), version="1")
        prompt = Prompt.objects.get()
        assert (prompt.template_version.number, prompt.input_text) == (1, "Explain tides in 50 words. (draft 1)")

    def test_a_version_that_does_not_exist_is_not_found(self, client, template, model):
        client.force_login(template.owner)
        assert run(client, template, model=str(model.pk), version="9").status_code == 404
        assert Prompt.objects.count() == 0

    def test_into_a_conversation_it_follows_the_last_interaction(self, client, template, model):
        last = PromptFactory(conversation__owner=template.owner, conversation__system_prompt="Be kind.")
        client.force_login(template.owner)
        run(client, template, model=str(model.pk), conversation=str(last.conversation.pk))
        prompt = Prompt.objects.exclude(pk=last.pk).get()
        assert (prompt.conversation, prompt.parent, prompt.system_prompt) == (
            last.conversation,
            last,
            "You know tides.",
        )
        assert Conversation.objects.count() == 1

    @pytest.mark.parametrize(
        ("role", "status"), [("owner", 303), ("editor", 303), ("commenter", 404), ("viewer", 404), (None, 404)]
    )
    def test_only_those_who_may_write_run_into_a_conversation(self, client, template, model, role, status):
        conversation = ConversationFactory()
        if role:
            ParticipantFactory(conversation=conversation, user=template.owner, role=role)
        client.force_login(template.owner)
        response = run(client, template, model=str(model.pk), conversation=str(conversation.pk))
        assert (response.status_code, Prompt.objects.count()) == (status, int(status == 303))

    def test_sent_twice_it_is_one_run(self, client, template, model):
        client.force_login(template.owner)
        first, second = (run(client, template, model=str(model.pk)) for _ in range(2))
        assert first["Location"] == second["Location"]
        assert (Prompt.objects.count(), Conversation.objects.count()) == (1, 1)

    def test_a_key_belongs_to_one_person(self, client, template, model):
        template.visibility = "public"
        template.save()
        for user in (template.owner, UserFactory()):
            client.force_login(user)
            run(client, template, model=str(model.pk))
        assert Prompt.objects.count() == 2


class TestByHand:
    def test_it_waits_for_the_answer_to_be_pasted(self, client, template):
        client.force_login(template.owner)
        response = run(client, template, model="record")
        prompt = Prompt.objects.get()
        assert (prompt.status, prompt.ai_model, prompt.model, prompt.input_text) == (
            "draft",
            None,
            "",
            "Explain tides in 50 words.",
        )
        page = client.get(response["Location"].partition("#")[0]).content.decode()
        assert 'data-copy="Explain tides in 50 words."' in page
        assert reverse("conversations:record", args=[prompt.conversation_id, prompt.pk]) in page
        assert not AuditLog.objects.filter(action=AuditLog.Action.RUN).exists()


class TestRefused:
    @pytest.mark.parametrize(
        ("values", "field", "message"),
        [
            ({"v-topic": " "}, "topic", "Fill this in."),
            ({"v-words": "39"}, "words", "Enter a whole number from 40 to 400."),
            ({"v-words": "many"}, "words", "Enter a whole number from 40 to 400."),
        ],
    )
    def test_a_value_is_refused_at_its_field_and_nothing_is_lost(self, client, template, model, values, field, message):
        client.force_login(template.owner)
        response = run(client, template, model=str(model.pk), **values)
        assert response.status_code == 422
        assert response.context["form"].errors == {field: [message]}
        page = response.content.decode()
        assert f'id="f-v-{field}_error"' in page
        assert message in page
        assert f'<option value="{model.pk}" selected>' in page
        assert Prompt.objects.count() == 0

    def test_a_model_that_is_not_offered(self, client, template, model, settings):
        settings.ECHO_PROVIDER = False
        client.force_login(template.owner)
        response = run(client, template, model=str(model.pk))
        assert (response.status_code, Prompt.objects.count()) == (422, 0)
        assert "Choose one of the models. This one is not available any more." in response.content.decode()

    @pytest.mark.parametrize("who", ["outsider", "viewer of a draft"])
    def test_what_one_may_not_see_one_may_not_run(self, client, template, model, who):
        user = UserFactory()
        if who != "outsider":
            template.visibility, template.status = "public", "draft"
            template.save()
        client.force_login(user)
        assert run(client, template, model=str(model.pk)).status_code == 404
        assert Prompt.objects.count() == 0

    def test_who_may_see_may_run(self, client, model):
        grant = GrantFactory(template__body="Explain {{ topic }}")
        client.force_login(grant.user)
        assert run(client, grant.template, model=str(model.pk)).status_code == 303
        assert Prompt.objects.get().conversation.owner == grant.user

    def test_a_template_in_the_trash_is_not_found(self, client, template, model):
        template.delete(by=template.owner)
        client.force_login(template.owner)
        assert run(client, template, model=str(model.pk)).status_code == 404

    def test_anonymous_people_sign_in_first(self, client, template, model):
        response = run(client, template, model=str(model.pk))
        assert (response.status_code, Prompt.objects.count()) == (302, 0)

    def test_a_get_runs_nothing(self, client, template):
        client.force_login(template.owner)
        client.get(reverse("conversations:runs", args=[template.pk]), {"v-topic": "tides", "v-words": "50"})
        assert Prompt.objects.count() == 0


class TestPanel:
    def test_it_offers_models_and_the_conversations_one_may_write_in(self, client, template, model):
        AIModelFactory(is_enabled=False, label="Switched off")
        mine = ConversationFactory(owner=template.owner, title="Mine")
        seen = ParticipantFactory(user=template.owner, conversation__title="Only seen").conversation
        client.force_login(template.owner)
        page = client.get(f"{template.get_absolute_url()}?conversation={mine.pk}").content.decode()
        assert f'<option value="{model.pk}">{model.label}</option>' in page
        assert f'<option value="{mine.pk}" selected>Mine</option>' in page
        assert str(seen.pk) not in page
        assert "Switched off" not in page
        assert '<option value="record">No model: record an answer</option>' in page

    def test_the_estimate_is_the_mean_of_what_runs_took_at_the_price_of_today(self, template, model):
        AIModelPriceFactory(model=model, input_price=2, output_price=8)
        version = template.current_version
        other = AIModelFactory(openai=True)
        models, key = [model, other], str(model.pk)
        unmeasured = forecast_of(version, models, key)
        assert (unmeasured.is_measured, unmeasured.cost > 0, unmeasured.output_tokens) == (False, True, 0)
        assert forecast_of(version, models, str(other.pk)).cost is None
        assert forecast_of(version, [], "").cost is None
        PromptFactory(template_version=version, input_tokens=100, output_tokens=50)
        PromptFactory(template_version=version, input_tokens=300, output_tokens=150)
        version.refresh_from_db()
        measured = forecast_of(version, models, "")  # the first model is chosen
        assert (measured.tokens, measured.cost, measured.is_measured) == (300, Decimal("0.0012"), True)
        assert json.loads(measured.told_prices) == {key: [2, 8]}


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_with_one_key_are_one_row_and_one_call(template, model, monkeypatch):
    calls, done = [], threading.Event()

    def answer(kind, request):
        from conversations.providers import Finished, TextDelta

        calls.append(request.messages[-1]["content"])
        yield TextDelta("Like this.")
        done.set()
        yield Finished("stop", request.model)

    monkeypatch.setattr(producer, "stream_chat", answer)
    client = Client()
    client.force_login(template.owner)
    cookies = client.cookies
    places, problems = [], []
    key = uuid4().hex
    barrier = threading.Barrier(20)

    def post():
        try:
            each = Client()
            each.cookies = cookies
            barrier.wait()
            response = run(each, template, model=str(model.pk), key=key)
            places.append((response.status_code, response["Location"]))
        except Exception as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=post) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done.wait(10)
    prompt = Prompt.objects.get()
    for _ in range(100):
        prompt.refresh_from_db()
        if prompt.is_finished:
            break
        threading.Event().wait(0.05)
    assert problems == []
    assert places == [(303, f"/conversations/{prompt.conversation_id}/#p-{prompt.pk}")] * 20
    assert (calls, prompt.status, prompt.response_text) == (["Explain tides in 50 words."], "completed", "Like this.")
    assert (Conversation.objects.count(), Participant.objects.count()) == (1, 1)
    begun, ended = AuditLog.objects.filter(object_pk=str(prompt.pk), action=AuditLog.Action.RUN).order_by("id")
    assert begun.changes == {"model": [None, model.name]}
    assert ended.changes["status"] == ["streaming", "completed"]
