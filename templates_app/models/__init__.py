"""Prompt templates and what belongs to them."""

from templates_app.models.community import Favorite, Follow, Rating, RatingReport, Suggestion, SuggestionComment
from templates_app.models.order import Category, Tag, TemplateTag
from templates_app.models.search import TemplateSearch
from templates_app.models.template import ForkCount, Grant, PromptTemplate, Upstream
from templates_app.models.usage import TemplateUsage
from templates_app.models.version import Label, LabelMove, TemplateVersion
from templates_app.models.working import BulkAction, Draft, LibraryImport, ValueSet

__all__ = [
    "BulkAction",
    "Category",
    "Draft",
    "Favorite",
    "Follow",
    "ForkCount",
    "Grant",
    "Label",
    "LabelMove",
    "LibraryImport",
    "PromptTemplate",
    "Rating",
    "RatingReport",
    "Suggestion",
    "SuggestionComment",
    "Tag",
    "TemplateSearch",
    "TemplateTag",
    "TemplateUsage",
    "TemplateVersion",
    "Upstream",
    "ValueSet",
]
