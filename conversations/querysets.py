"""What a person may see and do in conversations."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from conversations.search import CONVERSATIONS, PROMPTS
from promptlib.core.querysets import LoggedQuerySet, SoftDeleteQuerySet
from promptlib.core.search import search

if TYPE_CHECKING:
    from conversations.models import Conversation, Prompt

WRITERS = ("owner", "editor")
COMMENTERS = (*WRITERS, "commenter")


class ConversationQuerySet(SoftDeleteQuerySet):
    """Conversations. Rights come from the person's seat; all but `owned_by` leave out what is in the trash."""

    def visible_to(self, user: Any) -> Self:
        return self.alive().filter(Exists(self._seats(user)))

    def editable_by(self, user: Any) -> Self:
        """Those in which the person may ask, rename and archive."""
        return self.alive().filter(Exists(self._seats(user).filter(role__in=WRITERS)))

    def commentable_by(self, user: Any) -> Self:
        return self.alive().filter(Exists(self._seats(user).filter(role__in=COMMENTERS)))

    def owned_by(self, user: Any) -> Self:
        """Those that the person may delete, share and restore."""
        return self.filter(Exists(self._seats(user).filter(role="owner")))

    def restorable_by(self, user: Any) -> Self:
        """As `owned_by`, begun at the person's seats: a trash is looked for among what is theirs."""
        return self.filter(pk__in=_seats_of(user).filter(role="owner").values("conversation"))

    def search_trash(self, text: str) -> Self:
        """Also by what was asked and answered in them."""
        titled, asked = (
            apps.get_model("conversations", name).all_objects.search(text).filter(deletion_id__isnull=False)
            for name in ("Conversation", "Prompt")
        )
        return self.filter(Q(pk__in=titled.values("pk")) | Q(pk__in=asked.values("conversation")))

    def untouched_since(self, moment: datetime) -> Self:
        """Nobody asked or changed anything in them since, and nobody has pinned them."""
        seats = apps.get_model("conversations", "Participant").objects.filter(conversation=OuterRef("pk"))
        old = self.filter(updated_at__lt=moment).exclude(last_prompt_at__gte=moment)
        return old.exclude(Exists(seats.filter(pinned_at__isnull=False)))

    def search(self, text: str) -> Self:
        """Those whose title or summary holds what `text` asks for; see `promptlib.core.search`."""
        return search(self, text, CONVERSATIONS)

    def _seats(self, user: Any) -> models.QuerySet:
        return apps.get_model("conversations", "Participant").objects.filter(
            conversation=OuterRef("pk"), user_id=user.pk
        )


def _seats_of(user: Any) -> models.QuerySet:
    seats: models.QuerySet = apps.get_model("conversations", "Participant").objects.filter(user_id=user.pk)
    return seats


class ConversationManager(models.Manager.from_queryset(ConversationQuerySet)):  # type: ignore[misc]  # made at run time
    """Conversations that are not in the trash."""

    def get_queryset(self) -> "models.QuerySet[Conversation]":
        return super().get_queryset().filter(deleted_at__isnull=True)


class PromptQuerySet(SoftDeleteQuerySet):
    """Interactions, readable and writable by those who may read and write their conversation."""

    def visible_to(self, user: Any) -> Self:
        return self.alive().filter(self._in(self._conversations().visible_to(user)))

    def editable_by(self, user: Any) -> Self:
        return self.alive().filter(self._in(self._conversations().editable_by(user)))

    def commentable_by(self, user: Any) -> Self:
        return self.alive().filter(self._in(self._conversations().commentable_by(user)))

    def deletable_by(self, user: Any) -> Self:
        """For the owner of the conversation all of it; for others who write there what they asked themselves."""
        own = Q(author=user.pk) & Q(self._in(self._conversations().editable_by(user)))
        return self.alive().filter(Q(self._in(self._conversations().owned_by(user).alive())) | own)

    def restorable_by(self, user: Any) -> Self:
        """For the owner of the conversation all of it; for others who write there what they deleted themselves."""
        seats = _seats_of(user).filter(role__in=WRITERS)
        owned = Exists(seats.filter(conversation=OuterRef("conversation_id"), role="owner"))
        own = Q(deleted_by=user.pk, conversation__deleted_at__isnull=True)
        return self.filter(Q(owned) | own, conversation__in=seats.values("conversation"))

    def purgeable_by(self, user: Any) -> Self:
        """Only the owner of the conversation: what others delete there the owner may want back."""
        return self.filter(self._in(apps.get_model("conversations", "Conversation").all_objects.owned_by(user)))

    def for_trash(self) -> Self:
        return super().for_trash().defer("system_prompt", "response_text", "error_message", "metadata", "values")

    def search(self, text: str) -> Self:
        """Those whose prompt or response holds what `text` asks for; see `promptlib.core.search`."""
        return search(self, text, PROMPTS)

    def _in(self, conversations: models.QuerySet) -> Exists:
        """EXISTS, not IN: SQLite would list all the person's conversations first, and their prompts."""
        return Exists(conversations.filter(pk=OuterRef("conversation_id")))

    def _conversations(self) -> Any:
        return apps.get_model("conversations", "Conversation").objects


class PromptManager(models.Manager.from_queryset(PromptQuerySet)):  # type: ignore[misc]  # a class made at run time
    """Interactions that are not in the trash."""

    def get_queryset(self) -> "models.QuerySet[Prompt]":
        return super().get_queryset().filter(deleted_at__isnull=True)


class ParticipantQuerySet(LoggedQuerySet):
    """Places in conversations."""

    def living(self) -> Self:
        """Without those of people in the trash, who have them again when they come back."""
        return self.filter(user__deleted_at__isnull=True)


class ShareLinkQuerySet(LoggedQuerySet):
    """Links by which others read."""

    def working(self) -> Self:
        """Those that still lead somewhere; one that was opened as often as it may be works for who opened it."""
        seats = apps.get_model("conversations", "Participant").objects.filter(
            conversation=OuterRef("conversation"), user=OuterRef("created_by"), role__in=WRITERS
        )
        return self.filter(
            Exists(seats),
            Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()),
            revoked_at__isnull=True,
            conversation__deleted_at__isnull=True,
            created_by__is_active=True,
            created_by__deleted_at__isnull=True,
        )


class AIModelQuerySet(LoggedQuerySet):
    """Models that answer."""

    def usable(self) -> Self:
        """Those that staff enabled; the demonstration only where the installation wants it."""
        enabled = self.filter(is_enabled=True)
        return enabled if settings.ECHO_PROVIDER else enabled.exclude(provider="echo")
