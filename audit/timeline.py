"""How an audit row reads: a sentence, and a table of what changed."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, QuerySet
from django.urls import NoReverseMatch
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.models import AuditLog
from promptlib.core.pagination import KeysetPage

SENTENCES = {
    AuditLog.Action.CREATE: gettext_lazy("{who} created {what}"),
    AuditLog.Action.UPDATE: gettext_lazy("{who} changed {what}"),
    AuditLog.Action.DELETE: gettext_lazy("{who} moved {what} to the trash"),
    AuditLog.Action.ACCESS: gettext_lazy("{who} opened {what}"),
    AuditLog.Action.RESTORE: gettext_lazy("{who} restored {what}"),
    AuditLog.Action.PURGE: gettext_lazy("{who} deleted {what} for good"),
    AuditLog.Action.SIGN_IN: gettext_lazy("{who} signed in"),
    AuditLog.Action.SIGN_IN_FAILED: gettext_lazy("Somebody failed to sign in as {what}"),
    AuditLog.Action.SIGN_OUT: gettext_lazy("{who} signed out"),
    AuditLog.Action.RUN: gettext_lazy("{who} ran {what}"),
    AuditLog.Action.PASSWORD: gettext_lazy("{who} changed the password of {what}"),
    AuditLog.Action.SECOND_FACTOR: gettext_lazy("{who} changed the second factor of {what}"),
    AuditLog.Action.PERMISSION: gettext_lazy("{who} changed the rights of {what}"),
    AuditLog.Action.EXPORT: gettext_lazy("{who} exported {what}"),
    AuditLog.Action.IMPORT: gettext_lazy("{who} imported {what}"),
    AuditLog.Action.ERASE: gettext_lazy("{who} erased {what}"),
}
SHOWN_CHARACTERS = 600


@dataclass(frozen=True)
class Change:
    """One field, before and after, as a reader wants it; empty for nothing."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Actor:
    """A person as the log remembers them, for an avatar and a name."""

    pk: Any
    display_name: str


@dataclass(frozen=True)
class Event:
    """One audit row, ready to be read."""

    row: AuditLog
    actor: Actor
    sentence: SafeString
    changes: list[Change]


def timeline_page(rows: "QuerySet[AuditLog]", cursor: str | None, size: int = 30) -> KeysetPage:
    """One page of the log, newest first, with `events` to show; two queries, the second of them cached."""
    page = KeysetPage(rows.defer("serialized_data", "changes_text"), order=("-id",), cursor=cursor, size=size)
    page.events = [_event(row) for row in page.items]  # type: ignore[attr-defined]  # rides along to the fragment
    return page


def _event(row: AuditLog) -> Event:
    actor = Actor(row.actor_id, row.actor_name or row.actor_email or _("The program"))
    who = format_html("<b>{}</b>", actor.display_name)
    return Event(
        row, actor, format_html(str(SENTENCES[AuditLog.Action(row.action)]), who=who, what=_what(row)), changes_of(row)
    )


def _model(row: AuditLog) -> type[Model] | None:
    kind = ContentType.objects.get_for_id(row.content_type_id)
    try:
        return apps.get_model(kind.app_label, kind.model)
    except LookupError:
        return None


def _what(row: AuditLog) -> SafeString:
    """The thing: linked where it has a page of its own, with its kind where it belongs to something larger."""
    model = _model(row)
    name = Truncator(row.object_repr).chars(120)
    if model is None:
        return format_html("{}", name)
    if row.subject_id is not None and str(row.subject_id) == row.object_pk:
        try:
            thing: Any = model(pk=row.object_pk)
            return format_html('<a href="{}">{}</a>', thing.get_absolute_url(), name)
        except (AttributeError, NoReverseMatch):
            return format_html("<b>{}</b>", name)
    return format_html("{} <b>{}</b>", model._meta.verbose_name, name)


def changes_of(row: AuditLog) -> list[Change]:
    """What the row says was changed, as a reader wants it."""
    model = _model(row)
    found = []
    for name, change in (row.changes or {}).items():
        if name == "deletion_id":
            continue
        if isinstance(change, dict):  # a many-to-many relation, as auditlog writes it
            words = ", ".join(change.get("objects", []))
            added = change.get("operation") == "add"
            found.append(Change(_label(model, name), "" if added else words, words if added else ""))
        else:
            before, after = (_shown(value) for value in change)
            found.append(Change(_label(model, name), before, after))
    return found


def _label(model: type[Model] | None, name: str) -> str:
    try:
        return str(model._meta.get_field(name).verbose_name) if model else name  # type: ignore[union-attr]  # ours have one
    except (FieldDoesNotExist, AttributeError):
        return name.replace("_", " ")


def _shown(value: Any) -> str:
    if value is None or value in ("", "None", [], {}):
        return ""
    return Truncator(str(value)).chars(SHOWN_CHARACTERS)
