"""What an export is of: a selection, all that is one's own, or all that one may see."""

from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.utils.translation import gettext as _

from conversations.models import Conversation
from promptlib.core.ids import read_ids

MAX_IDS = 500


class ExportChoice:
    """`what` is `mine` or `all` (archived ones too), or `ids` says it."""

    def __init__(self, query: Any, user: Any) -> None:
        self.user = user
        self.ids = read_ids(query.getlist("ids"), MAX_IDS)
        asked = query.get("what", "")
        self.what = asked if asked in {"mine", "all"} else "chosen" if self.ids else "all"

    @cached_property
    def pks(self) -> list[UUID]:
        """The keys of what is chosen and the person may see, oldest first."""
        visible = Conversation.objects.visible_to(self.user).order_by("pk")
        if self.what == "mine":
            visible = visible.owned_by(self.user)
        elif self.what == "chosen":
            visible = visible.filter(pk__in=self.ids)
        return list(visible.values_list("pk", flat=True))

    @property
    def count(self) -> int:
        return len(self.pks)

    @property
    def words(self) -> str:
        told = {
            "chosen": _("those you selected"),
            "mine": _("all that is yours, archived ones too"),
            "all": _("all that you may see, archived ones too"),
        }
        return told[self.what]

    @property
    def query(self) -> str:
        return self._query(self.what)

    @property
    def tabs(self) -> list[dict[str, Any]]:
        labels = {"all": _("All you may see"), "mine": _("All of yours")}
        labels = {"chosen": _("Selected"), **labels} if self.ids else labels
        return [
            {"label": label, "url": f"?{self._query(what)}", "count": None, "current": what == self.what}
            for what, label in labels.items()
        ]

    def _query(self, what: str) -> str:
        ids = [("ids", ",".join(map(str, self.ids)))] if self.ids else []
        return urlencode([*ids, ("what", what)])
