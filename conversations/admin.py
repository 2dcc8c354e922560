"""Conversations, interactions and models in the admin."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from conversations.models import (
    AIModel,
    AIModelPrice,
    Conversation,
    ConversationImport,
    ConversationTag,
    ImportPart,
    LinkView,
    Participant,
    Prompt,
    PromptComment,
    SavedTemplate,
    SeatOffer,
    ShareLink,
    UsageDaily,
    UsageLimit,
)
from conversations.providers import hosts
from conversations.services.trying import try_model
from promptlib.core.admin import BaseAdmin, ReadOnlyAdmin, SoftDeleteAdmin, model_fields

TEXTS = ("system_prompt", "response_text", "error_message", "values", "parameters", "metadata")


class ParticipantInline(admin.StackedInline):
    model = Participant
    fk_name = "conversation"
    fields = (("user", "role", "invited_by"),)
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
    list_filter = ("status", "ai_model", "feedback")
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


class AIModelForm(forms.ModelForm):
    def clean_base_url(self) -> str:
        url: str = self.cleaned_data["base_url"]
        if url and not hosts.is_allowed(url):
            raise ValidationError(
                _("Questions may not be sent there. The operator can list the host in PROVIDER_HOSTS.")
            )
        return url


class PriceInline(admin.StackedInline):
    model = AIModelPrice
    form = PriceForm
    fields = (("effective_from", "input_price", "output_price", "cached_price", "currency"),)
    extra = 1


@admin.register(AIModel)
class AIModelAdmin(BaseAdmin):
    list_display = ("label", "provider", "name", "base_url", "has_key", "is_enabled", "position")
    list_editable = ("is_enabled", "position")
    list_filter = ("provider", "is_enabled")
    search_fields = ("label", "name")
    inlines = (PriceInline,)
    form = AIModelForm
    change_form_template = "conversations/admin_model.html"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_POST(self.try_out))
        return [path("<path:object_id>/trial/", view, name="conversations_aimodel_trial"), *super().get_urls()]

    def try_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the model for one word, and tell what came of it."""
        model = self.get_object(request, unquote(object_id))
        if model is None or not self.has_change_permission(request, model):
            raise PermissionDenied
        trial = try_model(model)
        self.message_user(request, trial.message, messages.SUCCESS if trial.is_good else messages.ERROR)
        return redirect("admin:conversations_aimodel_change", object_id)

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
    ordering = ("-day", "-user_id", "-provider", "-model")  # as the unique index has them


@admin.register(UsageLimit)
class UsageLimitAdmin(BaseAdmin):
    list_display = ("__str__", "user", "team", "period", "runs", "tokens", "cost")
    list_filter = ("period",)
    list_select_related = ("user", "team")
    search_fields = ("user__email", "team__name")
    autocomplete_fields = ("user", "team")
    ordering = ("-id",)


@admin.register(SeatOffer)
class SeatOfferAdmin(BaseAdmin):
    list_display = ("email", "conversation", "role", "invited_by", "created_at")
    list_filter = ("role",)
    list_select_related = ("conversation", "invited_by")
    search_fields = ("email",)
    autocomplete_fields = ("conversation", "invited_by")
    ordering = ("-id",)


@admin.register(ConversationTag)
class ConversationTagAdmin(BaseAdmin):
    list_display = ("conversation", "tag", "created_at")
    list_select_related = ("conversation", "tag")
    search_fields = ("conversation__title", "tag__name")
    autocomplete_fields = ("conversation", "tag")
    ordering = ("-id",)


@admin.register(SavedTemplate)
class SavedTemplateAdmin(BaseAdmin):
    list_display = ("template", "prompt", "created_at")
    list_select_related = ("template", "prompt")
    search_fields = ("template__title",)
    autocomplete_fields = ("template",)
    raw_id_fields = ("prompt",)
    ordering = ("-id",)


@admin.register(LinkView)
class LinkViewAdmin(ReadOnlyAdmin):
    list_display = ("link", "user", "ip", "user_agent", "created_at")
    list_select_related = ("link__conversation", "user")
    search_fields = ("user__email", "ip")
    ordering = ("-id",)


@admin.register(ConversationImport)
class ConversationImportAdmin(ReadOnlyAdmin):
    list_display = ("filename", "format", "owner", "status", "done", "total", "created_at", "finished_at")
    list_filter = ("status",)
    list_select_related = ("owner",)
    search_fields = ("filename", "owner__email")
    ordering = ("-id",)


@admin.register(ImportPart)
class ImportPartAdmin(ReadOnlyAdmin):
    list_display = ("upload", "number", "created_at")
    list_select_related = ("upload",)
    search_fields = ("upload__filename",)
    exclude = ("content",)
    ordering = ("-id",)
