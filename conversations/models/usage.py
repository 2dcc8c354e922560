"""What was used: a table that triggers keep, and the views that reports read."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from promptlib.core.fields import KeyField, UUIDField
from promptlib.core.models import BaseModel


class UsageDaily(BaseModel):
    """A day (UTC) of one person's use of one model. Triggers on `prompts` keep every number."""

    STATISTICS = ("runs", "failures", "input_tokens", "output_tokens", "cost", "latency_ms", "latency_count")
    AUDITED = False  # a trigger alone writes it

    day = models.DateField(_("day"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="usage", db_index=False)
    provider = KeyField(_("provider"), max_length=64, blank=True)
    model = KeyField(_("model"), max_length=120, blank=True)
    runs = models.BigIntegerField(_("runs"), default=0, db_default=0)
    failures = models.BigIntegerField(_("failures"), default=0, db_default=0)
    input_tokens = models.BigIntegerField(_("input tokens"), default=0, db_default=0)
    output_tokens = models.BigIntegerField(_("output tokens"), default=0, db_default=0)
    cost = models.DecimalField(_("cost"), max_digits=18, decimal_places=6, default=0, db_default=0)
    latency_ms = models.BigIntegerField(_("total latency, ms"), default=0, db_default=0)
    latency_count = models.BigIntegerField(_("runs with a latency"), default=0, db_default=0)

    class Meta:
        db_table = "usage_daily"
        verbose_name = _("day of use")
        verbose_name_plural = _("days of use")
        constraints = (
            models.UniqueConstraint(fields=["day", "user", "provider", "model"], name="usage_daily_once"),
            models.CheckConstraint(
                condition=models.Q(runs__gte=0, failures__gte=0, failures__lte=models.F("runs")),
                name="usage_daily_runs_add_up",
            ),
        )
        indexes = (models.Index(fields=["user", "day"], name="usage_daily_of_user"),)

    def __str__(self) -> str:
        return f"{self.day} {self.user} {self.model}"


class UsageLimit(BaseModel):
    """How much a person, or all members of a team together, may use in a day or a month (UTC)."""

    class Period(models.TextChoices):
        DAY = "day", _("day")
        MONTH = "month", _("month")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="usage_limits"
    )
    team = models.ForeignKey("accounts.Team", models.CASCADE, null=True, blank=True, related_name="usage_limits")
    period = models.CharField(_("period"), max_length=8, choices=Period, default=Period.MONTH)
    runs = models.PositiveIntegerField(_("runs at most"), null=True, blank=True)
    tokens = models.PositiveBigIntegerField(_("tokens at most"), null=True, blank=True)
    cost = models.DecimalField(_("cost at most"), max_digits=14, decimal_places=6, null=True, blank=True)

    class Meta:
        db_table = "usage_limits"
        verbose_name = _("limit of use")
        verbose_name_plural = _("limits of use")
        constraints = (
            models.UniqueConstraint(fields=["user", "period"], name="usage_limits_of_user_once"),
            models.UniqueConstraint(fields=["team", "period"], name="usage_limits_of_team_once"),
            models.CheckConstraint(
                condition=models.Q(user__isnull=True, team__isnull=False)
                | models.Q(user__isnull=False, team__isnull=True),
                name="usage_limits_user_or_team",
            ),
            models.CheckConstraint(condition=models.Q(period__in=["day", "month"]), name="usage_limits_period_known"),
            models.CheckConstraint(
                condition=models.Q(cost__isnull=True) | models.Q(cost__gte=0), name="usage_limits_cost_not_negative"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user or self.team}: {self.get_period_display()}"


class ModelUsageDaily(models.Model):
    """A day of one model, over all people (view `report_model_usage_daily`)."""

    id = models.CharField(primary_key=True, max_length=255)
    day = models.DateField()
    provider = models.CharField(max_length=64)
    model = models.CharField(max_length=120)
    people = models.BigIntegerField()
    runs = models.BigIntegerField()
    failures = models.BigIntegerField()
    input_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    cost = models.DecimalField(max_digits=18, decimal_places=6)
    mean_latency_ms = models.FloatField(null=True)

    class Meta:
        managed = False
        db_table = "report_model_usage_daily"

    def __str__(self) -> str:
        return f"{self.day} {self.model}"


class UserActivity(models.Model):
    """What one person did in all (view `report_user_activity`)."""

    user_id = UUIDField(primary_key=True)
    user_uuid = models.CharField(max_length=36)
    display_name = models.CharField(max_length=120)
    runs = models.BigIntegerField()
    failures = models.BigIntegerField()
    input_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    cost = models.DecimalField(max_digits=18, decimal_places=6)
    first_day = models.DateField(null=True)
    last_day = models.DateField(null=True)
    template_count = models.BigIntegerField()
    conversation_count = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "report_user_activity"

    def __str__(self) -> str:
        return self.display_name


class ConversationActivity(models.Model):
    """The size, cost and age of one conversation (view `report_conversation_activity`)."""

    conversation_id = UUIDField(primary_key=True)
    conversation_uuid = models.CharField(max_length=36)
    owner_id = UUIDField()
    title = models.CharField(max_length=300)
    prompt_count = models.BigIntegerField()
    participant_count = models.BigIntegerField()
    input_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    cost = models.DecimalField(max_digits=18, decimal_places=6)
    started_at = models.DateTimeField()
    last_prompt_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "report_conversation_activity"

    def __str__(self) -> str:
        return self.title
