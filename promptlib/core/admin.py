"""What the admin's pages share: the trash, statistics that nobody types, and search that does not scan."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename
from django.db.models import Model, ProtectedError, QuerySet
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from promptlib.core import soft_delete
from promptlib.core.querysets import living_with_parents

row_shown = Signal()
"""Sent when a row's own page is shown: sender, instance, user."""


class HistoryElsewhere:
    """The History button leads to the history that everything writes to: Django's own knows of the admin alone."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(f"{reverse('audit:history')}?{urlencode({'object': object_id})}")


class BaseAdmin(HistoryElsewhere, admin.ModelAdmin):
    """Statistics, generated columns and timestamps are read-only; the count of all rows is never asked for."""

    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Lists and choices leave out what hangs on something in the trash; by its address a row is still found."""
        queryset = super().get_queryset(request)
        name = request.resolver_match.url_name if request.resolver_match else None
        return living_with_parents(queryset) if name and name.endswith(("_changelist", "autocomplete")) else queryset

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        shown = {field.name for field in self.opts.fields if field.generated and field.name != "alive"}
        computed = [*sorted(shown), *getattr(self.model, "STATISTICS", ()), "created_at", "updated_at"]
        return [*super().get_readonly_fields(request, obj), *computed]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Of a row that is not there yet nothing is known that nobody types."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None:
            return fieldsets
        computed = set(self.get_readonly_fields(request))
        typed = [
            (title, {**options, "fields": [name for name in options["fields"] if name not in computed]})
            for title, options in fieldsets
        ]
        return [(title, options) for title, options in typed if options["fields"]]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if obj is not None and request.method == "GET":
            row_shown.send(type(obj), instance=obj, user=request.user)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """An id finds its row; words go through the full text where the model has one."""
        try:
            return queryset.filter(pk=UUID(search_term.strip())), False
        except ValueError:
            pass
        if search_term and hasattr(queryset, "search"):
            return queryset.search(search_term), False
        return super().get_search_results(request, queryset, search_term)


class ReadOnlyAdmin(BaseAdmin):
    """Rows that nobody adds, changes or deletes here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TrashFilter(admin.SimpleListFilter):
    """Living rows, unless somebody asks for the trash or for both."""

    title = gettext_lazy("trash")
    parameter_name = "trash"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        return (("yes", gettext_lazy("In the trash")), ("all", gettext_lazy("Both")))

    def choices(self, changelist: Any) -> Iterator[Any]:
        _all, *others = super().choices(changelist)
        is_chosen = self.value() in dict(self.lookup_choices)
        yield {**_all, "selected": not is_chosen, "display": _("Not in the trash")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "yes":
            return queryset.filter(deletion_id__isnull=False)  # a deletion has an id, which has an index
        return queryset if self.value() == "all" else queryset.filter(deleted_at__isnull=True)


class SoftDeleteAdmin(BaseAdmin):
    """Deleting here moves to the trash, in the name of whoever is signed in; restoring undoes one delete."""

    actions = ("restore_selected",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        queryset = self.model.all_objects.get_queryset()
        ordering = self.get_ordering(request)
        return queryset.order_by(*ordering) if ordering else queryset

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """What lies in the trash is found in the list, and not offered in the forms of other rows."""
        if request.resolver_match is not None and request.resolver_match.url_name == "autocomplete":
            queryset = queryset.filter(deleted_at__isnull=True)
        return super().get_search_results(request, queryset, search_term)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [TrashFilter, *super().get_list_filter(request)]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_display(request), "trash_mark"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*super().get_readonly_fields(request, obj), "deleted_at", "deleted_by", "deletion_id"]

    @admin.display(description=gettext_lazy("trash"))
    def trash_mark(self, row: Any) -> SafeString | str:
        return format_html("<b>{}</b>", _("deleted")) if row.deleted_at else ""

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What the confirmation lists: the rows that go to the trash, not what stays with its parent."""
        try:
            found = soft_delete.collect(list(objs))
        except ProtectedError as error:
            return [], {}, set(), [str(row) for row in error.protected_objects]
        rows = [f"{capfirst(model._meta.verbose_name)}: {row}" for model, batch in found.items() for row in batch[:20]]
        return rows, {str(model._meta.verbose_name_plural): len(batch) for model, batch in found.items()}, set(), []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        obj.delete(by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        soft_delete.delete_each(queryset, by=request.user)

    def has_restore_permission(self, request: HttpRequest) -> bool:
        codename = get_permission_codename("delete", self.opts)
        return request.user.has_perm(f"{self.opts.app_label}.{codename}")

    @admin.action(description=gettext_lazy("Restore from the trash, with what went along"), permissions=["restore"])
    def restore_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for deletion_id in sorted(set(queryset.filter(deleted_at__isnull=False).values_list("deletion_id", flat=True))):
            try:
                count = soft_delete.restore(deletion_id, by=request.user)
            except soft_delete.RestoreConflict as conflict:
                self.message_user(request, str(conflict), messages.ERROR)
            else:
                text = ngettext("%(count)d row is back.", "%(count)d rows are back.", count) % {"count": count}
                self.message_user(request, text, messages.SUCCESS)


def model_fields(model: type[Model], *without: str) -> list[Any]:
    """The names of a model's own columns, in order, without some."""
    return [field.name for field in model._meta.fields if field.name not in {"id", "alive", *without}]
