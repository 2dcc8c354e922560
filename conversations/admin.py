"""Conversations, interactions and models in the admin."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.models import (
    AIModel,
    AIModelPrice,
    Conversation,
    Participant,
    Prompt,
    PromptComment,
    ShareLink,
    UsageDaily,
)
from promptlib.core.admin import BaseAdmin, ReadOnlyAdmin, SoftDeleteAdmin, model_fields

TEXTS = ("system_prompt", "response_text", "error_message", "values", "parameters", "metadata")


class ParticipantInline(admin.TabularInline):
    model = Participant
    fk_name = "conversation"
    fields = ("user", "role", "invited_by")
    autocomplete_fields = ("user", "invited_by")
    extra = 0


@admin.register(Conversation)
class ConversationAdmin(SoftDeleteAdmin):
    list_display = (
        "title",
        "owner",
        "prompt_count",
        "participant_count",
        "input_tokens",
        "output_tokens",
        "cost",
        "last_prompt_at",
        "archived_at",
    )
    list_filter = (("archived_at", admin.EmptyFieldListFilter), "source")
    list_select_related = ("owner",)
    search_fields = ("title",)
    search_help_text = gettext_lazy("Words of the title or summary, or an id")
    autocomplete_fields = ("owner", "model")
    readonly_fields = ("revision",)
    ordering = ("-id",)
    inlines = (ParticipantInline,)


@admin.register(Prompt)
class PromptAdmin(SoftDeleteAdmin):
    """Interactions are what happened: here they are read, deleted and restored."""

    list_display = (
        "question",
        "conversation",
        "author",
        "status",
        "model",
        "input_tokens",
        "output_tokens",
        "latency_ms",
        "cost",
        "created_at",
    )
    list_filter = ("status", "provider", "feedback")
    list_select_related = ("conversation", "author")
    search_fields = ("input_text",)
    search_help_text = gettext_lazy("Words of the prompt or the response, or an id")
    ordering = ("-id",)
    fields = readonly_fields = model_fields(Prompt)

    def get_queryset(self, request: HttpRequest) -> Any:
        queryset = super().get_queryset(request)
        if request.resolver_match and str(request.resolver_match.url_name).endswith("_changelist"):
            return queryset.defer(*TEXTS)
        return queryset

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=gettext_lazy("prompt"))
    def question(self, prompt: Prompt) -> str:
        return Truncator(prompt.input_text).chars(80)


@admin.register(Participant)
class ParticipantAdmin(BaseAdmin):
    list_display = ("conversation", "user", "role", "invited_by", "last_activity_at")
    list_filter = ("role",)
    list_select_related = ("conversation", "user", "invited_by")
    search_fields = ("conversation__title", "user__email")
    autocomplete_fields = ("conversation", "user", "invited_by")
    ordering = ("-id",)


@admin.register(PromptComment)
class CommentAdmin(BaseAdmin):
    list_display = ("text", "author", "created_at")
    list_select_related = ("author",)
    search_fields = ("text", "author__email")
    raw_id_fields = ("prompt",)
    autocomplete_fields = ("author",)
    ordering = ("-id",)


@admin.register(ShareLink)
class ShareLinkAdmin(BaseAdmin):
    list_display = ("conversation", "name", "created_by", "expires_at", "view_count", "max_views", "revoked_at")
    list_select_related = ("conversation", "created_by")
    search_fields = ("conversation__title", "name")
    autocomplete_fields = ("conversation", "created_by")
    readonly_fields = ("view_count",)
    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # the token is shown once, to whoever makes the link


class PriceForm(forms.ModelForm):
    """Costs are summed over models, so they are all in the installation's currency."""

    class Meta:
        model = AIModelPrice
        fields = ("effective_from", "input_price", "output_price", "cached_price", "currency")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["currency"].initial = settings.CURRENCY

    def clean_currency(self) -> str:
        currency = self.cleaned_data["currency"].upper()
        if currency != settings.CURRENCY:
            raise ValidationError(_("Prices here are in %(currency)s.") % {"currency": settings.CURRENCY})
        return currency


class PriceInline(admin.TabularInline):
    model = AIModelPrice
    form = PriceForm
    extra = 1


@admin.register(AIModel)
class AIModelAdmin(BaseAdmin):
    list_display = ("label", "provider", "name", "base_url", "has_key", "is_enabled", "position")
    list_editable = ("is_enabled", "position")
    list_filter = ("provider", "is_enabled")
    search_fields = ("label", "name")
    inlines = (PriceInline,)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "base_url":
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description=gettext_lazy("key"), boolean=True)
    def has_key(self, model: AIModel) -> bool | None:
        return bool(model.api_key) if model.key_variable else None


@admin.register(AIModelPrice)
class PriceAdmin(BaseAdmin):
    form = PriceForm
    fields = ("model", *PriceForm.Meta.fields)
    list_display = ("model", "effective_from", "input_price", "output_price", "cached_price", "currency")
    list_select_related = ("model",)
    search_fields = ("model__label", "model__name")
    autocomplete_fields = ("model",)


@admin.register(UsageDaily)
class UsageDailyAdmin(ReadOnlyAdmin):
    """A trigger keeps these rows."""

    list_display = ("day", "user", "provider", "model", "runs", "failures", "input_tokens", "output_tokens", "cost")
    list_filter = ("provider",)
    list_select_related = ("user",)
    search_fields = ("user__email", "model")
    ordering = ("-day", "-id")
