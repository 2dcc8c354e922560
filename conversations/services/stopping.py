"""Stopping an answer that is being written, in this process or in another one."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Prompt
from conversations.services import broker
from conversations.services.finishing import UNFINISHED, finish
from conversations.services.producer import STOPPED

PATIENCE_SECONDS = 0.5


def stop(prompt: Prompt, *, by: Any) -> bool:
    """End the answer as `interrupted`, keeping what had arrived; False if it had ended already.

    The thread that writes it sees the request at its next word or its next save. One that waits for a silent model is
    not waited for: the row is ended here, and what the model says later is dropped.
    """
    asked = Prompt.objects.filter(pk=prompt.pk, status__in=UNFINISHED)
    if not asked.update(finish_reason=STOPPED, updated_at=timezone.now()):
        return False
    channel = broker.find(prompt.pk)
    if channel is not None:
        channel.stop_requested.set()
        if channel.wait_for_end(PATIENCE_SECONDS):
            return True
    fields = {
        "finish_reason": STOPPED,
        "error_code": STOPPED,
        "error_message": _("The answer was stopped. What had arrived is kept."),
    }
    if channel is not None:
        fields["response_text"] = channel.text()
    finish(prompt, Prompt.Status.INTERRUPTED, fields, actor=by)
    return True
