"""Stopping an answer that is being written, in this process or in another one."""

from time import monotonic, sleep
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Prompt
from conversations.services import broker
from conversations.services.finishing import UNFINISHED, finish
from conversations.services.producer import STOPPED
from promptlib.core.transactions import release_connection

PATIENCE_SECONDS = 2.0
LOOK_SECONDS = 0.1


def stop(prompt: Prompt, *, by: Any) -> bool:
    """End the answer as `interrupted`, keeping what had arrived; False if it had ended already.

    The thread that writes it sees the request at its next word, in another process within a second. One that waits for
    a silent model is not waited for: the row is ended here, and what the model says later is dropped.
    """
    asked = Prompt.objects.filter(pk=prompt.pk, status__in=UNFINISHED)
    if not asked.unlogged("finish tells how it ended").update(finish_reason=STOPPED, updated_at=timezone.now()):
        return False
    if channel := broker.find(prompt.pk):
        channel.stop_requested.set()
    until = monotonic() + PATIENCE_SECONDS
    while asked.filter(status=Prompt.Status.STREAMING).exists() and monotonic() < until:
        release_connection()
        sleep(LOOK_SECONDS)
    fields = {
        "finish_reason": STOPPED,
        "error_code": STOPPED,
        "error_message": _("The answer was stopped. What had arrived is kept."),
    }
    if channel is not None:
        fields["response_text"] = channel.text()
    finish(prompt, Prompt.Status.INTERRUPTED, fields, actor=by)
    return True
