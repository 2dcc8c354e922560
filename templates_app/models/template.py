"""A prompt template and the rights on it."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Cast, Round
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from promptlib.core.deletion import cascade_whole
from promptlib.core.fields import KeyField
from promptlib.core.models import BaseModel, SoftDeleteModel
from promptlib.core.restoring import WayBack
from templates_app.querysets import GrantQuerySet, TemplateManager, TemplateQuerySet

PRIOR_COUNT, PRIOR_SUM = 5, 17.5
"""The Bayesian mean starts from five imagined ratings of 3.5, so one 5 does not outrank fifty 4.8s."""

DECIMAL = models.DecimalField(max_digits=12, decimal_places=4)

LANGUAGE = RegexValidator(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", _("Enter a language code such as en or pt-BR."))


class PromptTemplate(SoftDeleteModel):
    """A reusable prompt template."""

    TITLE = "title"
    EXCERPT = "summary"
    HELD_BY = ("id", "owner")
    WAYS_BACK: ClassVar[dict[str, WayBack]] = {
        "templates_source_unique": WayBack(detach=("source", "source_id"), can_replace=True)
    }

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")
        ARCHIVED = "archived", _("archived")

    class Visibility(models.TextChoices):
        PRIVATE = "private", _("private")
        SHARED = "shared", _("shared")
        PUBLIC = "public", _("public")

    STATISTICS = (
        "version_count",
        "rating_count",
        "rating_sum",
        "favorite_count",
        "usage_count",
        "total_cost",
        "last_used_at",
    )

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="templates", db_index=False, verbose_name=_("owner")
    )
    title = models.CharField(_("title"), max_length=200)
    slug = models.SlugField(_("slug"), max_length=200, allow_unicode=True, db_index=False, blank=True)
    summary = models.CharField(_("summary"), max_length=500, blank=True)
    category = models.ForeignKey(
        "templates_app.Category",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="templates",
        db_index=False,
        verbose_name=_("shelf"),
    )
    tags = models.ManyToManyField("templates_app.Tag", through="templates_app.TemplateTag", related_name="templates")
    language = models.CharField(_("language"), max_length=35, default="en", validators=[LANGUAGE])
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.PUBLISHED)
    visibility = models.CharField(_("visibility"), max_length=16, choices=Visibility, default=Visibility.PRIVATE)
    current_version = models.OneToOneField(
        "templates_app.TemplateVersion", models.SET_NULL, null=True, blank=True, related_name="current_of"
    )
    forked_from = models.ForeignKey(
        "templates_app.TemplateVersion", models.SET_NULL, null=True, blank=True, related_name="forks"
    )
    source = KeyField(_("source"), max_length=64, blank=True, help_text=_("The collection it was imported from."))
    source_id = KeyField(_("id at the source"), max_length=255, null=True, blank=True)
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)
    revision = models.PositiveIntegerField(_("revision"), default=0, db_default=0)

    version_count = models.IntegerField(_("versions"), default=0, db_default=0, editable=False)
    rating_count = models.IntegerField(_("ratings"), default=0, db_default=0, editable=False)
    rating_sum = models.IntegerField(_("sum of ratings"), default=0, db_default=0, editable=False)
    favorite_count = models.IntegerField(_("favourites"), default=0, db_default=0, editable=False)
    usage_count = models.BigIntegerField(_("runs"), default=0, db_default=0, editable=False)
    total_cost = models.DecimalField(
        _("total cost"), max_digits=18, decimal_places=6, default=0, db_default=0, editable=False
    )
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    rating_average = models.GeneratedField(
        verbose_name=_("rating"),
        expression=Case(
            When(
                rating_count__gt=0,
                then=Round(Cast("rating_sum", models.FloatField()) / F("rating_count"), 2, output_field=DECIMAL),
            )
        ),
        output_field=models.DecimalField(max_digits=4, decimal_places=2),
        db_persist=False,
    )
    rank_score = models.GeneratedField(
        verbose_name=_("rank"),
        expression=Round(
            (F("rating_sum") + Value(PRIOR_SUM, DECIMAL)) / (F("rating_count") + Value(PRIOR_COUNT)),
            4,
            output_field=DECIMAL,
        ),
        output_field=models.DecimalField(max_digits=6, decimal_places=4),
        db_persist=False,
    )

    objects: ClassVar[TemplateManager] = TemplateManager()
    all_objects: ClassVar[models.Manager] = models.Manager.from_queryset(TemplateQuerySet)()

    class Meta:
        db_table = "templates"
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        permissions = (("curate_library", _("Can keep the library: shelves, tags, suggestions, protected labels")),)
        constraints = (
            models.UniqueConstraint("owner", "source", "source_id", "alive", name="templates_source_unique"),
            models.CheckConstraint(condition=~Q(title=""), name="templates_title_given"),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "published", "archived"]), name="templates_status_known"
            ),
            models.CheckConstraint(
                condition=Q(visibility__in=["private", "shared", "public"]), name="templates_visibility_known"
            ),
            models.CheckConstraint(
                condition=Q(version_count__gte=0, rating_count__gte=0, favorite_count__gte=0)
                & Q(usage_count__gte=0, rating_sum__gte=0),
                name="templates_counts_not_negative",
            ),
        )
        indexes = (
            models.Index(fields=["alive", "rank_score", "id"], name="templates_by_rank"),
            models.Index(fields=["alive", "usage_count", "id"], name="templates_by_usage"),
            models.Index(fields=["alive", "last_used_at", "id"], name="templates_by_last_use"),
            models.Index(fields=["alive", "id"], name="templates_by_age"),
            models.Index(fields=["owner", "alive", "id"], name="templates_of_owner"),
            models.Index(fields=["category", "alive", "id"], name="templates_of_category"),
            models.Index(fields=["status", "alive", "rank_score", "id"], name="templates_of_status"),
            models.Index(fields=["visibility", "alive", "rank_score", "id"], name="templates_of_visibility"),
            models.Index(fields=["language", "alive", "rank_score", "id"], name="templates_of_language"),
        )

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.slug = self.slug or self.slug_of(self.title)
        super().save(*args, **kwargs)

    @staticmethod
    def slug_of(title: str) -> str:
        """The title as a part of an address, in any script; never empty."""
        return slugify(title, allow_unicode=True)[:200] or "template"

    def get_absolute_url(self) -> str:
        return reverse("templates_app:detail", args=[self.pk])

    @property
    def stays_with(self) -> list[str]:
        numbers = (
            (self.version_count, ngettext("%(number)s version", "%(number)s versions", self.version_count)),
            (self.favorite_count, ngettext("%(number)s favourite", "%(number)s favourites", self.favorite_count)),
        )
        return [words % {"number": number} for number, words in numbers if number]

    def is_editable_by(self, user: Any) -> bool:
        """Whether this person may write the next version; no query for the owner."""
        return self.owner_id == user.pk or PromptTemplate.objects.editable_by(user).filter(pk=self.pk).exists()

    def is_hidden_from(self, user: Any) -> bool:
        """Whether somebody who has it before them sees it as staff alone; one query, none for the owner."""
        return self.owner_id != user.pk and not PromptTemplate.objects.visible_to(user).filter(pk=self.pk).exists()

    @property
    def audit_subject(self) -> Any:
        return self.pk


class Grant(BaseModel):
    """A person's or a team's right on a template."""

    class Role(models.TextChoices):
        VIEWER = "viewer", _("viewer")
        EDITOR = "editor", _("editor")

    template = models.ForeignKey(PromptTemplate, models.CASCADE, related_name="grants", db_index=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, cascade_whole, null=True, blank=True, related_name="template_grants", db_index=False
    )
    team = models.ForeignKey(
        "accounts.Team", cascade_whole, null=True, blank=True, related_name="template_grants", db_index=False
    )
    role = models.CharField(_("role"), max_length=16, choices=Role, default=Role.VIEWER)

    objects: ClassVar[models.Manager] = models.Manager.from_queryset(GrantQuerySet)()

    class Meta:
        db_table = "template_grants"
        verbose_name = _("right on a template")
        verbose_name_plural = _("rights on templates")
        constraints = (
            models.UniqueConstraint(fields=["template", "user"], name="template_grants_user_once"),
            models.UniqueConstraint(fields=["template", "team"], name="template_grants_team_once"),
            models.CheckConstraint(
                condition=Q(user__isnull=True, team__isnull=False) | Q(user__isnull=False, team__isnull=True),
                name="template_grants_user_or_team",
            ),
            models.CheckConstraint(condition=Q(role__in=["viewer", "editor"]), name="template_grants_role_known"),
        )
        indexes = (
            models.Index(fields=["user", "template", "role"], name="template_grants_of_user"),
            models.Index(fields=["team", "template", "role"], name="template_grants_of_team"),
        )

    def __str__(self) -> str:
        return f"{self.user or self.team}: {self.get_role_display()}"

    @property
    def audit_subject(self) -> Any:
        return self.template_id


class ForkCount(BaseModel):
    """How many living templates were forked from one. Apart, because on MySQL no trigger may change its own table."""

    STATISTICS = ("fork_count",)
    AUDITED = False  # a trigger alone writes it

    template = models.OneToOneField(PromptTemplate, models.CASCADE, related_name="forks_counted")
    fork_count = models.IntegerField(_("forks"), default=0, db_default=0, editable=False)

    class Meta:
        db_table = "template_fork_counts"
        verbose_name = _("number of forks")
        verbose_name_plural = _("numbers of forks")

    def __str__(self) -> str:
        return f"{self.template}: {self.fork_count}"


class Upstream(BaseModel):
    """How far a fork has followed the template it came from."""

    template = models.OneToOneField(PromptTemplate, models.CASCADE, related_name="upstream")
    base = models.ForeignKey(
        "templates_app.TemplateVersion",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("The version of the original that was taken in last: the base of the next merge."),
    )
    ignored_number = models.PositiveIntegerField(
        _("ignored up to version"), default=0, help_text=_("Versions of the original up to this one are no news.")
    )

    class Meta:
        db_table = "template_upstreams"
        verbose_name = _("original of a fork")
        verbose_name_plural = _("originals of forks")

    def __str__(self) -> str:
        return str(self.template)  # not the original: whoever reads this may not see it

    @property
    def audit_subject(self) -> Any:
        return self.template_id
