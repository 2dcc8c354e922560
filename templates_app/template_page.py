"""The page of one template: a version of it, the form to use it, how its versions did, and what people say."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.db.models import Count, Prefetch
from django.http import Http404

from promptlib.core.pagination import KeysetPage
from templates_app.forms import RatingForm, VariablesForm
from templates_app.models import Favorite, ForkCount, Label, PromptTemplate, Rating, TemplateUsage, TemplateVersion
from templates_app.presentation import Paragraph, measure, paragraphs
from templates_app.rendering import render

RAIL_SIZE = 20
TABLE_SIZE = 8
REVIEWS_SIZE = 5
MEASURED_RUNS = 20_000
"""A percentile reads every run of a version; beyond this many the page shows the mean, which is a statistic."""


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
        self.template = template
        self.user = user
        self.version = form.version if form else self._version(number)
        self.form = form or (VariablesForm(self.version) if self.version else None)
        self.system_prompt = self.version.system_prompt if self.version else ""
        self.body = self.version.body if self.version else ""
        self._rating_form = rating_form
        self.view = view
        self.query = query or {}

    # ---- rights ------------------------------------------------------------

    @property
    def is_owner(self) -> bool:
        return self.template.owner_id == self.user.pk

    @cached_property
    def can_edit(self) -> bool:
        editable = PromptTemplate.objects.editable_by(self.user)
        return self.is_owner or editable.filter(pk=self.template.pk).exists()

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
        return measure(self.system_prompt, self.body)

    # ---- versions and how they did -----------------------------------------

    @cached_property
    def versions(self) -> list[TemplateVersion]:
        """The latest versions, or those older than `before`; and the one that is shown, if it is not among them."""
        texts = ("system_prompt", "body", "examples", "variables", "parameters")
        labels = Prefetch("labels", Label.objects.order_by("name"))
        queryset = self.template.versions.defer(*texts).select_related("author").prefetch_related(labels)
        before = self.query.get("before", "")
        older = queryset.filter(number__lt=before) if before.isdecimal() and len(before) < 10 else queryset
        found = list(older.order_by("-number")[:RAIL_SIZE])
        if self.version and all(version.pk != self.version.pk for version in found):
            found = sorted([*found, *queryset.filter(pk=self.version.pk)], key=lambda each: -each.number)
        p95 = _p95(found)
        for version in found:
            version.p95_ms = p95.get(version.pk)  # type: ignore[attr-defined]  # for the page alone
        return found

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
        counted = ForkCount.objects.filter(template=self.template).values_list("fork_count", flat=True)
        return counted.first() or 0

    # ---- what people say ---------------------------------------------------

    @cached_property
    def is_favorite(self) -> bool:
        return Favorite.objects.filter(template=self.template, user=self.user).exists()

    @cached_property
    def distribution(self) -> list[tuple[int, int]]:
        """How many gave how many stars, from five down."""
        counts = dict(self._ratings.values_list("score").annotate(count=Count("pk")).order_by())
        return [(score, counts.get(score, 0)) for score in range(5, 0, -1)]

    @cached_property
    def reviews(self) -> KeysetPage[Rating]:
        queryset = self._ratings.select_related("user", "version").defer("version__body", "version__system_prompt")
        cursor = self.query.get("reviews")
        return KeysetPage(queryset, order=("-updated_at", "-id"), cursor=cursor, size=REVIEWS_SIZE)

    @cached_property
    def my_rating(self) -> Rating | None:
        return None if self.is_owner else self._ratings.filter(user=self.user).first()

    @cached_property
    def rating_form(self) -> RatingForm:
        if self._rating_form is not None:
            return self._rating_form
        mine = self.my_rating
        initial: dict[str, Any] = {"version": self.version.number if self.version else None}
        if mine is not None:
            initial |= {"score": mine.score, "review": mine.review, "model": mine.model}
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


def _p95(versions: list[TemplateVersion]) -> dict[Any, int]:
    """The 95th percentile of the latency per version, in ms, of the latest where it is quickly had; one query."""
    pks = [version.pk for version in versions if 0 < version.latency_count <= MEASURED_RUNS][:TABLE_SIZE]
    if not pks:
        return {}
    rows = TemplateUsage.objects.filter(version_id__in=pks).values_list("version_id", "p95_latency_ms")
    return {pk: p95 for pk, p95 in rows if p95 is not None}
