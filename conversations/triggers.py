"""Triggers of conversations: what every interaction adds to the statistics of its thread, version and day."""

from audit.triggers import hold_triggers
from promptlib.core.sql import Trigger, distinct
from promptlib.core.statistics import Copy, Counter

FINISHED = "'completed', 'failed', 'interrupted', 'recorded'"
ALIVE = "{row}.deleted_at IS NULL"
RUN = f"{ALIVE} AND {{row}}.status IN ({FINISHED})"
"""A run is a finished interaction; a waiting one locks nobody's counters."""

TOKENS = {
    "input_tokens": "COALESCE({row}.input_tokens, 0)",
    "output_tokens": "COALESCE({row}.output_tokens, 0)",
}
COST = "COALESCE({row}.cost, 0)"
MEASURED = (
    "{row}.status = 'completed' AND {row}.latency_ms IS NOT NULL AND JSON_EXTRACT({row}.metadata, '$.imported') IS NULL"
)
"""Recorded and imported interactions were not waited for here."""

LATENCY = f"CASE WHEN {MEASURED} THEN {{row}}.latency_ms ELSE 0 END"
LATENCY_COUNT = f"CASE WHEN {MEASURED} THEN 1 ELSE 0 END"
NUMBERS = ("input_tokens", "output_tokens", "cost", "latency_ms", "status", "deleted_at", "created_at")

COUNTERS = [
    Counter(
        name="prompts_in_conversation_counted",
        source="prompts",
        target="conversations",
        key={"id": "{row}.conversation_id"},
        when=ALIVE,
        sums={"prompt_count": "1", **TOKENS, "cost": COST},
        latest={"last_prompt_at": "{row}.created_at"},
        watch=("conversation_id", "input_tokens", "output_tokens", "cost", "deleted_at", "created_at"),
    ),
    Counter(
        name="participants_counted",
        source="conversation_participants",
        target="conversations",
        key={"id": "{row}.conversation_id"},
        sums={"participant_count": "1"},
        watch=("conversation_id", "user_id"),
        lives_with=("user_id", "users"),
    ),
    Counter(
        name="prompts_of_version_counted",
        source="prompts",
        target="template_versions",
        key={"id": "{row}.template_version_id"},
        when=RUN,
        sums={
            "usage_count": "1",
            "success_count": "CASE WHEN {row}.status IN ('completed', 'recorded') THEN 1 ELSE 0 END",
            **TOKENS,
            "total_cost": COST,
            "total_latency_ms": LATENCY,
            "latency_count": LATENCY_COUNT,
        },
        latest={"last_used_at": "{row}.created_at"},
        watch=("template_version_id", *NUMBERS),
    ),
    Counter(
        name="prompts_by_day_counted",
        source="prompts",
        target="usage_daily",
        key={
            "day": "DATE({row}.created_at)",
            "user_id": "{row}.author_id",
            "provider": "{row}.provider",
            "model": "{row}.model",
        },
        when=RUN,
        sums={
            "runs": "1",
            "failures": "CASE WHEN {row}.status IN ('failed', 'interrupted') THEN 1 ELSE 0 END",
            **TOKENS,
            "cost": COST,
            "latency_ms": LATENCY,
            "latency_count": LATENCY_COUNT,
        },
        watch=("author_id", "provider", "model", *NUMBERS),
        upsert=True,
    ),
]

ACTIVITY = "SELECT COALESCE(last_prompt_at, created_at) FROM conversations WHERE id = {id}"

COPIES = [
    Copy(
        name="participants_activity",
        target="conversation_participants",
        column="last_activity_at",
        value=ACTIVITY.format(id="conversation_participants.conversation_id"),
    )
]


def _follow(row: str) -> str:
    return (
        f"UPDATE conversation_participants SET last_activity_at = ({ACTIVITY.format(id=f'{row}.conversation_id')})"
        f" WHERE conversation_id = {row}.conversation_id"
    )


# A participant's copy of the last activity. SQLite follows the conversation. MySQL refuses that chain (participants →
# conversations → participants, error 1442), so there the copy follows the prompts, after the counters above have run.
ACTIVITY_TRIGGERS = [
    Trigger(
        name="participants_activity_insert",
        table="conversation_participants",
        timing="BEFORE",
        event="INSERT",
        body=[f"SET NEW.last_activity_at = ({ACTIVITY.format(id='NEW.conversation_id')})"],
        serves="conversation_participants: last_activity_at",
        vendors=("mysql",),
    ),
    Trigger(
        name="prompts_activity_insert",
        table="prompts",
        event="INSERT",
        body=[_follow("NEW")],
        serves="conversation_participants: last_activity_at",
        vendors=("mysql",),
    ),
    Trigger(
        name="prompts_activity_update",
        table="prompts",
        event="UPDATE",
        when=lambda vendor: " OR ".join(
            distinct(vendor, f"OLD.{name}", f"NEW.{name}") for name in ("conversation_id", "deleted_at", "created_at")
        ),
        body=[_follow("OLD"), _follow("NEW")],
        serves="conversation_participants: last_activity_at",
        vendors=("mysql",),
    ),
    Trigger(
        name="prompts_activity_delete",
        table="prompts",
        event="DELETE",
        body=[_follow("OLD")],
        serves="conversation_participants: last_activity_at",
        vendors=("mysql",),
    ),
    Trigger(
        name="participants_activity_insert",
        table="conversation_participants",
        event="INSERT",
        body=[
            f"UPDATE conversation_participants SET last_activity_at = ({ACTIVITY.format(id='NEW.conversation_id')})"
            " WHERE id = NEW.id"
        ],
        serves="conversation_participants: last_activity_at",
        vendors=("sqlite",),
    ),
    Trigger(
        name="conversations_activity_update",
        table="conversations",
        event="UPDATE",
        when=lambda vendor: distinct(vendor, "OLD.last_prompt_at", "NEW.last_prompt_at"),
        body=[
            "UPDATE conversation_participants SET last_activity_at = COALESCE(NEW.last_prompt_at, NEW.created_at)"
            " WHERE conversation_id = NEW.id"
        ],
        serves="conversation_participants: last_activity_at",
        vendors=("sqlite",),
    ),
]

TRIGGERS = [
    *(trigger for counter in COUNTERS for trigger in counter.triggers()),
    *ACTIVITY_TRIGGERS,
    *hold_triggers("conversations"),
]
