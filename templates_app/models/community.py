"""What people do with each other's templates: rate, keep, propose."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from promptlib.core.models import BaseModel, SoftDeleteModel
from promptlib.core.restoring import WayBack
from templates_app.querysets import RatingManager, RatingQuerySet


class Rating(SoftDeleteModel):
    """One person's rating of a template, bound to the version that was rated."""

    OWNER = "user"
    EXCERPT = "review"
    HELD_BY = ("template", "template__owner", "user")
    WAYS_BACK: ClassVar[dict[str, WayBack]] = {"template_ratings_once": WayBack(can_replace=True)}

    template = models.ForeignKey("templates_app.PromptTemplate", models.CASCADE, related_name="ratings", db_index=False)
    version = models.ForeignKey("templates_app.TemplateVersion", models.CASCADE, related_name="ratings")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="ratings")
    score = models.PositiveSmallIntegerField(_("stars"), validators=[MinValueValidator(1), MaxValueValidator(5)])
    review = models.TextField(_("review"), blank=True, max_length=10_000)
    model = models.CharField(_("model"), max_length=120, blank=True)
    task = models.CharField(_("used for"), max_length=200, blank=True, db_default="")

    objects: ClassVar[RatingManager] = RatingManager()
    all_objects: ClassVar[models.Manager] = models.Manager.from_queryset(RatingQuerySet)()

    class Meta:
        db_table = "template_ratings"
        verbose_name = _("rating")
        verbose_name_plural = _("ratings")
        constraints = (
            models.UniqueConstraint("template", "user", "alive", name="template_ratings_once"),
            models.CheckConstraint(condition=Q(score__range=(1, 5)), name="template_ratings_score"),
        )
        indexes = (
            models.Index(fields=["template", "alive", "-updated_at", "id"], name="template_ratings_recent"),
            models.Index(fields=["template", "alive", "score", "-updated_at", "id"], name="template_ratings_by_score"),
            models.Index(fields=["version", "alive", "-updated_at", "id"], name="template_ratings_of_version"),
        )

    def __str__(self) -> str:
        return f"{self.score} ★ {self.template}"

    def get_absolute_url(self) -> str:
        return f"{reverse('templates_app:detail', args=[self.template_id])}#reviews"

    @property
    def name_along(self) -> str:
        return f"{self.score} ★ {self.user}"

    @classmethod
    def soft_delete_parents(cls) -> tuple[str, ...]:
        return ("template",)

    def is_hidden_from(self, user: Any) -> bool:
        return self.template.is_hidden_from(user)

    @property
    def audit_subject(self) -> Any:
        return self.template_id


class RatingReport(BaseModel):
    """Somebody's word to the curators that a review does not belong in the library."""

    HELD_BY = ("rating__template", "rating__template__owner", "user")

    class Decision(models.TextChoices):
        KEPT = "kept", _("kept")
        REMOVED = "removed", _("removed")

    rating = models.ForeignKey(Rating, models.CASCADE, related_name="reports", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="rating_reports")
    reason = models.TextField(_("reason"), max_length=2000)
    decision = models.CharField(_("decision"), max_length=16, choices=Decision, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="decided_rating_reports"
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        db_table = "template_rating_reports"
        verbose_name = _("report on a review")
        verbose_name_plural = _("reports on reviews")
        constraints = (
            models.UniqueConstraint(fields=["rating", "user"], name="template_rating_reports_once"),
            models.CheckConstraint(
                condition=Q(decision="") | Q(decided_at__isnull=False, decided_by__isnull=False),
                name="template_rating_reports_decision_whole",
            ),
            models.CheckConstraint(
                condition=Q(decision__in=["", "kept", "removed"]), name="template_rating_reports_decision_known"
            ),
        )
        indexes = (models.Index(fields=["decision", "-id"], name="template_rating_reports_open"),)

    def __str__(self) -> str:
        return self.reason[:60]

    @property
    def audit_subject(self) -> Any:
        return self.rating.template_id


class Favorite(BaseModel):
    """A person's bookmark of a template, in their own order."""

    HOUSEKEEPING = ("position",)  # the order is nobody else's business

    template = models.ForeignKey("templates_app.PromptTemplate", models.CASCADE, related_name="favorites")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="favorites", db_index=False)
    position = models.PositiveIntegerField(_("position"), default=0, db_default=0)

    class Meta:
        db_table = "template_favorites"
        verbose_name = _("favourite")
        verbose_name_plural = _("favourites")
        constraints = (models.UniqueConstraint(fields=["user", "template"], name="template_favorites_once"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.template}"

    @property
    def audit_subject(self) -> Any:
        return self.template_id


class Follow(BaseModel):
    """A template that a person wants to hear of, or no longer does, and when they looked at it last."""

    AUDITED = False  # a person's own mark, as what they have read is

    template = models.ForeignKey("templates_app.PromptTemplate", models.CASCADE, related_name="follows")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="follows", db_index=False)
    is_following = models.BooleanField(_("following"), default=True, db_default=True)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)

    class Meta:
        db_table = "template_follows"
        verbose_name = _("followed template")
        verbose_name_plural = _("followed templates")
        constraints = (models.UniqueConstraint(fields=["user", "template"], name="template_follows_once"),)
        indexes = (models.Index(fields=["user", "is_following", "id"], name="template_follows_of_user"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.template}"


class Suggestion(BaseModel):
    """A proposed change of a template, made against one version."""

    HELD_BY = ("template", "template__owner", "author")

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        ACCEPTED = "accepted", _("accepted")
        REJECTED = "rejected", _("rejected")
        WITHDRAWN = "withdrawn", _("withdrawn")

    template = models.ForeignKey(
        "templates_app.PromptTemplate", models.CASCADE, related_name="suggestions", db_index=False
    )
    base_version = models.ForeignKey("templates_app.TemplateVersion", models.CASCADE, related_name="suggestions")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="suggestions")
    system_prompt = models.TextField(_("system prompt"), blank=True)
    body = models.TextField(_("prompt"))
    examples = models.JSONField(_("examples"), default=list, blank=True)
    variables = models.JSONField(_("variables"), default=list, blank=True)
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    message = models.TextField(_("message"), blank=True, max_length=10_000)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.OPEN, db_default="open")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="reviewed_suggestions"
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decision_note = models.TextField(_("reason"), blank=True, max_length=10_000, db_default="")
    accepted_version = models.ForeignKey(
        "templates_app.TemplateVersion", models.SET_NULL, null=True, blank=True, related_name="from_suggestions"
    )

    class Meta:
        db_table = "template_suggestions"
        verbose_name = _("suggestion")
        verbose_name_plural = _("suggestions")
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=["open", "accepted", "rejected", "withdrawn"]),
                name="template_suggestions_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "withdrawn"]) | Q(decided_at__isnull=False, reviewer__isnull=False),
                name="template_suggestions_decision_whole",
            ),
        )
        indexes = (models.Index(fields=["template", "status", "-id"], name="template_suggestions_open"),)

    def __str__(self) -> str:
        return f"{self.template}: {self.message[:60]}"

    def get_absolute_url(self) -> str:
        return reverse("templates_app:suggestion", args=[self.template_id, self.pk])

    @property
    def is_open(self) -> bool:
        return self.status == self.Status.OPEN

    @property
    def stamp(self) -> str:
        """Changes whenever the suggestion does: what somebody has looked at is sent back with their decision."""
        return self.updated_at.isoformat()

    def is_hidden_from(self, user: Any) -> bool:
        return self.template.is_hidden_from(user)

    @property
    def audit_subject(self) -> Any:
        return self.template_id


class SuggestionComment(BaseModel):
    """What somebody says about a suggestion."""

    HELD_BY = ("suggestion__template", "suggestion__template__owner", "author")

    suggestion = models.ForeignKey(Suggestion, models.CASCADE, related_name="comments", db_index=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="suggestion_comments")
    text = models.TextField(_("comment"), max_length=10_000)

    class Meta:
        db_table = "template_suggestion_comments"
        verbose_name = _("comment on a suggestion")
        verbose_name_plural = _("comments on suggestions")
        ordering = ("id",)
        constraints = (models.CheckConstraint(condition=~Q(text=""), name="template_suggestion_comments_text"),)
        indexes = (models.Index(fields=["suggestion", "id"], name="template_suggestion_discussion"),)

    def __str__(self) -> str:
        return self.text[:60]

    def is_hidden_from(self, user: Any) -> bool:
        return self.suggestion.is_hidden_from(user)

    @property
    def audit_subject(self) -> Any:
        return self.suggestion.template_id
