"""What the library keeps of a person, as files of their download."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import personal_data
from accounts.models import User
from accounts.personal_data import File, lines_of
from templates_app.exporters import FORMATS, export
from templates_app.models import (
    BulkAction,
    Draft,
    Favorite,
    Follow,
    Grant,
    LabelMove,
    LibraryImport,
    PromptTemplate,
    Rating,
    RatingReport,
    Suggestion,
    SuggestionComment,
    TemplateVersion,
    ValueSet,
)

_CONTENT = TemplateVersion.CONTENT


def templates(person: User, by: Any) -> Iterator[str]:
    """In the format that holds everything; so the file can be imported again."""
    own = PromptTemplate.objects.visible_to(person).owned_by(person).order_by("pk")
    pks = list(own.values_list("pk", flat=True))
    return (data.decode() for data in export(pks, FORMATS["json"], reader=person, by=by).chunks)


def _seen_by(person: User) -> "QuerySet[PromptTemplate]":
    """Titles are told of these alone: what else the person once wrote to may have become somebody's own affair."""
    return PromptTemplate.objects.visible_to(person)


FILES = (
    File(
        "templates.json",
        _("Your templates with all versions, labels and ratings, in promptlib’s own format: it can be imported again."),
        templates,
    ),
    File(
        "templates-in-the-trash.jsonl",
        _("Your templates in the trash, with their versions’ texts: one version a line."),
        lines_of(
            lambda person: TemplateVersion.objects.filter(template__owner=person, template__deleted_at__isnull=False),
            *("template__title", "template__summary", "template__deleted_at", "number", "change_note", *_CONTENT),
        ),
    ),
    File(
        "versions-elsewhere.jsonl",
        _("Versions that you wrote of other people’s templates."),
        lines_of(
            lambda person: TemplateVersion.objects.filter(author=person).exclude(template__owner=person),
            *("template_id", "number", "change_note", "created_at", *_CONTENT),
        ),
    ),
    File(
        "favourites.jsonl",
        _("Your favourites."),
        lines_of(
            lambda person: Favorite.objects.filter(user=person, template__in=_seen_by(person)),
            *("template_id", "template__title", "position", "created_at"),
        ),
    ),
    File(
        "followed.jsonl",
        _("Templates that you follow, or do no longer, and when you looked at them last."),
        lines_of(
            lambda person: Follow.objects.filter(user=person, template__in=_seen_by(person)),
            *("template_id", "template__title", "is_following", "seen_at", "created_at"),
        ),
    ),
    File(
        "ratings.jsonl",
        _("Your ratings and reviews."),
        lines_of(
            lambda person: Rating.all_objects.filter(user=person),
            *("template_id", "version__number", "score", "review", "model", "task"),
            *("created_at", "updated_at", "deleted_at"),
        ),
    ),
    File(
        "reports.jsonl",
        _("What you reported to the curators."),
        lines_of(
            lambda person: RatingReport.objects.filter(user=person),
            *("rating_id", "reason", "decision", "created_at", "decided_at"),
        ),
    ),
    File(
        "suggestions.jsonl",
        _("Your suggestions for other people’s templates, and what became of them."),
        lines_of(
            lambda person: Suggestion.objects.filter(author=person),
            *("template_id", "base_version__number", "message", "status", "decision_note"),
            *("created_at", "decided_at", *_CONTENT),
        ),
    ),
    File(
        "suggestion-comments.jsonl",
        _("What you said about suggestions."),
        lines_of(
            lambda person: SuggestionComment.objects.filter(author=person),
            *("suggestion_id", "text", "created_at"),
        ),
    ),
    File(
        "value-sets.jsonl",
        _("Your sets of values."),
        lines_of(
            lambda person: ValueSet.objects.filter(user=person),
            *("template_id", "name", "values", "is_shared", "created_at"),
        ),
    ),
    File(
        "shared-with-me.jsonl",
        _("Templates that were shared with you by name."),
        lines_of(
            lambda person: Grant.objects.filter(user=person, template__in=_seen_by(person)),
            *("template_id", "template__title", "role", "created_at"),
        ),
    ),
    File(
        "label-moves.jsonl",
        _("Labels that you moved, or asked to have moved, and why."),
        lines_of(
            lambda person: LabelMove.objects.filter(author=person),
            *("template_id", "name", "from_version__number", "to_version__number", "reason", "status", "created_at"),
        ),
    ),
    File(
        "unsaved-texts.jsonl",
        _("What you typed on edit pages and have not saved."),
        lines_of(lambda person: Draft.objects.filter(user=person), "template_id", "data", "updated_at"),
    ),
    File(
        "template-imports.jsonl",
        _("Collections that you uploaded, and what became of each record; the files themselves are not kept."),
        lines_of(
            lambda person: LibraryImport.objects.filter(owner=person),
            *("filename", "format", "options", "outcomes", "created_at", "finished_at"),
        ),
    ),
    File(
        "bulk-actions.jsonl",
        _("What you did to several templates at once."),
        lines_of(lambda person: BulkAction.objects.filter(user=person), "action", "before", "created_at", "undone_at"),
    ),
)


def register() -> None:
    personal_data.register(*FILES)
