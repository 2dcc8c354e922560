"""The trash: what a person deleted or owns, what went with it, and how long it stays; for staff, everybody's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib.auth import get_permission_codename, get_user_model
from django.db.models import Count, Q, QuerySet, Value

from audit.retention.purging import without_purges
from promptlib.core.fields import normalize_key
from promptlib.core.models import SoftDeleteModel
from promptlib.core.soft_delete import soft_delete_models

PEOPLE_LIMIT = 50
"""As many people as one word of the staff's filter may mean."""

Kind = type[SoftDeleteModel]


def kinds() -> list[Kind]:
    """Models that stand in people's own trash: those whose queryset knows who may bring a row back."""
    models = [model for model in soft_delete_models() if hasattr(model.all_objects.all(), "restorable_by")]
    return sorted(models, key=lambda model: bool(model.soft_delete_parents()))


def kinds_for_staff(user: Any) -> list[Kind]:
    """Of people only for who may delete them: a person who comes back may sign in again."""
    others = [model for model in soft_delete_models() if model not in kinds()]
    return [*kinds(), *(model for model in others if user.has_perm(_delete_permission(model)))]


@dataclass(frozen=True)
class Trash:
    """What stands in the trash before `reader`: what they may bring back; for staff everybody's, or one person's."""

    reader: Any
    is_everybodys: bool = False
    person: str = ""
    text: str = ""

    @cached_property
    def kinds(self) -> list[Kind]:
        return kinds_for_staff(self.reader) if self.is_everybodys else kinds()

    def rows(self, model: Kind) -> "QuerySet[SoftDeleteModel]":
        """Those of one kind that a delete was about, without what went along, nor what is going for good just now."""
        rows: Any = model.all_objects.all()
        rows = without_purges((rows if self.is_everybodys else rows.restorable_by(self.reader)).heads())
        if self.is_everybodys and self.person.strip():
            rows = rows.filter(Q(deleted_by__in=self._people) | Q(**{f"{model.OWNER}__in": self._people}))
        return rows.search_trash(self.text) if self.text.strip() else rows

    def counts(self) -> dict[Kind, int]:
        """How many of each kind; one query for all, and one more for the person."""
        groups = [
            self.rows(model).order_by().values(kind=Value(index)).annotate(number=Count("pk"))
            for index, model in enumerate(self.kinds)
        ]
        found = {row["kind"]: row["number"] for row in groups[0].union(*groups[1:], all=True)}
        return {model: found.get(index, 0) for index, model in enumerate(self.kinds)}

    def find(self, deletion_id: UUID) -> SoftDeleteModel | None:
        """The row that the delete was about, if the reader may bring it back."""
        found = (self.rows(model).filter(deletion_id=deletion_id).first() for model in self.kinds)
        return next((row for row in found if row is not None), None)

    def together_with(self, row: SoftDeleteModel) -> list[SoftDeleteModel]:
        """What one person deleted with one press: things of one kind, at the same microsecond."""
        same = {"deleted_at": row.deleted_at, "deleted_by": row.deleted_by_id}
        return list(self.rows(type(row)).filter(**same).order_by("pk"))

    def purgeable(self, model: Kind) -> "QuerySet[SoftDeleteModel]":
        """Those of one kind that the reader may delete for good: what somebody else could bring back stays."""
        rows: Any = self.rows(model)
        return rows if self.is_everybodys else rows.purgeable_by(self.reader)

    def purgeable_deletions(self, *, limit: int, until: datetime) -> list[UUID]:
        """What the reader may delete for good of what was in the trash by then, the oldest first."""
        keys = [
            self.purgeable(model).filter(deleted_at__lte=until).order_by().values_list("deleted_at", "deletion_id")
            for model in self.kinds
        ]
        ordered: Any = keys[0].union(*keys[1:], all=True).order_by("deleted_at")
        return [deletion_id for _at, deletion_id in ordered[:limit]]

    @cached_property
    def _people(self) -> list[Any]:
        text, people = self.person.strip(), get_user_model().all_objects.order_by("pk")
        known = people.filter(Q(handle__iexact=text.removeprefix("@")) | Q(email_key=normalize_key(text)))
        named = people.filter(display_name__icontains=text)
        return list(known.values_list("pk", flat=True)) or list(named.values_list("pk", flat=True)[:PEOPLE_LIMIT])


def find(user: Any, deletion_id: UUID) -> tuple[SoftDeleteModel, bool] | None:
    """What the delete was about, and whether the person sees it only as staff; None for what is none of theirs."""
    if row := Trash(user).find(deletion_id):
        return row, False
    if user.is_staff and (row := Trash(user, is_everybodys=True).find(deletion_id)):
        return row, True
    return None


def find_many(user: Any, deletion_ids: Iterable[UUID], *, as_staff: bool) -> list[SoftDeleteModel]:
    """Those of the deletions that the person may undo; a query a kind."""
    here, wanted = Trash(user, is_everybodys=as_staff), list(deletion_ids)
    return [row for model in here.kinds for row in here.rows(model).filter(deletion_id__in=wanted).order_by("pk")]


def find_purgeable(user: Any, deletion_ids: Iterable[UUID], *, as_staff: bool) -> list[SoftDeleteModel]:
    """Those that the person may delete for good; a query a kind."""
    here, wanted = Trash(user, is_everybodys=as_staff), list(deletion_ids)
    return [
        row
        for model in here.kinds
        for row in here.purgeable(model).for_trash().filter(deletion_id__in=wanted).order_by("pk")  # type: ignore[attr-defined]  # ours
    ]


def _delete_permission(model: Kind) -> str:
    return f"{model._meta.app_label}.{get_permission_codename('delete', model._meta)}"
