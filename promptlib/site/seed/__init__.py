"""The demonstration content: people, templates, conversations and everyday runs, written for promptlib.

Nothing here touches the database. `load()` reads and checks the files of this folder; `expand_usage(...)` draws the
everyday runs, which are conversations like any other.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .check import check
from .reader import SeedError, read_community, read_conversations, read_people, read_templates, read_usage
from .schema import Conversation, Interaction, SeedData, Template
from .usage import estimate_tokens, expand_usage, values_for, with_tokens

__all__ = ["SeedData", "SeedError", "estimate_tokens", "expand_usage", "load", "values_for"]

FOLDER = Path(__file__).parent


def load(folder: Path = FOLDER) -> SeedData:
    """Everything in `folder`, checked. Raises SeedError, which names the file, at the first mistake."""
    people, teams, models = read_people(folder / "people.yaml")
    templates = read_templates(folder / "templates")
    suggestions, reports = read_community(folder / "community.yaml")
    by_slug = {template.slug: template for template in templates}
    data = SeedData(
        people=people,
        teams=teams,
        models=models,
        templates=templates,
        conversations=tuple(_versioned(item, by_slug) for item in read_conversations(folder / "conversations")),
        usage=read_usage(folder / "usage.yaml"),
        suggestions=suggestions,
        reports=reports,
    )
    check(data)
    return replace(data, conversations=tuple(with_tokens(item, by_slug) for item in data.conversations))


def _versioned(conversation: Conversation, templates: dict[str, Template]) -> Conversation:
    """Each run of a template names its version: the newest of that day, unless the file says another."""

    def version_of(item: Interaction) -> int | None:
        if not item.template or item.version:
            return item.version
        if item.template not in templates:
            raise SeedError(f"{conversation.key}.yaml: there is no template {item.template}")
        standing = templates[item.template].version_on(item.days_ago)
        return standing.number if standing else None

    return replace(
        conversation,
        interactions=tuple(replace(item, version=version_of(item)) for item in conversation.interactions),
    )
