"""Calls of models that were recorded elsewhere, one JSON object a line: each becomes an interaction.

Read are: one flat object a call (`messages`, `response`, token counts, `latency_ms`); pairs of `request` and `response`
as OpenAI's and Anthropic's HTTP interfaces have them; OpenTelemetry's spans with `gen_ai.*` attributes; MT-Bench's
questions and answers. All calls of one file that belong to nothing else make one conversation.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from conversations.importers.assembling import ConversationRecord, TurnRecord
from conversations.importers.files import Broken
from conversations.importers.threads import BadThread, count, moment, text
from templates_app.importers.records import clean_text, short_hash, storable

SOURCE = "calls"
_SYSTEM = ("system", "developer")
_FLAT = {"messages", "response", "system", "model", "prompt_tokens", "completion_tokens", "finish_reason"}


def read_calls(entries: list[Any], name: str) -> Iterator[ConversationRecord | BadThread]:
    """One conversation of all calls, called by the file's name; one for each question of MT-Bench."""
    together = ConversationRecord(name, SOURCE, name[:200], Path(name).stem.replace("-", " ").replace("_", " ")[:300])
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries, start=1):
        place = _("call %(number)d") % {"number": number}
        found = _read(entry, place)
        if isinstance(found, TurnRecord):
            seen[found.key] = seen.get(found.key, 0) + 1
            if seen[found.key] > 1:
                found.key += f"-{seen[found.key]}"
            together.turns.append(found)
        else:
            yield found
    times = [turn.created_at for turn in together.turns if turn.created_at]
    together.created_at, together.updated_at = (min(times), max(times)) if times else (None, None)
    if together.turns:
        yield together


def spans_of(groups: list[Any]) -> Iterator[Any]:
    """The spans inside what an OpenTelemetry collector writes, with what is known of the service they ran in."""
    for group in map(_object, groups):
        resource = _attributes(_object(group.get("resource")).get("attributes"))
        for scope in group.get("scopeSpans") or group.get("instrumentationLibrarySpans") or []:
            for span in _object(scope).get("spans") or []:
                yield {**span, "resource": resource} if isinstance(span, dict) and resource else span


def is_call(entry: Any) -> bool:
    return isinstance(entry, dict) and any(matches(entry) for matches, _reader in _READERS)


def _read(entry: Any, place: str) -> TurnRecord | ConversationRecord | BadThread:
    if isinstance(entry, Broken):
        return BadThread(place, entry.reason)
    if not isinstance(entry, dict):
        return BadThread(place, _("It is not an object with named fields."))
    for matches, reader in _READERS:
        if matches(entry):
            try:
                return reader(entry, place)
            except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
                return BadThread(place, _("It cannot be read: %(reason)s") % {"reason": error})
    return BadThread(place, _("It is no recorded call in a known form."))


# ---- forms of a call -------------------------------------------------------


def _flat(entry: dict[str, Any], _place: str) -> TurnRecord:
    rest = {key: value for key, value in entry.items() if key not in _FLAT and value not in (None, "", [])}
    return _turn(
        entry["messages"],
        text(entry.get("response")),
        key=text(entry.get("source")),
        system=text(entry.get("system")),
        model=text(entry.get("model")) or text(entry.get("model_requested")),
        provider=text(entry.get("provider_host")),
        at=entry.get("created_at"),
        tokens=(entry.get("prompt_tokens"), entry.get("completion_tokens"), None, None),
        latency=entry.get("latency_ms"),
        finish=text(entry.get("finish_reason")),
        error=_error(entry.get("error"), entry.get("status")),
        extra=rest,
    )


def _pair(entry: dict[str, Any], _place: str) -> TurnRecord:
    request, response = _body(_object(entry.get("request"))), _body(entry["response"])
    usage = response.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    parts = ("prompt_tokens_details", "completion_tokens_details", "input_tokens_details", "output_tokens_details")
    details = {name: value for part in parts for name, value in _object(usage.get(part)).items()}
    choices = response.get("choices")
    choice = _object(choices[0]) if isinstance(choices, list) and choices else {}
    message = _object(choice.get("message"))
    said = _words(message.get("content")) or text(choice.get("text")) or _words(response.get("content"))
    said = said or _answered(response.get("output"))
    return _turn(
        request.get("messages") or request.get("prompt") or request.get("input"),
        said,
        key=text(response.get("id")) or text(entry.get("id")) or text(entry.get("custom_id")),
        system=_words(request.get("system")) or text(request.get("instructions")),
        model=text(response.get("model")) or text(request.get("model")),
        provider=text(entry.get("provider")) or text(entry.get("provider_host")),
        at=entry.get("created_at") or entry.get("timestamp") or response.get("created") or response.get("created_at"),
        tokens=(
            usage.get("prompt_tokens", usage.get("input_tokens")),
            usage.get("completion_tokens", usage.get("output_tokens")),
            details.get("cached_tokens", usage.get("cache_read_input_tokens")),
            details.get("reasoning_tokens"),
        ),
        latency=entry.get("latency_ms"),
        finish=text(choice.get("finish_reason")) or text(response.get("stop_reason")),
        error=_error(response.get("error") or entry.get("error"), entry.get("status") or _status(entry["response"])),
        extra={"request": request, "response": response},
    )


def _span(entry: dict[str, Any], _place: str) -> TurnRecord:
    facts = {**_attributes(entry["attributes"]), **_of_events(entry.get("events"))}
    start = entry.get("start_time") or _seconds(entry.get("startTimeUnixNano"))
    end = entry.get("end_time") or _seconds(entry.get("endTimeUnixNano"))
    began, ended = moment(start), moment(end)
    finish = facts.get("gen_ai.response.finish_reasons")
    asked = _said(facts, "gen_ai.input.messages", "gen_ai.prompt")
    answered = _said(facts, "gen_ai.output.messages", "gen_ai.completion")
    return _turn(
        asked,
        "\n\n".join(_words(_object(each).get("content") or _object(each).get("parts")) for each in answered),
        key=text(entry.get("span_id")) or text(entry.get("spanId")) or text(facts.get("gen_ai.response.id")),
        system=_words(_parsed(facts.get("gen_ai.system_instructions"))),
        model=text(facts.get("gen_ai.response.model")) or text(facts.get("gen_ai.request.model")),
        provider=text(facts.get("gen_ai.provider.name")) or text(facts.get("gen_ai.system")),
        at=start,
        tokens=(
            _first(facts, "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
            _first(facts, "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
            _first(facts, "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"),
            _first(facts, "gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"),
        ),
        latency=round((ended - began) / timedelta(milliseconds=1)) if began and ended else None,
        finish=text(finish[0]) if isinstance(finish, list) and finish else text(finish),
        error=text(facts.get("error.type")) or _failed(entry.get("status")),
        extra=facts if "resource" not in entry else {**facts, "resource": entry["resource"]},
    )


def _question(entry: dict[str, Any], place: str) -> ConversationRecord:
    turns = [each for each in entry["turns"] if isinstance(each, str)]
    answers = [each for each in entry.get("reference") or [] if isinstance(each, str)]
    return _bench(entry, place, turns, answers + [""] * (len(turns) - len(answers)), "")


def _answer(entry: dict[str, Any], place: str) -> ConversationRecord:
    answers = [each for each in entry["choices"][0]["turns"] if isinstance(each, str)]
    return _bench(entry, place, [""] * len(answers), answers, text(entry.get("model_id")))


def _bench(entry: dict[str, Any], place: str, turns: list[str], answers: list[str], model: str) -> ConversationRecord:
    """Questions and answers stand in different files: they meet under the question's number."""
    number = str(entry["question_id"])
    title = clean_text(" ".join((turns[0] if turns and turns[0] else _("Question %(id)s") % {"id": number}).split()))
    record = ConversationRecord(place, "mt-bench", number, title[:300], created_at=moment(entry.get("tstamp")))
    record.tags = tuple(filter(None, [text(entry.get("category"))]))
    for place_in, (asked, answered) in enumerate(zip(turns, answers, strict=False)):
        record.turns.append(
            TurnRecord(
                str(place_in),
                str(place_in - 1) if place_in else None,
                clean_text(asked),
                clean_text(answered),
                model=model[:120] if answered else "",
                created_at=moment(entry.get("tstamp")),
            )
        )
    return record


_READERS = (
    (lambda entry: isinstance(entry.get("request"), dict) and isinstance(entry.get("response"), dict), _pair),
    (lambda entry: "custom_id" in entry and isinstance(entry.get("response"), dict), _pair),
    (lambda entry: "attributes" in entry and ("span_id" in entry or "spanId" in entry or "name" in entry), _span),
    (lambda entry: isinstance(entry.get("messages"), list) and "response" in entry, _flat),
    (lambda entry: "question_id" in entry and isinstance(entry.get("turns"), list), _question),
    (lambda entry: "question_id" in entry and isinstance(entry.get("choices"), list), _answer),
)


# ---- one interaction -------------------------------------------------------


def _turn(
    messages: Any,
    response: str,
    *,
    key: str,
    system: str,
    model: str,
    provider: str,
    at: Any,
    tokens: tuple[Any, Any, Any, Any],
    latency: Any,
    finish: str,
    error: str,
    extra: Mapping[str, Any],
) -> TurnRecord:
    said = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages or []
    said = [each for each in said if isinstance(each, dict)]
    systems = [_words(each.get("content") or each.get("parts")) for each in said if each.get("role") in _SYSTEM]
    asked = [each for each in said if each.get("role") not in _SYSTEM]
    last = next((number for number, each in reversed(list(enumerate(asked))) if each.get("role") == "user"), -1)
    question = _words(asked[last].get("content") or asked[last].get("parts")) if asked else ""
    earlier = asked[:last] if last > 0 else []
    created, waited = moment(at), count(latency)
    columns: dict[str, Any] = {
        "provider": clean_text(provider)[:64],
        "latency_ms": waited,
        "cached_tokens": count(tokens[2]),
        "reasoning_tokens": count(tokens[3]),
        "metadata": storable({"earlier": earlier, **extra} if earlier else dict(extra)),
    }
    made_of = json.dumps([said, response, str(at)], ensure_ascii=False, default=str)
    return TurnRecord(
        key[:200] or f"#{short_hash(clean_text(made_of))}",
        None,
        clean_text(question),
        clean_text(response),
        system_prompt=clean_text("\n\n".join(filter(None, [system, *systems]))),
        status="failed" if error else "recorded",
        error=clean_text(error),
        model=clean_text(model)[:120],
        created_at=created,
        completed_at=created + timedelta(milliseconds=waited) if created and waited is not None else None,
        input_tokens=count(tokens[0]),
        output_tokens=count(tokens[1]),
        finish_reason=clean_text(finish)[:64],
        columns=columns,
    )


def _words(content: Any) -> str:
    """The text of a content: a string, or parts of which some are text."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    found = [
        part if isinstance(part, str) else _object(part).get("text") or _object(part).get("content") for part in parts
    ]
    return "\n\n".join(each for each in found if isinstance(each, str) and each)


def _error(error: Any, status: Any) -> str:
    if isinstance(error, dict):
        error = error.get("message") or json.dumps(error, ensure_ascii=False)
    if error:
        return str(error)
    return f"HTTP {status}" if isinstance(status, int) and status >= 400 else ""


def _body(message: dict[str, Any]) -> dict[str, Any]:
    """What was sent, out of the envelope in which some recorders keep it."""
    body = message.get("body", message)
    body = _parsed(body)
    return body if isinstance(body, dict) else message


def _attributes(attributes: Any) -> dict[str, Any]:
    """As an object, or as the list of keys and typed values that the protocol sends."""
    if isinstance(attributes, dict):
        return attributes
    listed = attributes if isinstance(attributes, list) else []
    return {str(_object(each).get("key")): _value(_object(each).get("value")) for each in listed}


def _value(value: Any) -> Any:
    """A typed value of the protocol: {"intValue": "7"}, {"arrayValue": {"values": […]}}, {"kvlistValue": …}."""
    kind, known = next(iter(_object(value).items()), ("", None))
    if kind == "intValue":
        return int(str(known))
    if kind == "arrayValue":
        return [_value(each) for each in _object(known).get("values") or []]
    if kind == "kvlistValue":
        return _attributes(_object(known).get("values"))
    return known


def _of_events(events: Any) -> dict[str, Any]:
    """Where an older generation keeps what was said: in events of the span, by name, or one for each message."""
    found: dict[str, Any] = {}
    for event in map(_object, events if isinstance(events, list) else []):
        facts, name = _attributes(event.get("attributes")), text(event.get("name"))
        found |= {key: value for key, value in facts.items() if key in ("gen_ai.prompt", "gen_ai.completion")}
        role = name.removeprefix("gen_ai.").removesuffix(".message")
        if name == "gen_ai.choice":
            said = _object(_parsed(facts.get("message"))).get("content") or facts.get("content")
            found.setdefault("gen_ai.completion", []).append({"role": "assistant", "content": said})
        elif name.endswith(".message") and role in (*_SYSTEM, "user", "assistant", "tool"):
            found.setdefault("gen_ai.prompt", []).append({"role": role, "content": facts.get("content")})
        elif name.startswith("gen_ai."):
            found |= facts
    return found


def _first(facts: Mapping[str, Any], *names: str) -> Any:
    return next((facts[name] for name in names if facts.get(name) is not None), None)


def _failed(status: Any) -> str:
    """A span's status: code 2 is an error."""
    facts = _object(status)
    is_error = facts.get("code") in (2, "STATUS_CODE_ERROR", "ERROR") or facts.get("status_code") == "ERROR"
    return text(facts.get("message")) or text(facts.get("description")) or _("It failed.") if is_error else ""


def _status(response: Any) -> Any:
    """The status of HTTP, where the response stands in its envelope."""
    facts = _object(response)
    return facts.get("status_code", facts.get("status"))


def _answered(output: Any) -> str:
    """The words of OpenAI's newer interface, in which an answer is a list of items."""
    items = [_object(item) for item in output] if isinstance(output, list) else []
    return "\n\n".join(filter(None, (_words(item.get("content")) for item in items if item.get("type") == "message")))


def _said(facts: dict[str, Any], *names: str) -> list[Any]:
    """Messages as JSON under one name, or under numbered names: `gen_ai.prompt.0.role`, `gen_ai.prompt.0.content`."""
    for name in names:
        value = _parsed(facts.get(name))
        if isinstance(value, list):
            return value
        if isinstance(value, str) and value:
            return [{"role": "user" if "prompt" in name or "input" in name else "assistant", "content": value}]
        numbered: dict[int, dict[str, Any]] = {}
        for key, part in facts.items():
            number, _dot, field = key.removeprefix(f"{name}.").partition(".")
            if key.startswith(f"{name}.") and number.isdecimal():
                numbered.setdefault(int(number), {})[field] = part
        if numbered:
            return [numbered[number] for number in sorted(numbered)]
    return []


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _seconds(nanoseconds: Any) -> float | None:
    try:
        return int(nanoseconds) / 1_000_000_000
    except (TypeError, ValueError):
        return None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
