"""How long things stay in the trash and outside of it, and what is to go today.

`purge_trash` and its `--dry-run` ask the same questions here, so that one does what the other said.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import RetentionRule
from audit.retention import holds, purging
from promptlib.core import soft_delete
from promptlib.core.deletion import hanging
from promptlib.core.models import SoftDeleteModel

Kind = type[SoftDeleteModel]

CHUNK = 100
"""Deletions that are looked at together."""


def kinds() -> list[Kind]:
    """What can lie in the trash, and so can have a rule."""
    return soft_delete.soft_delete_models()


def can_idle(kind: Kind) -> bool:
    """Whether it is known when somebody last touched a thing of this kind."""
    return hasattr(kind.objects.all(), "untouched_since")


def trash_days() -> dict[Kind, int]:
    """Days that each kind stays in the trash; one query."""
    rules = {kind: rule.trash_days for kind, rule in _rules().items()}
    return {kind: rules.get(kind) or settings.RETENTION_TRASH_DAYS for kind in kinds()}


@dataclass
class Due:
    """Deletions whose time is over: those that may go, and those that stay, with why."""

    go: list[UUID] = field(default_factory=list)
    held: list[UUID] = field(default_factory=list)
    in_use: list[UUID] = field(default_factory=list)


def due() -> Iterator[Due]:
    """What is to go for good now, a chunk at a time, oldest first within a kind. What has begun to go comes first."""
    for start in range(0, len(begun := purging.unfinished()), CHUNK):
        yield Due(go=begun[start : start + CHUNK])
    days, now = trash_days(), timezone.now()
    for kind in days:
        heads: Any = kind.all_objects.all().heads()
        rows = purging.without_purges(heads.filter(deleted_at__lt=now - timedelta(days=days[kind])))
        ids = rows.order_by("deletion_id").values_list("deletion_id", flat=True)  # they grow with time
        last = UUID(int=0)
        while chunk := list(ids.filter(deletion_id__gt=last)[:CHUNK]):
            last = chunk[-1]
            kept = holds.held(chunk)
            needed = purging.in_use(chunk) - kept
            go = [each for each in chunk if each not in kept | needed]
            yield Due(go, [each for each in chunk if each in kept], [each for each in chunk if each in needed])


def idle() -> Iterator[tuple[Kind, list[Any]]]:
    """Living things that a rule moves to the trash today, a chunk at a time; what is held stays where it is."""
    for kind, rule in _rules().items():
        if rule.idle_days and can_idle(kind):
            moment = timezone.now() - timedelta(days=rule.idle_days)
            things: Any = kind.objects.all().untouched_since(moment).order_by("pk")  # type: ignore[attr-defined]
            last = UUID(int=0)
            while chunk := list(things.filter(pk__gt=last)[:CHUNK]):
                last = chunk[-1].pk
                kept = holds.kept_of(kind, [thing.pk for thing in chunk])
                yield kind, [thing for thing in chunk if thing.pk not in kept]


def put_away(things: Collection[SoftDeleteModel]) -> None:
    """To the trash, each with a deletion of its own."""
    soft_delete.delete_each(things, reason=_("Nobody has touched it for as long as the retention rule says."))


class Tally:
    """Rows that would go, per model label, each counted once, whichever deletions would take it."""

    def __init__(self) -> None:
        self._seen: dict[str, set[UUID]] = {kind._meta.label: set() for kind in kinds()}

    def add(self, deletion_ids: Collection[UUID]) -> None:
        for kind in kinds():
            reached = [Q(deletion_id__in=deletion_ids)]
            for root in kinds():
                links = (link for link in hanging(root) if link.model is kind)
                reached += [Q(**{f"{link.field}__deletion_id__in": deletion_ids}) for link in links]
            rows = kind.all_objects.filter(reduce(or_, reached)).order_by()
            self._seen[kind._meta.label].update(rows.values_list("pk", flat=True))

    @property
    def rows(self) -> Counter[str]:
        return Counter({label: len(pks) for label, pks in self._seen.items() if pks})


def _rules() -> dict[Kind, RetentionRule]:
    by_type = {rule.content_type_id: rule for rule in RetentionRule.objects.all()}
    types = ContentType.objects.get_for_models(*kinds()) if by_type else {}
    return {kind: by_type[types[kind].pk] for kind in kinds() if types and types[kind].pk in by_type}
