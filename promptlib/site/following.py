"""What a person follows, of every kind: what changed in it, and the list of it."""

from dataclasses import dataclass
from typing import Any

from audit.news import News
from conversations.changes import changed_conversations
from conversations.models import Participant
from promptlib.core.pagination import KeysetPage
from templates_app.changes import changed_templates
from templates_app.models import Follow, PromptTemplate

MOST = 30
"""So many things that changed are looked at; of more it is said that there are more."""

TEXTS = ("system_prompt", "body", "examples", "variables", "parameters")


@dataclass(frozen=True)
class Changed:
    """A thing that somebody follows, and what others changed in it."""

    thing: Any
    kind: str
    news: News


@dataclass(frozen=True)
class WhatChanged:
    """The things that changed, the latest first."""

    things: list[Changed]
    has_more: bool

    @property
    def count(self) -> int:
        return len(self.things)


def what_changed(user: Any) -> WhatChanged:
    """Only what the person still sees, and nothing that they did themselves. Four queries, however much they follow."""
    templates = changed_templates(user, most=MOST + 1)
    conversations = changed_conversations(user, most=MOST + 1)
    things = [Changed(follow.template, "template", news) for follow, news in templates]
    things += [Changed(seat.conversation, "conversation", news) for seat, news in conversations]
    things.sort(key=lambda changed: str(changed.news.newest), reverse=True)
    return WhatChanged(things[:MOST], len(things) > MOST)


def followed_templates(user: Any, cursor: str | None) -> KeysetPage[Follow]:
    """What was followed last comes first."""
    visible = PromptTemplate.objects.visible_to(user)
    follows = Follow.objects.filter(user=user, is_following=True, template__in=visible)
    follows = follows.select_related("template", "template__owner", "template__current_version")
    texts = (f"template__current_version__{name}" for name in TEXTS)
    return KeysetPage(follows.defer(*texts, "template__metadata"), order=("-id",), cursor=cursor)


def followed_conversations(user: Any, cursor: str | None) -> KeysetPage[Participant]:
    """Where something was asked last comes first."""
    seats = Participant.objects.filter(user=user, unfollowed_at__isnull=True, conversation__deleted_at__isnull=True)
    seats = seats.select_related("conversation", "conversation__owner")
    return KeysetPage(seats, order=("-last_activity_at", "-conversation"), cursor=cursor)
