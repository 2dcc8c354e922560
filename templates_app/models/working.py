"""What people keep beside a template while they work: unsaved texts, sets of values, actions to undo, uploads."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from promptlib.core.fields import KeyField, normalize_key
from promptlib.core.models import BaseModel


class Draft(BaseModel):
    """What one person has typed on an edit page and not saved yet; one per template, and one for a new template."""

    AUDITED = False  # nothing has changed yet

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="drafts", db_index=False)
    template = models.ForeignKey(
        "templates_app.PromptTemplate", models.CASCADE, null=True, blank=True, related_name="drafts"
    )
    base_revision = models.PositiveIntegerField(_("revision it started from"), default=0)
    data = models.JSONField(_("fields"), default=dict, help_text=_("The posted form: field name → list of values."))

    class Meta:
        db_table = "template_drafts"
        verbose_name = _("unsaved text")
        verbose_name_plural = _("unsaved texts")
        constraints = (models.UniqueConstraint(fields=["user", "template"], name="template_drafts_once"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.template}"

    def is_hidden_from(self, user: Any) -> bool:
        return self.user_id != user.pk


class ValueSet(BaseModel):
    """Values for a template's variables under a name, to run with one click."""

    template = models.ForeignKey(
        "templates_app.PromptTemplate", models.CASCADE, related_name="value_sets", db_index=False
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="value_sets")
    name = models.CharField(_("name"), max_length=120)
    name_key = KeyField(max_length=120, editable=False)
    values = models.JSONField(_("values"), default=dict, blank=True)
    is_shared = models.BooleanField(
        _("shared"), default=False, help_text=_("Everybody who sees the template may use it.")
    )

    class Meta:
        db_table = "template_value_sets"
        verbose_name = _("set of values")
        verbose_name_plural = _("sets of values")
        ordering = ("name_key", "id")
        constraints = (
            models.UniqueConstraint(fields=["template", "user", "name_key"], name="template_value_sets_once"),
            models.CheckConstraint(condition=~Q(name_key=""), name="template_value_sets_name_given"),
        )

    def __str__(self) -> str:
        return self.name

    def is_hidden_from(self, user: Any) -> bool:
        return self.user_id != user.pk and not self.is_shared

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_key = normalize_key(self.name)
        if kwargs.get("update_fields") is not None and "name" in kwargs["update_fields"]:
            kwargs["update_fields"] = {*kwargs["update_fields"], "name_key"}
        super().save(*args, **kwargs)

    @property
    def audit_subject(self) -> Any:
        """The template's history tells of shared sets; a private one is its owner's own affair."""
        return self.template_id if self.is_shared else None


class BulkAction(BaseModel):
    """One action on many templates, with what undoes it."""

    AUDITED = False  # each template's own change is logged

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="bulk_actions", db_index=False)
    action = models.CharField(_("action"), max_length=32)
    before = models.JSONField(_("before"), default=list, help_text=_("What each template was, for the undo."))
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)

    class Meta:
        db_table = "template_bulk_actions"
        verbose_name = _("action on a selection")
        verbose_name_plural = _("actions on selections")
        indexes = (models.Index(fields=["user", "-id"], name="template_bulk_actions_recent"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.action}"


class LibraryImport(BaseModel):
    """An uploaded collection, from its preview to its result."""

    AUDITED = False  # each imported template is logged

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="library_imports", db_index=False)
    filename = models.CharField(_("file"), max_length=255)
    format = models.CharField(_("format"), max_length=32)
    content = models.BinaryField(_("content"), help_text=_("The file, compressed with zlib; emptied after the import."))
    options = models.JSONField(_("options"), default=dict, blank=True)
    outcomes = models.JSONField(_("outcomes"), default=list, blank=True, help_text=_("One entry per record."))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        db_table = "template_imports"
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = (models.Index(fields=["owner", "-id"], name="template_imports_recent"),)

    def __str__(self) -> str:
        return self.filename

    def is_hidden_from(self, user: Any) -> bool:
        return self.owner_id != user.pk
