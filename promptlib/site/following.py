"""What a person follows, of every kind: what changed in it, and the list of it."""

from dataclasses import dataclass
from typing import Any

from audit.history.news import News
from conversations import changes as conversations
from conversations.changes import changed_conversations
from conversations.models import Participant
from promptlib.core.pagination import KeysetPage
from templates_app import changes as templates
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
    """The things that changed, the latest first: how many there are, and what there is to say of the first."""

    things: list[Changed]
    count: int
    has_more: bool


def what_changed(user: Any, few: int = MOST) -> WhatChanged:
    """Only what the person still sees, and nothing that they did themselves. `few` are told of.

    Four queries however much they follow, five where a label moved.
    """
    marks = [
        *changed_templates(user).order_by("-newest")[: MOST + 1],
        *changed_conversations(user).order_by("-newest")[: MOST + 1],
    ]
    marks.sort(key=lambda mark: mark.newest, reverse=True)
    shown = marks[: min(few, MOST)]
    news = templates.tell_of([mark for mark in shown if isinstance(mark, Follow)], user)
    news |= conversations.tell_of([mark for mark in shown if isinstance(mark, Participant)], user)
    things = [
        Changed(mark.template, "template", news[mark.pk])
        if isinstance(mark, Follow)
        else Changed(mark.conversation, "conversation", news[mark.pk])
        for mark in shown
    ]
    return WhatChanged(things, min(len(marks), MOST), len(marks) > MOST)


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
