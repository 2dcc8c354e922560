"""The page of one suggestion: what it changes, what accepting it would do now, what people say, and who may decide."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, cast

from promptlib.core.merging import CHOICES, Choice, Merge, posted_choices
from promptlib.core.pagination import KeysetPage
from templates_app import services
from templates_app.diffing import ContentDifferences, content_differences
from templates_app.forms import AcceptanceForm, CommentForm, RejectionForm
from templates_app.models import PromptTemplate, Suggestion, SuggestionComment, TemplateVersion

COMMENTS_SIZE = 50


class SuggestionPage:
    """What one address of a suggestion shows; `posted` are the choices of an accept that did not go through."""

    def __init__(
        self,
        template: PromptTemplate,
        suggestion: Suggestion,
        user: Any,
        *,
        can_decide: bool,
        posted: Mapping[str, Any] | None = None,
        rejection_form: RejectionForm | None = None,
        comment_form: CommentForm | None = None,
        cursor: str | None = None,
    ) -> None:
        self.template, self.suggestion, self.user = template, suggestion, user
        self.can_decide = can_decide
        self.posted = posted or {}
        self.rejection_form = rejection_form or RejectionForm()
        self.comment_form = comment_form or CommentForm()
        self.cursor = cursor

    # ---- who may do what ---------------------------------------------------

    @property
    def is_author(self) -> bool:
        return self.suggestion.author_id == self.user.pk

    @property
    def can_reopen(self) -> bool:
        """What was rejected by its author and by whoever decides; what was withdrawn by its author alone."""
        match self.suggestion.status:
            case Suggestion.Status.REJECTED:
                return self.is_author or self.can_decide
            case Suggestion.Status.WITHDRAWN:
                return self.is_author
        return False

    @cached_property
    def acceptance_form(self) -> AcceptanceForm:
        """For what the page shows now; of an accept that did not go through it has the word to the author."""
        seen = {"seen": self.suggestion.stamp, "number": self.current.number if self.current else 0}
        return AcceptanceForm({**self.posted, **seen} if "number" in self.posted else None, initial=seen)

    # ---- what it changes ---------------------------------------------------

    @property
    def base(self) -> TemplateVersion:
        return self.suggestion.base_version

    @property
    def current(self) -> TemplateVersion | None:
        return self.template.current_version

    @property
    def has_moved(self) -> bool:
        return self.current is not None and self.current.pk != self.base.pk

    @property
    def moved_by(self) -> int:
        return max(self.current.number - self.base.number, 0) if self.current else 0

    @property
    def next_number(self) -> int:
        return self.template.version_count + 1

    @cached_property
    def suggested(self) -> ContentDifferences:
        """The suggestion against the version that it was made for."""
        return content_differences(self.base, self.suggestion)

    @cached_property
    def merge(self) -> Merge | None:
        """The suggestion and what was saved since, together; None where nothing was, or all is decided."""
        if not self.suggestion.is_open or not self.has_moved or self.current is None:
            return None
        posted = posted_choices(self.posted)
        merge = services.merged_with(self.suggestion, self.current, **posted)
        unsaid = cast("Choice", "")  # nothing is ticked beforehand: both sides wait for somebody who has read them
        merge.conflicts = [
            each if posted["choices"].get(each.key) in CHOICES else replace(each, chosen=unsaid)
            for each in merge.conflicts
        ]
        return merge

    @property
    def conflicts(self) -> bool:
        return self.merge is not None and not self.merge.is_clean

    @cached_property
    def outcome(self) -> ContentDifferences | None:
        """What accepting changes in the current version, if the template moved on and nothing contradicts."""
        if self.merge is None or self.conflicts:
            return None
        return content_differences(self.current, self.merge.content)

    # ---- what people say ---------------------------------------------------

    @cached_property
    def comments(self) -> KeysetPage[SuggestionComment]:
        """The latest first, as the pages go; `discussion` has them in the order in which they were said."""
        queryset = self.suggestion.comments.select_related("author")
        return KeysetPage(queryset, order=("-id",), cursor=self.cursor, size=COMMENTS_SIZE)

    @property
    def discussion(self) -> list[SuggestionComment]:
        return self.comments.items[::-1]
