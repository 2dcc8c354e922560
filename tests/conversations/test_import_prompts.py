"""Calls that were recorded elsewhere become interactions that say so and never enter the latency figures."""

import json
import os
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import User
from conversations.importers import ImportFileError, read_call_file
from conversations.models import Conversation, Prompt, UsageDaily
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

DATA = os.environ.get("PROMPTLIB_TEST_DATA", "")
needs_data = pytest.mark.skipif(not DATA, reason="PROMPTLIB_TEST_DATA names no folder of collections")


@pytest.fixture
def owner() -> User:
    return UserFactory()


def take_in(path: Path, owner: User) -> str:
    out = StringIO()
    call_command("import_prompts", str(path), owner=owner.email, stdout=out)
    return out.getvalue()


def written(tmp_path: Path, *calls: Any) -> Path:
    path = tmp_path / "calls.jsonl"
    path.write_text("\n".join(json.dumps(call) for call in calls))
    return path


def shown(prompt: Prompt) -> dict[str, Any]:
    names = (
        "input_text",
        "response_text",
        "system_prompt",
        "status",
        "model",
        "provider",
        "finish_reason",
        "latency_ms",
    )
    counts = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")
    return {name: value for name in (*names, *counts) if (value := getattr(prompt, name)) not in (None, "")}


@needs_data
def test_every_recorded_call_arrives_with_its_tokens_and_a_repeat_changes_nothing(owner: User) -> None:
    path = Path(DATA, "interactions", "openllmetry-recorded-calls.jsonl")
    raw = [json.loads(line) for line in path.read_text().split("\n") if line]
    assert "interactions added: 275" in take_in(path, owner)
    assert "interactions added: 0" in take_in(path, owner)
    prompts = Prompt.objects.all()
    assert len(prompts) == len(raw)
    assert sum(p.input_tokens or 0 for p in prompts) == sum(call["prompt_tokens"] or 0 for call in raw)
    assert sum(p.latency_ms or 0 for p in prompts) == sum(call["latency_ms"] or 0 for call in raw)
    failed = [prompt.error_message for prompt in prompts if prompt.status == Prompt.Status.FAILED]
    assert len(failed) == sum(call["error"] is not None for call in raw)
    assert all(failed)
    usage = UsageDaily.objects.filter(user=owner)
    assert (sum(day.latency_count for day in usage), sum(day.runs for day in usage)) == (0, len(raw))


@needs_data
def test_questions_and_answers_of_two_files_meet(owner: User) -> None:
    folder = Path(DATA, "interactions")
    answers = folder / "mt-bench-reference-answer-gpt-4.jsonl"
    take_in(answers, owner)
    take_in(folder / "mt-bench-question.jsonl", owner)
    assert "interactions added: 0" in take_in(answers, owner)
    assert Conversation.objects.count() == 80
    raw = json.loads(answers.read_text().split("\n")[0])
    prompts = Conversation.objects.get(source_id=str(raw["question_id"])).prompts.order_by("pk")
    assert [prompt.response_text for prompt in prompts] == raw["choices"][0]["turns"]
    assert all(prompt.input_text for prompt in prompts)


def test_a_pair_of_request_and_response_as_openai_has_it(owner: User, tmp_path: Path) -> None:
    request = {
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "One"},
            {"role": "assistant", "content": "Two"},
            {"role": "user", "content": [{"type": "text", "text": "Three"}, {"type": "image_url", "image_url": {}}]},
        ],
    }
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
    choice = {"message": {"role": "assistant", "content": "Four"}, "finish_reason": "stop"}
    response = {"id": "r1", "model": "gpt-4o-1", "created": 1_700_000_000, "choices": [choice], "usage": usage}
    take_in(written(tmp_path, {"request": request, "response": response, "latency_ms": 321}), owner)
    prompt = Prompt.objects.get()
    assert shown(prompt) == {
        "input_text": "Three",
        "response_text": "Four",
        "system_prompt": "Be brief.",
        "status": "recorded",
        "model": "gpt-4o-1",
        "finish_reason": "stop",
        "latency_ms": 321,
        "input_tokens": 9,
        "output_tokens": 2,
        "cached_tokens": 4,
    }
    assert prompt.metadata["earlier"] == request["messages"][1:3]
    assert (prompt.completed_at - prompt.created_at).total_seconds() == 0.321


def test_a_pair_of_request_and_response_as_anthropic_has_it(owner: User, tmp_path: Path) -> None:
    request = {"model": "claude-x", "system": "Be kind.", "messages": [{"role": "user", "content": "Hello"}]}
    response = {
        "id": "msg_1",
        "content": [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Good day"}],
        "model": "claude-x-1",
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 5, "output_tokens": 3, "cache_read_input_tokens": 1},
    }
    take_in(written(tmp_path, {"request": {"body": json.dumps(request)}, "response": {"body": response}}), owner)
    assert shown(Prompt.objects.get()) == {
        "input_text": "Hello",
        "response_text": "Good day",
        "system_prompt": "Be kind.",
        "status": "recorded",
        "model": "claude-x-1",
        "finish_reason": "end_turn",
        "input_tokens": 5,
        "output_tokens": 3,
        "cached_tokens": 1,
    }


def test_spans_of_opentelemetry_in_both_spellings(owner: User, tmp_path: Path) -> None:
    listed = [
        {"key": "gen_ai.request.model", "value": {"stringValue": "m-1"}},
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "7"}},
        {"key": "gen_ai.prompt.0.role", "value": {"stringValue": "user"}},
        {"key": "gen_ai.prompt.0.content", "value": {"stringValue": "Asked"}},
        {"key": "gen_ai.completion.0.content", "value": {"stringValue": "Answered"}},
    ]
    collected = {
        "spanId": "s1",
        "name": "chat",
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000000250000000",
        "attributes": listed,
    }
    plain = {
        "name": "chat",
        "span_id": "s2",
        "attributes": {
            "gen_ai.provider.name": "openai",
            "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "Also asked"}]}]',
            "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "Also answered"}]}],
            "error.type": "timeout",
        },
    }
    path = tmp_path / "spans.json"
    path.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [collected, plain]}]}]}))
    take_in(path, owner)
    assert [shown(prompt) for prompt in Prompt.objects.order_by("pk")] == [
        {
            "input_text": "Asked",
            "response_text": "Answered",
            "status": "recorded",
            "model": "m-1",
            "latency_ms": 250,
            "input_tokens": 7,
        },
        {"input_text": "Also asked", "response_text": "Also answered", "status": "failed", "provider": "openai"},
    ]


def test_a_bad_call_is_named_and_the_rest_goes_in(owner: User, tmp_path: Path) -> None:
    path = written(tmp_path, {"messages": [{"role": "user", "content": "Hi"}], "response": "Ho"}, {"other": 1}, 3)
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit):
        call_command("import_prompts", str(path), owner=owner.email, stdout=out, stderr=err)
    assert [line.partition(":")[0] for line in err.getvalue().splitlines()] == ["call 2", "call 3"]
    assert Prompt.objects.get().cost in (None, Decimal(0))


def test_a_file_without_calls_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="No recorded call"):
        read_call_file(written(tmp_path, {"a": 1}, {"b": 2}))


def test_a_response_in_items_as_openais_newer_interface_has_it(owner: User, tmp_path: Path) -> None:
    request = {"model": "gpt-5", "instructions": "Be brief.", "input": "Hello"}
    reasoning = {"type": "reasoning", "summary": []}
    message = {"type": "message", "content": [{"type": "output_text", "text": "Good day"}]}
    usage = {
        "input_tokens": 5,
        "input_tokens_details": {"cached_tokens": 2},
        "output_tokens": 30,
        "output_tokens_details": {"reasoning_tokens": 20},
    }
    response = {"id": "resp_1", "created_at": 1_700_000_000, "output": [reasoning, message], "usage": usage}
    take_in(written(tmp_path, {"request": request, "response": response}), owner)
    assert shown(Prompt.objects.get()) == {
        "input_text": "Hello",
        "response_text": "Good day",
        "system_prompt": "Be brief.",
        "status": "recorded",
        "model": "gpt-5",
        "input_tokens": 5,
        "output_tokens": 30,
        "cached_tokens": 2,
        "reasoning_tokens": 20,
    }


def test_a_line_of_a_batch_that_failed(owner: User, tmp_path: Path) -> None:
    body = {"error": {"message": "Too many requests"}}
    take_in(written(tmp_path, {"custom_id": "b1", "response": {"status_code": 429, "body": body}}), owner)
    assert shown(Prompt.objects.get()) == {"status": "failed"}
    assert Prompt.objects.get().error_message == "Too many requests"


EVENTS = {
    "by name": [
        {"name": "gen_ai.content.prompt", "attributes": {"gen_ai.prompt": '[{"role": "user", "content": "Asked"}]'}},
        {"name": "gen_ai.content.completion", "attributes": {"gen_ai.completion": "Answered"}},
    ],
    "one a message": [
        {"name": "gen_ai.user.message", "attributes": [{"key": "content", "value": {"stringValue": "Asked"}}]},
        {"name": "gen_ai.choice", "attributes": {"message": '{"content": "Answered"}'}},
    ],
    "one for all": [
        {
            "name": "gen_ai.client.inference.operation.details",
            "attributes": {
                "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "Asked"}]}]',
                "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "content": "Answered"}]}]',
            },
        },
    ],
}


@pytest.mark.parametrize("events", EVENTS)
def test_spans_that_keep_what_was_said_in_events(owner: User, tmp_path: Path, events: str) -> None:
    finish = {"arrayValue": {"values": [{"stringValue": "stop"}]}}
    span = {
        "spanId": "s1",
        "name": "chat m-1",
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000000250000000",
        "attributes": [
            {"key": "gen_ai.request.model", "value": {"stringValue": "m-1"}},
            {"key": "gen_ai.usage.prompt_tokens", "value": {"intValue": "7"}},
            {"key": "gen_ai.usage.completion_tokens", "value": {"intValue": 3}},
            {"key": "gen_ai.response.finish_reasons", "value": finish},
        ],
        "events": EVENTS[events],
    }
    service = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    take_in(written(tmp_path, {"resourceSpans": [{"resource": service, "scopeSpans": [{"spans": [span]}]}]}), owner)
    prompt = Prompt.objects.get()
    assert shown(prompt) == {
        "input_text": "Asked",
        "response_text": "Answered",
        "status": "recorded",
        "model": "m-1",
        "finish_reason": "stop",
        "latency_ms": 250,
        "input_tokens": 7,
        "output_tokens": 3,
    }
    assert prompt.metadata["resource"] == {"service.name": "shop"}
