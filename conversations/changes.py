"""What is news in a conversation to those who are in it, and how it reads.

All of it is to be seen in the thread and beside it by everybody who is in it. Invitations and links, which the owner
alone reads, are not, and of an interaction nothing is told that might name a template somebody may not see.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.models import AuditLog
from audit.news import Change, Kind, News, changed, latest, read_one, rows_for, who
from conversations.models import Conversation, ConversationTag, Participant, Prompt, PromptComment

Action = AuditLog.Action

KINDS = (
    Kind(Prompt, (Action.CREATE, Action.IMPORT)),
    Kind(PromptComment, (Action.CREATE,)),
    Kind(Participant, (Action.CREATE, Action.DELETE)),
    Kind(Conversation, (Action.UPDATE, Action.RESTORE), ("title", "archived_at", "owner")),
    Kind(ConversationTag, (Action.CREATE,)),
)
PEOPLE = 3


def changed_conversations(user: Any, *, most: int) -> list[tuple[Participant, News]]:
    """Followed conversations that the person is in and has not read since; the newest first. Two queries."""
    visible = Conversation.objects.visible_to(user)
    seats = Participant.objects.filter(user=user, unfollowed_at__isnull=True, conversation__in=visible)
    seats = seats.annotate(looked_at=Coalesce("last_read_at", "created_at")).select_related("conversation")
    rows = rows_for(user, KINDS)
    return latest(seats, rows, tell, subject="conversation_id", since="looked_at", most=most)


def news_for(seat: Participant) -> News:
    """What others did in the conversation since this person read it; one query."""
    if seat.unfollowed_at is not None or seat.last_read_at is None:
        return News()
    rows, has_more = read_one(rows_for(seat.user, KINDS), seat.conversation_id, seat.last_read_at)
    return News(seat.last_read_at, tell(rows), has_more)


def tell(rows: Sequence[AuditLog]) -> list[Change]:
    """The rows in sentences, newest first: interactions in one, remarks in another, all else one by one."""
    together: dict[Any, list[AuditLog]] = {Prompt: [], PromptComment: []}
    told: list[Change] = []
    for row in rows:
        model = ContentType.objects.get_for_id(row.content_type_id).model_class()
        if model in together:
            together[model].append(row)
        elif model in TELLERS:
            change = TELLERS[model](row, row.subject_id)  # type: ignore[arg-type]  # of KINDS
            told += [change] if change else []
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


def _conversation(row: AuditLog, pk: UUID) -> Change | None:
    if row.action == Action.RESTORE:
        return _change(row, _("{who} brought it back from the trash"), pk)
    changes = row.changes or {}
    if "title" in changes:
        return _change(row, _("{who} renamed it from “{title}”"), pk, title=changed(row, "title")[0])
    if "owner" in changes:
        return _change(row, _("{who} handed it over"), pk)
    if changed(row, "archived_at")[1] in (None, "", "None"):
        return _change(row, _("{who} took it out of the archive"), pk)
    return _change(row, _("{who} archived it"), pk)


def _tag(row: AuditLog, pk: UUID) -> Change:
    return _change(row, _("{who} tagged it {name}"), pk, name=row.object_repr.rpartition("#")[2])  # “Title #tag”


def _change(row: AuditLog, sentence: str, pk: UUID, **words: Any) -> Change:
    return Change(format_html(sentence, who=who(row), **words), row.timestamp, _url(pk))


def _url(pk: UUID | None, place: str = "") -> str:
    return f"{reverse('conversations:detail', args=[pk])}{place}"


TELLERS: dict[Any, Callable[[AuditLog, UUID], Change | None]] = {
    Participant: _seat,
    Conversation: _conversation,
    ConversationTag: _tag,
}
