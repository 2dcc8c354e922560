"""What the database refuses to do to the audit log and to what is held, whoever asks."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from django.apps import apps

from audit.models import AuditLog, AuditRedaction
from audit.proof.digests import ANONYMOUS, LASTING
from promptlib.core.sql import Trigger, differs, refuse

REFUSED: dict[Literal["UPDATE", "DELETE"], str] = {"UPDATE": "changed", "DELETE": "deleted"}
ERASE = int(AuditLog.Action.ERASE)
IS_NOT_ARCHIVED = "NOT EXISTS (SELECT 1 FROM audit_archives WHERE first_row <= OLD.id AND last_row >= OLD.id)"
"""Rows leave the log only for a file that is registered; `verify_audit` then asks for that file."""


def _refusal(message: str) -> Callable[[str], list[str]]:
    return lambda vendor: [refuse(vendor, message)]


def _append_only(
    table: str, what: str, exceptions: Mapping[Literal["UPDATE", "DELETE"], dict[str, Any]] | None = None
) -> list[Trigger]:
    return [
        Trigger(
            name=f"{table}_refuse_{event.lower()}",
            table=table,
            timing="BEFORE",
            event=event,
            body=_refusal(f"{what} is append-only: its rows are never {word}."),
            serves=f"{what} is append-only",
            **(exceptions or {}).get(event, {}),
        )
        for event, word in REFUSED.items()
    ]


def _is_no_erasure(vendor: str) -> str:
    """True of an update that does more than make a part anonymous of which a redaction says so."""
    lasting = (differs(vendor, f"OLD.{name}", f"NEW.{name}") for name in ("id", *LASTING))
    return " OR ".join([*lasting, *(_says_more(vendor, part) for part in ANONYMOUS)])


def _says_more(vendor: str, part: int) -> str:
    columns = ANONYMOUS[part]
    changed = " OR ".join(differs(vendor, f"OLD.{name}", f"NEW.{name}") for name in columns)
    emptied = " AND ".join(
        f"NEW.{name} IS NULL" if value is None else f"LENGTH(NEW.{name}) = 0" for name, value in columns.items()
    )
    told = f"SELECT 1 FROM audit_redactions WHERE row_id = OLD.id AND part = {int(part)}"
    return f"(({changed}) AND NOT ({emptied} AND EXISTS ({told})))"


ERASURES_ONLY = Trigger(
    name="audit_redactions_of_erasures",
    table="audit_redactions",
    timing="BEFORE",
    event="INSERT",
    when=(
        "NOT EXISTS (SELECT 1 FROM audit_logs erasure JOIN audit_logs redacted ON redacted.id = NEW.row_id"
        f" WHERE erasure.id = NEW.erasure_id AND erasure.action = {ERASE}"
        f" AND (NEW.part <> {int(AuditRedaction.Part.ACTOR)} OR redacted.actor_id IS NULL"
        " OR redacted.actor_id = erasure.subject_id))"
    ),
    body=_refusal("A row of the audit log is made anonymous for an erasure in the log only."),
    serves="the log is made anonymous for an erasure in it only, and who acted for that person's own",
)

HELD = "_held"
"""How the names of the triggers end that keep what is held."""


def hold_triggers(app_label: str) -> list[Trigger]:
    """For each table of the app that says by whose hold its rows are kept (`HELD_BY`): no such row is deleted."""
    return [_keeping(model) for model in apps.get_app_config(app_label).get_models() if getattr(model, "HELD_BY", ())]


def _keeping(model: Any) -> Trigger:
    subjects = ", ".join(_key(model, path.split("__"), "OLD") for path in model.HELD_BY)
    table = model._meta.db_table
    return Trigger(
        name=f"{table}{HELD}",
        table=table,
        timing="BEFORE",
        event="DELETE",
        when=f"EXISTS (SELECT 1 FROM legal_holds WHERE lifted_at IS NULL AND subject_id IN ({subjects}))",
        body=_refusal("A legal hold keeps this row: it is not deleted while the hold lasts."),
        needs=("legal_holds",),
        serves="legal holds keep what is theirs",
    )


def _key(model: Any, path: list[str], row: str) -> str:
    """SQL of the key at the end of a path of foreign keys; `row` is the alias of the row that it starts from."""
    field = model._meta.get_field(path[0])
    if len(path) == 1:
        return f"{row}.{field.column}"
    target, alias = field.related_model, f"held_{path[0]}"
    inner = _key(target, path[1:], alias)
    return f"(SELECT {inner} FROM {target._meta.db_table} AS {alias} WHERE {alias}.id = {row}.{field.column})"


TRIGGERS = [
    *_append_only(
        "audit_logs",
        "The audit log",
        {
            "UPDATE": {"when": _is_no_erasure, "needs": ("audit_redactions",)},
            "DELETE": {"when": IS_NOT_ARCHIVED, "needs": ("audit_archives",)},
        },
    ),
    *_append_only("audit_archives", "The list of archives"),
    *_append_only("audit_seals", "The chain of seals"),
    *_append_only("audit_redactions", "The list of redactions"),
    ERASURES_ONLY,
    Trigger(
        name="legal_holds_refuse_delete",
        table="legal_holds",
        timing="BEFORE",
        event="DELETE",
        body=_refusal("A legal hold is lifted, not deleted."),
        serves="who held what, and why, stays known",
    ),
]
