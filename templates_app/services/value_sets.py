"""Sets of values: kept under a name, shared, following a variable that got another name."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from audit.models import AuditLog
from audit.services import record
from promptlib.core.fields import normalize_key
from templates_app.models import PromptTemplate, ValueSet


class NameTakenError(ValueError):
    """The person has another set of this name for the template."""


def value_sets_for(template: PromptTemplate, user: Any) -> QuerySet[ValueSet]:
    """The sets of values that this person may use: their own, and those that are shared."""
    shared = Q(is_shared=True, user__deleted_at__isnull=True)
    return template.value_sets.filter(shared | Q(user=user) if user.is_authenticated else shared)


@transaction.atomic
def save_value_set(
    template: PromptTemplate, *, user: Any, name: str, values: Mapping[str, Any], is_shared: bool = False
) -> ValueSet:
    """Keep clean values under a name; a set of that person and name is replaced."""
    PromptTemplate.objects.select_for_update().get(pk=template.pk)
    found = ValueSet.objects.filter(template=template, user=user, name_key=normalize_key(name)).first()
    kept = found or ValueSet(template=template, user=user)
    if found and (found.name, found.values, found.is_shared) == (name, dict(values), is_shared):
        return found
    kept.name, kept.values, kept.is_shared = name, dict(values), is_shared
    kept.save(update_fields=["name", "values", "is_shared"] if found else None)
    return kept


@transaction.atomic
def change_value_set(value_set: ValueSet, *, name: str, values: Mapping[str, Any], is_shared: bool) -> bool:
    """Rename, refill, share or no longer share a set; False if nothing differs. Raises NameTakenError."""
    PromptTemplate.objects.select_for_update().get(pk=value_set.template_id)
    value_set.refresh_from_db()
    wanted = {"name": name, "values": dict(values), "is_shared": is_shared}
    changed = [field for field, value in wanted.items() if getattr(value_set, field) != value]
    for field in changed:
        setattr(value_set, field, wanted[field])
    if changed:
        try:
            with transaction.atomic():
                value_set.save(update_fields=changed)
        except IntegrityError:
            raise NameTakenError(name) from None
    return bool(changed)


@transaction.atomic
def rename_values(template: PromptTemplate, renames: Mapping[str, str]) -> int:
    """Let all sets of the template follow renamed variables, old name to new; returns how many did.

    A value that a set has under the new name already is kept, and the old one too. The log says which variable it was,
    and no value: whoever renames a variable need not see what others keep for it.
    """
    count = 0
    for value_set in template.value_sets.select_for_update() if renames else ():
        moves = {old: new for old, new in renames.items() if old in value_set.values and new not in value_set.values}
        if moves:
            values = {moves.get(name, name): value for name, value in value_set.values.items()}
            quiet = ValueSet.objects.unlogged("the row below names variables and holds nobody's values")
            quiet.filter(pk=value_set.pk).update(values=values, updated_at=timezone.now())
            record(AuditLog.Action.UPDATE, value_set, changes={"values": [", ".join(moves), ", ".join(moves.values())]})
            count += 1
    return count
