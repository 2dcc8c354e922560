"""What is news in a conversation to those who are in it, and how it reads.

All of it is to be seen in the thread and beside it by everybody who is in it. Invitations and links, which the owner
alone reads, are not, and of an interaction nothing is told that might name a template somebody may not see.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, OuterRef, QuerySet
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.history.news import Change, Kind, News, changed, read, rows_for, who, with_news
from audit.models import AuditLog
from conversations.models import Conversation, ConversationTag, Participant, Prompt, PromptComment

Action = AuditLog.Action

KINDS = (
    Kind(Prompt, (Action.CREATE, Action.IMPORT)),
    Kind(PromptComment, (Action.CREATE,)),
    Kind(Participant, (Action.CREATE, Action.DELETE)),
    Kind(Conversation, (Action.UPDATE, Action.RESTORE)),
    Kind(ConversationTag, (Action.CREATE,)),
)
PEOPLE = 3
MOMENT = timedelta(seconds=1)
"""Before a seat was made: that it was is news to who has not been there yet."""
_OF = {"subject": "conversation_id", "since": "looked_at"}


def changed_conversations(user: Any) -> QuerySet[Any]:
    """Followed conversations that the person is in and has not read as they are now."""
    visible = Conversation.objects.visible_to(user)
    seats = Participant.objects.filter(user=user, unfollowed_at__isnull=True, conversation__in=visible)
    came_at = ExpressionWrapper(F("created_at") - MOMENT, DateTimeField())
    seats = seats.annotate(looked_at=Coalesce("last_read_at", came_at)).select_related("conversation")
    return with_news(seats, rows_for(user, KINDS), **_OF)


def tell_of(seats: Sequence[Any], user: Any) -> dict[Any, News]:
    """What is new in a few of these, by their keys; one query."""
    told = read(rows_for(user, KINDS), {seat.conversation_id: seat.looked_at for seat in seats})
    found = {seat.pk: told[seat.conversation_id] for seat in seats}
    return {
        seat.pk: News(seat.looked_at, tell(found[seat.pk][0], own=str(seat.pk)), found[seat.pk][1]) for seat in seats
    }


def is_changed(user: Any) -> Exists:
    """Whether a seat is the person's own and something is new to them: to annotate seats with."""
    own = Participant.objects.filter(
        pk=OuterRef("pk"), user=user.pk, unfollowed_at__isnull=True, last_read_at__isnull=False
    )
    return Exists(with_news(own.annotate(looked_at=F("last_read_at")), rows_for(user, KINDS), **_OF))


def news_for(seat: Any) -> News:
    """What others did in the conversation since this person read it; a query only where `is_changed` says so."""
    if not seat.is_changed:
        return News()
    pk, since = seat.conversation_id, seat.last_read_at
    rows, has_more = read(rows_for(seat.user, KINDS), {pk: since})[pk]
    return News(since, tell(rows), has_more)


def tell(rows: Iterable[AuditLog], *, own: str = "") -> list[Change]:
    """The rows in sentences, newest first: interactions in one, remarks in another, all else one by one.

    `own` is the key of the reader's own seat.
    """
    together: dict[Any, list[AuditLog]] = {Prompt: [], PromptComment: []}
    told: list[Change] = []
    for row in rows:
        model: Any = ContentType.objects.get_for_id(row.content_type_id).model_class()
        pk: Any = row.subject_id
        if model in together:
            together[model].append(row)
        elif row.object_pk == own:
            told.append(_change(row, _("{who} gave you a place in it"), pk))
        else:
            told.append(TELLERS[model](row, pk))
    told += [_together(model, some) for model, some in together.items() if some]
    return sorted(told, key=lambda change: change.at, reverse=True)


def _together(model: Any, rows: list[AuditLog]) -> Change:
    """`rows` are newest first; the way leads to the first of them."""
    count, first = len(rows), rows[-1]
    if model is Prompt:
        sentence = ngettext("{count} new interaction by {who}", "{count} new interactions by {who}", count)
        url = _url(first.subject_id, f"?at={first.object_pk}#p-{first.object_pk}")
    else:
        sentence = ngettext("{count} new remark by {who}", "{count} new remarks by {who}", count)
        url = _url(first.subject_id)
    names = dict.fromkeys(who(row) for row in rows)
    shown = format_html_join(", ", "{}", ((name,) for name in list(names)[:PEOPLE]))
    if len(names) > PEOPLE:
        shown = format_html(_("{names} and others"), names=shown)
    return Change(format_html(sentence, count=count, who=shown), rows[0].timestamp, url, count=count)


def _seat(row: AuditLog, pk: UUID) -> Change:
    name = format_html("<b>{}</b>", row.object_repr.rpartition(": ")[0] or _("Somebody"))  # “Jonas: editor”
    sentence = _("{name} joined") if row.action == Action.CREATE else _("{name} is no longer in it")
    return _change(row, sentence, pk, name=name)


def _conversation(row: AuditLog, pk: UUID) -> Change:
    if row.action == Action.RESTORE:
        return _change(row, _("{who} brought it back from the trash"), pk)
    changes = row.changes or {}
    if "title" in changes:
        return _change(row, _("{who} renamed it from “{title}”"), pk, title=changed(row, "title")[0])
    if "owner" in changes:
        return _change(row, _("{who} handed it over"), pk)
    if "archived_at" not in changes:
        return _change(row, _("{who} changed its settings"), pk)
    if changed(row, "archived_at")[1]:
        return _change(row, _("{who} archived it"), pk)
    return _change(row, _("{who} took it out of the archive"), pk)


def _tag(row: AuditLog, pk: UUID) -> Change:
    return _change(row, _("{who} tagged it {name}"), pk, name=row.object_repr.rpartition("#")[2])  # “Title #tag”


def _change(row: AuditLog, sentence: str, pk: UUID, **words: Any) -> Change:
    return Change(format_html(sentence, who=who(row), **words), row.timestamp, _url(pk))


def _url(pk: UUID | None, place: str = "") -> str:
    return f"{reverse('conversations:detail', args=[pk])}{place}"


TELLERS: dict[Any, Callable[[AuditLog, UUID], Change]] = {
    Participant: _seat,
    Conversation: _conversation,
    ConversationTag: _tag,
}
