"""Draws the everyday runs that `usage.yaml` describes, and estimates what interactions would have measured."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

from .schema import Conversation, Failure, Interaction, Template, Usage, UsageRecipe, Version

PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
FIRST_HOUR, LAST_HOUR = 8, 17
FEEDBACK_SHARE = 0.35
TIMEOUT_MS = 60_000


def estimate_tokens(text: str) -> int:
    """About how many tokens a text has: four characters to one, but one to each Chinese or Japanese character."""
    wide = sum(ord(character) >= 0x2E80 for character in text)
    return wide + math.ceil((len(text) - wide) / 4)


def fill(text: str, values: Mapping[str, Any]) -> str:
    """The text with its values, good enough to estimate its length."""
    return PLACEHOLDER.sub(lambda match: _as_text(values.get(match[1])), text)


def values_for(version: Version, values: Mapping[str, Any]) -> dict[str, Any]:
    """What this version asks for: the given values that it knows, and its defaults."""
    known = {variable.name: variable.default for variable in version.variables}
    return {name: values.get(name, default) for name, default in known.items() if values.get(name, default) is not None}


def with_tokens(conversation: Conversation, templates: Mapping[str, Template]) -> Conversation:
    """The conversation with its tokens estimated: an input holds everything said on its branch before it."""
    done: list[Interaction] = []
    threads: list[int] = []
    for item in conversation.interactions:
        question = estimate_tokens(conversation.system_prompt + _question(item, templates))
        context = threads[item.parent] if item.parent is not None else 0
        answer = estimate_tokens(item.response)
        threads.append(context + question + answer)
        if item.status in ("recorded", "failed"):
            done.append(item)
        else:
            done.append(
                replace(
                    item,
                    input_tokens=context + question if item.input_tokens is None else item.input_tokens,
                    output_tokens=answer if item.output_tokens is None else item.output_tokens,
                )
            )
    return replace(conversation, interactions=tuple(done))


def expand_usage(usage: Usage, templates: Mapping[str, Template], today: date) -> tuple[Conversation, ...]:
    """About three hundred interactions, as one conversation for each person and recipe, in order of time.

    Depends on nothing but its arguments: `today` decides which days are weekends.
    """
    conversations: list[Conversation] = []
    for recipe in usage.recipes:
        chance = random.Random(f"{usage.seed}:{recipe.template}")  # noqa: S311  content, not a secret
        runs: dict[str, list[Interaction]] = {}
        for _ in range(recipe.runs):
            run = _run(usage, recipe, templates[recipe.template], today, chance)
            runs.setdefault(run.author, []).append(run)
        for author, items in sorted(runs.items()):
            ordered = sorted(items, key=lambda item: (-item.days_ago, item.time))
            conversation = Conversation(
                key=f"usage-{recipe.template}-{author}",
                title=recipe.conversation,
                owner=author,
                model=max(recipe.models, key=lambda name: recipe.models[name]),
                interactions=tuple(ordered),
            )
            conversations.append(with_tokens(conversation, templates))
    return tuple(conversations)


def _run(usage: Usage, recipe: UsageRecipe, template: Template, today: date, chance: random.Random) -> Interaction:
    days_ago = _day(usage, template, today, chance)
    version = template.version_on(days_ago)
    assert version is not None
    case = chance.choice(recipe.cases)
    rate = max([recipe.failure_rate, *(day.failure_rate for day in usage.outages if day.days_ago == days_ago)])
    failure = _weighted({item: item.weight for item in usage.failures}, chance) if chance.random() < rate else None
    latency = _latency(recipe, failure, chance)
    answered = failure is None
    answer = chance.choice(case.answers)
    feedback = None
    if chance.random() < FEEDBACK_SHARE and answered:
        feedback = 1 if chance.random() < recipe.approval else -1
    return Interaction(
        author=_weighted(recipe.people, chance),
        days_ago=days_ago,
        time=time(chance.randint(FIRST_HOUR, LAST_HOUR), chance.randint(0, 59), chance.randint(0, 59)),
        status="completed" if answered else "failed",
        response=answer.rstrip() if answered else "",
        provider="demo",
        model=_weighted(recipe.models, chance),
        template=template.slug,
        version=version.number,
        values=values_for(version, case.values),
        error_code=failure.code if failure else "",
        error_message=failure.message if failure else "",
        latency_ms=latency,
        first_token_ms=max(120, round(latency * chance.uniform(0.1, 0.3))) if answered else None,
        finish_reason="stop" if answered else "",
        feedback=feedback,
    )


def _day(usage: Usage, template: Template, today: date, chance: random.Random) -> int:
    """A day since the template exists: fewer runs at weekends, more of them lately."""
    days = [day for day in range(1, usage.days + 1) if template.version_on(day)]
    weights = [
        (usage.weekend_share if (today - timedelta(days=day)).weekday() >= 5 else 1.0) * (1.6 - day / usage.days)
        for day in days
    ]
    return chance.choices(days, weights)[0]


def _latency(recipe: UsageRecipe, failure: Failure | None, chance: random.Random) -> int:
    low, high = recipe.latency_ms
    if failure is not None:
        return TIMEOUT_MS if "timeout" in failure.code else chance.randint(150, 900)
    slow = 2.4 if chance.random() < 0.04 else 1.0
    return round(chance.triangular(low, high, low + (high - low) * 0.3) * slow)


def _weighted(weights: Mapping[Any, int], chance: random.Random) -> Any:
    return chance.choices(list(weights), list(weights.values()))[0]


def _question(item: Interaction, templates: Mapping[str, Template]) -> str:
    if not item.template:
        return item.input_text
    version = templates[item.template].version(item.version or templates[item.template].current.number)
    values = values_for(version, item.values)
    return fill(version.system_prompt, values) + fill(version.body, values)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False, indent=2) if isinstance(value, dict) else str(value)
