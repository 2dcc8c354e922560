"""The audit log: what happened, who did it, and what it was before and after. Rows are never changed or deleted."""

from datetime import date
from typing import Any

from auditlog.models import AbstractLogEntry
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.context import current_origin, current_undo, request_id
from audit.querysets import AuditLogManager
from promptlib.core.fields import UUIDField, UUIDv7Field
from promptlib.core.models import BaseModel

PLANTED = "past-"
"""What the request id of a row begins with that was brought in with its history: its own id is of another time."""


class AuditLog(AbstractLogEntry):
    """One thing that happened. It keeps ids and snapshots, no foreign keys: nothing that is deleted takes it along."""

    class Action(models.IntegerChoices):
        CREATE = 0, _("created")
        UPDATE = 1, _("changed")
        DELETE = 2, _("deleted")
        ACCESS = 3, _("opened")
        RESTORE = 4, _("restored")
        PURGE = 5, _("deleted for good")
        SIGN_IN = 6, _("signed in")
        SIGN_IN_FAILED = 7, _("failed to sign in")
        SIGN_OUT = 8, _("signed out")
        RUN = 9, _("ran")
        PASSWORD = 10, _("changed the password")
        SECOND_FACTOR = 11, _("changed the second factor")
        PERMISSION = 12, _("changed permissions")
        EXPORT = 13, _("exported")
        IMPORT = 14, _("imported")
        ERASE = 15, _("erased")

    id = UUIDv7Field()
    content_type = models.ForeignKey(
        "contenttypes.ContentType",
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("kind"),
    )
    object_pk = models.CharField(_("object id"), max_length=64)
    object_id = models.BigIntegerField(_("numeric object id"), null=True, blank=True, editable=False)
    object_repr = models.TextField(_("object"))
    subject_id = UUIDField(
        _("history"),
        null=True,
        blank=True,
        help_text=_("The template, conversation or person in whose history this row is read."),
    )
    action = models.PositiveSmallIntegerField(_("action"), choices=Action)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("who"),
    )
    actor_name = models.CharField(_("who, by name"), max_length=254, blank=True)
    cid = models.CharField(_("request id"), max_length=64, null=True, blank=True)
    timestamp = models.DateTimeField(_("when"), default=timezone.now)
    user_agent = models.CharField(_("browser"), max_length=300, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)

    objects = AuditLogManager()

    class Meta:
        db_table = "audit_logs"
        verbose_name = _("audit log row")
        verbose_name_plural = _("audit log")
        ordering = ("-id",)
        get_latest_by = "id"
        indexes = (
            models.Index(fields=["subject_id", "-id"], name="audit_logs_subject"),
            models.Index(fields=["object_pk", "-id"], name="audit_logs_object"),
            models.Index(fields=["actor", "-id"], name="audit_logs_actor"),
            models.Index(fields=["action", "-id"], name="audit_logs_action"),
            models.Index(fields=["content_type", "-id"], name="audit_logs_kind"),
            models.Index(fields=["cid", "id"], name="audit_logs_request"),
            models.Index(fields=["timestamp"], name="audit_logs_time"),
        )
        constraints = (
            models.CheckConstraint(condition=models.Q(action__range=(0, 15)), name="audit_logs_action_known"),
        )

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.object_repr}"

    @property
    def is_planted(self) -> bool:
        return (self.cid or "").startswith(PLANTED)

    @property
    def local_day(self) -> date:
        """The day it happened on, in the reader's time zone."""
        return timezone.localtime(self.timestamp).date()

    @property
    def who(self) -> str:
        """Who did it, as a reader is told: somebody who was erased has no name, and the program never had one."""
        nobody = _("Former member") if self.actor_id else _("The program")
        return self.actor_name or self.actor_email or str(nobody)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.take_origin()
        super().save(*args, **kwargs)

    def take_origin(self) -> None:
        """Fill in who, from where and in which request, from the context; what is set already stays."""
        origin = current_origin()
        actor: Any = self.actor if self.actor_id else origin.actor  # type: ignore[has-type]  # of the library's base
        if actor is not None and actor.is_authenticated:
            self.actor_id, self.actor_email, self.actor_name = actor.pk, actor.email, str(actor)
        self.remote_addr = self.remote_addr or origin.ip  # type: ignore[has-type]  # as above
        self.user_agent = self.user_agent or origin.user_agent
        self.cid = self.cid or request_id()
        self.reason = self.reason or origin.reason
        if undone := current_undo():
            self.additional_data = self.additional_data or undone.told  # type: ignore[has-type]  # as above
            self.reason = self.reason or undone.reason[:500]


class AuditSeal(BaseModel):
    """A signed digest over a run of audit rows, chained to the seal before it."""

    AUDITED = False  # it is part of the log

    first_row = UUIDField(_("first row"))
    last_row = UUIDField(_("last row"), unique=True)
    row_count = models.PositiveBigIntegerField(_("rows"))
    digest = models.CharField(_("digest"), max_length=64)
    previous = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="next")
    signature = models.TextField(_("signature"))
    entries = models.BinaryField(_("entries"), default=b"", help_text=_("Per row 16 bytes of id and 16 of digest."))
    version = models.PositiveSmallIntegerField(_("version"), default=2, help_text=_("How the entries were made."))

    class Meta:
        db_table = "audit_seals"
        verbose_name = _("audit seal")
        verbose_name_plural = _("audit seals")
        ordering = ("-id",)
        constraints = (models.CheckConstraint(condition=models.Q(row_count__gt=0), name="audit_seals_not_empty"),)

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M} · {self.row_count}"


class AuditRedaction(BaseModel):
    """One part of one audit row that an erasure made anonymous, and what proves that nothing else changed."""

    AUDITED = False  # it is part of the log

    class Part(models.IntegerChoices):
        ACTOR = 1, _("who did it, and from where")
        CONTENT = 2, _("what it tells of the thing")

    row_id = UUIDField(_("row"))
    part = models.PositiveSmallIntegerField(_("part"), choices=Part)
    erasure_id = UUIDField(_("erasure"), db_index=True, help_text=_("The row of the log that says who was erased."))
    before = models.BinaryField(_("before"), help_text=_("The row's digests as it was: see audit/proof/digests.py."))
    signature = models.CharField(_("signature"), max_length=64)

    class Meta:
        db_table = "audit_redactions"
        verbose_name = _("redaction of the audit log")
        verbose_name_plural = _("redactions of the audit log")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=["row_id", "part"], name="audit_redactions_once"),
            models.CheckConstraint(condition=models.Q(part__range=(1, 2)), name="audit_redactions_part_known"),
        )

    def __str__(self) -> str:
        return f"{self.row_id}: {self.get_part_display()}"


class AuditArchive(BaseModel):
    """A signed file that holds the rows of some seals in a row; they leave the database once it is written."""

    AUDITED = False  # a row of the log tells of it

    name = models.CharField(_("file"), max_length=200)
    first_row = UUIDField(_("first row"))
    last_row = UUIDField(_("last row"), unique=True)
    row_count = models.PositiveBigIntegerField(_("rows"))
    digest = models.CharField(_("digest"), max_length=64, help_text=_("SHA-256 of the file."))
    last_seal = models.OneToOneField(AuditSeal, models.PROTECT, related_name="archive", verbose_name=_("last seal"))
    signature = models.CharField(_("signature"), max_length=64)

    class Meta:
        db_table = "audit_archives"
        verbose_name = _("archive of the audit log")
        verbose_name_plural = _("archives of the audit log")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=models.Q(row_count__gt=0), name="audit_archives_not_empty"),
            models.CheckConstraint(
                condition=models.Q(first_row__lte=models.F("last_row")), name="audit_archives_in_order"
            ),
        )

    def __str__(self) -> str:
        return self.name
