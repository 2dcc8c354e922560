"""The audit log and its seals in the admin: to read, never to write."""

from types import SimpleNamespace
from typing import Any

from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.history.timeline import told_all
from audit.models import AuditArchive, AuditLog, AuditRedaction, AuditSeal
from audit.registry import audited_models
from audit.retention import admin as retention_admin  # noqa: F401  # its pages
from promptlib.core.admin import ReadOnlyAdmin

READER_OF_ALL = SimpleNamespace(is_staff=True, pk=None)
"""Whoever enters the admin."""

admin.site.unregister(AuditLog)  # auditlog's own page


class KindFilter(admin.RelatedFieldListFilter):
    """Kinds that can be in the log: which of them are, only a walk through the whole log could say."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[Any]:
        kinds = ContentType.objects.get_for_models(*audited_models())
        return sorted(((str(kind.pk), kind.name) for kind in kinds.values()), key=lambda choice: choice[1])


@admin.register(AuditLog)
class AuditLogAdmin(ReadOnlyAdmin):
    list_display = ("timestamp", "who", "action", "kind", "thing", "remote_addr", "reason")
    list_filter = ("action", ("content_type", KindFilter), "timestamp")
    search_fields = ("=object_pk", "=subject_id", "=cid", "=actor_id", "actor_email", "object_repr")
    search_help_text = _("An id, a request id, an e-mail address, or words of the thing's name")
    list_select_related = ("content_type",)
    ordering = ("-id",)
    fields = (
        "timestamp",
        "who",
        "action",
        "kind",
        "thing",
        "object_pk",
        "subject_id",
        "change_table",
        "reason",
        "remote_addr",
        "user_agent",
        "cid",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> "QuerySet[AuditLog]":
        return super().get_queryset(request).defer("serialized_data", "changes_text")

    @admin.display(description=_("who"), ordering="actor_id")
    def who(self, row: AuditLog) -> str:
        return row.who

    @admin.display(description=_("kind"))
    def kind(self, row: AuditLog) -> str:
        return row.content_type.name

    @admin.display(description=_("thing"))
    def thing(self, row: AuditLog) -> str:
        return row.object_repr[:120]

    @admin.display(description=_("changes"))
    def change_table(self, row: AuditLog) -> SafeString:
        changes = told_all([row], READER_OF_ALL)[0].changes
        rows = format_html_join(
            "", "<tr><th>{}</th><td>{}</td><td>{}</td></tr>", ((c.field, c.before, c.after) for c in changes)
        )
        return format_html(
            "<table><thead><tr><th>{}</th><th>{}</th><th>{}</th></tr></thead><tbody>{}</tbody></table>",
            _("Field"),
            _("Before"),
            _("After"),
            rows,
        )


@admin.register(AuditSeal)
class AuditSealAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "row_count", "first_row", "last_row", "digest")
    ordering = ("-id",)


@admin.register(AuditRedaction)
class AuditRedactionAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "row_id", "part", "erasure_id")
    search_fields = ("=row_id", "=erasure_id")
    ordering = ("-id",)
    fields = ("created_at", "row_id", "part", "erasure_id", "signature")
    readonly_fields = fields


@admin.register(AuditArchive)
class AuditArchiveAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "name", "row_count", "first_row", "last_row", "digest")
    ordering = ("-id",)
