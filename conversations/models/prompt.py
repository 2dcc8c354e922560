"""A single AI interaction, and what people remark on it."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from conversations.querysets import PromptManager, PromptQuerySet
from promptlib.core.fields import KeyField
from promptlib.core.models import BaseModel, SoftDeleteModel


class Prompt(SoftDeleteModel):
    """One AI interaction: what was asked, what came back, what it cost."""

    HELD_BY = ("conversation", "conversation__owner", "author")

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        PENDING = "pending", _("waiting")
        STREAMING = "streaming", _("writing")
        COMPLETED = "completed", _("answered")
        FAILED = "failed", _("failed")
        INTERRUPTED = "interrupted", _("interrupted")
        RECORDED = "recorded", _("recorded")

    OWNER = "author"
    EXCERPT = "input_text"
    FINISHED = (Status.COMPLETED, Status.FAILED, Status.INTERRUPTED, Status.RECORDED)

    class Feedback(models.IntegerChoices):
        BAD = -1, _("not helpful")
        GOOD = 1, _("helpful")

    conversation = models.ForeignKey(
        "conversations.Conversation", models.CASCADE, related_name="prompts", db_index=False
    )
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="children")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="prompts", db_index=False)
    template_version = models.ForeignKey(
        "templates_app.TemplateVersion", models.SET_NULL, null=True, blank=True, related_name="prompts", db_index=False
    )
    values = models.JSONField(_("values"), default=dict, blank=True)
    system_prompt = models.TextField(_("system prompt"), blank=True)
    input_text = models.TextField(_("prompt"))
    response_text = models.TextField(_("response"), blank=True)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.PENDING)
    error_code = models.CharField(_("error code"), max_length=64, blank=True)
    error_message = models.TextField(_("error"), blank=True)
    ai_model = models.ForeignKey(
        "conversations.AIModel", models.SET_NULL, null=True, blank=True, related_name="prompts"
    )
    provider = KeyField(_("provider"), max_length=64, blank=True)
    model = KeyField(_("model"), max_length=120, blank=True)
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    input_tokens = models.PositiveIntegerField(_("input tokens"), null=True, blank=True)
    output_tokens = models.PositiveIntegerField(_("output tokens"), null=True, blank=True)
    cached_tokens = models.PositiveIntegerField(_("cached tokens"), null=True, blank=True)
    reasoning_tokens = models.PositiveIntegerField(_("reasoning tokens"), null=True, blank=True)
    latency_ms = models.PositiveIntegerField(_("latency, ms"), null=True, blank=True)
    first_token_ms = models.PositiveIntegerField(_("time to first token, ms"), null=True, blank=True)
    cost = models.DecimalField(_("cost"), max_digits=14, decimal_places=6, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    finish_reason = models.CharField(_("finish reason"), max_length=64, blank=True)
    feedback = models.SmallIntegerField(_("feedback"), choices=Feedback, null=True, blank=True)
    feedback_note = models.CharField(_("feedback note"), max_length=1000, blank=True)
    idempotency_key = KeyField(_("idempotency key"), max_length=64, null=True, blank=True)
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)
    completed_at = models.DateTimeField(_("completed"), null=True, blank=True)

    objects: ClassVar[PromptManager] = PromptManager()
    all_objects: ClassVar[models.Manager] = models.Manager.from_queryset(PromptQuerySet)()

    class Meta:
        db_table = "prompts"
        verbose_name = _("interaction")
        verbose_name_plural = _("interactions")
        constraints = (
            models.UniqueConstraint(fields=["author", "idempotency_key"], name="prompts_idempotency_once"),
            models.CheckConstraint(
                condition=Q(
                    status__in=["draft", "pending", "streaming", "completed", "failed", "interrupted", "recorded"]
                ),
                name="prompts_status_known",
            ),
            models.CheckConstraint(
                condition=Q(feedback__isnull=True) | Q(feedback__in=[-1, 1]), name="prompts_feedback_known"
            ),
            models.CheckConstraint(condition=Q(cost__isnull=True) | Q(cost__gte=0), name="prompts_cost_not_negative"),
            models.CheckConstraint(condition=Q(cost__isnull=True) | ~Q(currency=""), name="prompts_cost_has_currency"),
        )
        indexes = (
            models.Index(fields=["conversation", "id"], name="prompts_in_conversation"),
            models.Index(fields=["template_version", "status", "latency_ms"], name="prompts_of_version"),
            models.Index(fields=["template_version", "created_at"], name="prompts_of_version_by_time"),
            models.Index(fields=["author", "id"], name="prompts_of_author"),
            models.Index(fields=["author", "template_version"], name="prompts_of_author_by_version"),
            models.Index(fields=["status", "updated_at"], name="prompts_unfinished"),
            models.Index(fields=["feedback", "id"], name="prompts_by_feedback"),
        )

    def __str__(self) -> str:
        return self.input_text[:80]

    def get_absolute_url(self) -> str:
        """Its place in the thread, whatever page of the thread that is on."""
        return f"{reverse('conversations:detail', args=[self.conversation_id])}?at={self.pk}#p-{self.pk}"

    def found_url(self, words: str) -> str:
        """Its place in the thread, where the words that it was found by are marked."""
        query = urlencode({"at": self.pk, "q": words})
        return f"{reverse('conversations:detail', args=[self.conversation_id])}?{query}#p-{self.pk}"

    @property
    def is_finished(self) -> bool:
        return self.status in self.FINISHED

    @classmethod
    def soft_delete_parents(cls) -> tuple[str, ...]:
        return ("conversation",)

    def is_hidden_from(self, user: Any) -> bool:
        return self.conversation.is_hidden_from(user)

    @property
    def audit_subject(self) -> Any:
        return self.conversation_id


class PromptComment(BaseModel):
    """A remark on an interaction."""

    HELD_BY = ("prompt__conversation", "prompt__conversation__owner", "author")

    prompt = models.ForeignKey(Prompt, models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    text = models.TextField(_("remark"), max_length=10_000)

    class Meta:
        db_table = "prompt_comments"
        verbose_name = _("remark")
        verbose_name_plural = _("remarks")
        ordering = ("id",)
        constraints = (models.CheckConstraint(condition=~Q(text=""), name="prompt_comments_text_given"),)

    def __str__(self) -> str:
        return self.text[:80]

    def is_hidden_from(self, user: Any) -> bool:
        return self.prompt.is_hidden_from(user)

    @property
    def audit_subject(self) -> Any:
        return self.prompt.conversation_id


class SavedTemplate(BaseModel):
    """A template that was made from an interaction: the link both ways."""

    prompt = models.ForeignKey(Prompt, models.CASCADE, related_name="saved_templates")
    template = models.OneToOneField("templates_app.PromptTemplate", models.CASCADE, related_name="saved_from")

    class Meta:
        db_table = "prompt_templates"
        verbose_name = _("template from an interaction")
        verbose_name_plural = _("templates from interactions")

    def __str__(self) -> str:
        return f"{self.template} ← {self.prompt}"

    @property
    def audit_subject(self) -> Any:
        """The template: whoever shares the conversation need not see it."""
        return self.template_id
