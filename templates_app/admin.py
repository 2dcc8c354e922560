"""The library in the admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from promptlib.core.admin import BaseAdmin, ReadOnlyAdmin, SoftDeleteAdmin
from templates_app.models import (
    BulkAction,
    Category,
    Draft,
    Favorite,
    Follow,
    Grant,
    Label,
    LabelMove,
    LibraryImport,
    PromptTemplate,
    Rating,
    RatingReport,
    Suggestion,
    SuggestionComment,
    Tag,
    TemplateVersion,
    Upstream,
    ValueSet,
)


class LabelInline(admin.StackedInline):
    """To be read: a label moves on its own page, with a history, and a protected one by two people."""

    model = Label
    fields = (("name", "version", "is_protected"),)
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class GrantInline(admin.StackedInline):
    model = Grant
    fields = (("user", "team", "role"),)
    autocomplete_fields = ("user", "team")
    extra = 0


@admin.register(PromptTemplate)
class TemplateAdmin(SoftDeleteAdmin):
    list_display = (
        "title",
        "owner",
        "category",
        "visibility",
        "status",
        "version_count",
        "rating_average",
        "rating_count",
        "usage_count",
        "total_cost",
        "last_used_at",
    )
    list_filter = ("status", "visibility", "category", "language")
    list_select_related = ("owner", "category")
    search_fields = ("title",)
    search_help_text = _("Words of the title, summary, text or tags, or an id")
    autocomplete_fields = ("owner", "category")
    raw_id_fields = ("current_version", "forked_from")
    ordering = ("-id",)
    inlines = (LabelInline, GrantInline)
    readonly_fields = ("site_link", "revision")
    fieldsets = (
        (None, {"fields": ("title", "slug", "summary", "owner", "category", "language", "site_link")}),
        (_("State"), {"fields": ("status", "visibility", "current_version", "forked_from", "revision")}),
        (_("Origin"), {"classes": ("collapse",), "fields": ("source", "source_id", "metadata")}),
        (
            _("Statistics"),
            {
                "fields": (
                    "version_count",
                    "rating_count",
                    "rating_average",
                    "rank_score",
                    "favorite_count",
                    "usage_count",
                    "total_cost",
                    "last_used_at",
                )
            },
        ),
        (_("Trash"), {"fields": ("deleted_at", "deleted_by", "deletion_id")}),
    )

    @admin.display(description=_("page"))
    def site_link(self, template: PromptTemplate) -> SafeString | str:
        if not template.current_version_id:
            return "—"
        return format_html('<a href="{}">{}</a>', template.get_absolute_url(), template.title)


@admin.register(TemplateVersion)
class VersionAdmin(ReadOnlyAdmin):
    """Versions are immutable: the site publishes new ones."""

    list_display = (
        "template",
        "number",
        "author",
        "change_note",
        "usage_count",
        "success_count",
        "input_tokens",
        "output_tokens",
        "total_cost",
        "created_at",
    )
    list_select_related = ("template", "author")
    search_fields = ("template__title", "change_note")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        queryset = super().get_queryset(request)
        if request.resolver_match and str(request.resolver_match.url_name).endswith("_changelist"):
            return queryset.defer("body", "system_prompt", "examples", "variables", "parameters")
        return queryset


@admin.register(Label)
class LabelAdmin(ReadOnlyAdmin):
    list_display = ("name", "template", "version_number", "is_protected", "updated_at")
    list_filter = ("is_protected",)
    list_select_related = ("template", "version")
    search_fields = ("name", "template__title")

    @admin.display(description=_("version"), ordering="version__number")
    def version_number(self, label: Label) -> str:
        return f"v{label.version.number}"


@admin.register(Rating)
class RatingAdmin(SoftDeleteAdmin):
    list_display = ("template", "user", "score", "version_number", "model", "updated_at")
    list_filter = ("score",)
    list_select_related = ("template", "user", "version")
    search_fields = ("template__title", "user__email")
    autocomplete_fields = ("template", "user")
    raw_id_fields = ("version",)
    ordering = ("-id",)

    @admin.display(description=_("version"))
    def version_number(self, rating: Rating) -> str:
        return f"v{rating.version.number}"


@admin.register(Favorite)
class FavoriteAdmin(BaseAdmin):
    list_display = ("template", "user", "position", "created_at")
    list_select_related = ("template", "user")
    search_fields = ("template__title", "user__email")
    autocomplete_fields = ("template", "user")
    ordering = ("-id",)


@admin.register(Follow)
class FollowAdmin(BaseAdmin):
    list_display = ("template", "user", "is_following", "created_at")
    list_select_related = ("template", "user")
    search_fields = ("template__title", "user__email")
    autocomplete_fields = ("template", "user")
    ordering = ("-id",)


@admin.register(Grant)
class GrantAdmin(BaseAdmin):
    list_display = ("template", "user", "team", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("template", "user", "team")
    search_fields = ("template__title", "user__email", "team__name")
    autocomplete_fields = ("template", "user", "team")
    ordering = ("-id",)


@admin.register(Suggestion)
class SuggestionAdmin(BaseAdmin):
    list_display = ("template", "author", "status", "reviewer", "decided_at", "created_at")
    list_filter = ("status",)
    list_select_related = ("template", "author", "reviewer")
    search_fields = ("template__title", "author__email", "message")
    autocomplete_fields = ("template", "author", "reviewer")
    raw_id_fields = ("base_version",)
    ordering = ("-id",)


@admin.register(Category)
class CategoryAdmin(BaseAdmin):
    list_display = ("name", "slug", "parent", "position")
    list_editable = ("position",)
    list_select_related = ("parent",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    autocomplete_fields = ("parent",)


@admin.register(Tag)
class TagAdmin(BaseAdmin):
    list_display = ("name", "slug", "created_at")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}


@admin.register(SuggestionComment)
class SuggestionCommentAdmin(BaseAdmin):
    list_display = ("suggestion", "author", "text", "created_at")
    list_select_related = ("suggestion__template", "author")
    search_fields = ("text", "author__email")
    autocomplete_fields = ("author",)
    raw_id_fields = ("suggestion",)
    ordering = ("-id",)


@admin.register(LabelMove)
class LabelMoveAdmin(ReadOnlyAdmin):
    """The history of the labels: the site moves them."""

    list_display = ("name", "template", "from_version", "to_version", "status", "author", "reviewer", "created_at")
    list_filter = ("status",)
    list_select_related = ("template", "from_version__template", "to_version__template", "author", "reviewer")
    search_fields = ("name", "template__title")
    ordering = ("-id",)


@admin.register(RatingReport)
class RatingReportAdmin(BaseAdmin):
    list_display = ("rating", "user", "reason", "decision", "decided_by", "created_at")
    list_filter = ("decision",)
    list_select_related = ("rating__template", "user", "decided_by")
    search_fields = ("reason", "user__email")
    autocomplete_fields = ("rating", "user", "decided_by")
    ordering = ("-id",)


@admin.register(ValueSet)
class ValueSetAdmin(BaseAdmin):
    list_display = ("name", "template", "user", "is_shared", "updated_at")
    list_filter = ("is_shared",)
    list_select_related = ("template", "user")
    search_fields = ("name", "template__title", "user__email")
    autocomplete_fields = ("template", "user")
    ordering = ("-id",)


@admin.register(Upstream)
class UpstreamAdmin(BaseAdmin):
    list_display = ("template", "base", "ignored_number", "updated_at")
    list_select_related = ("template", "base__template")
    search_fields = ("template__title",)
    autocomplete_fields = ("template",)
    raw_id_fields = ("base",)
    ordering = ("-id",)


@admin.register(Draft)
class DraftAdmin(ReadOnlyAdmin):
    """Unsaved texts: whose they are, not what they say."""

    list_display = ("user", "template", "base_revision", "updated_at")
    list_select_related = ("user", "template")
    search_fields = ("user__email", "template__title")
    exclude = ("data",)
    ordering = ("-id",)


@admin.register(BulkAction)
class BulkActionAdmin(ReadOnlyAdmin):
    list_display = ("action", "user", "created_at", "undone_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "action")
    ordering = ("-id",)


@admin.register(LibraryImport)
class LibraryImportAdmin(ReadOnlyAdmin):
    list_display = ("filename", "format", "owner", "created_at", "finished_at")
    list_select_related = ("owner",)
    search_fields = ("filename", "owner__email")
    exclude = ("content",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("content")  # megabytes each
