"""What an export is of: a selection, what the library's filters leave, all that is one's own, or all one may see."""

from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from promptlib.core.ids import read_ids
from templates_app.filters import TemplateFilter
from templates_app.models import PromptTemplate

MAX_IDS = 500


class ExportChoice:
    """`what` is `mine` or `all` (archived ones too), else the filters say it, or `ids`."""

    def __init__(self, filters: TemplateFilter, user: Any) -> None:
        self.filters = filters
        self.user = user
        self.ids = read_ids(filters.data.getlist("ids") if filters.data else (), MAX_IDS)
        asked = (filters.data or {}).get("what", "")
        self.what = asked if asked in {"mine", "all"} else "chosen" if self.ids or filters.is_narrowed else "all"

    @property
    def is_valid(self) -> bool:
        return self.what != "chosen" or bool(self.ids) or self.filters.is_valid()

    @cached_property
    def pks(self) -> list[UUID]:
        """The keys of what is chosen and the person may see, in the order of the list they were chosen from."""
        visible = PromptTemplate.objects.visible_to(self.user)
        if self.what == "mine":
            return list(visible.filter(owner=self.user).order_by("id").values_list("pk", flat=True))
        if self.what == "all":
            return list(visible.order_by("id").values_list("pk", flat=True))
        if self.ids:
            found = set(visible.filter(pk__in=self.ids).values_list("pk", flat=True))
            return [pk for pk in self.ids if pk in found]
        chosen: QuerySet[PromptTemplate] = self.filters.qs
        return list(chosen.order_by(*self.filters.order).values_list("pk", flat=True)) if self.is_valid else []

    @property
    def count(self) -> int:
        return len(self.pks)

    @property
    def words(self) -> str:
        if self.what == "mine":
            return _("all that is yours, drafts and archived ones too")
        if self.what == "all":
            return _("all that you may see, archived ones too")
        return _("those you selected") if self.ids else _("what the filters leave")

    @property
    def query(self) -> str:
        return self._query(self.what)

    @property
    def tabs(self) -> list[dict[str, Any]]:
        labels = {"mine": _("All of yours"), "all": _("All you may see")}
        if self.ids or self.filters.is_narrowed:
            labels = {"chosen": _("Selected") if self.ids else _("What the filters leave"), **labels}
        return [
            {"label": label, "url": f"?{self._query(what)}", "count": None, "current": what == self.what}
            for what, label in labels.items()
        ]

    def _query(self, what: str) -> str:
        query = urlencode({"ids": ",".join(map(str, self.ids))}) if self.ids else self.filters.query.urlencode()
        return "&".join(filter(None, [query, f"what={what}"]))
