"""What the loss of a variable breaks: the sets of values that fill it, and the forks that still use it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from templates_app.models import PromptTemplate, ValueSet

SHOWN_MAX = 20


@dataclass(slots=True)
class Breakage:
    """`removed` are the variables that go, `renamed` those that are called otherwise, old name to new.

    A set of values follows a rename; a fork knows nothing of it. Of what is not theirs to see people learn the number.
    """

    removed: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    own_sets: list[ValueSet] = field(default_factory=list)
    shared_sets: list[ValueSet] = field(default_factory=list)
    hidden_set_count: int = 0
    forks: list[PromptTemplate] = field(default_factory=list)
    hidden_fork_count: int = 0

    def __bool__(self) -> bool:
        return bool(self.set_count or self.fork_count)

    @property
    def set_count(self) -> int:
        return len(self.own_sets) + len(self.shared_sets) + self.hidden_set_count

    @property
    def fork_count(self) -> int:
        return len(self.forks) + self.hidden_fork_count

    @property
    def key(self) -> str:
        """What somebody agrees to who saves all the same."""
        return ",".join(sorted([*self.removed, *(f"{old}>{new}" for old, new in self.renamed.items())]))


def find_breakage(
    template: PromptTemplate, user: Any, *, gone: Collection[str], renames: Mapping[str, str] | None = None
) -> Breakage:
    """What breaks when the variables `gone` leave the contract. No query when none does, else three."""
    renamed = {old: new for old, new in (renames or {}).items() if old in gone}
    found = Breakage([name for name in gone if name not in renamed], renamed)
    if found.removed:
        _find_sets(found, template, user)
    if gone:
        _find_forks(found, template, user, set(gone))
    return found


def _find_sets(found: Breakage, template: PromptTemplate, user: Any) -> None:
    lost = set(found.removed)
    for value_set in template.value_sets.select_related("user"):
        if not lost & set(value_set.values):
            continue
        if value_set.user_id == user.pk:
            found.own_sets.append(value_set)
        elif value_set.is_shared:
            found.shared_sets.append(value_set)
        else:
            found.hidden_set_count += 1


def _find_forks(found: Breakage, template: PromptTemplate, user: Any, gone: set[str]) -> None:
    """Living forks whose text still names one of the variables."""
    forks = PromptTemplate.objects.filter(forked_from__template=template).exclude(Q(current_version=None))
    contracts = forks.values_list("pk", "current_version__variables")
    affected = [pk for pk, variables in contracts if gone & {entry.get("name") for entry in variables}]
    if affected:
        visible = PromptTemplate.objects.visible_to(user).filter(pk__in=affected).order_by("title", "pk")
        found.forks = list(visible.select_related("owner").defer("metadata"))
        found.hidden_fork_count = len(affected) - len(found.forks)
