"""The shelves as a tree: they are few, so they are read at once and walked here."""

from collections.abc import Iterable, Iterator
from typing import Any

from templates_app.models import Category

MAX_DEPTH = 5
"""How many shelves may stand inside each other."""


class ShelfTree:
    """Every shelf in its place. What a broken chain of parents hides (a circle, made elsewhere) stands at the root."""

    def __init__(self, categories: Iterable[Category]) -> None:
        self.by_pk: dict[Any, Category] = {category.pk: category for category in categories}
        self.children: dict[Any, list[Category]] = {}
        for category in self.by_pk.values():
            self.children.setdefault(category.parent_id, []).append(category)
        self.depths: dict[Any, int] = {}
        self.ordered = list(self._walk(None, 0))
        for category in self.by_pk.values():
            if category.pk not in self.depths:
                self.depths[category.pk] = 0
                self.ordered.append(category)

    def below(self, category: Category) -> set[Any]:
        """The shelf and all that stand inside it, by key."""
        found, waiting = {category.pk}, [category.pk]
        while waiting:
            inside = {child.pk for child in self.children.get(waiting.pop(), ())} - found
            found |= inside
            waiting += inside
        return found

    def height(self, category: Category) -> int:
        """How many shelves stand inside each other from this one down: 1 for one alone."""
        return 1 + max((self.depths[pk] for pk in self.below(category)), default=0) - self.depths[category.pk]

    def siblings(self, category: Category) -> list[Category]:
        """Those beside it, itself among them, in order."""
        return self.children.get(category.parent_id, [])

    def path(self, category: Category) -> list[Category]:
        """From the root down to the shelf itself."""
        path: list[Category] = []
        step: Category | None = category
        while step is not None and step not in path:
            path.insert(0, step)
            step = self.by_pk.get(step.parent_id)
        return path

    def name(self, category: Category) -> str:
        """The whole way to it: Support › Returns."""
        return " › ".join(each.name for each in self.path(category))

    def choices(self, without: set[Any] | None = None) -> list[tuple[str, str]]:
        """For a select: key and name, the place shown by spaces that no browser swallows."""
        kept = [each for each in self.ordered if each.pk not in (without or ())]
        return [(str(each.pk), "\N{EM SPACE}" * self.depths[each.pk] + each.name) for each in kept]

    def _walk(self, parent: Any, depth: int) -> Iterator[Category]:
        for category in self.children.get(parent, ()):
            self.depths[category.pk] = depth
            yield category
            yield from self._walk(category.pk, depth + 1)


def read_tree(*, locked: bool = False) -> ShelfTree:
    """One query. `locked`: nobody else moves a shelf until the transaction ends."""
    queryset = Category.objects.select_for_update() if locked else Category.objects.all()
    return ShelfTree(queryset.order_by("position", "name", "id"))
