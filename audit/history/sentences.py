"""The sentence that tells one event: who, did what, to which thing."""

from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.urls import NoReverseMatch
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.history.grouping import Belonging
from audit.history.values import model_of
from audit.models import AuditLog

Action = AuditLog.Action

SENTENCES = {
    Action.CREATE: gettext_lazy("{who} created {what}"),
    Action.UPDATE: gettext_lazy("{who} changed {what}"),
    Action.DELETE: gettext_lazy("{who} moved {what} to the trash"),
    Action.ACCESS: gettext_lazy("{who} opened {what}"),
    Action.RESTORE: gettext_lazy("{who} restored {what}"),
    Action.PURGE: gettext_lazy("{who} deleted {what} for good"),
    Action.SIGN_IN: gettext_lazy("{who} signed in"),
    Action.SIGN_IN_FAILED: gettext_lazy("Somebody failed to sign in as {what}"),
    Action.SIGN_OUT: gettext_lazy("{who} signed out"),
    Action.RUN: gettext_lazy("{who} ran {what}"),
    Action.PASSWORD: gettext_lazy("{who} changed the password of {what}"),
    Action.SECOND_FACTOR: gettext_lazy("{who} changed the second factor of {what}"),
    Action.PERMISSION: gettext_lazy("{who} changed the rights of {what}"),
    Action.EXPORT: gettext_lazy("{who} exported {what}"),
    Action.IMPORT: gettext_lazy("{who} imported {what}"),
    Action.ERASE: gettext_lazy("{who} erased {what}"),
}
REMOVED = gettext_lazy("{who} removed {what}")
"""What has no trash is removed at once."""

UNDONE = gettext_lazy("{who} undid a change of {what}")

TAKE_ALONG = (Action.DELETE, Action.RESTORE, Action.PURGE)
"""With a thing goes, or comes back, what hangs on it."""


def sentence(row: AuditLog, who: str, *, about: UUID | None = None, subject: Any = None) -> SafeString:
    """`about` is what the page is about, whose name need not be said again; `subject` what the thing belongs to."""
    is_named = subject is not None and about != row.subject_id
    is_about_page = about is not None and str(about) == row.object_pk
    what = thing(row, is_about_page=is_about_page, owner=subject.told_name if is_named else "")
    if is_named:
        where = format_html('<a href="{}">{}</a>', subject.get_absolute_url(), subject.told_name)
        what = format_html(_("{what} of {where}"), what=what, where=where)
    return format_html(str(_words(row)), who=format_html("<b>{}</b>", who), what=what)


def bulk_sentence(row: AuditLog, who: str, number: int) -> SafeString:
    """Of an action on many things at once."""
    model = model_of(row)
    kind = model._meta.verbose_name_plural if model else _("things")
    what = format_html("<b>{} {}</b>", f"{number:,}", kind)
    return format_html(str(_words(row)), who=format_html("<b>{}</b>", who), what=what)


def company(row: AuditLog, belonging: Belonging) -> str:
    """What went with a deletion or came back with it: "with 4 versions and 11 ratings"; nothing for other rows."""
    if row.action not in TAKE_ALONG:
        return ""
    parts = [
        _counted(kind, number - (kind == row.content_type_id))
        for (action, kind), number in sorted(belonging.tally.items(), key=lambda each: -each[1])
        if action == row.action and number - (kind == row.content_type_id) > 0
    ]
    return _("with %(things)s") % {"things": listed(parts)} if parts else ""


def listed(parts: list[str]) -> str:
    """ "a, b and c" """
    if len(parts) < 2:
        return "".join(parts)
    return _("%(first)s and %(last)s") % {"first": ", ".join(parts[:-1]), "last": parts[-1]}


def thing(row: AuditLog, *, is_about_page: bool = False, owner: str = "") -> SafeString:
    """The thing: linked where it has a page of its own, with its kind where it belongs to something larger.

    `owner` is the name of what it belongs to, if that is said beside it: the thing's own need not end in it.
    """
    model = model_of(row)
    told = " ".join(row.object_repr.split())
    name = Truncator(told.removesuffix(f" {owner}") if owner else told).chars(70)
    if model is None:
        return format_html("{}", name)
    if not name:
        return format_html('{} <span class="event__thing">{}</span>', model._meta.verbose_name, _("(erased)"))
    if row.subject_id is not None and str(row.subject_id) == row.object_pk:
        if is_about_page:
            return format_html("{} <b>{}</b>", _("the %(kind)s") % {"kind": model._meta.verbose_name}, name)
        return _linked(model, row, name)
    return format_html('{} <span class="event__thing">{}</span>', model._meta.verbose_name, name)


def _linked(model: type[Model], row: AuditLog, name: str) -> SafeString:
    try:
        target: Any = model(pk=row.object_pk)
        return format_html('<a href="{}">{}</a>', target.get_absolute_url(), name)
    except (AttributeError, NoReverseMatch):
        return format_html("<b>{}</b>", name)


def _words(row: AuditLog) -> Any:
    if row.action == Action.UPDATE and (row.additional_data or {}).get("undoes"):
        return UNDONE
    if row.action == Action.DELETE and "deletion_id" not in (row.changes or {}):
        return REMOVED
    return SENTENCES[Action(row.action)]


def _counted(kind: int, number: int) -> str:
    model = ContentType.objects.get_for_id(kind).model_class()
    if model is None:
        return ngettext("%(number)d thing", "%(number)d things", number) % {"number": number}
    return f"{number:,} {model._meta.verbose_name if number == 1 else model._meta.verbose_name_plural}"
