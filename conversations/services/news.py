"""What was asked in a conversation since somebody's page of it was drawn."""

from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Subquery

from conversations.models import Conversation, Prompt

MOST = 20


@dataclass(frozen=True, slots=True)
class News:
    """What follows the end of the page, in order; the latest of what was asked elsewhere; the newest of all."""

    following: list[Prompt] = field(default_factory=list)
    elsewhere: UUID | None = None
    newest: UUID | None = None


def news_since(conversation: Conversation, *, after: UUID | None, leaf: UUID | None) -> News:
    """At most twenty at a time; one query. `leaf` is the last interaction on the page, None on an empty one."""
    rows = Prompt.objects.filter(conversation=conversation)
    fresh = list((rows.filter(pk__gt=after) if after else rows).order_by("pk")[:MOST])
    following, elsewhere = [], None
    for prompt in fresh:
        is_attempt = bool(prompt.metadata.get("attempt_of"))
        if prompt.parent_id == leaf or (prompt.parent_id is None and not is_attempt):
            following.append(prompt)
            leaf = prompt.pk
        else:
            elsewhere = prompt.pk
    return News(following, elsewhere, fresh[-1].pk if fresh else after)


def newest_of(conversation: Conversation) -> Subquery:
    """For an annotation: it costs no query of its own."""
    return Subquery(Prompt.objects.filter(conversation=conversation).order_by("-pk").values("pk")[:1])
