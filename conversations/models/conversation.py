"""A thread, the people in it, and the links by which others read it."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from conversations.querysets import (
    ConversationManager,
    ConversationQuerySet,
    ParticipantQuerySet,
    ShareLinkQuerySet,
)
from promptlib.core.fields import KeyField, normalize_key
from promptlib.core.models import BaseModel, SoftDeleteModel
from promptlib.core.restoring import WayBack


class Conversation(SoftDeleteModel):
    """An organised thread of prompts."""

    TITLE = "title"
    EXCERPT = "summary"
    HELD_BY = ("id", "owner")
    WAYS_BACK: ClassVar[dict[str, WayBack]] = {
        "conversations_source_unique": WayBack(detach=("source", "source_id"), can_replace=True)
    }

    STATISTICS = ("prompt_count", "participant_count", "input_tokens", "output_tokens", "cost", "last_prompt_at")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="conversations", db_index=False, verbose_name=_("owner")
    )
    title = models.CharField(_("title"), max_length=300)
    summary = models.TextField(_("summary"), blank=True)
    system_prompt = models.TextField(_("system prompt"), blank=True)
    model = models.ForeignKey(
        "conversations.AIModel", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("model")
    )
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)
    source = KeyField(_("source"), max_length=64, blank=True, help_text=_("The service it was imported from."))
    source_id = KeyField(_("id at the source"), max_length=255, null=True, blank=True)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)
    revision = models.PositiveIntegerField(_("revision"), default=0, db_default=0)

    prompt_count = models.IntegerField(_("interactions"), default=0, db_default=0, editable=False)
    participant_count = models.IntegerField(_("people"), default=0, db_default=0, editable=False)
    input_tokens = models.BigIntegerField(_("input tokens"), default=0, db_default=0, editable=False)
    output_tokens = models.BigIntegerField(_("output tokens"), default=0, db_default=0, editable=False)
    cost = models.DecimalField(_("cost"), max_digits=18, decimal_places=6, default=0, db_default=0, editable=False)
    last_prompt_at = models.DateTimeField(_("last interaction"), null=True, blank=True, editable=False)

    objects: ClassVar[ConversationManager] = ConversationManager()
    all_objects: ClassVar[models.Manager] = models.Manager.from_queryset(ConversationQuerySet)()

    class Meta:
        db_table = "conversations"
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        constraints = (
            models.UniqueConstraint("owner", "source", "source_id", "alive", name="conversations_source_unique"),
            models.CheckConstraint(condition=~Q(title=""), name="conversations_title_given"),
            models.CheckConstraint(
                condition=Q(prompt_count__gte=0, participant_count__gte=0, input_tokens__gte=0, output_tokens__gte=0),
                name="conversations_counts_not_negative",
            ),
        )
        indexes = (models.Index(fields=["owner", "deleted_at", "id"], name="conversations_of_owner"),)

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("conversations:detail", args=[self.pk])

    @property
    def stays_with(self) -> list[str]:
        """Besides its owner, who has a place too."""
        others = self.participant_count - 1
        words = ngettext("%(number)s person it is shared with", "%(number)s people it is shared with", others)
        return [words % {"number": others}] if others > 0 else []

    def is_hidden_from(self, user: Any) -> bool:
        """Whether somebody who has it before them sees it as staff alone; one query, none for the owner."""
        return self.owner_id != user.pk and not Conversation.objects.visible_to(user).filter(pk=self.pk).exists()

    @property
    def audit_subject(self) -> Any:
        return self.pk


class Participant(BaseModel):
    """A person's place in a conversation. `last_activity_at` follows the conversation, so a list reads one index."""

    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        EDITOR = "editor", _("editor")
        COMMENTER = "commenter", _("commenter")
        VIEWER = "viewer", _("viewer")

    STATISTICS = ("last_activity_at",)
    HOUSEKEEPING = ("last_read_at", "leaf", "unfollowed_at")  # what one has read, and wants to hear of, is no change

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="participants", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="participations", db_index=False)
    role = models.CharField(_("role"), max_length=16, choices=Role, default=Role.VIEWER)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    last_read_at = models.DateTimeField(_("last read"), null=True, blank=True)
    pinned_at = models.DateTimeField(_("pinned"), null=True, blank=True)
    unfollowed_at = models.DateTimeField(
        _("unfollowed"), null=True, blank=True, help_text=_("Empty: this person wants to hear what changes.")
    )
    last_activity_at = models.DateTimeField(_("last activity"), null=True, blank=True, editable=False)
    leaf = models.ForeignKey(
        "conversations.Prompt",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("The end of the way through the thread that this person looked at last."),
    )

    objects: ClassVar[models.Manager] = models.Manager.from_queryset(ParticipantQuerySet)()

    class Meta:
        db_table = "conversation_participants"
        verbose_name = _("person in a conversation")
        verbose_name_plural = _("people in conversations")
        constraints = (
            models.UniqueConstraint(fields=["conversation", "user"], name="participants_once"),
            models.CheckConstraint(
                condition=Q(role__in=["owner", "editor", "commenter", "viewer"]), name="participants_role_known"
            ),
        )
        indexes = (
            models.Index(fields=["user", "last_activity_at", "conversation"], name="participants_by_activity"),
            models.Index(fields=["user", "conversation", "role"], name="participants_seat"),
        )

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}"

    @property
    def audit_subject(self) -> Any:
        return self.conversation_id


class SeatOffer(BaseModel):
    """A place in a conversation for somebody who has not signed up yet: taken when the address is confirmed."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="seat_offers", db_index=False)
    email = models.EmailField(_("e-mail address"), max_length=254)
    email_key = KeyField(max_length=254, editable=False, db_index=True)
    role = models.CharField(_("role"), max_length=16, choices=Participant.Role, default=Participant.Role.VIEWER)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Meta:
        db_table = "conversation_seat_offers"
        verbose_name = _("offered place")
        verbose_name_plural = _("offered places")
        constraints = (
            models.UniqueConstraint(fields=["conversation", "email_key"], name="conversation_seat_offers_once"),
            models.CheckConstraint(
                condition=Q(role__in=["editor", "commenter", "viewer"]), name="conversation_seat_offers_role"
            ),
        )

    def __str__(self) -> str:
        return f"{self.email}: {self.get_role_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email_key = normalize_key(self.email)
        super().save(*args, **kwargs)

    @property
    def audit_subject(self) -> Any:
        return self.conversation_id


class ConversationTag(BaseModel):
    """A tag on a conversation, which everybody in it sees."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="tag_rows", db_index=False)
    tag = models.ForeignKey("templates_app.Tag", models.CASCADE, related_name="+", db_index=False)

    class Meta:
        db_table = "conversation_tags"
        verbose_name = _("tag on a conversation")
        verbose_name_plural = _("tags on conversations")
        constraints = (models.UniqueConstraint(fields=["conversation", "tag"], name="conversation_tags_once"),)
        indexes = (models.Index(fields=["tag", "conversation"], name="conversation_tags_tag"),)

    def __str__(self) -> str:
        return f"{self.conversation} #{self.tag}"

    @property
    def audit_subject(self) -> Any:
        return self.conversation_id


class ShareLink(BaseModel):
    """A link that lets others read a conversation. The token itself is never stored."""

    HOUSEKEEPING = ("view_count",)  # each opening is logged by itself

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="links")
    token_hash = KeyField(_("token hash"), max_length=64, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=120, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    password = models.CharField(_("password hash"), max_length=128, blank=True, editable=False)
    max_views = models.PositiveIntegerField(_("views at most"), null=True, blank=True)
    view_count = models.PositiveIntegerField(_("views"), default=0, db_default=0, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects: ClassVar[models.Manager] = ShareLinkQuerySet.as_manager()

    class Meta:
        db_table = "conversation_links"
        verbose_name = _("link to read")
        verbose_name_plural = _("links to read")
        constraints = (
            models.CheckConstraint(
                condition=Q(max_views__isnull=True) | Q(view_count__lte=F("max_views")), name="conversation_links_views"
            ),
        )

    def __str__(self) -> str:
        return self.name or f"{self.conversation}"

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def is_used_up(self) -> bool:
        return self.max_views is not None and self.view_count >= self.max_views

    def is_hidden_from(self, user: Any) -> bool:
        return self.conversation.is_hidden_from(user)

    @property
    def audit_subject(self) -> Any:
        return self.conversation_id


class LinkView(BaseModel):
    """One opening of a link: who read, from where."""

    AUDITED = False  # the opening itself is logged, with the link as its object

    link = models.ForeignKey(ShareLink, models.CASCADE, related_name="views", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    ip = models.GenericIPAddressField(_("address"), null=True, blank=True)
    user_agent = models.CharField(_("browser"), max_length=300, blank=True)

    class Meta:
        db_table = "conversation_link_views"
        verbose_name = _("opening of a link")
        verbose_name_plural = _("openings of links")
        indexes = (models.Index(fields=["link", "-id"], name="conversation_link_views_recent"),)

    def __str__(self) -> str:
        return f"{self.link}: {self.created_at}"
