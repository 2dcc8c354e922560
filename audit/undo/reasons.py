"""Which rows of the log cannot be taken back, and why not."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.history.kinds import Kind, kind_of
from audit.history.values import field_of, model_of
from audit.masking import mask
from audit.models import AuditLog

Action = AuditLog.Action
MADE = (Action.CREATE, Action.IMPORT)
CHANGED = (Action.UPDATE, Action.PERMISSION)
MASK = mask("x")

FINAL = {
    Action.ACCESS: gettext_lazy("Somebody has looked at it: that cannot be taken back."),
    Action.SIGN_IN: gettext_lazy("A sign-in has happened. Somebody’s sessions are ended on their page of devices."),
    Action.SIGN_IN_FAILED: gettext_lazy("Nothing was changed here."),
    Action.SIGN_OUT: gettext_lazy("Nothing was changed here: sign in again."),
    Action.RUN: gettext_lazy("A model has answered, and that has cost something. Move it to the trash."),
    Action.PASSWORD: gettext_lazy("Passwords are not kept, so an old one cannot come back. Set a new one."),
    Action.SECOND_FACTOR: gettext_lazy("Secrets are not kept, so an old one cannot come back. Set up a new one."),
    Action.PURGE: gettext_lazy("It was deleted for good: nothing of it is left to come back."),
    Action.EXPORT: gettext_lazy("The file has left already."),
    Action.ERASE: gettext_lazy("What was erased is gone for good."),
}


def why_not(row: AuditLog) -> str:
    """Why nobody can take this back; nothing where somebody can. No query."""
    if row.action in FINAL:
        return str(FINAL[Action(row.action)])
    model = model_of(row)
    if model is None:
        return _("What this was about is no longer a part of the program.")
    kind = kind_of(model)
    if kind.never:
        return str(kind.never)
    if row.action in MADE:
        return str(kind.keeps_creation)
    if row.action == Action.DELETE and "deletion_id" not in (row.changes or {}):
        return _why_not_made_again(kind, row.changes or {})
    if row.action in CHANGED and not any(is_set_back(row, name) for name in row.changes or {}):
        return _("Nothing of this can be set back: it is kept by the program itself, or changed on a page of its own.")
    return ""


def is_set_back(row: AuditLog, name: str) -> bool:
    """Whether this field can be given the value that it had."""
    model = model_of(row)
    if model is None:
        return False
    kind, field, change = kind_of(model), field_of(model, name), (row.changes or {})[name]
    if name in kind.specialities:
        return True
    if field is None or isinstance(change, Mapping) or MASK in change:
        return False
    if kind.fields is not None:
        return name in kind.fields
    return bool(field.editable) and not field.generated and name not in kind.hidden


def _why_not_made_again(kind: Kind, changes: Mapping[str, Any]) -> str:
    if kind.keeps_deletion:
        return str(kind.keeps_deletion)
    values = [change[0] for change in changes.values() if isinstance(change, list)]
    if not values:
        return _("The log does not say what it was.")
    if MASK in values or any(isinstance(value, str) and _is_cut(value) for value in values):
        return _("The log does not hold all of it: secrets are not kept, and of long texts the beginning alone.")
    return ""


def _is_cut(value: str) -> bool:
    """As `audit.fields` cuts what is long."""
    return value.endswith(")") and "… (" in value[500:]
