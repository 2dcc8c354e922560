"""The states a template went through, and the labels that point at them."""

import hashlib
import json
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from promptlib.core.fields import KeyField
from promptlib.core.models import BaseModel
from templates_app.querysets import VersionQuerySet


class TemplateVersion(BaseModel):
    """One immutable state of a template. A trigger refuses any change to its content."""

    HELD_BY = ("template", "template__owner", "author")

    STATISTICS = (
        "usage_count",
        "success_count",
        "input_tokens",
        "output_tokens",
        "total_cost",
        "total_latency_ms",
        "latency_count",
        "rating_count",
        "rating_sum",
        "last_used_at",
    )
    CONTENT = ("system_prompt", "body", "examples", "variables", "parameters")
    """What makes a version: the columns that the hash covers and that never change."""

    template = models.ForeignKey(
        "templates_app.PromptTemplate", models.CASCADE, related_name="versions", db_index=False
    )
    number = models.PositiveIntegerField(_("number"))
    system_prompt = models.TextField(_("system prompt"), blank=True)
    body = models.TextField(_("prompt"))
    examples = models.JSONField(
        _("examples"), default=list, blank=True, help_text=_("Few-shot messages: a list of {role, content}.")
    )
    variables = models.JSONField(_("variables"), default=list, blank=True)
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    change_note = models.CharField(_("change note"), max_length=500, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="template_versions", verbose_name=_("author")
    )
    content_hash = models.CharField(_("content hash"), max_length=64, editable=False)

    usage_count = models.BigIntegerField(_("runs"), default=0, db_default=0, editable=False)
    success_count = models.BigIntegerField(_("runs that succeeded"), default=0, db_default=0, editable=False)
    input_tokens = models.BigIntegerField(_("input tokens"), default=0, db_default=0, editable=False)
    output_tokens = models.BigIntegerField(_("output tokens"), default=0, db_default=0, editable=False)
    total_cost = models.DecimalField(
        _("total cost"), max_digits=18, decimal_places=6, default=0, db_default=0, editable=False
    )
    total_latency_ms = models.BigIntegerField(_("total latency, ms"), default=0, db_default=0, editable=False)
    latency_count = models.BigIntegerField(_("runs with a latency"), default=0, db_default=0, editable=False)
    rating_count = models.IntegerField(_("ratings"), default=0, db_default=0, editable=False)
    rating_sum = models.IntegerField(_("sum of ratings"), default=0, db_default=0, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    objects: ClassVar[models.Manager] = models.Manager.from_queryset(VersionQuerySet)()

    class Meta:
        db_table = "template_versions"
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=["template", "number"], name="template_versions_number_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="template_versions_number_from_1"),
        )

    def __str__(self) -> str:
        return f"{self.template} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.content_hash = self.hash_of(**self.content)
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("templates_app:version", args=[self.template_id, self.number])

    @property
    def content(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.CONTENT}

    @staticmethod
    def hash_of(**content: Any) -> str:
        """SHA-256 of the content as canonical JSON; equal content has an equal hash."""
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def is_hidden_from(self, user: Any) -> bool:
        return self.template.is_hidden_from(user)

    @property
    def audit_subject(self) -> Any:
        return self.template_id


class Label(BaseModel):
    """A movable pointer to a version, such as `production`."""

    template = models.ForeignKey("templates_app.PromptTemplate", models.CASCADE, related_name="labels", db_index=False)
    name = KeyField(_("name"), max_length=60)
    version = models.ForeignKey(TemplateVersion, models.CASCADE, related_name="labels")
    is_protected = models.BooleanField(_("protected"), default=False, db_default=False)

    class Meta:
        db_table = "template_labels"
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=["template", "name"], name="template_labels_once"),
            models.CheckConstraint(condition=~Q(name=""), name="template_labels_name_given"),
        )
        indexes = (models.Index(fields=["name", "template"], name="template_labels_by_name"),)

    def __str__(self) -> str:
        return self.name

    @property
    def audit_subject(self) -> Any:
        return self.template_id


class LabelMove(BaseModel):
    """One move of a label: done, or waiting for a second person where the label is protected."""

    class Status(models.TextChoices):
        DONE = "done", _("done")
        WAITING = "waiting", _("waiting for approval")
        REJECTED = "rejected", _("rejected")
        WITHDRAWN = "withdrawn", _("withdrawn")

    template = models.ForeignKey(
        "templates_app.PromptTemplate", models.CASCADE, related_name="label_moves", db_index=False
    )
    name = KeyField(_("label"), max_length=60)
    from_version = models.ForeignKey(TemplateVersion, models.CASCADE, null=True, blank=True, related_name="+")
    to_version = models.ForeignKey(TemplateVersion, models.CASCADE, null=True, blank=True, related_name="+")
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="label_moves")
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.DONE)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="reviewed_label_moves"
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        db_table = "template_label_moves"
        verbose_name = _("move of a label")
        verbose_name_plural = _("moves of labels")
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=["done", "waiting", "rejected", "withdrawn"]),
                name="template_label_moves_status_known",
            ),
            models.CheckConstraint(
                condition=Q(reviewer__isnull=True) | ~Q(reviewer=models.F("author")),
                name="template_label_moves_second_person",
            ),
        )
        indexes = (models.Index(fields=["template", "-id"], name="template_label_moves_recent"),)

    def __str__(self) -> str:
        return f"{self.template}: {self.name}"

    @property
    def is_unprotecting(self) -> bool:
        """Not a move, but the wish that the label be protected no longer."""
        return self.from_version_id is not None and self.from_version_id == self.to_version_id

    @property
    def audit_subject(self) -> Any:
        return self.template_id
