"""What is news about a template to those who follow it, and how it reads.

All of it is to be seen on the template's pages by whoever may see the template. Rights, reports and sets of values are
not.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.models import AuditLog
from audit.news import Change, Kind, News, changed, latest, read_one, rows_for, who, with_news
from promptlib.core.ids import as_uuid
from templates_app.models import Follow, Label, PromptTemplate, Rating, Suggestion, TemplateVersion

Action = AuditLog.Action
DETAILS = ("title", "summary", "category", "language", "visibility", "status", "owner", "tags")

WORDLESS = {
    "title": gettext_lazy("{who} renamed it"),
    "summary": gettext_lazy("{who} changed the summary"),
    "tags": gettext_lazy("{who} changed the tags"),
    "category": gettext_lazy("{who} moved it to another shelf"),
    "owner": gettext_lazy("{who} handed it over"),
}
"""Without what they were: the reader may not have seen it then."""

STATUSES = {
    "published": gettext_lazy("{who} published it"),
    "archived": gettext_lazy("{who} archived it"),
    "draft": gettext_lazy("{who} made it a draft again"),
}

KINDS = (
    Kind(TemplateVersion, (Action.CREATE, Action.IMPORT)),
    Kind(Label, (Action.CREATE, Action.UPDATE, Action.DELETE), ("version",)),
    Kind(PromptTemplate, (Action.UPDATE, Action.RESTORE), DETAILS),
    Kind(Rating, (Action.CREATE, Action.UPDATE), ("score", "review")),
    Kind(Suggestion, (Action.CREATE, Action.UPDATE), ("status",)),
)


def changed_templates(user: Any, *, most: int) -> list[tuple[Follow, News]]:
    """What the person follows, still sees, and has not seen as it is now; the newest change first. Two queries."""
    visible = PromptTemplate.objects.visible_to(user)
    marks = Follow.objects.filter(user=user, is_following=True, template__in=visible).select_related("template")
    return latest(marks, rows_for(user, KINDS), tell, subject="template_id", since="seen_at", most=most)


def is_changed(user: Any, template: str) -> Exists:
    """Whether the person follows a template and has not seen it as it is now: to annotate rows that name it so."""
    follows = Follow.objects.filter(user=user.pk, is_following=True, template=OuterRef(template))
    marks = with_news(follows, rows_for(user, KINDS), subject="template_id", since="seen_at")
    return Exists(marks.filter(newest__isnull=False))


def news_of(template: PromptTemplate, user: Any, since: datetime, versions: Iterable[TemplateVersion] = ()) -> News:
    """What others changed of this template since then; one query, two where a label moved to none of `versions`."""
    rows, has_more = read_one(rows_for(user, KINDS), template.pk, since)
    return News(since, tell(rows, {str(version.pk): version.number for version in versions}), has_more)


def tell(rows: Sequence[AuditLog], numbers: Mapping[str, int] | None = None) -> list[Change]:
    """The rows in sentences, in their order. `numbers` are those of versions that are known, by key."""
    numbers = {**_numbers(rows, numbers or {}), **(numbers or {})}
    return [change for row in rows if (change := _told(row, numbers)) is not None]


def _numbers(rows: Sequence[AuditLog], known: Mapping[str, int]) -> dict[str, int]:
    """Of the versions that labels were put on: the log names them by key."""
    kind = ContentType.objects.get_for_model(Label).pk
    named = {str(changed(row, "version")[1]) for row in rows if row.content_type_id == kind} - known.keys()
    wanted = [pk for name in named if (pk := as_uuid(name))]
    found = TemplateVersion.objects.filter(pk__in=wanted).values_list("pk", "number") if wanted else ()
    return {str(pk): number for pk, number in found}


def _told(row: AuditLog, numbers: Mapping[str, int]) -> Change | None:
    model = ContentType.objects.get_for_id(row.content_type_id).model_class()
    if model is Label:
        return _label(row, row.subject_id, numbers)  # type: ignore[arg-type]  # it was asked for by its subject
    return TELLERS[model](row, row.subject_id) if model in TELLERS else None  # type: ignore[arg-type]  # of KINDS


def _change(row: AuditLog, sentence: str, pk: UUID, *, place: str = "", **words: Any) -> Change:
    text = format_html(sentence, who=who(row), **words)
    return Change(text, row.timestamp, f"{reverse('templates_app:detail', args=[pk])}{place}")


def _version(row: AuditLog, pk: UUID) -> Change | None:
    number = changed(row, "number")[1]
    if not str(number).isdecimal():
        return None
    number = int(number)
    compare = reverse("templates_app:compare", args=[pk, number - 1, number]) if number > 1 else ""
    return Change(
        format_html(_("{who} saved v{number}"), who=who(row), number=number),
        row.timestamp,
        reverse("templates_app:version", args=[pk, number]),
        compare,
        str(changed(row, "change_note")[1] or ""),
    )


def _label(row: AuditLog, pk: UUID, numbers: Mapping[str, int]) -> Change:
    named = str(changed(row, "version")[1])
    version = f"v{numbers[named]}" if named in numbers else ""
    sentence = {
        Action.CREATE: _("{who} put the label {label} on {version}"),
        Action.UPDATE: _("{who} moved the label {label} to {version}"),
        Action.DELETE: _("{who} took the label {label} away"),
    }[Action(row.action)]
    if not version and row.action != Action.DELETE:
        sentence = _("{who} moved the label {label}")
    return _change(row, sentence, pk, label=row.object_repr, version=version)


def _template(row: AuditLog, pk: UUID) -> Change:
    if row.action == Action.RESTORE:
        return _change(row, _("{who} brought it back from the trash"), pk)
    names = [name for name in DETAILS if name in (row.changes or {})]
    if len(names) == 1 and (one := _detail(row, names[0])):
        return _change(row, one[0], pk, what=one[1])
    fields = ", ".join(str(PromptTemplate._meta.get_field(name).verbose_name) for name in names)  # type: ignore[union-attr]
    return _change(row, _("{who} changed {what}"), pk, what=fields)


def _detail(row: AuditLog, name: str) -> tuple[str, Any] | None:
    """The sentence about one detail, and the word in it."""
    after = changed(row, name)[1]
    if name in WORDLESS:
        return str(WORDLESS[name]), ""
    if name == "status" and after in STATUSES:
        return str(STATUSES[after]), ""
    if name == "visibility" and after in PromptTemplate.Visibility.values:
        return _("{who} made it {what}"), PromptTemplate.Visibility(after).label
    return None


def _rating(row: AuditLog, pk: UUID) -> Change:
    score = str(changed(row, "score")[1] or "")
    if not score.isdecimal():
        return _change(row, _("{who} changed their review"), pk, place="#reviews")
    sentence = ngettext("{who} gave it {score} star", "{who} gave it {score} stars", int(score))
    return _change(row, sentence, pk, place="#reviews", score=score)


def _suggestion(row: AuditLog, pk: UUID) -> Change | None:
    sentences = {
        "accepted": _("{who} accepted a suggestion"),
        "rejected": _("{who} rejected a suggestion"),
        "withdrawn": _("{who} withdrew a suggestion"),
        "open": _("{who} opened a suggestion again"),
    }
    after = str(changed(row, "status")[1])
    sentence = _("{who} suggested a change") if row.action == Action.CREATE else sentences.get(after)
    if sentence is None:
        return None
    url = reverse("templates_app:suggestion", args=[pk, row.object_pk])
    return Change(format_html(sentence, who=who(row)), row.timestamp, url)


TELLERS: dict[Any, Callable[[AuditLog, UUID], Change | None]] = {
    TemplateVersion: _version,
    PromptTemplate: _template,
    Rating: _rating,
    Suggestion: _suggestion,
}
