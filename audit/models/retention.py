"""What is kept and for how long: legal holds, rules, and the deletions that are being made final."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from promptlib.core.fields import UUIDField
from promptlib.core.models import BaseModel

LONGEST_DAYS = 36_500


class LegalHold(BaseModel):
    """Staff's word that a person, template or conversation, and all that is theirs, is not deleted for good."""

    content_type = models.ForeignKey(
        "contenttypes.ContentType", models.PROTECT, related_name="+", db_index=False, verbose_name=_("kind")
    )
    subject_id = UUIDField(_("id"), db_index=True)
    subject_repr = models.CharField(_("thing"), max_length=300, blank=True)
    reason = models.CharField(_("reason"), max_length=500)
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("placed by")
    )
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("lifted by")
    )
    lift_reason = models.CharField(_("reason for lifting"), max_length=500, blank=True)

    class Meta:
        db_table = "legal_holds"
        verbose_name = _("legal hold")
        verbose_name_plural = _("legal holds")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=~models.Q(reason=""), name="legal_holds_reason_given"),
            models.CheckConstraint(
                condition=models.Q(lifted_at__isnull=True) | ~models.Q(lift_reason=""),
                name="legal_holds_lifted_for_a_reason",
            ),
        )

    def __str__(self) -> str:
        return f"{self.subject_repr}: {self.reason}"

    @property
    def is_active(self) -> bool:
        return self.lifted_at is None


class Purge(BaseModel):
    """A deletion that is being made final: nothing of it can come back, and whoever finds the row goes on with it."""

    AUDITED = False  # each row that goes is logged

    deletion_id = UUIDField(_("deletion"), unique=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.CharField(_("reason"), max_length=500, blank=True)

    class Meta:
        db_table = "audit_purges"
        verbose_name = _("purge that has begun")
        verbose_name_plural = _("purges that have begun")

    def __str__(self) -> str:
        return str(self.deletion_id)


class RetentionRule(BaseModel):
    """How long things of one kind stay: in the trash, and untouched outside of it."""

    content_type = models.OneToOneField(
        "contenttypes.ContentType", models.CASCADE, related_name="+", verbose_name=_("kind")
    )
    trash_days = models.PositiveIntegerField(
        _("days in the trash"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_DAYS)],
        help_text=_("Then purge_trash deletes them for good. Empty: as RETENTION_TRASH_DAYS says."),
    )
    idle_days = models.PositiveIntegerField(
        _("days untouched"),
        null=True,
        blank=True,
        validators=[MinValueValidator(30), MaxValueValidator(LONGEST_DAYS)],
        help_text=_("Then purge_trash moves them to the trash. Empty: never."),
    )

    class Meta:
        db_table = "retention_rules"
        verbose_name = _("retention rule")
        verbose_name_plural = _("retention rules")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(trash_days__isnull=True) | models.Q(trash_days__gte=1),
                name="retention_rules_trash_days",
            ),
            models.CheckConstraint(
                condition=models.Q(idle_days__isnull=True) | models.Q(idle_days__gte=30),
                name="retention_rules_idle_days",
            ),
        )

    def __str__(self) -> str:
        return str(self.content_type)

    def clean(self) -> None:
        """Of some kinds nobody knows when they were touched last."""
        kind: Any = self.content_type.model_class() if self.content_type_id else None
        if self.idle_days and kind is not None and not hasattr(kind.objects.all(), "untouched_since"):
            raise ValidationError({"idle_days": _("Things of this kind go with what they belong to.")})
