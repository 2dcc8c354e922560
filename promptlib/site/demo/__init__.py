"""Planting the demonstration content (`promptlib.site.seed`) in a database, each thing with its day and its audit row.

What was planted before is recognised and left alone, whatever people made of it since.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from audit.context import acting
from audit.services import record_past
from conversations.models import AIModel, Participant
from promptlib.core.transactions import in_transaction
from promptlib.site.demo.diary import Diary
from promptlib.site.demo.library import plant_templates
from promptlib.site.demo.people import plant_people
from promptlib.site.demo.threads import plant_conversations
from promptlib.site.seed import SeedData, load
from templates_app.models import Follow, PromptTemplate
from templates_app.services.following import follow_own

__all__ = ["Planted", "plant"]


@dataclass(frozen=True)
class Planted:
    """What was added: rows by kind, and the people who can sign in with the new password."""

    counts: dict[str, int] = field(default_factory=dict)
    people: tuple[Any, ...] = ()


def plant(password: str, *, today: date | None = None, data: SeedData | None = None) -> Planted:
    """Add what is missing of the demonstration, all of it or nothing. New accounts get `password`."""
    content, day = data or load(), today or timezone.now().date()
    return in_transaction(lambda: _plant(content, password, day))


def _plant(data: SeedData, password: str, today: date) -> Planted:
    diary = Diary(today)
    people, new = plant_people(data, password, diary)
    counts = {
        "people": len(new),
        "templates": plant_templates(data, people, diary),
        **plant_conversations(data, people, diary),
    }
    record_past(diary.events)
    _note_looks(people.values())
    if settings.ECHO_PROVIDER:
        with acting(next((user for user in people.values() if user.is_staff), None)):
            _offer_echo()
    return Planted(counts, tuple(new))


def _note_looks(people: Iterable[Any]) -> None:
    """The log's keys are of today: who has read what there is has done so since, but for some templates."""
    seats = Participant.objects.filter(user__in=people, last_read_at__gte=F("last_activity_at"))
    seats.update(last_read_at=timezone.now())
    for person in people:
        follow_own(PromptTemplate.objects.filter(owner=person).values_list("pk", flat=True), user=person)
    often_rated = Follow.objects.filter(user__in=people, template__rating_count__gte=4)
    often_rated.update(seen_at=timezone.now() - timedelta(weeks=3))


def _offer_echo() -> None:
    if not AIModel.objects.filter(provider=AIModel.Provider.ECHO).exists():
        AIModel.objects.create(provider=AIModel.Provider.ECHO, name="echo", label="Echo")
