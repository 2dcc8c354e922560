"""The page of a template's labels, and who may do what with them."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from promptlib.core.pagination import KeysetPage
from templates_app.forms.labels import LabelMoveForm
from templates_app.models import Label, LabelMove, PromptTemplate, TemplateVersion

CURATE = "templates_app.curate_library"
HISTORY_SIZE = 20


def may_protect(user: Any, template: PromptTemplate) -> bool:
    """The owner, and a curator (who is asked for only where the template is visible)."""
    return template.owner_id == user.pk or user.has_perm(CURATE)


def may_decide(user: Any, template: PromptTemplate) -> bool:
    """An editor, and a curator who sees the template; never for a move of their own, which the service refuses."""
    return template.is_editable_by(user) or user.has_perm(CURATE)


def waiting_moves(template: PromptTemplate) -> Any:
    """What waits for a second person, with the people and the versions' numbers."""
    moves = template.label_moves.filter(status=LabelMove.Status.WAITING).order_by("-id")
    return _with_versions(moves)


class LabelsPage:
    """What the page of a template's labels shows. Parts are read when the page asks for them."""

    def __init__(
        self, template: PromptTemplate, user: Any, *, form: LabelMoveForm | None, query: Mapping[str, str]
    ) -> None:
        self.template = template
        self.user = user
        self.query = query
        self._form = form

    @cached_property
    def can_edit(self) -> bool:
        return self.template.is_editable_by(self.user)

    @cached_property
    def can_protect(self) -> bool:
        return may_protect(self.user, self.template)

    @cached_property
    def can_decide(self) -> bool:
        return self.can_edit or self.user.has_perm(CURATE)

    @cached_property
    def labels(self) -> list[Label]:
        labels = self.template.labels.select_related("version").only(
            "name", "is_protected", "updated_at", "template", "version__number", "version__template"
        )
        return list(labels.order_by("name"))

    @cached_property
    def waiting(self) -> list[LabelMove]:
        return list(waiting_moves(self.template))

    @property
    def busy(self) -> set[str]:
        """Labels of which a move waits."""
        return {move.name for move in self.waiting}

    @cached_property
    def moves(self) -> KeysetPage[LabelMove]:
        moves = _with_versions(self.template.label_moves.exclude(status=LabelMove.Status.WAITING))
        return KeysetPage(moves, order=("-id",), cursor=self.query.get("cursor"), size=HISTORY_SIZE)

    @property
    def names(self) -> list[str]:
        """To choose from while typing."""
        return list(dict.fromkeys([*(label.name for label in self.labels), "production", "staging"]))

    @cached_property
    def form(self) -> LabelMoveForm:
        if self._form is not None:
            return self._form
        current = self.template.current_version
        initial = {"name": self.query.get("label", ""), "version": current.number if current else None}
        if self.query.get("version", "").isdecimal():
            initial["version"] = self.query["version"]
        return LabelMoveForm(template=self.template, initial=initial)


def _with_versions(moves: Any) -> Any:
    return moves.select_related("author", "reviewer", "from_version", "to_version").defer(
        *(f"{side}__{name}" for side in ("from_version", "to_version") for name in TemplateVersion.CONTENT)
    )
