"""What the demonstration content consists of, as plain values: nothing here knows the database."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from datetime import time
from typing import Any

CATEGORIES = tuple(
    "writing engineering analysis product support marketing legal research education operations design everyday".split()
)
VARIABLE_TYPES = tuple("text long_text number integer choice choices boolean date url json".split())
VISIBILITIES = ("public", "shared", "private")
GRANT_ROLES = ("viewer", "editor")
TEAM_ROLES = ("owner", "member")
PARTICIPANT_ROLES = ("owner", "editor", "commenter", "viewer")
STATUSES = ("completed", "recorded", "failed", "interrupted")

DECISIONS = ("accepted", "rejected", "withdrawn")

JSONObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in; `is_staff` opens the admin, `is_curator` the shared shelves."""

    handle: str
    display_name: str
    email: str
    bio: str
    timezone: str
    locale: str
    is_staff: bool = False
    is_curator: bool = False
    joined_days_ago: int = 180


@dataclass(frozen=True, slots=True)
class Membership:
    user: str
    role: str = "member"


@dataclass(frozen=True, slots=True)
class Team:
    slug: str
    name: str
    description: str
    members: tuple[Membership, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A model name the content mentions, with a demonstration price per million tokens, as decimal strings."""

    name: str
    label: str
    input_price: str
    cached_price: str
    output_price: str
    currency: str = "EUR"


@dataclass(frozen=True, slots=True)
class Variable:
    """One field of the typed contract; a default counts as a value."""

    name: str
    type: str
    label: str
    help: str = ""
    default: Any = None
    required: bool = False
    min: int | float | None = None
    max: int | float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str = ""
    options: tuple[str, ...] = ()
    example: Any = None

    def as_contract(self) -> JSONObject:
        """The variable as a version's JSON column keeps it: only what says something; an example is text."""
        contract: JSONObject = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if value is None or value == "" or value == () or (item.name == "required" and not value):
                continue
            if item.name == "example" and not isinstance(value, str):
                value = json.dumps(value, ensure_ascii=False)
            contract[item.name] = list(value) if isinstance(value, tuple) else value
        return contract


@dataclass(frozen=True, slots=True)
class Version:
    number: int
    author: str
    change_note: str
    days_ago: int
    system_prompt: str
    body: str
    variables: tuple[Variable, ...]
    parameters: JSONObject

    @property
    def contract(self) -> list[JSONObject]:
        return [variable.as_contract() for variable in self.variables]


@dataclass(frozen=True, slots=True)
class Rating:
    user: str
    score: int
    version: int
    review: str
    days_ago: int
    model: str = ""
    task: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """A right on a template, for one person or one team."""

    role: str
    user: str = ""
    team: str = ""


@dataclass(frozen=True, slots=True)
class Fork:
    """The version a template was forked from."""

    slug: str
    version: int


@dataclass(frozen=True, slots=True)
class Template:
    """A template with all its versions, oldest first; the last one is the current one."""

    slug: str
    title: str
    summary: str
    category: str
    language: str
    tags: tuple[str, ...]
    owner: str
    visibility: str
    versions: tuple[Version, ...]
    labels: dict[str, int] = field(default_factory=dict)
    ratings: tuple[Rating, ...] = ()
    grants: tuple[Grant, ...] = ()
    favorites: tuple[str, ...] = ()
    forked_from: Fork | None = None

    @property
    def current(self) -> Version:
        return self.versions[-1]

    def version(self, number: int) -> Version:
        """The version of that number; KeyError when there is none."""
        for version in self.versions:
            if version.number == number:
                return version
        raise KeyError(number)

    def version_on(self, days_ago: int) -> Version | None:
        """What was the newest version on that day; None before the first."""
        standing = [version for version in self.versions if version.days_ago >= days_ago]
        return standing[-1] if standing else None


@dataclass(frozen=True, slots=True)
class Comment:
    user: str
    text: str
    days_ago: int
    time: time


@dataclass(frozen=True, slots=True)
class Change:
    """Words of a version's system prompt or prompt, and what somebody would have in their place."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a suggestion: `accepted` as version `version`, `rejected`, or `withdrawn` by its author."""

    status: str
    user: str
    days_ago: int
    time: time
    note: str = ""
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A change that somebody proposes for `version` of a template, and what people say about it."""

    template: str
    version: int
    author: str
    days_ago: int
    time: time
    message: str
    changes: tuple[Change, ...]
    comments: tuple[Comment, ...] = ()
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody holds against the review of `rating_by`."""

    template: str
    rating_by: str
    user: str
    days_ago: int
    time: time
    reason: str


@dataclass(frozen=True, slots=True)
class Interaction:
    """One prompt and its answer.

    Either `template` (with `version` and `values`: render it) or `input_text` is set. `parent` is the index of the
    interaction before it in the same conversation, None for the first. Tokens are estimated over the whole
    thread up to here; they and the times are None where nothing was measured (recorded by hand, or failed).
    """

    author: str
    days_ago: int
    time: time
    status: str
    response: str
    provider: str
    model: str
    template: str = ""
    version: int | None = None
    values: JSONObject = field(default_factory=dict)
    input_text: str = ""
    parent: int | None = None
    error_code: str = ""
    error_message: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    latency_ms: int | None = None
    first_token_ms: int | None = None
    finish_reason: str = ""
    feedback: int | None = None
    feedback_note: str = ""
    comments: tuple[Comment, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread; `key` is its file's name, unique and stable, for a seed that is repeated."""

    key: str
    title: str
    owner: str
    model: str
    interactions: tuple[Interaction, ...]
    participants: tuple[Membership, ...] = ()
    summary: str = ""
    system_prompt: str = ""


@dataclass(frozen=True, slots=True)
class UsageCase:
    """Values that somebody filled in, and the answers that came back at one time or another."""

    values: JSONObject
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UsageRecipe:
    """How often, by whom and with what a template is run; a person's runs make one conversation of that title."""

    template: str
    conversation: str
    runs: int
    people: dict[str, int]
    models: dict[str, int]
    latency_ms: tuple[int, int]
    cases: tuple[UsageCase, ...]
    failure_rate: float = 0.0
    approval: float = 0.9


@dataclass(frozen=True, slots=True)
class Failure:
    code: str
    message: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Outage:
    """A bad day: the failure rate of everything, raised to this."""

    days_ago: int
    failure_rate: float


@dataclass(frozen=True, slots=True)
class Usage:
    """The recipe for the everyday runs; the same seed gives the same runs."""

    seed: int
    days: int
    weekend_share: float
    failures: tuple[Failure, ...]
    outages: tuple[Outage, ...]
    recipes: tuple[UsageRecipe, ...]


@dataclass(frozen=True, slots=True)
class SeedData:
    people: tuple[Person, ...]
    teams: tuple[Team, ...]
    models: tuple[Model, ...]
    templates: tuple[Template, ...]
    conversations: tuple[Conversation, ...]
    usage: Usage
    suggestions: tuple[Suggestion, ...] = ()
    reports: tuple[Report, ...] = ()

    def template(self, slug: str) -> Template:
        """The template of that slug; KeyError when there is none."""
        for template in self.templates:
            if template.slug == slug:
                return template
        raise KeyError(slug)
