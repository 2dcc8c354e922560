"""People, teams and invitations in the admin; and the sign-in library's rows, without what is secret in them."""

from datetime import datetime
from typing import Any

import allauth.mfa.admin
import allauth.usersessions.admin  # noqa: F401  # both register what is taken over below
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Closure, Invitation, Team, TeamMembership, User
from accounts.services import send_invitation
from promptlib.core.admin import BaseAdmin, HistoryElsewhere, ReadOnlyAdmin, SoftDeleteAdmin


class NewUserForm(AdminUserCreationForm):
    """A person whom staff enter: an address and a password, or none until they reset it."""

    class Meta:
        model = User
        fields = ("email", "display_name", "handle")
        field_classes: dict[str, Any] = {}

    def clean_email(self) -> str:
        """Checked here: the model's own check needs the generated `alive`, which no form has."""
        email = User.objects.normalize_email(self.cleaned_data["email"])
        if User.objects.filter(email=email).exists():
            self.add_error("email", _("This e-mail address is taken."))
        return email

    def clean_handle(self) -> str:
        handle = self.cleaned_data["handle"]
        if handle and User.objects.filter(handle=handle).exists():
            self.add_error("handle", _("This handle is taken."))
        return handle


class EmailAddressInline(admin.StackedInline):
    model = EmailAddress
    fields = (("email", "verified", "primary"),)
    extra = 0
    verbose_name_plural = gettext_lazy("e-mail addresses to sign in with")


class TeamSeatInline(admin.StackedInline):
    model = TeamMembership
    fields = (("team", "role"),)
    autocomplete_fields = ("team",)
    extra = 0


@admin.register(User)
class UserAdmin(SoftDeleteAdmin, DjangoUserAdmin):
    """Who may sign in, and what they may do. A deleted person is signed out everywhere."""

    add_form = NewUserForm
    list_display = ("email", "display_name", "handle", "is_active", "is_staff", "second_factor", "last_seen_at")
    list_display_links = ("email", "display_name")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    search_fields = ("email", "display_name", "handle")
    search_help_text = gettext_lazy("An e-mail address, handle or name, or an id")
    ordering = ("-id",)
    readonly_fields = ("last_login", "last_seen_at", "account")
    inlines = (EmailAddressInline, TeamSeatInline)
    fieldsets = (
        (None, {"fields": ("email", "password", "display_name", "handle", "bio", "account")}),
        (gettext_lazy("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (gettext_lazy("Preferences"), {"fields": ("timezone", "locale", "preferences"), "classes": ("collapse",)}),
        (gettext_lazy("Times"), {"fields": ("last_login", "last_seen_at", "created_at", "updated_at")}),
        (gettext_lazy("Trash"), {"fields": ("deleted_at", "deleted_by", "deletion_id"), "classes": ("collapse",)}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "display_name", "handle", "usable_password", "password1", "password2")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        factors = Count("authenticator", distinct=True)
        return super().get_queryset(request).annotate(factor_count=factors)

    @admin.display(description=gettext_lazy("account"))
    def account(self, person: User) -> SafeString:
        address = reverse("accounts:account", args=[person.handle])
        return format_html(
            '<a href="{}">{}</a>', address, _("Give them their data, close the account, erase the person")
        )

    @admin.display(description=gettext_lazy("second factor"), boolean=True)
    def second_factor(self, person: Any) -> bool:
        return person.factor_count > 0

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "email" in form.changed_data:
            # What staff write is theirs to answer for; the person confirms it with the next sign-in.
            EmailAddress.objects.filter(user=obj).exclude(email=obj.email).delete()


class MembershipInline(admin.StackedInline):
    model = TeamMembership
    fields = (("user", "role"),)
    autocomplete_fields = ("user",)
    extra = 0


@admin.register(Team)
class TeamAdmin(BaseAdmin):
    list_display = ("name", "slug", "member_count", "created_at")
    search_fields = ("name", "slug")
    ordering = ("name",)  # the grouping below drops the model's own
    prepopulated_fields = {"slug": ("name",)}
    inlines = (MembershipInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        return (
            super()
            .get_queryset(request)
            .annotate(member_count_=Count("memberships", filter=Q(memberships__user__deleted_at__isnull=True)))
        )

    @admin.display(description=gettext_lazy("members"), ordering="member_count_")
    def member_count(self, team: Any) -> int:
        return team.member_count_


@admin.register(TeamMembership)
class TeamMembershipAdmin(BaseAdmin):
    list_display = ("team", "user", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("team", "user")
    search_fields = ("team__name", "user__email", "user__display_name")
    autocomplete_fields = ("team", "user")
    ordering = ("-id",)


@admin.register(Invitation)
class InvitationAdmin(BaseAdmin):
    """Saving a new one sends it."""

    list_display = ("email", "invited_by", "created_at", "accepted_at")
    list_filter = (("accepted_at", admin.EmptyFieldListFilter),)
    list_select_related = ("invited_by",)
    search_fields = ("email",)
    fields = ("email", "invited_by", "accepted_at", "created_at")
    readonly_fields = ("invited_by", "accepted_at", "created_at")
    ordering = ("-id",)
    actions = ("send_again",)

    def save_model(self, request: HttpRequest, obj: Invitation, form: ModelForm, change: bool) -> None:
        if not change:
            obj.invited_by = request.user  # type: ignore[assignment]  # staff are people
        super().save_model(request, obj, form, change)
        if not change:
            transaction.on_commit(lambda: self._send(request, obj))

    @admin.action(description=gettext_lazy("Send the invitation again"), permissions=["change"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        for invitation in queryset.filter(accepted_at=None).select_related("invited_by"):
            self._send(request, invitation)

    def _send(self, request: HttpRequest, invitation: Invitation) -> None:
        if not send_invitation(invitation):
            text = _("The invitation of %(email)s could not be sent: the mail server does not answer.")
            self.message_user(request, text % {"email": invitation.email}, messages.ERROR)


@admin.register(Closure)
class ClosureAdmin(ReadOnlyAdmin):
    """Accounts that are to be closed; what is to be done about one stands on its person's page."""

    list_display = ("user", "closes", "is_erasure", "asked_by", "reason")
    list_filter = ("is_erasure",)
    list_select_related = ("user", "asked_by")
    search_fields = ("user__email", "user__display_name")
    ordering = ("-id",)

    @admin.display(description=gettext_lazy("closes"), ordering="user__closes_at")
    def closes(self, closure: Closure) -> datetime:
        return closure.closes_at


# ---- the sign-in library's own pages show secrets, or search a user name that people here do not have

admin.site.unregister([Authenticator, UserSession, Group])


@admin.register(Group)
class GroupAdmin(HistoryElsewhere, DjangoGroupAdmin):
    pass


@admin.register(Authenticator)
class SecondFactorAdmin(ReadOnlyAdmin):
    """To remove what somebody has lost; the secret itself is not shown."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__email", "user__display_name")
    fields = ("user", "type", "created_at", "last_used_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self.fields)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


@admin.register(UserSession)
class SessionAdmin(ReadOnlyAdmin):
    """Deleting one signs that device out."""

    list_display = ("user", "user_agent", "ip", "created_at", "last_seen_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "user__display_name", "ip")
    fields = ("user", "user_agent", "ip", "created_at", "last_seen_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self.fields)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def delete_model(self, request: HttpRequest, obj: UserSession) -> None:
        obj.end()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[UserSession]) -> None:
        for session in queryset:
            session.end()
