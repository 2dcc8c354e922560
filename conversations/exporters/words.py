"""What the readable exports say of a conversation and its interactions, in words."""

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from conversations.exporters.reading import Thread
from conversations.models import Prompt
from promptlib.core.ids import as_uuid
from promptlib.core.templatetags.interface import money, number, person_name, seconds


def about(thread: Thread) -> list[tuple[str, str]]:
    conversation = thread.conversation
    facts = [
        (
            _("Started"),
            _("%(when)s by %(who)s") % {"when": _when(conversation.created_at), "who": person_name(conversation.owner)},
        ),
        (_("People"), ", ".join(str(person_name(seat.user)) for seat in thread.people)),
        (_("Tags"), ", ".join(thread.tags)),
        (_("Interactions"), number(conversation.prompt_count)),
        (_("Cost"), str(money(conversation.cost)) if conversation.cost else ""),
        (_("Imported from"), conversation.source),
    ]
    return [(label, str(value)) for label, value in facts if value]


def asked_by(prompt: Prompt, thread: Thread) -> str:
    words = f"{person_name(prompt.author)}, {_when(prompt.created_at)}"
    if thread.shows_template(prompt) and prompt.template_version:
        version = prompt.template_version
        words += ", " + _("with “%(title)s” v%(number)d") % {"title": version.template.title, "number": version.number}
    return words


def follows(prompt: Prompt, thread: Thread, before: Prompt | None) -> str:
    """Where it stands in the tree, if not simply after what stands above it."""
    first = as_uuid(prompt.metadata.get("attempt_of"))
    if first in thread.numbers:
        return _("Another answer in place of %(number)d") % {"number": thread.numbers[first]}
    if prompt.parent_id in thread.numbers and before is not None and prompt.parent_id != before.pk:
        return _("Follows %(number)d") % {"number": thread.numbers[prompt.parent_id]}
    return ""


def numbers(prompt: Prompt) -> list[str]:
    """What the answer took and cost, how it ended, and what was thought of it."""
    told = []
    if prompt.input_tokens is not None or prompt.output_tokens is not None:
        counts = {"asked": _known(prompt.input_tokens), "answered": _known(prompt.output_tokens)}
        told.append(_("%(asked)s tokens in, %(answered)s out") % counts)
    if prompt.latency_ms is not None:
        told.append(str(seconds(prompt.latency_ms)))
    if prompt.cost is not None:
        told.append(str(money(prompt.cost, prompt.currency)))
    if prompt.status not in (Prompt.Status.COMPLETED, Prompt.Status.RECORDED):
        told.append(str(prompt.get_status_display()))
    if prompt.feedback:
        told.append(": ".join(filter(None, [str(prompt.get_feedback_display()), prompt.feedback_note])))
    return told


def _known(count: int | None) -> str:
    return str(number(count)) if count is not None else _("unknown")


def _when(moment: object) -> str:
    return date_format(moment, "Y-m-d H:i")  # type: ignore[arg-type]
