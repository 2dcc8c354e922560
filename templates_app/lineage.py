"""Where a template comes from and what was made of it, as far as somebody may see."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import F, Subquery, Value
from django.db.models.functions import Coalesce

from promptlib.core.pagination import KeysetPage
from templates_app.models import PromptTemplate, TemplateVersion, Upstream

PAGE_SIZE = 30
GENERATIONS = 4
"""How far up and down is looked."""
DESCENDANTS_MAX = 500


@dataclass
class Ancestor:
    """A template that this one comes from; without `template` one that the person may not see."""

    template: PromptTemplate | None
    number: int = 0


@dataclass
class Descendant:
    """A fork; without `template` one that the person may not see, there because a visible one comes from it."""

    template: PromptTemplate | None
    number: int
    children: list["Descendant"] = field(default_factory=list)
    hidden: int = 0
    """How many forks of it the person may not see, that lead to none they may."""


class Lineage:
    """The tree around one template. Whatever the person may not see is counted, never named."""

    def __init__(self, template: PromptTemplate, user: Any, cursor: str | None = None) -> None:
        self.template = template
        self.user = user
        self.cursor = cursor

    @cached_property
    def ancestors(self) -> list[Ancestor]:
        """The oldest first. Two queries at most, whatever their number."""
        if self.template.forked_from_id is None:
            return []
        steps = ["forked_from" + "__template__forked_from" * place for place in range(GENERATIONS)]
        columns = [f"{step}__{name}" for step in steps for name in ("template_id", "number")]
        row = PromptTemplate.all_objects.filter(pk=self.template.pk).values_list(*columns).get()
        found = [(pk, number) for pk, number in zip(row[::2], row[1::2], strict=True) if pk is not None]
        visible = self._visible(pk for pk, _number in found)
        return [Ancestor(visible.get(pk), number) for pk, number in reversed(found)]

    @cached_property
    def page(self) -> KeysetPage[PromptTemplate]:
        """The direct forks, seen or not, for their keys alone."""
        forks = PromptTemplate.objects.filter(forked_from__template=self.template).only("id")
        return KeysetPage(forks, order=("-id",), cursor=self.cursor, size=PAGE_SIZE)

    @cached_property
    def tree(self) -> Descendant:
        """This page's forks and what was made of them: a query for each generation, and one for those to be seen."""
        children: dict[UUID, list[tuple[UUID, int]]] = defaultdict(list)
        generation = [fork.pk for fork in self.page.items]
        self._add(children, pk__in=generation)
        count = len(generation)
        for _generation in range(GENERATIONS - 1):
            if not generation or count >= DESCENDANTS_MAX:
                break
            generation = self._add(children, forked_from__template__in=generation)
            count += len(generation)
        visible = self._visible(pk for forks in children.values() for pk, _number in forks)
        return self._node(None, 0, self.template.pk, children, visible)

    def _add(self, children: dict[UUID, list[tuple[UUID, int]]], **of: Any) -> list[UUID]:
        rows = PromptTemplate.objects.filter(**of).order_by("-id")
        found = list(rows.values_list("pk", "forked_from__template_id", "forked_from__number")[:DESCENDANTS_MAX])
        for pk, parent, number in found:
            children[parent].append((pk, number))
        return [pk for pk, _parent, _number in found]

    def _node(
        self,
        template: PromptTemplate | None,
        number: int,
        pk: UUID,
        children: dict[UUID, list[tuple[UUID, int]]],
        visible: dict[UUID, PromptTemplate],
    ) -> Descendant:
        node = Descendant(template, number)
        for child, forked_at in children.get(pk, ()):
            below = self._node(visible.get(child), forked_at, child, children, visible)
            if below.template is None and not below.children:
                node.hidden += 1 + below.hidden
            else:
                node.children.append(below)
        return node

    def _visible(self, pks: Iterable[UUID]) -> dict[UUID, PromptTemplate]:
        found = (
            PromptTemplate.objects.visible_to(self.user).select_related("owner").only("title", "owner", "created_at")
        )
        return {template.pk: template for template in found.filter(pk__in=list(pks))}


@dataclass
class News:
    """The original of a fork, which has versions that the fork has not."""

    original: PromptTemplate
    base_pk: UUID
    base_number: int
    ignored_number: int

    @property
    def latest(self) -> int:
        return self.original.current_version.number if self.original.current_version else 0

    @property
    def count(self) -> int:
        """By how many versions the original moved."""
        return max(self.latest - self.base_number, 0)

    @property
    def is_ignored(self) -> bool:
        return self.latest <= self.ignored_number


def original_of(fork: PromptTemplate, user: Any) -> News | None:
    """The original and how far the fork has followed it; None unless both `user` and the fork's owner may see it.

    One query for a fork, none for another template.
    """
    if fork.forked_from_id is None:
        return None
    followed = Upstream.objects.filter(template=fork)
    forked_at = Value(fork.forked_from_id, output_field=TemplateVersion._meta.pk)
    base = Coalesce(Subquery(followed.values("base")[:1]), forked_at)  # an imported fork has followed nothing yet
    originals = PromptTemplate.objects.visible_to(user).filter(versions__pk=base)
    if fork.owner_id != user.pk:
        originals = originals.filter(pk__in=PromptTemplate.objects.visible_to(fork.owner).values("pk"))
    original = (
        originals.select_related("current_version")
        .only("title", "owner", "current_version__number", "current_version__template")
        .annotate(
            base_pk=F("versions__pk"),
            base_number=F("versions__number"),
            ignored_number=Coalesce(Subquery(followed.values("ignored_number")[:1]), 0),
        )
        .first()
    )
    return News(original, original.base_pk, original.base_number, original.ignored_number) if original else None
