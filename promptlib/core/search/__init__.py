"""Full-text search, with one entry point for the apps: `search`, which their querysets offer as `.search(text)`.

An app declares an `Index` (what is searched), a model for its table, and puts `index.triggers()` among its triggers.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from django.apps import apps
from django.db.models import IntegerField, QuerySet, Value
from django.utils.module_loading import module_has_submodule

from promptlib.core.search.query import Query, parse
from promptlib.core.search.snippets import Snippet, highlight, highlight_html, snippets

if TYPE_CHECKING:
    from promptlib.core.search.index import Index

__all__ = ["Query", "Snippet", "highlight", "highlight_html", "indexes", "parse", "search", "snippets"]

Q = TypeVar("Q", bound=QuerySet)


def search(queryset: Q, text: str, index: "Index") -> Q:
    """The rows of `queryset` that hold what `text` asks for, annotated with the integer `relevance`.

    Blank text changes nothing (relevance 0); text without a single word (`((`) finds nothing. The relevance depends on
    the row and the query alone, so a page's key stays good while other rows come and go: order by `-relevance`, `-id`.
    """
    from promptlib.core.search.expressions import Match, Relevance

    query = parse(text)
    if not query:
        found = queryset.none() if text.strip() else queryset
        return found.annotate(relevance=Value(0, output_field=IntegerField()))
    hits = queryset.filter(search__isnull=False).filter(Match(index, query))
    return hits.annotate(relevance=Relevance(index, query))


def indexes() -> list["Index"]:
    """Every index of every app: `INDEXES` of its `search.py`."""
    found: list[Any] = []
    for config in apps.get_app_configs():
        if config.module is not None and module_has_submodule(config.module, "search"):
            found += getattr(import_module(f"{config.name}.search"), "INDEXES", [])
    return found
