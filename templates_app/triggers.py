"""Triggers of the library: statistics from their rows, and versions that nothing can change."""

from accounts.forgetting import FORMER_MEMBER
from audit.triggers import hold_triggers
from promptlib.core.sql import Trigger, distinct, refuse
from promptlib.core.statistics import Counter

ALIVE = "{row}.deleted_at IS NULL"

# MySQL fires triggers in the order they were created: version before template, as a finished run does too, so that a
# rating and a run of the same template wait for each other and never deadlock.
COUNTERS = [
    Counter(
        name="template_versions_counted",
        source="template_versions",
        target="templates",
        key={"id": "{row}.template_id"},
        sums={"version_count": "1", "usage_count": "{row}.usage_count", "total_cost": "{row}.total_cost"},
        latest={"last_used_at": "{row}.last_used_at"},
        watch=("template_id", "usage_count", "total_cost", "last_used_at"),
    ),
    Counter(
        name="template_ratings_by_version",
        source="template_ratings",
        target="template_versions",
        key={"id": "{row}.version_id"},
        when=ALIVE,
        sums={"rating_count": "1", "rating_sum": "{row}.score"},
        watch=("version_id", "score", "deleted_at"),
    ),
    Counter(
        name="template_ratings_counted",
        source="template_ratings",
        target="templates",
        key={"id": "{row}.template_id"},
        when=ALIVE,
        sums={"rating_count": "1", "rating_sum": "{row}.score"},
        watch=("template_id", "score", "deleted_at"),
    ),
    Counter(
        name="template_favorites_counted",
        source="template_favorites",
        target="templates",
        key={"id": "{row}.template_id"},
        sums={"favorite_count": "1"},
        watch=("template_id", "user_id"),
        lives_with=("user_id", "users"),
    ),
    Counter(
        name="template_forks_counted",
        source="templates",
        target="template_fork_counts",
        key={"template_id": "(SELECT template_id FROM template_versions WHERE id = {row}.forked_from_id)"},
        when="{row}.deleted_at IS NULL AND {row}.forked_from_id IS NOT NULL",
        sums={"fork_count": "1"},
        watch=("forked_from_id", "deleted_at"),
        upsert=True,
    ),
]

_VERSION_CONTENT = (
    "template_id",
    "number",
    "system_prompt",
    "body",
    "examples",
    "variables",
    "parameters",
    "author_id",
    "content_hash",
    "created_at",
)


def _renoted(vendor: str) -> str:
    """True of another change note, unless a name was taken out of it: see erasing.py."""
    return (
        f"({distinct(vendor, 'OLD.change_note', 'NEW.change_note')} AND NEW.change_note NOT LIKE '%{FORMER_MEMBER}%')"
    )


TRIGGERS = [
    *(trigger for counter in COUNTERS for trigger in counter.triggers()),
    Trigger(
        name="template_versions_immutable",
        table="template_versions",
        timing="BEFORE",
        event="UPDATE",
        when=lambda vendor: " OR ".join(
            [*(distinct(vendor, f"OLD.{name}", f"NEW.{name}") for name in _VERSION_CONTENT), _renoted(vendor)]
        ),
        body=lambda vendor: [refuse(vendor, "A version is immutable: publish a new one instead of changing it.")],
        serves="versions are immutable, but for the name of who is erased",
    ),
    *hold_triggers("templates_app"),
]
