"""The one way in which an interaction ends: the row and its audit row, in one transaction, once."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from audit.models import AuditLog
from audit.services import record
from conversations.models import Prompt
from conversations.services.estimating import TAKEN, taken
from promptlib.core.transactions import in_transaction

UNFINISHED = (Prompt.Status.PENDING, Prompt.Status.STREAMING)
TOLD = ("error_code", "finish_reason", "input_tokens", "output_tokens", "latency_ms", "cost", "currency")
"""What the history says about a run beside its status."""


def finish(prompt: Prompt, status: Prompt.Status, fields: Mapping[str, Any], *, actor: Any = None) -> bool:
    """Save how `prompt` ended; False if it had ended before. One in the trash is finished there: nothing is lost.

    `metadata` among the fields is added to what is there by then.
    """
    added = {**fields.get("metadata", {}), **_taken(prompt, status, fields)}

    def work() -> bool:
        now = timezone.now()
        open_ = Prompt.all_objects.filter(pk=prompt.pk, status__in=UNFINISHED)
        row = open_.select_for_update().values("metadata").first()
        if row is None:
            return False
        saved = {**fields, "metadata": {**row["metadata"], **added}}
        open_.unlogged("told as a run, below").update(**saved, status=status, completed_at=now, updated_at=now)
        changes: dict[str, list[Any]] = {"status": [prompt.status, status.value]}
        changes |= {name: [None, _plain(fields[name])] for name in TOLD if fields.get(name) not in (None, "")}
        record(AuditLog.Action.RUN, prompt, changes=changes, actor=actor or prompt.author)
        return True

    return in_transaction(work)


def _taken(prompt: Prompt, status: Prompt.Status, fields: Mapping[str, Any]) -> dict[str, Any]:
    """By estimate, where something was written and nobody says what it took: it counts against limits."""
    text = fields.get("response_text") or prompt.response_text
    if status == Prompt.Status.FAILED or not text or fields.get("output_tokens") is not None:
        return {}
    return {TAKEN: taken(prompt, text)}


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | str) else str(value)
