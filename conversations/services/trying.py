"""Trying a model out: one short question that is no interaction."""

from dataclasses import dataclass
from time import monotonic

from django.conf import settings
from django.utils.translation import gettext as _

from conversations.models import AIModel
from conversations.providers import ChatRequest, Finished, ProviderError, TextDelta, stream_chat
from promptlib.core.transactions import release_connection

QUESTION = "Reply with the one word: ready"
SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Trial:
    is_good: bool
    message: str


def try_model(model: AIModel) -> Trial:
    """Ask for one word and say what came of it. Takes twenty seconds at most; never inside a transaction."""
    request = ChatRequest(
        base_url=model.base_url,
        model=model.name,
        messages=({"role": "user", "content": QUESTION},),
        api_key=model.api_key,
        parameters={"max_tokens": min(model.max_output_tokens or 256, 256)},
        connect_seconds=settings.PROVIDER_CONNECT_SECONDS,
        first_token_seconds=SECONDS,
        stall_seconds=SECONDS,
        total_seconds=SECONDS,
        max_response_chars=2_000,
    )
    release_connection()
    started, said, end = monotonic(), "", None
    try:
        for event in stream_chat(model.provider, request):
            if isinstance(event, TextDelta):
                said += event.text
            else:
                end = event
    except ProviderError as error:
        return Trial(False, error.message)
    tokens = end.usage if isinstance(end, Finished) else None
    facts = {
        "seconds": f"{monotonic() - started:.1f}",
        "answer": " ".join(said.split())[:80],
        "model": end.model if end else model.name,
        "tokens": "?" if tokens is None or tokens.output_tokens is None else tokens.output_tokens,
    }
    return Trial(True, _("%(model)s answered “%(answer)s” in %(seconds)s s, with %(tokens)s tokens.") % facts)
