"""Pages of the trash: things of several kinds in one order, the latest first."""

from collections.abc import Sequence
from functools import cached_property, reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet, Value

from promptlib.core.models import SoftDeleteModel
from promptlib.core.pagination import KeysetPage


class MixedPage(KeysetPage[SoftDeleteModel]):
    """As a page of one queryset, of several, in one query. The rows know their keys and deletions: see `entries_of`.

    The databases sort what the reader has in the trash: that is little, for it empties itself.
    """

    def __init__(
        self, querysets: "Sequence[QuerySet[SoftDeleteModel]]", *, cursor: str | None = None, size: int = 30
    ) -> None:
        super().__init__(querysets[0], order=("-deleted_at", "-id"), cursor=cursor, size=size)
        self.querysets = querysets

    @cached_property
    def _rows(self) -> list[SoftDeleteModel]:
        beyond = reduce(or_, self._stretches(self._boundary)) if self._boundary else Q()
        keys = [
            rows.filter(beyond).order_by().values_list("deleted_at", "id", "deletion_id", Value(index))
            for index, rows in enumerate(self.querysets)
        ]
        ordered: Any = keys[0].union(*keys[1:], all=True).order_by(*(self._ordering(term) for term in self.order))
        return [
            self.querysets[index].model(deleted_at=deleted_at, id=key, deletion_id=deletion_id)
            for deleted_at, key, deletion_id, index in ordered[: self.size + 1]
        ]
