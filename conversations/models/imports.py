"""Uploads of other services' exports."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from promptlib.core.models import BaseModel


class ConversationImport(BaseModel):
    """An uploaded export, from its preview to its result; a thread works through it and says how far it is."""

    AUDITED = False  # each imported conversation is logged

    class Status(models.TextChoices):
        PREVIEW = "preview", _("looked at")
        RUNNING = "running", _("being imported")
        DONE = "done", _("imported")
        FAILED = "failed", _("failed")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="conversation_imports", db_index=False
    )
    filename = models.CharField(_("file"), max_length=255)
    format = models.CharField(_("format"), max_length=32)
    status = models.CharField(_("state"), max_length=16, choices=Status, default=Status.PREVIEW)
    total = models.PositiveIntegerField(_("conversations"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)
    outcomes = models.JSONField(_("outcomes"), default=list, blank=True, help_text=_("One entry per conversation."))
    error = models.TextField(_("error"), blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        db_table = "conversation_imports"
        verbose_name = _("import of conversations")
        verbose_name_plural = _("imports of conversations")
        indexes = (models.Index(fields=["owner", "-id"], name="conversation_imports_recent"),)

    def __str__(self) -> str:
        return self.filename

    def is_hidden_from(self, user: Any) -> bool:
        return self.owner_id != user.pk


class ImportPart(BaseModel):
    """A piece of an uploaded file, at most a megabyte; gone once the import is done."""

    AUDITED = False  # a part of an upload

    upload = models.ForeignKey(ConversationImport, models.CASCADE, related_name="parts", db_index=False)
    number = models.PositiveIntegerField(_("number"))
    content = models.BinaryField(_("content"))

    class Meta:
        db_table = "conversation_import_parts"
        verbose_name = _("part of an upload")
        verbose_name_plural = _("parts of uploads")
        constraints = (models.UniqueConstraint(fields=["upload", "number"], name="conversation_import_parts_once"),)

    def __str__(self) -> str:
        return f"{self.upload}, {self.number}"
