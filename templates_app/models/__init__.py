"""Prompt templates and what belongs to them."""

from templates_app.models.community import Favorite, Rating, Suggestion
from templates_app.models.order import Category, Tag, TemplateTag
from templates_app.models.search import TemplateSearch
from templates_app.models.template import ForkCount, Grant, PromptTemplate
from templates_app.models.usage import TemplateUsage
from templates_app.models.version import Label, TemplateVersion

__all__ = [
    "Category",
    "Favorite",
    "ForkCount",
    "Grant",
    "Label",
    "PromptTemplate",
    "Rating",
    "Suggestion",
    "Tag",
    "TemplateSearch",
    "TemplateTag",
    "TemplateUsage",
    "TemplateVersion",
]
