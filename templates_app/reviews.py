"""What people say of a template: reviews with the version they speak of, by stars and version, page by page."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from promptlib.core.pagination import KeysetPage
from templates_app.models import PromptTemplate, Rating, TemplateVersion
from templates_app.models.template import PRIOR_COUNT, PRIOR_SUM
from templates_app.page_facts import Facts

PAGE_SIZE = 20
RATED_VERSIONS = 100
ORDER = ("-updated_at", "id")
"""As the indexes of ratings end."""


def listed(ratings: QuerySet[Rating]) -> QuerySet[Rating]:
    """Ratings as a list shows them, each with `has_run`: whether its author has run the template at all."""
    runs = TemplateVersion.objects.filter(
        template=OuterRef("template"),
        prompts__author=OuterRef("user"),
        prompts__completed_at__isnull=False,
        prompts__deleted_at__isnull=True,
    )
    texts = (f"version__{name}" for name in TemplateVersion.CONTENT)
    return ratings.select_related("user", "version").defer(*texts).annotate(has_run=Exists(runs))


class Ranking:
    """How a template's stars count in the library's order, for the sentence that explains it."""

    def __init__(self, template: PromptTemplate) -> None:
        self.score = template.rank_score
        self.prior_count = PRIOR_COUNT
        self.prior_mean = PRIOR_SUM / PRIOR_COUNT


class ReviewsPage:
    """All reviews of a template, or those with so many `stars` or of one `version`."""

    def __init__(self, template: PromptTemplate, user: Any, query: Mapping[str, str]) -> None:
        self.template, self.user, self.query = template, user, query
        stars = query.get("stars", "")
        self.stars = int(stars) if stars in {"1", "2", "3", "4", "5"} else 0
        number = query.get("version", "")
        found = template.versions.defer(*TemplateVersion.CONTENT)
        self.version = found.filter(number=number).first() if number.isdecimal() and len(number) < 10 else None
        self.ranking = Ranking(template)

    @cached_property
    def distribution(self) -> list[tuple[int, int]]:
        return Facts(self.template, self.user).distribution

    @cached_property
    def versions(self) -> list[TemplateVersion]:
        """The versions that have ratings, the latest first."""
        rated = self.template.versions.filter(rating_count__gt=0).defer(*TemplateVersion.CONTENT)
        return list(rated.order_by("-number")[:RATED_VERSIONS])

    @cached_property
    def reviews(self) -> KeysetPage[Rating]:
        wanted: dict[str, Any] = {"version": self.version} if self.version else {"template": self.template}
        if self.stars:
            wanted["score"] = self.stars
        queryset = listed(Rating.objects.filter(alive=1, **wanted))
        return KeysetPage(queryset, order=ORDER, cursor=self.query.get("cursor"), size=PAGE_SIZE)
