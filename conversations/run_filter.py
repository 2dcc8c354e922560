"""Which runs of a template its page lists."""

from functools import cached_property
from typing import Any
from uuid import UUID

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from conversations.models import Prompt
from templates_app.models import PromptTemplate

VERSIONS_OFFERED = 100


class RunFilter(django_filters.FilterSet):
    """Runs of one template among `queryset`, by version and by how they ended."""

    version = django_filters.NumberFilter(
        label=_("Version"), method="by_version", min_value=1, max_value=10**9, widget=forms.Select
    )
    status = django_filters.ChoiceFilter(label=_("State"), choices=Prompt.Status.choices, empty_label=_("Any state"))

    class Meta:
        model = Prompt
        fields: tuple[str, ...] = ()
        form = forms.Form

    def __init__(self, *args: Any, template: PromptTemplate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.template = template

    def filter_queryset(self, queryset: QuerySet[Prompt]) -> QuerySet[Prompt]:
        """By the versions' keys and not by a join: so the planner knows how many runs there are, and may start at the
        person's few conversations rather than at everybody's many runs."""
        pks = self.keys.values() if self.chosen is None else [self.keys.get(self.chosen)]
        queryset = queryset.filter(template_version__in=[pk for pk in pks if pk])
        return super().filter_queryset(queryset)

    def by_version(self, queryset: QuerySet[Prompt], _name: str, _number: Any) -> QuerySet[Prompt]:
        return queryset  # narrowed above

    @cached_property
    def keys(self) -> dict[int, UUID]:
        """Every version, the latest first: its number and its key."""
        return dict(self.template.versions.order_by("-number").values_list("number", "pk"))

    @property
    def versions(self) -> list[int]:
        """To choose from: the latest, and the one that is chosen."""
        numbers = list(self.keys)[:VERSIONS_OFFERED]
        chosen = self.chosen
        return numbers if chosen is None or chosen in numbers else [*numbers, chosen]

    @property
    def chosen(self) -> int | None:
        number = self.form.cleaned_data.get("version") if self.is_valid() else None
        return int(number) if number else None

    @property
    def rows(self) -> QuerySet[Prompt]:
        """None for what makes no sense, where an invalid filter set would return everything."""
        return self.qs if self.is_valid() else self.queryset.none()
