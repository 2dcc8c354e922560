"""What the history needs to know of templates: how their rows read, and who may take back what."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from audit.history import kinds
from templates_app.models import (
    Category,
    Favorite,
    Grant,
    Label,
    LabelMove,
    PromptTemplate,
    Rating,
    RatingReport,
    Suggestion,
    SuggestionComment,
    Tag,
    TemplateVersion,
    Upstream,
    ValueSet,
)
from templates_app.undoing import LabelMoved, NewVersion, TagsAgain, make_label_again, remove_label


def register() -> None:
    kinds.register(
        PromptTemplate,
        is_subject=True,
        right=_editable,
        restore_right=_owned,
        fields=frozenset({"title", "summary", "category", "language", "visibility", "status", "metadata"}),
        field_rights={"visibility": _owned, "status": _owned},
        specialities={"current_version": NewVersion(), "tags": TagsAgain()},
    )
    kinds.register(
        TemplateVersion,
        names=_versions,
        hidden=frozenset({"content_hash"}),
        is_record=True,
        never=_("A version never changes and never goes. Its template can be given the text of an earlier one."),
    )
    kinds.register(
        Label,
        right=_editable,
        fields=frozenset(),
        specialities={"version": LabelMoved()},
        remove=remove_label,
        make_again=make_label_again,
    )
    kinds.register(LabelMove, is_record=True, never=_("The list of moves stays whole. The label itself can go back."))
    kinds.register(Grant, right=_owned, fields=frozenset({"role"}))
    kinds.register(Rating, own="user", fields=frozenset({"score", "review", "model", "task"}))
    kinds.register(Favorite, own="user", fields=frozenset())
    kinds.register(ValueSet, own="user", fields=frozenset({"name", "values", "is_shared"}))
    kinds.register(Suggestion, own="author", fields=frozenset({"message"}), keeps_creation=_("Withdraw it instead."))
    kinds.register(SuggestionComment, own="author", fields=frozenset({"text"}))
    kinds.register(RatingReport, never=_("A report is decided, not taken back."))
    kinds.register(Upstream, is_record=True, never=_("How far a fork follows its original is kept by the program."))
    kinds.register(Category, names=_all(Category), fields=frozenset({"name"}))
    kinds.register(Tag, names=_all(Tag), fields=frozenset({"name"}))


def _editable(user: Any) -> "QuerySet[PromptTemplate]":
    templates: QuerySet[PromptTemplate] = PromptTemplate.objects.editable_by(user)
    return templates


def _owned(user: Any) -> "QuerySet[PromptTemplate]":
    templates: QuerySet[PromptTemplate] = PromptTemplate.all_objects.owned_by(user)
    return templates


def _versions(user: Any) -> "QuerySet[TemplateVersion]":
    versions = TemplateVersion.objects.all() if user.is_staff else TemplateVersion.objects.visible_to(user)
    return versions.select_related("template")


def _all(model: Any) -> Any:
    """What everybody may know by name."""
    return lambda _user: model.objects.all()
