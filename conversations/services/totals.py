"""What a conversation came to."""

from dataclasses import dataclass
from statistics import median

from conversations.models import Conversation, Prompt

LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Totals:
    """`median_ms` and `failed` are of the newest 100 interactions; `is_partial` says that there are more."""

    failed: int
    median_ms: float | None
    currency: str
    is_partial: bool


def totals_of(conversation: Conversation) -> Totals:
    """One query, whatever the length; counts, tokens and cost stand on the conversation itself."""
    columns = ("status", "latency_ms", "currency", "metadata__imported__key")
    newest = list(conversation.prompts.order_by("-pk").values_list(*columns)[:LOOKED_AT])
    failed = sum(row[0] in (Prompt.Status.FAILED, Prompt.Status.INTERRUPTED) for row in newest)
    waits = [
        latency
        for status, latency, _currency, imported in newest
        if status == Prompt.Status.COMPLETED and latency is not None and imported is None
    ]
    currency = next((row[2] for row in newest if row[2]), "")
    return Totals(failed, median(waits) if waits else None, currency, conversation.prompt_count > LOOKED_AT)
