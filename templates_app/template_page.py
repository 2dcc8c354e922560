"""The page of one template: a version of it, the form to use it, how its versions did, and what people say."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from django.http import Http404
from django.utils import timezone

from audit.history.news import News as Changed
from audit.history.news import is_long_ago
from promptlib.core.ids import as_uuid
from promptlib.core.pagination import KeysetPage
from templates_app.changes import news_of
from templates_app.forms import RatingForm, VariablesForm
from templates_app.lineage import News, original_of
from templates_app.measures import add_p95
from templates_app.models import Label, PromptTemplate, Rating, TemplateVersion, ValueSet
from templates_app.page_facts import Facts
from templates_app.presentation import Paragraph, ShownExample, measure, paragraphs, shown_examples
from templates_app.rendering import render
from templates_app.reviews import ORDER, Ranking, listed
from templates_app.services.value_sets import value_sets_for
from templates_app.words import GOOD_LABELS

RAIL_SIZE = 12
TABLE_SIZE = 8
REVIEWS_SIZE = 5
SETS_SIZE = 6
LABELS_SHOWN = 3


class TemplatePage:
    """What one address of a template shows. Parts are read when the page asks for them, each with one query."""

    def __init__(
        self,
        template: PromptTemplate,
        user: Any,
        *,
        number: int | None = None,
        form: VariablesForm | None = None,
        rating_form: RatingForm | None = None,
        view: str = "blank",
        query: Mapping[str, str] | None = None,
    ) -> None:
        self.drawn_at = timezone.now()
        self.template = template
        self.user = user
        self.query = query or {}
        self.version = form.version if form else self._version(number)
        filled = self.value_set.values if self.value_set and not form else None
        self.form = form or (VariablesForm(self.version, filled=filled) if self.version else None)
        self.system_prompt = self.version.system_prompt if self.version else ""
        self.body = self.version.body if self.version else ""
        self._rating_form = rating_form
        self.view = "filled" if filled else view

    @cached_property
    def facts(self) -> Facts:
        return Facts(self.template, self.user)

    # ---- rights ------------------------------------------------------------

    @property
    def is_visitor(self) -> bool:
        """Somebody who is not signed in: reads a public template, and can do nothing with it."""
        return not self.user.is_authenticated

    @property
    def is_owner(self) -> bool:
        return self.template.owner_id == self.user.pk

    @cached_property
    def shared_count(self) -> int:
        """With how many people and teams; the owner's page says so."""
        return int(self.facts.shared_count)

    @cached_property
    def can_edit(self) -> bool:
        return self.is_owner or bool(self.facts.is_editable)

    @property
    def has_history(self) -> bool:
        return self.can_edit or bool(self.user.is_staff)

    # ---- the text ----------------------------------------------------------

    @property
    def is_current(self) -> bool:
        return self.version is not None and self.version.pk == self.template.current_version_id

    @cached_property
    def optional(self) -> set[str]:
        return {variable.name for variable in self.form.contract if not variable.required} if self.form else set()

    @cached_property
    def texts(self) -> dict[str, str]:
        return self.form.texts if self.form else {}

    @cached_property
    def system_blank(self) -> list[Paragraph]:
        return paragraphs(self.system_prompt, optional=self.optional)

    @cached_property
    def body_blank(self) -> list[Paragraph]:
        return paragraphs(self.body, optional=self.optional)

    @cached_property
    def system_filled(self) -> list[Paragraph]:
        return paragraphs(self.system_prompt, self.texts, optional=self.optional)

    @cached_property
    def body_filled(self) -> list[Paragraph]:
        return paragraphs(self.body, self.texts, optional=self.optional)

    @property
    def rendered(self) -> str:
        """The whole prompt as it would be sent, for a text field to copy from."""
        parts = (render(text, self.texts) for text in (self.system_prompt, self.body) if text)
        return "\n\n".join(parts)

    @cached_property
    def measured(self) -> tuple[int, int]:
        examples = self.version.examples if self.version else ()
        return measure(self.system_prompt, *(str(each.get("content", "")) for each in examples), self.body)

    @cached_property
    def examples(self) -> list[ShownExample]:
        return shown_examples(self.version.examples if self.version else (), None, optional=self.optional)

    @cached_property
    def examples_filled(self) -> list[ShownExample]:
        return shown_examples(self.version.examples if self.version else (), self.texts, optional=self.optional)

    # ---- sets of values ----------------------------------------------------

    @cached_property
    def value_set(self) -> ValueSet | None:
        """The set that the address asks to fill in (`set`)."""
        pk = as_uuid(self.query.get("set"))
        if pk is None:
            return None
        return value_sets_for(self.template, self.user).filter(pk=pk).first()

    @cached_property
    def _value_sets(self) -> list[ValueSet]:
        sets = value_sets_for(self.template, self.user).select_related("user").defer("values")
        return list(sets.order_by("name_key", "id")[: SETS_SIZE + 1])

    @property
    def value_sets(self) -> list[ValueSet]:
        return self._value_sets[:SETS_SIZE]

    @property
    def has_more_sets(self) -> bool:
        return len(self._value_sets) > SETS_SIZE

    # ---- versions and how they did -----------------------------------------

    @cached_property
    def versions(self) -> list[TemplateVersion]:
        """The latest versions, or those older than `before`; and the one that is shown, if it is not among them."""
        queryset = self.template.versions.defer(*TemplateVersion.CONTENT).select_related("author")
        before = self.query.get("before", "")
        older = queryset.filter(number__lt=before) if before.isdecimal() and len(before) < 10 else queryset
        found = list(older.order_by("-number")[:RAIL_SIZE])
        if self.version and all(version.pk != self.version.pk for version in found):
            found = sorted([*found, *queryset.filter(pk=self.version.pk)], key=lambda each: -each.number)
        for version in found:
            version.is_new = bool(  # type: ignore[attr-defined]  # it rides along, as its labels do
                self.seen_at and version.author_id != self.user.pk and version.created_at > self.seen_at
            )
            version.shown_labels = [label for label in self.labels if label.version_id == version.pk]  # type: ignore[attr-defined]
        return add_p95(found, most=TABLE_SIZE)

    @cached_property
    def labels(self) -> list[Label]:
        """All of them, with their versions' numbers."""
        labels = self.template.labels.select_related("version").only(
            "name", "is_protected", "template", "version__number", "version__template"
        )
        return list(labels.order_by("name"))

    @property
    def labels_elsewhere(self) -> list[Label]:
        """Those that point at another version than the one that is shown; what is in use first."""
        others = [label for label in self.labels if not self.version or label.version_id != self.version.pk]
        return sorted(others, key=lambda label: label.name not in GOOD_LABELS)[:LABELS_SHOWN]

    @property
    def table(self) -> list[TemplateVersion]:
        return [version for version in self.versions if version.usage_count][:TABLE_SIZE]

    @property
    def shown(self) -> TemplateVersion | None:
        """The version that is shown, as the rail has it: with labels and statistics."""
        return next((version for version in self.versions if self.version and version.pk == self.version.pk), None)

    @property
    def older_count(self) -> int:
        """Numbers have no gaps: what is below the last of the rail."""
        return self.versions[-1].number - 1 if len(self.versions) >= RAIL_SIZE else 0

    @cached_property
    def fork_count(self) -> int:
        return int(self.facts.fork_count)

    @cached_property
    def original(self) -> News | None:
        """The template that this one was forked from, if this person and the owner may see it."""
        return None if self.is_visitor else original_of(self.template, self.user)

    @property
    def news(self) -> News | None:
        """What the original did since, for those who may take it in."""
        news = self.original if self.is_current and self.can_edit else None
        return news if news and news.count and not news.is_ignored else None

    @property
    def waiting_label(self) -> str:
        """A label of which a move waits for a second person, if there is one."""
        return self.facts.waiting_label or "" if self.is_current and not self.is_visitor else ""

    # ---- what changed ------------------------------------------------------

    @property
    def seen_at(self) -> datetime | None:
        """When this person looked last, on the current version's page of a template that they follow."""
        return self.facts.seen_at if self.facts.is_followed and self.is_current else None

    @cached_property
    def changed(self) -> Changed:
        """What others did since; a query only where they did something."""
        if self.seen_at is None or not self.facts.is_changed:
            return Changed()
        versions = [*self.versions, *(label.version for label in self.labels)]
        return news_of(self.template, self.user, self.seen_at, versions)

    @property
    def is_look_due(self) -> bool:
        """Whether to note that they looked: something is new, or the last note is old."""
        return self.seen_at is not None and (bool(self.changed) or is_long_ago(self.seen_at))

    # ---- what people say ---------------------------------------------------

    @cached_property
    def is_favorite(self) -> bool:
        return bool(self.facts.is_favorite)

    @cached_property
    def distribution(self) -> list[tuple[int, int]]:
        """How many gave how many stars, from five down."""
        return self.facts.distribution

    @cached_property
    def reviews(self) -> KeysetPage[Rating]:
        """The latest; all of them have a page of their own."""
        return KeysetPage(listed(self._ratings), order=ORDER, size=REVIEWS_SIZE)

    @property
    def ranking(self) -> Ranking:
        return Ranking(self.template)

    @property
    def suggestion_count(self) -> int:
        """How many changes that people propose wait for a decision."""
        return int(self.facts.suggestion_count)

    @cached_property
    def my_rating(self) -> Rating | None:
        return None if self.is_owner or self.is_visitor else self.facts.rating_by(self.user)

    @cached_property
    def rating_form(self) -> RatingForm:
        if self._rating_form is not None:
            return self._rating_form
        mine = self.my_rating
        initial: dict[str, Any] = {"version": self.version.number if self.version else None}
        if mine is not None:
            initial |= {name: getattr(mine, name) for name in ("score", "review", "model", "task")}
        elif not self.is_visitor:
            initial["model"] = self.facts.ran_with
        return RatingForm(template=self.template, initial=initial)

    @property
    def _ratings(self) -> Any:
        return Rating.objects.filter(template=self.template, alive=1)

    def _version(self, number: int | None) -> TemplateVersion | None:
        if number is None or (self.template.current_version and self.template.current_version.number == number):
            return self.template.current_version
        version = self.template.versions.filter(number=number).first()
        if version is None:
            raise Http404
        return version
