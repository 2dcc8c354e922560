"""What is news about a template to those who follow it, and how it reads.

All of it is to be seen on the template's pages by whoever may see the template. Rights, reports and sets of values are
not.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.history.news import Change, Kind, News, changed, read, rows_for, who, with_news
from audit.models import AuditLog
from promptlib.core.ids import as_uuid
from templates_app.models import Follow, Label, PromptTemplate, Rating, Suggestion, TemplateVersion

Action = AuditLog.Action
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

VISIBILITIES = {
    "private": gettext_lazy("{who} made it private"),
    "shared": gettext_lazy("{who} shared it"),
    "public": gettext_lazy("{who} made it public"),
}

KINDS = (
    Kind(TemplateVersion, (Action.CREATE, Action.IMPORT)),
    Kind(Label, (Action.CREATE, Action.UPDATE, Action.DELETE)),
    Kind(PromptTemplate, (Action.UPDATE, Action.RESTORE), silent="current_version"),
    Kind(Rating, (Action.CREATE, Action.UPDATE)),
    Kind(Suggestion, (Action.CREATE, Action.UPDATE)),
)
_OF = {"subject": "template_id", "since": "seen_at"}


def changed_templates(user: Any) -> QuerySet[Any]:
    """What the person follows, still sees, and has not seen as it is now."""
    visible = PromptTemplate.objects.visible_to(user)
    marks = Follow.objects.filter(user=user, is_following=True, template__in=visible).select_related("template")
    return with_news(marks, rows_for(user, KINDS), **_OF)


def tell_of(marks: Sequence[Follow], user: Any) -> dict[Any, News]:
    """What changed of a few of these, by their keys; one query, two where a label moved."""
    told = read(rows_for(user, KINDS), {mark.template_id: mark.seen_at for mark in marks})
    numbers = _numbers([row for rows, _has_more in told.values() for row in rows])
    found = {mark.pk: told[mark.template_id] for mark in marks}
    return {mark.pk: News(mark.seen_at, tell(found[mark.pk][0], numbers), found[mark.pk][1]) for mark in marks}


def is_changed(user: Any, template: str) -> Exists:
    """Whether the person follows a template and has not seen it as it is now: to annotate rows that name it so."""
    follows = Follow.objects.filter(user=user.pk, is_following=True, template=OuterRef(template))
    return Exists(with_news(follows, rows_for(user, KINDS), **_OF))


def news_of(template: PromptTemplate, user: Any, since: datetime, versions: Iterable[TemplateVersion] = ()) -> News:
    """What others changed of this template since then; one query. Labels are told of with the numbers of `versions`."""
    rows, has_more = read(rows_for(user, KINDS), {template.pk: since})[template.pk]
    return News(since, tell(rows, {str(version.pk): version.number for version in versions}), has_more)


def tell(rows: Iterable[AuditLog], numbers: Mapping[str, int]) -> list[Change]:
    """The rows in sentences, in their order. `numbers` are those of the versions that labels point at, by key."""
    return [_told(row, numbers) for row in rows]


def _numbers(rows: Iterable[AuditLog]) -> dict[str, int]:
    """Of the versions that labels were put on: the log names them by key."""
    kind = ContentType.objects.get_for_model(Label).pk
    named = {str(changed(row, "version")[1]) for row in rows if row.content_type_id == kind}
    wanted = [pk for name in named if (pk := as_uuid(name))]
    found = TemplateVersion.objects.filter(pk__in=wanted).values_list("pk", "number") if wanted else ()
    return {str(pk): number for pk, number in found}


def _told(row: AuditLog, numbers: Mapping[str, int]) -> Change:
    model: Any = ContentType.objects.get_for_id(row.content_type_id).model_class()
    pk: Any = row.subject_id
    return _label(row, pk, numbers) if model is Label else TELLERS[model](row, pk)


def _change(row: AuditLog, sentence: str, pk: UUID, *, place: str = "", **words: Any) -> Change:
    text = format_html(sentence, who=who(row), **words)
    return Change(text, row.timestamp, f"{reverse('templates_app:detail', args=[pk])}{place}")


def _version(row: AuditLog, pk: UUID) -> Change:
    number = changed(row, "number")[1]
    if not str(number).isdecimal():  # an erasure took the words away
        return _change(row, _("{who} saved a version"), pk)
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
        sentence = _("{who} changed the label {label}")
    return _change(row, sentence, pk, label=row.object_repr, version=version)


def _template(row: AuditLog, pk: UUID) -> Change:
    if row.action == Action.RESTORE:
        return _change(row, _("{who} brought it back from the trash"), pk)
    names = list(row.changes or {})
    if len(names) == 1 and (sentence := _detail(row, names[0])):
        return _change(row, sentence, pk)
    return _change(row, _("{who} changed the details"), pk)


def _detail(row: AuditLog, name: str) -> str:
    """The sentence about one detail; empty where none is made for it."""
    after = changed(row, name)[1]
    if name == "status":
        return str(STATUSES.get(after, ""))
    if name == "visibility":
        return str(VISIBILITIES.get(after, ""))
    return str(WORDLESS.get(name, ""))


def _rating(row: AuditLog, pk: UUID) -> Change:
    score = str(changed(row, "score")[1] or "")
    if not score.isdecimal():
        return _change(row, _("{who} changed their review"), pk, place="#reviews")
    sentence = ngettext("{who} gave it {score} star", "{who} gave it {score} stars", int(score))
    return _change(row, sentence, pk, place="#reviews", score=score)


def _suggestion(row: AuditLog, pk: UUID) -> Change:
    sentences = {
        "accepted": _("{who} accepted a suggestion"),
        "rejected": _("{who} rejected a suggestion"),
        "withdrawn": _("{who} withdrew a suggestion"),
        "open": _("{who} opened a suggestion again"),
    }
    after = str(changed(row, "status")[1])
    changed_it = _("{who} changed a suggestion")
    sentence = _("{who} suggested a change") if row.action == Action.CREATE else sentences.get(after, changed_it)
    url = reverse("templates_app:suggestion", args=[pk, row.object_pk])
    return Change(format_html(sentence, who=who(row)), row.timestamp, url)


TELLERS: dict[Any, Callable[[AuditLog, UUID], Change]] = {
    TemplateVersion: _version,
    PromptTemplate: _template,
    Rating: _rating,
    Suggestion: _suggestion,
}
