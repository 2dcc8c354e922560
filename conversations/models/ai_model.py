"""The models that staff make available, and what they cost."""

import os
from datetime import date
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from conversations.querysets import AIModelQuerySet
from promptlib.core.fields import KeyField
from promptlib.core.models import BaseModel

OUR_KEYS = {"SECRET_KEY", "DJANGO_SECRET_KEY"}
"""Variables of the environment that are named like a provider's key and sign promptlib's own sessions."""


class AIModel(BaseModel):
    """A model that people can run prompts against. Its key stays in the environment, never in the database."""

    class Provider(models.TextChoices):
        OPENAI = "openai", _("OpenAI-compatible HTTP")
        ANTHROPIC = "anthropic", _("Anthropic messages")
        ECHO = "echo", _("Echo (a demonstration, no network)")

    provider = models.CharField(_("provider"), max_length=32, choices=Provider, default=Provider.OPENAI)
    label = models.CharField(_("label"), max_length=120, help_text=_("The name that people choose."))
    name = KeyField(_("model name"), max_length=120, help_text=_("As the provider calls it, such as gpt-4.1-mini."))
    base_url = models.URLField(
        _("base URL"), max_length=500, blank=True, help_text=_("Up to and without /chat/completions.")
    )
    key_variable = models.CharField(
        _("key variable"),
        max_length=80,
        blank=True,
        validators=[
            RegexValidator(r"^[A-Z][A-Z0-9_]*_KEY$", _("Use capitals, digits and underscores, ending in _KEY."))
        ],
        help_text=_("The environment variable that holds the API key, such as OPENAI_API_KEY."),
    )
    max_output_tokens = models.PositiveIntegerField(_("output tokens at most"), null=True, blank=True)
    limits = models.JSONField(_("limits"), default=dict, blank=True)
    is_enabled = models.BooleanField(_("enabled"), default=True, db_default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0, db_default=0)

    objects: ClassVar[models.Manager] = AIModelQuerySet.as_manager()

    class Meta:
        db_table = "ai_models"
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ("position", "label")
        constraints = (
            models.UniqueConstraint(fields=["provider", "base_url", "name"], name="ai_models_once"),
            models.CheckConstraint(
                condition=Q(provider="echo") | ~Q(base_url=""),
                name="ai_models_base_url_given",
                violation_error_message=_("Enter the address of the provider."),
            ),
        )

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        if self.key_variable in OUR_KEYS:
            text = _("%(name)s is no key of a provider: it would be sent to one.") % {"name": self.key_variable}
            raise ValidationError({"key_variable": text})

    @property
    def api_key(self) -> str:
        is_usable = self.key_variable and self.key_variable not in OUR_KEYS
        return os.environ.get(self.key_variable, "") if is_usable else ""

    def price_on(self, day: date) -> "AIModelPrice | None":
        """The price that was valid on `day`; one query."""
        return self.prices.filter(effective_from__lte=day).order_by("-effective_from").first()


class AIModelPrice(BaseModel):
    """What a model costs from a day on, per million tokens."""

    model = models.ForeignKey(AIModel, models.CASCADE, related_name="prices", db_index=False)
    input_price = models.DecimalField(
        _("input, per million tokens"), max_digits=12, decimal_places=6, validators=[MinValueValidator(0)]
    )
    output_price = models.DecimalField(
        _("output, per million tokens"), max_digits=12, decimal_places=6, validators=[MinValueValidator(0)]
    )
    cached_price = models.DecimalField(
        _("cached input, per million tokens"),
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    currency = models.CharField(_("currency"), max_length=3)
    effective_from = models.DateField(_("valid from"))

    class Meta:
        db_table = "ai_model_prices"
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering = ("-effective_from",)
        constraints = (
            models.UniqueConstraint(fields=["model", "effective_from"], name="ai_model_prices_once"),
            models.CheckConstraint(
                condition=Q(input_price__gte=0, output_price__gte=0)
                & (Q(cached_price__isnull=True) | Q(cached_price__gte=0)),
                name="ai_model_prices_not_negative",
            ),
            models.CheckConstraint(condition=~Q(currency=""), name="ai_model_prices_currency_given"),
        )

    def __str__(self) -> str:
        return f"{self.model}, {self.effective_from}"
