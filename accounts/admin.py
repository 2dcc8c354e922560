"""People, teams and invitations in the admin."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Invitation, Team, TeamMembership, User
from promptlib.core.admin import BaseAdmin, SoftDeleteAdmin


class NewUserForm(AdminUserCreationForm):
    """A person whom staff enter: an address and a password, or none until they reset it."""

    class Meta:
        model = User
        fields = ("email", "display_name")
        field_classes: dict[str, Any] = {}


@admin.register(User)
class UserAdmin(SoftDeleteAdmin, DjangoUserAdmin):
    list_display = ("email", "handle", "display_name", "is_active", "is_staff", "last_seen_at", "created_at")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    search_fields = ("email", "handle", "display_name")
    search_help_text = _("An e-mail address, handle or name, or an id")
    ordering = ("-id",)
    add_form = NewUserForm
    readonly_fields = ("last_login", "last_seen_at")
    fieldsets = (
        (None, {"fields": ("email", "password", "handle", "display_name", "bio")}),
        (_("Preferences"), {"fields": ("timezone", "locale", "preferences")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Dates"), {"fields": ("last_login", "last_seen_at", "created_at", "updated_at")}),
        (_("Trash"), {"fields": ("deleted_at", "deleted_by", "deletion_id")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "display_name", "usable_password", "password1", "password2")}),)


class MembershipInline(admin.TabularInline):
    model = TeamMembership
    fields = ("user", "role")
    autocomplete_fields = ("user",)
    extra = 0


@admin.register(Team)
class TeamAdmin(BaseAdmin):
    list_display = ("name", "slug", "created_at")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (MembershipInline,)


@admin.register(TeamMembership)
class TeamMembershipAdmin(BaseAdmin):
    list_display = ("team", "user", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("team", "user")
    search_fields = ("team__name", "user__email")
    autocomplete_fields = ("team", "user")
    ordering = ("-id",)


@admin.register(Invitation)
class InvitationAdmin(BaseAdmin):
    list_display = ("email", "invited_by", "created_at", "accepted_at")
    list_select_related = ("invited_by",)
    search_fields = ("email",)
    fields = ("email", "invited_by", "accepted_at")
    readonly_fields = ("invited_by", "accepted_at")
    ordering = ("-id",)

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        if not change:
            obj.invited_by = request.user  # type: ignore[assignment]  # staff are people
        super().save_model(request, obj, form, change)
