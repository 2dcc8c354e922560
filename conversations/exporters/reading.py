"""What an export reads: conversations as far as its reader may see them, now and all the time that it runs.

An export may take minutes. Interactions are read a few at a time, each time through `visible_to`: whoever is removed
from the conversation, or locked out altogether, gets no more of it.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Prefetch

from audit.context import Origin, acting, current_origin
from audit.models import AuditLog
from audit.services import record_many
from conversations.models import Conversation, ConversationTag, Participant, Prompt, PromptComment
from promptlib.core.transactions import release_connection
from templates_app.models import PromptTemplate

CHUNK = 100


class AccessLost(Exception):
    """The reader was removed, or the conversation thrown away, while it was being read. What was sent is all."""


class Thread:
    """One conversation on its way out: what stands at its head, and its interactions, oldest first."""

    def __init__(self, conversation: Conversation, reader: Any) -> None:
        self.conversation = conversation
        self.reader = reader
        self.people = list(conversation.participants.living().select_related("user").order_by("created_at", "pk"))
        mine = next((seat for seat in self.people if seat.user_id == reader.pk), None)
        self.seat = mine
        self.is_editor = mine is not None and mine.role in (Participant.Role.OWNER, Participant.Role.EDITOR)
        tags = ConversationTag.objects.filter(conversation=conversation).order_by("tag__slug")
        self.tags = list(tags.values_list("tag__name", flat=True))
        self.numbers: dict[UUID, int] = {}
        self._templates: dict[UUID, bool] = {}

    def prompts(self) -> Iterator[Prompt]:
        """By keyset, so that no cursor is held open and a long one needs no more memory than a short one."""
        last: UUID | None = None
        while chunk := self._after(last):
            for prompt in chunk:
                self.numbers[prompt.pk] = len(self.numbers) + 1
                yield prompt
            if len(chunk) < CHUNK:
                break
            last = chunk[-1].pk
            release_connection()  # opening one again costs more than a short conversation
        if not may_read(self.reader, self.conversation.pk):
            raise AccessLost

    def shows_template(self, prompt: Prompt) -> bool:
        """Whether the reader may see the template that it was asked with; else not its name, nor the values."""
        return prompt.template_version is not None and self._templates.get(prompt.template_version.template_id, False)

    def _after(self, last: UUID | None) -> list[Prompt]:
        rows = Prompt.objects.visible_to(self.reader).filter(conversation=self.conversation).order_by("pk")
        rows = rows.filter(pk__gt=last) if last else rows
        comments = Prefetch("comments", PromptComment.objects.select_related("author"))
        chunk = list(rows.select_related("author", "template_version__template").prefetch_related(comments)[:CHUNK])
        used = {each.template_version.template_id for each in chunk if each.template_version}
        if unknown := used - self._templates.keys():
            seen = set(
                PromptTemplate.objects.visible_to(self.reader).filter(pk__in=unknown).values_list("pk", flat=True)
            )
            self._templates |= {pk: pk in seen for pk in unknown}
        return chunk


def read_threads(pks: Iterable[UUID], *, reader: Any, format_: str, by: Any) -> Iterator[Thread]:
    """Each is in the audit log, as the act of whoever began the export, before anything of it is sent."""
    origin = current_origin()
    for pk in pks:
        conversation = Conversation.objects.visible_to(reader).filter(pk=pk).select_related("owner", "model").first()
        if conversation is None or not may_read(reader, pk):
            continue
        with _as(origin):
            record_many(AuditLog.Action.EXPORT, [conversation], changes={"format": [None, format_]}, actor=by)
        yield Thread(conversation, reader)


def may_read(reader: Any, pk: UUID) -> bool:
    is_active = get_user_model().objects.filter(pk=reader.pk, is_active=True).exists()
    return is_active and Conversation.objects.visible_to(reader).filter(pk=pk).exists()


def _as(origin: Origin) -> Any:
    return acting(origin.actor, ip=origin.ip, user_agent=origin.user_agent, request_id=origin.request_id)
