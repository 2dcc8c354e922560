"""Legal holds and retention rules in the admin."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from audit.history.kinds import KINDS
from audit.models import LegalHold, RetentionRule
from audit.retention import holds, rules
from promptlib.core.admin import BaseAdmin
from promptlib.core.ids import as_uuid


class HoldForm(forms.ModelForm):
    """What to hold: a kind, and the id that its address ends with, or a person's e-mail address."""

    thing = forms.CharField(
        label=_("Which one"),
        max_length=500,
        help_text=_("The address of its page, or the id in it; of a person the e-mail address too."),
    )

    class Meta:
        model = LegalHold
        fields = ("content_type", "reason")
        widgets = {"reason": forms.Textarea(attrs={"rows": 3})}  # as Django wants it

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = ContentType.objects.get_for_models(*(model for model, kind in KINDS.items() if kind.is_subject))
        field = self.fields["content_type"]
        field.queryset = ContentType.objects.filter(pk__in=[kind.pk for kind in kinds.values()])  # type: ignore[attr-defined]
        field.label_from_instance = lambda kind: kind.model_class()._meta.verbose_name  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        kind, text = cleaned.get("content_type"), cleaned.get("thing", "").strip()
        if kind and text:
            subject = cleaned["subject"] = self._find(kind.model_class(), text)
            if subject is None:
                self.add_error("thing", _("There is no such thing of this kind, not even in the trash."))
            else:
                self._refuse_if_late(subject)
        return cleaned

    def _refuse_if_late(self, subject: Any) -> None:
        """The admin saves in the transaction that this is asked in."""
        try:
            holds.refuse_if_late(subject)
        except holds.TooLate as error:
            self.add_error("thing", str(error))

    @staticmethod
    def _find(model: Any, text: str) -> Any:
        parts = (as_uuid(part) for part in text.replace("?", "/").replace("#", "/").split("/"))
        key = next(filter(None, parts), None) or UUID(int=0)
        found = model.all_objects.filter(pk=key).first()
        if found is None and hasattr(model, "email"):
            name = text.rstrip("/").rpartition("/")[2].removeprefix("@")
            people = model.all_objects.order_by("deleted_at", "-pk")  # the living first on both databases
            found = people.filter(email__iexact=text).first() or people.filter(handle=name).first()
        return found


class LiftForm(forms.ModelForm):
    """The one thing that can still be done to a hold."""

    class Meta:
        model = LegalHold
        fields = ("lift_reason",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "lift_reason" in self.fields:
            self.fields["lift_reason"].required = True
            self.fields["lift_reason"].help_text = _("Saving lifts the hold: what it kept can be deleted for good.")


class LiftedFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("active", _("In force")), ("lifted", _("Lifted"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LegalHold]) -> QuerySet[LegalHold]:
        return queryset.filter(lifted_at__isnull=self.value() == "active") if self.value() else queryset


@admin.register(LegalHold)
class LegalHoldAdmin(BaseAdmin):
    """Placed and lifted with a reason; never deleted, never changed otherwise."""

    list_display = ("subject_repr", "content_type", "reason", "placed_by", "created_at", "lifted_at")
    list_filter = (LiftedFilter,)
    search_fields = ("=subject_id", "subject_repr", "reason")
    list_select_related = ("content_type", "placed_by")
    ordering = ("-id",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **{**kwargs, "form": LiftForm if change else HoldForm})

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("content_type", "thing", "reason")
        return ("content_type", "subject_id", "subject_repr", "reason", "placed_by", "created_at", *self._lifting(obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        return [name for name in self.get_fields(request, obj) if name != "lift_reason" or not obj.is_active]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.is_active)

    def save_model(self, request: HttpRequest, obj: LegalHold, form: Any, change: bool) -> None:
        if change:
            holds.lift_hold(obj, reason=form.cleaned_data["lift_reason"], by=request.user)
            return
        placed = holds.place_hold(
            subject=form.cleaned_data["subject"], reason=form.cleaned_data["reason"], by=request.user
        )
        obj.pk = placed.pk
        obj.refresh_from_db()

    @staticmethod
    def _lifting(hold: LegalHold) -> tuple[str, ...]:
        return ("lift_reason",) if hold.is_active else ("lifted_at", "lifted_by", "lift_reason")


@admin.register(RetentionRule)
class RetentionRuleAdmin(BaseAdmin):
    list_display = ("content_type", "trash_days", "idle_days")
    list_select_related = ("content_type",)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "content_type":
            kinds = ContentType.objects.get_for_models(*rules.kinds()).values()
            kwargs["queryset"] = ContentType.objects.filter(pk__in=[kind.pk for kind in kinds])
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
