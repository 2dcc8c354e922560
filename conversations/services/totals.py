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
    newest = list(conversation.prompts.order_by("-pk").values_list("status", "latency_ms", "currency")[:LOOKED_AT])
    failed = sum(status in (Prompt.Status.FAILED, Prompt.Status.INTERRUPTED) for status, _latency, _currency in newest)
    waits = [
        latency for status, latency, _currency in newest if status == Prompt.Status.COMPLETED and latency is not None
    ]
    currency = next((currency for _status, _latency, currency in newest if currency), "")
    return Totals(failed, median(waits) if waits else None, currency, conversation.prompt_count > LOOKED_AT)
