"""Checks that the parts of the content agree: names exist, values fit, nothing happens before its time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from .reader import SeedError
from .schema import (
    CATEGORIES,
    DECISIONS,
    GRANT_ROLES,
    PARTICIPANT_ROLES,
    STATUSES,
    TEAM_ROLES,
    VARIABLE_TYPES,
    VISIBILITIES,
    Conversation,
    Person,
    SeedData,
    Suggestion,
    Team,
    Template,
    Usage,
    Variable,
    Version,
)
from .usage import PLACEHOLDER

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def check(data: SeedData) -> None:
    """Raises SeedError, naming the file, for the first thing that does not fit."""
    people = {person.handle: person for person in data.people}
    teams = {team.slug: team for team in data.teams}
    templates = {template.slug: template for template in data.templates}
    models = {model.name for model in data.models}
    _guard("people.yaml", _check_people, data.people, data.teams, people)
    for template in data.templates:
        _guard(f"{template.slug}.md", _check_template, template, people, teams, templates)
    for conversation in data.conversations:
        _guard(f"{conversation.key}.yaml", _check_conversation, conversation, people, teams, templates, models)
    for suggestion in data.suggestions:
        _guard("community.yaml", _check_suggestion, suggestion, people, teams, templates)
    _guard("community.yaml", _check_reports, data, people, teams, templates)
    _guard("usage.yaml", _check_usage, data.usage, people, teams, templates, models)


def readers(template: Template, people: Iterable[str], teams: Mapping[str, Team]) -> set[str]:
    """The handles of those who may see the template."""
    if template.visibility == "public":
        return set(people)
    allowed = {template.owner}
    if template.visibility == "shared":
        for grant in template.grants:
            allowed |= {member.user for member in teams[grant.team].members} if grant.team else {grant.user}
    return allowed


def problem_with(variable: Variable, value: Any) -> str:
    """Why the value does not fit the variable; "" if it does."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    length = len(value) if isinstance(value, str) else 0
    fits = {
        "text": isinstance(value, str) and "\n" not in value,
        "long_text": isinstance(value, str),
        "number": number,
        "integer": number and isinstance(value, int),
        "choice": value in variable.options if isinstance(value, str) else False,
        "choices": isinstance(value, list) and set(value) <= set(variable.options),
        "boolean": isinstance(value, bool),
        "date": isinstance(value, str) and bool(DATE.fullmatch(value)),
        "url": isinstance(value, str) and urlsplit(value).scheme == "https",
        "json": isinstance(value, dict | list),
    }[variable.type]
    if not fits:
        return f"{variable.name}: {value!r} is no {variable.type}"
    too_low = number and variable.min is not None and value < variable.min
    if too_low or (number and variable.max is not None and value > variable.max):
        return f"{variable.name}: {value} is out of range"
    if variable.min_length and length < variable.min_length:
        return f"{variable.name}: {length} characters are too few"
    if variable.max_length and length > variable.max_length:
        return f"{variable.name}: {length} characters are too many"
    if variable.pattern and not re.fullmatch(variable.pattern, value):
        return f"{variable.name}: {value!r} does not have the form {variable.pattern}"
    return ""


def _guard(name: str, run: Callable[..., None], *parts: Any) -> None:
    try:
        run(*parts)
    except (LookupError, TypeError, ValueError) as error:
        raise SeedError(f"{name}: {error}") from error


def _need(condition: object, complaint: str) -> None:
    if not condition:
        raise ValueError(complaint)


def _known(names: Iterable[str], known: Iterable[str], kind: str) -> None:
    unknown = sorted(set(names) - set(known))
    _need(not unknown, f"unknown {kind}: {', '.join(unknown)}")


def _check_people(people: tuple[Person, ...], teams: tuple[Team, ...], handles: Mapping[str, Person]) -> None:
    _need(len(handles) == len(people), "two people have one handle")
    for person in people:
        _need(person.email.endswith("@example.com"), f"{person.email} is not an example address")
    for team in teams:
        _known((member.user for member in team.members), handles, "people")
        _known((member.role for member in team.members), TEAM_ROLES, "team roles")


def _check_template(
    template: Template, people: Mapping[str, Person], teams: Mapping[str, Team], templates: Mapping[str, Template]
) -> None:
    _known([template.category], CATEGORIES, "categories")
    _known([template.visibility], VISIBILITIES, "visibilities")
    _known([template.owner, *template.favorites, *(version.author for version in template.versions)], people, "people")
    _known((grant.role for grant in template.grants), GRANT_ROLES, "roles")
    _known((grant.user for grant in template.grants if grant.user), people, "people")
    _known((grant.team for grant in template.grants if grant.team), teams, "teams")
    _need(all(bool(grant.user) != bool(grant.team) for grant in template.grants), "a grant is for a person or a team")
    numbers = [version.number for version in template.versions]
    _need(numbers == list(range(1, len(numbers) + 1)), f"the versions are numbered {numbers}")
    days = [version.days_ago for version in template.versions]
    _need(days == sorted(set(days), reverse=True), f"the versions’ days are {days}")
    _known(map(str, template.labels.values()), map(str, numbers), "labelled versions")
    for version in template.versions:
        _check_version(version)
    allowed = readers(template, people, teams)
    _known(template.favorites, allowed, "readers")
    _check_ratings(template, allowed - {template.owner})
    if fork := template.forked_from:
        origin = templates[fork.slug].version(fork.version)
        _need(origin.days_ago > template.versions[0].days_ago, "it was forked from a version that came later")


def _check_version(version: Version) -> None:
    declared = [variable.name for variable in version.variables]
    used = set(PLACEHOLDER.findall(version.system_prompt + version.body))
    _need(len(set(declared)) == len(declared), f"version {version.number} declares a variable twice")
    difference = sorted(used ^ set(declared))
    _need(not difference, f"version {version.number}: not both declared and used: {', '.join(difference)}")
    for variable in version.variables:
        _known([variable.type], VARIABLE_TYPES, "types")
        _need(bool(variable.options) == variable.type.startswith("choice"), f"{variable.name}: options")
        if variable.default is not None:
            complaint = problem_with(variable, variable.default)
            _need(not complaint, f"the default of {complaint}")


def _check_ratings(template: Template, raters: set[str]) -> None:
    users = [rating.user for rating in template.ratings]
    _known(users, raters, "raters")
    _need(len(set(users)) == len(users), "somebody rates it twice")
    for rating in template.ratings:
        _need(1 <= rating.score <= 5, f"{rating.user} gives {rating.score} stars")
        standing = template.version_on(rating.days_ago)
        known = standing is not None and template.version(rating.version).number <= standing.number
        _need(known, f"{rating.user} rates version {rating.version} before it was there")


def _check_suggestion(
    suggestion: Suggestion, people: Mapping[str, Person], teams: Mapping[str, Team], templates: Mapping[str, Template]
) -> None:
    template = templates[suggestion.template]
    base = template.version(suggestion.version)
    allowed = readers(template, people, teams)
    _known([suggestion.author, *(comment.user for comment in suggestion.comments)], allowed, "readers")
    _need(base.days_ago >= suggestion.days_ago, f"it is older than version {base.number}")
    for change in suggestion.changes:
        found = (base.system_prompt + base.body).count(change.old)
        _need(found == 1, f"version {base.number} says {found} times: {change.old}")
    moments = [(-suggestion.days_ago, suggestion.time)]
    moments += [(-comment.days_ago, comment.time) for comment in suggestion.comments]
    _need(moments == sorted(moments), "its comments are not in order of time")
    if decision := suggestion.decision:
        _known([decision.status], DECISIONS, "decisions")
        _known([decision.user], allowed, "readers")
        _need(bool(decision.version) == (decision.status == "accepted"), "only an accepted one becomes a version")
        _need(not decision.version or template.version(decision.version).number > base.number, "it became an older one")


def _check_reports(
    data: SeedData, people: Mapping[str, Person], teams: Mapping[str, Team], templates: Mapping[str, Template]
) -> None:
    for report in data.reports:
        template = templates[report.template]
        _known([report.rating_by], [rating.user for rating in template.ratings], "reviewers")
        _known([report.user], readers(template, people, teams) - {report.rating_by}, "readers")


def _check_values(version: Version, values: Mapping[str, Any]) -> None:
    variables = {variable.name: variable for variable in version.variables}
    _known(values, variables, "variables")
    required = {name for name, item in variables.items() if item.required and item.default is None}
    missing = sorted(required - set(values))
    _need(not missing, f"missing values: {', '.join(missing)}")
    for name, value in values.items():
        complaint = problem_with(variables[name], value)
        _need(not complaint, complaint)


def _check_conversation(
    conversation: Conversation,
    people: Mapping[str, Person],
    teams: Mapping[str, Team],
    templates: Mapping[str, Template],
    models: set[str],
) -> None:
    seats = {conversation.owner: "owner"} | {seat.user: seat.role for seat in conversation.participants}
    _known(seats, people, "people")
    _known(seats.values(), PARTICIPANT_ROLES, "roles")
    _known([conversation.model], models, "models")
    moments = [(-item.days_ago, item.time) for item in conversation.interactions]
    _need(moments == sorted(moments), "the interactions are not in order of time")
    for index, item in enumerate(conversation.interactions):
        _known([item.status], STATUSES, "statuses")
        _known([item.author], [user for user, role in seats.items() if role in ("owner", "editor")], "authors")
        writers = [user for user, role in seats.items() if role != "viewer"]
        _known((comment.user for comment in item.comments), writers, "commenters")
        _need(item.parent is None or item.parent < index, f"interaction {index} answers a later one")
        _need(bool(item.template) != bool(item.input_text), f"interaction {index} needs a template or a text")
        _need(bool(item.response) == (item.status != "failed"), f"interaction {index}: {item.status} and its answer")
        _need(bool(item.error_code) == (item.status in ("failed", "interrupted")), f"interaction {index}: its error")
        if item.status != "recorded":
            _known([item.model], models, "models")
        if item.template:
            template = templates[item.template]
            _known([item.author], readers(template, people, teams), "readers")
            version = template.version(item.version or 0)
            _need(version.days_ago >= item.days_ago, f"interaction {index} uses version {version.number} too early")
            _check_values(version, item.values)


def _check_usage(
    usage: Usage,
    people: Mapping[str, Person],
    teams: Mapping[str, Team],
    templates: Mapping[str, Template],
    models: set[str],
) -> None:
    for recipe in usage.recipes:
        template = templates[recipe.template]
        _known(recipe.people, readers(template, people, teams), f"readers of {recipe.template}")
        _known(recipe.models, models, "models")
        _need(template.version_on(1), f"{recipe.template} is too young")
        for version in template.versions:
            for case in recipe.cases:
                names = {variable.name for variable in version.variables}
                current = {variable.name for variable in template.current.variables}
                _known(case.values, current, f"variables of {recipe.template}")
                _check_values(version, {name: value for name, value in case.values.items() if name in names})
