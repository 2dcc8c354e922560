"""What goes when something else is deleted for good."""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from django.db.models import CASCADE, PROTECT, SET_NULL, Model
from django.db.models.deletion import Collector


def cascade_whole(collector: Collector, field: Any, sub_objs: Any, using: str) -> None:
    """As CASCADE, without emptying a nullable column first: a check constraint may forbid rows without a holder.

    On MySQL, Django's own sets the column to NULL before it deletes the row.
    """
    collector.collect(
        sub_objs, source=field.remote_field.model, source_attr=field.name, nullable=False, fail_on_restricted=False
    )


class Link(NamedTuple):
    """A foreign key that points at some model: whose it is, and its name there."""

    model: type[Model]
    field: str


class Links(NamedTuple):
    """What points at one model, by what becomes of it when a row of that model goes."""

    cascade: tuple[Link, ...]
    set_null: tuple[Link, ...]
    protect: tuple[Link, ...]


@cache
def links_to(model: type[Model]) -> Links:
    """What points at `model`; among those that go with it, what others point at comes later, statistics last."""
    found: dict[Any, list[Link]] = {CASCADE: [], SET_NULL: [], PROTECT: []}
    relations: list[Any] = model._meta.get_fields(include_hidden=True)
    for relation in relations:
        if relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one):
            rule = CASCADE if relation.on_delete is cascade_whole else relation.on_delete
            if rule in found:
                found[rule].append(Link(relation.related_model, relation.field.name))
    found[CASCADE].sort(key=lambda link: (_is_statistic(link.model), _pointed_at(link.model)))
    return Links(*(tuple(links) for links in found.values()))


def hanging(model: type[Model], *, _above: tuple[type[Model], ...] = ()) -> Iterator[Link]:
    """Every model whose rows go with a row of `model`, with the lookup from there to it: `prompt__conversation`."""
    above = (*_above, model)
    for link in links_to(model).cascade:
        if link.model not in above:
            yield link
            for further in hanging(link.model, _above=above):
                yield Link(further.model, f"{further.field}__{link.field}")


def _is_statistic(model: type[Model]) -> bool:
    return bool(getattr(model, "STATISTICS", ())) and not getattr(model, "AUDITED", True)


def _pointed_at(model: type[Model]) -> int:
    return sum(
        bool(relation.auto_created and not relation.concrete)
        for relation in model._meta.get_fields(include_hidden=True)
    )
