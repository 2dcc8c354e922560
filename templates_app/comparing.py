"""Two versions of a template side by side: what was changed, and whether it helped."""

from functools import cached_property
from typing import Any

from django.db.models import Q
from django.http import Http404

from templates_app.diffing import ContentDifferences, content_differences
from templates_app.measures import Measure, add_p95, measures
from templates_app.models import Label, PromptTemplate, TemplateVersion

CHOICES_MAX = 200
VIEWS = ("words", "sides", "lines")


class Comparison:
    """What one address of the comparison shows. Raises Http404 where the template has no such versions."""

    def __init__(self, template: PromptTemplate, user: Any, old: int, new: int, view: str = "") -> None:
        self.template = template
        self.user = user
        self.view = view if view in VIEWS else VIEWS[0]
        versions = template.versions.select_related("author").filter(Q(number=old) | Q(number=new))
        found = {version.number: version for version in versions}
        if {old, new} != found.keys():
            raise Http404
        add_p95(list(found.values()), most=2)
        self.old, self.new = found[old], found[new]

    @cached_property
    def differences(self) -> ContentDifferences:
        return content_differences(self.old, self.new, is_by_words=self.view != "lines")

    @cached_property
    def measures(self) -> list[Measure]:
        return measures(self.old, self.new)

    @cached_property
    def labels(self) -> list[Label]:
        labels = self.template.labels.select_related("version").defer("version__body", "version__system_prompt")
        return list(labels.order_by("name"))

    @cached_property
    def choices(self) -> list[tuple[int, str]]:
        """The latest versions and the two that are shown: number and name, with its labels."""
        names = {label.version_id: label.name for label in self.labels}
        shown = Q(number__in=[self.old.number, self.new.number])
        latest = self.template.versions.order_by("-number").values_list("number", "pk")
        rows = dict(latest[:CHOICES_MAX]) | dict(latest.filter(shown))
        return [
            (number, f"v{number}, {names[pk]}" if pk in names else f"v{number}")
            for number, pk in sorted(rows.items(), reverse=True)
        ]

    @property
    def is_labelled(self) -> bool:
        return any(label.version_id in (self.old.pk, self.new.pk) for label in self.labels)

    @cached_property
    def can_edit(self) -> bool:
        return self.template.is_editable_by(self.user)

    @property
    def restorable(self) -> TemplateVersion | None:
        """The older one of the two, or the other where that is the current one."""
        others = [each for each in (self.old, self.new) if each.pk != self.template.current_version_id]
        return others[0] if others and self.can_edit else None

    @property
    def next_number(self) -> int:
        return self.template.version_count + 1
