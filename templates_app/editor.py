"""Two people at one template: a three-way merge that the second of them decides on, in the form itself."""

from collections.abc import Mapping
from copy import copy
from typing import Any

from promptlib.core.merging import Merge, posted_choices
from templates_app.forms import TemplateForm
from templates_app.forms.sides import base_token, read, read_base, saved_state, sign
from templates_app.forms.template import state_data
from templates_app.merging import merge_fields
from templates_app.models import PromptTemplate
from templates_app.variables import find_names

KEPT = ("revision", "base", "key", "change_note", "accepted")
"""What a form is posted with that belongs to no state of the template."""


class EditMerge:
    """Base, mine and theirs, and the choices that the texts of the form show."""

    def __init__(
        self,
        base: Mapping[str, Any],
        mine: Mapping[str, Any],
        theirs: Mapping[str, Any],
        shown: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.base, self.mine, self.theirs = dict(base), dict(mine), dict(theirs)
        self.shown: dict[str, Mapping[str, str]] = {"choices": {}, "texts": {}, **(shown or {})}

    @classmethod
    def between(cls, form: TemplateForm, current: PromptTemplate) -> "EditMerge":
        """What a valid form says, against what is saved now."""
        mine = form.state
        theirs = saved_state(current, current.current_version, mine)
        return cls(read_base(current, form.data.get("base"), mine), mine, theirs)

    @classmethod
    def posted(cls, data: Mapping[str, Any]) -> "EditMerge | None":
        """The merge that a page was about, as the page wrote it down; None where there was none."""
        told = read(data.get("merge"))
        return cls(told["base"], told["mine"], told["theirs"], told["shown"]) if "mine" in told else None

    @property
    def token(self) -> str:
        return sign({"base": self.base, "mine": self.mine, "theirs": self.theirs, "shown": self.shown})

    @property
    def result(self) -> Merge:
        merge = merge_fields(self.base, self.mine, self.theirs, self.shown["choices"], self.shown["texts"])
        merge.content["variables"] = self._with_used(merge.content)
        return merge

    def _with_used(self, content: Mapping[str, Any]) -> list[dict[str, Any]]:
        """A variable that one side dropped, but that the merged texts name again, is what it was."""
        merged = list(content["variables"])
        names = {entry["name"] for entry in merged}
        texts = [content["system_prompt"], content["body"], *(str(each["content"]) for each in content["examples"])]
        for name in find_names(*texts):
            sides = (entry for side in (self.theirs, self.mine, self.base) for entry in side["variables"])
            if name not in names and (known := next((each for each in sides if each["name"] == name), None)):
                merged.append(dict(known))
        return merged

    @property
    def is_nothing(self) -> bool:
        """Both say the same: as when a form is sent twice."""
        return self.mine == self.theirs

    def decide(self, state: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
        """The state with the posted choices in place of those that were shown; what was typed by hand stands."""
        before = self.result.content
        self.shown = dict(posted_choices(data))
        after = self.result.content
        return dict(state) if before == after else merge_fields(before, state, after).content

    def form(self, posted: TemplateForm, current: PromptTemplate, *, user: Any) -> TemplateForm:
        """The merged texts in a form that starts from `current`: the very state that they were merged with."""
        base = base_token(self.theirs, current.current_version)
        kept = {"revision": str(current.revision), "base": base, "merge": self.token}
        return rebuilt(posted, self.result.content, copy(current), user=user, **kept)


def rebuilt(
    posted: TemplateForm, state: Mapping[str, Any], instance: PromptTemplate, *, user: Any, **kept: str
) -> TemplateForm:
    """The posted form with another state in it."""
    data = {name: posted.data[name] for name in KEPT if name in posted.data}
    return TemplateForm({**data, **state_data(state), **kept}, instance=instance, user=user)
