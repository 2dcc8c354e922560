"""The whole way of a run, from the saved question to the saved end, against a server that goes wrong on demand."""

import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.utils import timezone

from audit.context import Origin
from audit.models import AuditLog
from conversations.models import Prompt
from conversations.services import ask, broker, producer, retry, run_version, stop, sweep_orphans
from conversations.services.asking import Target
from conversations.services.messages import messages_for
from conversations.services.sweeping import Watch
from tests.factories import (
    AIModelFactory,
    AIModelPriceFactory,
    ConversationFactory,
    PromptFactory,
    TemplateFactory,
)
from tests.faults import ANSWER, HALF, FaultServer, running_fault_server

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick(settings):
    settings.PROVIDER_CONNECT_SECONDS = 0.5
    settings.PROVIDER_FIRST_TOKEN_SECONDS = 0.3
    settings.PROVIDER_TOTAL_SECONDS = 0.8


@pytest.fixture(scope="module")
def faults():
    with running_fault_server() as server:
        yield server


def run(faults: FaultServer, fault: str, **fields) -> tuple[Prompt, int]:
    """The interaction after its run, and how often the provider was called."""
    model = AIModelFactory(openai=True, base_url=faults.base_url(fault), name="fault-1")
    AIModelPriceFactory(model=model)
    prompt = ask(target=Target(), author=ConversationFactory().owner, text="Why?", model=model, **fields)
    before = len(faults.requests)
    assert producer.produce(prompt.pk)
    return Prompt.objects.get(pk=prompt.pk), len(faults.requests) - before


ENDS = {
    # fault: status, error code, text that is kept
    "stall_before_first": ("failed", "first_token_timeout", ""),
    "stall_before_headers": ("failed", "first_token_timeout", ""),
    "stall_midway": ("interrupted", "total_timeout", HALF),
    "drip_headers": ("failed", "first_token_timeout", ""),
    "drip_comments": ("failed", "first_token_timeout", ""),
    "drip_midway": ("interrupted", "total_timeout", HALF),
    "flood_comments": ("failed", "first_token_timeout", ""),
    "reset_before_first": ("failed", "reset", ""),
    "reset_midway": ("interrupted", "reset", HALF),
    "closed_midway": ("interrupted", "reset", HALF),
    "no_end_marker": ("interrupted", "cut_off", HALF),
    "empty_stream": ("failed", "cut_off", ""),
    "error_in_stream": ("interrupted", "server_error", HALF),
    "rate_limit_in_stream": ("failed", "rate_limited", ""),
    "bad_json": ("interrupted", "bad_response", HALF),
    "deep_json": ("failed", "bad_response", ""),
    "endless_line": ("failed", "too_long", ""),
    "wrong_content_type": ("failed", "bad_response", ""),
    "not_http": ("failed", "bad_response", ""),
    "json_not_an_answer": ("failed", "bad_response", ""),
    "redirect": ("failed", "bad_response", ""),
    "400": ("failed", "bad_request", ""),
    "401": ("failed", "unauthorized", ""),
    "403": ("failed", "unauthorized", ""),
    "404": ("failed", "bad_request", ""),
    "429": ("failed", "rate_limited", ""),
    "429_date": ("failed", "rate_limited", ""),
    "429_bare": ("failed", "rate_limited", ""),
    "500": ("failed", "server_error", ""),
    "503_html": ("failed", "server_error", ""),
}


@pytest.mark.parametrize("fault", ENDS)
def test_a_fault_ends_the_run_with_a_message_and_keeps_what_arrived(faults, fault):
    prompt, calls = run(faults, fault)
    assert (prompt.status, prompt.error_code, prompt.response_text, calls) == (*ENDS[fault], 1)
    assert prompt.error_message.endswith(".")
    assert (prompt.input_tokens, prompt.output_tokens, prompt.cost, prompt.finish_reason) == (None, None, None, "")
    assert (prompt.latency_ms is not None, prompt.first_token_ms is not None) == (True, bool(prompt.response_text))
    assert prompt.completed_at is not None


@pytest.mark.parametrize("fault", ["drip_words", "endless"])
def test_an_answer_without_end_is_cut_and_kept(faults, fault):
    prompt, calls = run(faults, fault)
    assert (prompt.status, calls) == ("interrupted", 1)
    assert prompt.error_code in {"total_timeout", "too_long"}
    assert 0 < len(prompt.response_text) <= 500_000


def test_an_unreachable_model_fails_the_run():
    model = AIModelFactory(openai=True)
    prompt = ask(target=Target(), author=ConversationFactory().owner, text="Why?", model=model)
    assert producer.produce(prompt.pk)
    prompt.refresh_from_db()
    assert (prompt.status, prompt.error_code, prompt.response_text) == ("failed", "refused", "")


def test_a_whole_answer_is_saved_with_its_numbers(faults):
    prompt, calls = run(faults, "ok")
    assert {
        "status": prompt.status,
        "text": prompt.response_text,
        "tokens": (prompt.input_tokens, prompt.output_tokens, prompt.cached_tokens, prompt.reasoning_tokens),
        "cost": (prompt.cost, prompt.currency),
        "reason": prompt.finish_reason,
        "model": (prompt.provider, prompt.model),
        "error": (prompt.error_code, prompt.error_message),
        "calls": calls,
    } == {
        "status": "completed",
        "text": ANSWER,
        "tokens": (12, 5, 4, 2),
        "cost": (Decimal("0.000064"), "EUR"),  # (12 × 2 + 5 × 8) / 1,000,000
        "reason": "stop",
        "model": ("openai", "fault-1"),
        "error": ("", ""),
        "calls": 1,
    }
    assert prompt.latency_ms >= prompt.first_token_ms >= 0
    assert prompt.created_at < prompt.completed_at


def test_tokens_nobody_counted_stay_unknown(faults):
    prompt, _calls = run(faults, "no_usage")
    assert (prompt.status, prompt.response_text, prompt.finish_reason) == ("completed", ANSWER, "length")
    assert (prompt.input_tokens, prompt.output_tokens, prompt.cost, prompt.currency) == (None, None, None, "")


def test_without_a_price_there_is_no_cost(faults):
    model = AIModelFactory(openai=True, base_url=faults.base_url("ok"))
    prompt = ask(target=Target(), author=ConversationFactory().owner, text="Why?", model=model)
    producer.produce(prompt.pk)
    prompt.refresh_from_db()
    assert (prompt.status, prompt.output_tokens, prompt.cost, prompt.currency) == ("completed", 5, None, "")


@pytest.mark.parametrize(
    ("day", "cost"),
    [(date(2026, 2, 28), Decimal("0.000064")), (date(2026, 3, 1), Decimal("0.000640")), (date(2025, 12, 31), None)],
)
def test_the_cost_follows_the_price_of_the_day_of_the_question(faults, day, cost):
    model = AIModelFactory(openai=True, base_url=faults.base_url("ok"))
    AIModelPriceFactory(model=model, input_price=2, output_price=8, effective_from="2026-01-01")
    AIModelPriceFactory(model=model, input_price=20, output_price=80, effective_from="2026-03-01")
    prompt = ask(target=Target(), author=ConversationFactory().owner, text="Why?", model=model)
    Prompt.objects.filter(pk=prompt.pk).update(created_at=datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC))
    producer.produce(prompt.pk)
    prompt.refresh_from_db()
    assert prompt.cost == cost


def test_cached_input_has_its_own_price(faults):
    model = AIModelFactory(openai=True, base_url=faults.base_url("ok"))
    AIModelPriceFactory(model=model, input_price=2, output_price=8, cached_price="0.5")
    prompt = ask(target=Target(), author=ConversationFactory().owner, text="Why?", model=model)
    producer.produce(prompt.pk)
    prompt.refresh_from_db()
    assert prompt.cost == Decimal("0.000058")  # (8 × 2 + 4 × 0.5 + 5 × 8) / 1,000,000


def test_a_fault_of_our_own_ends_the_run_too(faults, monkeypatch, caplog):
    monkeypatch.setattr(producer, "messages_for", lambda prompt: 1 / 0)
    prompt, calls = run(faults, "ok")
    assert (prompt.status, prompt.error_code, calls) == ("failed", "internal", 0)
    assert prompt.error_message == "Something went wrong in promptlib itself; staff find it in the log. Try again."
    assert "ZeroDivisionError" in caplog.text


def test_a_model_that_staff_removed_fails_the_run(faults):
    model = AIModelFactory(openai=True, base_url=faults.base_url("ok"))
    prompt = ask(target=Target(), author=ConversationFactory().owner, text="Why?", model=model)
    model.delete()
    producer.produce(prompt.pk)
    prompt.refresh_from_db()
    assert (prompt.status, prompt.error_code) == ("failed", "no_model")


def test_a_row_is_produced_once(faults):
    prompt, _calls = run(faults, "ok")
    before = len(faults.requests)
    assert not producer.produce(prompt.pk)
    assert len(faults.requests) == before


def test_the_start_and_the_end_are_audited_in_the_name_of_the_author(faults):
    model = AIModelFactory(openai=True, base_url=faults.base_url("ok"))
    prompt = ask(target=Target(), author=ConversationFactory().owner, text="Why?", model=model)
    producer.produce(prompt.pk, Origin(ip="192.0.2.7", request_id="request-1"))
    rows = AuditLog.objects.filter(object_pk=str(prompt.pk), action=AuditLog.Action.RUN).order_by("id")
    assert [(row.actor_id, row.subject_id) for row in rows] == [(prompt.author_id, prompt.conversation_id)] * 2
    start, end = rows
    assert start.changes == {"model": [None, model.name]}
    assert end.changes["status"] == ["streaming", "completed"]
    assert (end.remote_addr, end.cid) == ("192.0.2.7", "request-1")


class TestMessages:
    def test_system_prompt_examples_earlier_turns_and_question_in_this_order(self):
        template = TemplateFactory(
            body="Translate {{ text }}.",
            system_prompt="You write {{ language }}.",
            examples=[
                {"role": "user", "content": "Translate a."},
                {"role": "assistant", "content": "In {{ language }}: a"},
            ],
        )
        conversation = ConversationFactory()
        first = PromptFactory(conversation=conversation, input_text="Hello", response_text="Hi")
        failed = PromptFactory(conversation=conversation, parent=first, failed=True)
        half = PromptFactory(
            conversation=conversation, parent=failed, status="interrupted", input_text="And", response_text="Ha"
        )
        prompt = run_version(
            version=template.current_version,
            values={"text": "b", "language": "French"},
            target=Target(conversation),
            author=conversation.owner,
            model=None,
        )
        assert prompt.parent == half
        assert messages_for(prompt) == (
            {"role": "system", "content": "You write French."},
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hi"},
            {"role": "user", "content": "And"},
            {"role": "assistant", "content": "Ha"},
            {"role": "user", "content": "Translate a."},
            {"role": "assistant", "content": "In French: a"},
            {"role": "user", "content": "Translate b."},
        )

    def test_another_answer_is_asked_for_without_the_answers_beside_it(self):
        conversation = ConversationFactory()
        first = PromptFactory(conversation=conversation, input_text="One", response_text="1")
        second = PromptFactory(conversation=conversation, parent=first, input_text="Two", response_text="2")
        again = retry(second, author=conversation.owner, model=AIModelFactory())
        assert [message["content"] for message in messages_for(again)] == ["One", "1", "Two"]
        anew = retry(first, author=conversation.owner, model=AIModelFactory())
        assert [message["content"] for message in messages_for(anew)] == ["One"]

    def test_what_was_said_long_ago_gives_way(self, monkeypatch):
        monkeypatch.setattr("conversations.services.messages.HISTORY_CHARS", 30)
        conversation = ConversationFactory()
        first = PromptFactory(conversation=conversation, input_text="A" * 10, response_text="a" * 10)
        second = PromptFactory(conversation=conversation, parent=first, input_text="B" * 5, response_text="b" * 5)
        prompt = ask(target=Target(conversation), author=conversation.owner, text="C", model=None)
        assert prompt.parent == second
        assert [message["content"] for message in messages_for(prompt)] == ["BBBBB", "bbbbb", "C"]

    def test_the_model_is_sent_the_parameters_of_the_version_within_its_own_limit(self, faults):
        template = TemplateFactory(body="Say {{ x }}", parameters={"temperature": 0.2, "max_tokens": 900, "model": "m"})
        model = AIModelFactory(openai=True, base_url=faults.base_url("ok"), max_output_tokens=500)
        owner = template.owner
        prompt = run_version(
            version=template.current_version, values={"x": "y"}, target=Target(), author=owner, model=model
        )
        producer.produce(prompt.pk)
        sent = faults.requests[-1].body
        assert (sent["temperature"], sent["max_tokens"], sent["model"]) == (0.2, 500, model.name)
        assert sent["messages"] == [{"role": "user", "content": "Say y"}]


class TestStop:
    def test_a_pending_answer_is_ended_at_once(self):
        prompt = PromptFactory(pending=True)
        assert stop(prompt, by=prompt.author)
        prompt.refresh_from_db()
        assert (prompt.status, prompt.finish_reason, prompt.error_code) == ("interrupted", "stopped", "stopped")
        assert not producer.produce(prompt.pk)

    def test_what_had_arrived_is_kept(self, monkeypatch):
        monkeypatch.setattr("conversations.services.stopping.PATIENCE_SECONDS", 0.1)
        prompt = PromptFactory(pending=True, status="streaming", response_text="saved")
        with broker.channel_for(prompt.pk) as channel:
            channel.write("saved and more")
            assert stop(prompt, by=prompt.author)
        prompt.refresh_from_db()
        assert (prompt.status, prompt.response_text) == ("interrupted", "saved and more")

    def test_a_finished_answer_stays_as_it_is(self):
        prompt = PromptFactory()
        assert not stop(prompt, by=prompt.author)
        prompt.refresh_from_db()
        assert (prompt.status, prompt.finish_reason) == ("completed", "stop")

    def test_another_process_sees_it_at_its_next_save(self, faults, monkeypatch):
        real = producer.stream_chat

        def stopped_after_the_first_word(kind, request):
            for event in real(kind, request):
                Prompt.objects.filter(status="streaming").update(finish_reason="stopped")
                producer.save_partials()
                yield event

        monkeypatch.setattr(producer, "stream_chat", stopped_after_the_first_word)
        prompt, _calls = run(faults, "ok")
        assert (prompt.status, prompt.finish_reason, prompt.response_text) == ("interrupted", "stopped", "Hello")


def test_what_has_ended_stays_ended(faults, monkeypatch):
    real = producer.stream_chat

    def ended_meanwhile(kind, request):
        Prompt.objects.update(status="interrupted", error_code="lost", response_text="Half")
        yield from real(kind, request)

    monkeypatch.setattr(producer, "stream_chat", ended_meanwhile)
    prompt, _calls = run(faults, "ok")
    assert (prompt.status, prompt.error_code, prompt.response_text) == ("interrupted", "lost", "Half")
    assert AuditLog.objects.filter(object_pk=str(prompt.pk), action=AuditLog.Action.RUN).count() == 1  # the start


def test_what_has_arrived_is_saved_meanwhile(django_assert_num_queries):
    prompt = PromptFactory(pending=True, status="streaming")
    with broker.channel_for(prompt.pk) as channel:
        channel.write("So ")
        channel.write("far")
        producer.save_partials()
        prompt.refresh_from_db()
        assert (prompt.status, prompt.response_text) == ("streaming", "So far")
        with django_assert_num_queries(1):  # nothing new: only whether it shall stop
            producer.save_partials()
        Prompt.objects.update(status="interrupted", response_text="ended elsewhere")
        channel.write(" and on")
        producer.save_partials()
    prompt.refresh_from_db()
    assert prompt.response_text == "ended elsewhere"


def test_no_fault_ends_the_saving_of_what_arrives(monkeypatch, caplog):
    faults = iter([OperationalError("away"), RuntimeError("anything"), SystemExit()])

    def fail():
        raise next(faults)

    monkeypatch.setattr(producer, "save_partials", fail)
    monkeypatch.setattr(producer, "SAVE_SECONDS", 0)
    monkeypatch.setattr(producer, "_ours", {uuid4()})
    with pytest.raises(SystemExit):
        producer._save_every_second()
    assert [str(record.exc_info[1]) for record in caplog.records] == ["away", "anything"]


class TestSweep:
    def test_what_a_dead_process_left_is_interrupted_and_the_rest_is_left_alone(self):
        old = timezone.now() - timedelta(seconds=91)
        waiting, writing, fresh = (PromptFactory(pending=True, status=s) for s in ("pending", "streaming", "streaming"))
        done, draft = PromptFactory(), PromptFactory(pending=True, status="draft")
        Prompt.objects.exclude(pk=fresh.pk).update(updated_at=old)
        Prompt.objects.filter(pk=writing.pk).update(response_text="Half an")
        assert sweep_orphans() == 2
        assert sweep_orphans() == 0
        found = {p.pk: (p.status, p.error_code, p.response_text) for p in Prompt.objects.all()}
        assert found == {
            waiting.pk: ("interrupted", "lost", ""),
            writing.pk: ("interrupted", "lost", "Half an"),
            fresh.pk: ("streaming", "", fresh.response_text),
            done.pk: ("completed", "", done.response_text),
            draft.pk: ("draft", "", draft.response_text),
        }

    def test_a_watch_ends_what_gives_no_sign_of_life_and_nothing_else(self, settings):
        settings.ORPHAN_SECONDS = 0.05
        dead, living = (PromptFactory(pending=True, status="streaming", response_text="Half") for _ in range(2))
        done = PromptFactory()
        watch = Watch()
        producer._ours.add(living.pk)
        try:
            assert watch.look() == 0  # seen for the first time, however old
            time.sleep(0.06)
            producer.give_sign_of_life()
            assert watch.look() == 1
            assert watch.look() == 0
        finally:
            producer._ours.discard(living.pk)
        found = dict(Prompt.objects.values_list("pk", "status"))
        assert found == {dead.pk: "interrupted", living.pk: "streaming", done.pk: "completed"}
        dead.refresh_from_db()
        assert (dead.error_code, dead.response_text) == ("lost", "Half")

    def test_whoever_writes_answers_clears_up_now_and_then(self, monkeypatch):
        swept = []
        monkeypatch.setattr(producer, "sweep_orphans", lambda: swept.append(1))
        monkeypatch.setattr(producer, "_swept", producer.monotonic() - producer.SWEEP_SECONDS)
        producer._sweep_now_and_then()
        producer._sweep_now_and_then()
        assert swept == [1]

    def test_the_command_says_how_many(self, capsys):
        from django.core.management import call_command

        PromptFactory(pending=True)
        call_command("sweep_prompts")
        assert capsys.readouterr().out == ""
        call_command("sweep_prompts", older_than=0)
        assert capsys.readouterr().out == "Interrupted: 1\n"
