"""The few-shot messages on the edit page: what somebody might write, and what the model is to answer."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from templates_app.forms.texts import TextField

PREFIX = "examples"
COUNT = f"{PREFIX}-count"
"""Posted with the rows, so that a request without any is not taken for one that removed them all."""

EXAMPLES_MAX = 200
PAIR = ("user", "assistant")
_ROW = re.compile(rf"^{PREFIX}-(\d{{1,4}})-content$")


class ExampleForm(forms.Form):
    """One message. Left empty, or with `remove` ticked, it is gone when the template is saved."""

    role = forms.ChoiceField(
        label=_("Who says it"),
        choices=[("user", _("You")), ("assistant", _("The model")), ("system", _("System"))],
    )
    content = TextField(label=_("What"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    remove = forms.BooleanField(label=_("Remove"), required=False)

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, place: int, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, prefix=f"{PREFIX}-{place}", initial=initial)
        self.place = place

    @property
    def text(self) -> str:
        return "" if self["remove"].value() else str(self["content"].value() or "").replace("\r\n", "\n")

    @property
    def message(self) -> dict[str, str]:
        return {"role": str(self["role"].value()), "content": self.text}


class ExampleForms:
    """The messages in their order: those that were posted, or else those of a version."""

    def __init__(self, examples: Iterable[Mapping[str, Any]], *, data: Mapping[str, Any] | None = None) -> None:
        if data is not None and COUNT in data:
            places = sorted(int(match[1]) for name in data if (match := _ROW.match(name)))
            self.rows = [ExampleForm(data, place=place) for place in places[: EXAMPLES_MAX + 2]]
        else:
            self.rows = [ExampleForm(initial=dict(each), place=place) for place, each in enumerate(examples)]

    def __iter__(self) -> Iterator[ExampleForm]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def pairs(self) -> list[list[ExampleForm]]:
        """The rows as the page groups them: each begins where you say something."""
        found: list[list[ExampleForm]] = []
        for row in self.rows:
            if not found or row["role"].value() != "assistant":
                found.append([])
            found[-1].append(row)
        return found

    @property
    def texts(self) -> list[str]:
        return [row.text for row in self.rows]

    @property
    def messages(self) -> list[dict[str, str]]:
        """What a version stores; of valid forms."""
        return [row.message for row in self.rows if row.text.strip()]

    def add_pair(self) -> list[ExampleForm]:
        """Room for one example more; nothing where there are as many as may be."""
        place = max((row.place for row in self.rows), default=-1) + 1
        if place + len(PAIR) > EXAMPLES_MAX:
            return []
        pair = [ExampleForm(initial={"role": role}, place=place + number) for number, role in enumerate(PAIR)]
        self.rows += pair
        return pair

    def is_valid(self) -> bool:
        wrong = [row for row in self.rows if row.is_bound and not row.is_valid()]  # each shows its own
        return not wrong


def examples_data(examples: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The messages as a browser would post them."""
    data = {COUNT: "1"}
    for place, each in enumerate(examples):
        data |= {f"{PREFIX}-{place}-{name}": str(each.get(name, "")) for name in ("role", "content")}
    return data
