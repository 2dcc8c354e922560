"""Staff who look at what they see as staff alone: one row for each thing, person and hour, which its owner can read."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit import access
from audit.models import AuditLog
from tests.factories import (
    ConversationFactory,
    LibraryImportFactory,
    ParticipantFactory,
    PromptFactory,
    RatingFactory,
    SuggestionFactory,
    TemplateFactory,
    UserFactory,
    ValueSetFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only]


def looks(thing: Any) -> list[tuple[Any, str]]:
    rows = AuditLog.objects.filter(action=AuditLog.Action.ACCESS, object_pk=str(thing.pk)).order_by("id")
    return [(row.actor_id, row.reason) for row in rows]


def page_of(thing: Any) -> str:
    return reverse(f"admin:{thing._meta.app_label}_{thing._meta.model_name}_change", args=[thing.pk])


@pytest.fixture
def staff(client: Client) -> User:
    user = UserFactory(staff=True)
    client.force_login(user)
    return user


HIDDEN: dict[str, Callable[[], Any]] = {
    "a private template": TemplateFactory,
    "a draft that is public one day": lambda: TemplateFactory(visibility="public", status="draft"),
    "its version": lambda: TemplateFactory().current_version,
    "a rating of it": RatingFactory,
    "a suggestion": SuggestionFactory,
    "a set of values": ValueSetFactory,
    "an upload": LibraryImportFactory,
    "a conversation": ConversationFactory,
    "an interaction": PromptFactory,
}


@pytest.mark.parametrize("make", HIDDEN.values(), ids=HIDDEN)
def test_opening_anothers_thing_in_the_admin_is_logged(client: Client, staff: User, make: Callable[[], Any]) -> None:
    thing = make()
    assert client.get(page_of(thing)).status_code == 200
    assert looks(thing) == [(staff.pk, "as staff, in the admin")]


SEEN_ANYWAY: dict[str, Callable[[User], Any]] = {
    "a public template": lambda staff: TemplateFactory(visibility="public"),
    "one's own": lambda staff: TemplateFactory(owner=staff),
    "where one has a seat": lambda staff: ParticipantFactory(user=staff).conversation,
    "a shared set of values": lambda staff: ValueSetFactory(is_shared=True),
    "a person": lambda staff: UserFactory(),
}


@pytest.mark.parametrize("make", SEEN_ANYWAY.values(), ids=SEEN_ANYWAY)
def test_what_one_sees_anyway_is_no_look(client: Client, staff: User, make: Callable[[User], Any]) -> None:
    thing = make(staff)
    assert client.get(page_of(thing)).status_code == 200
    assert looks(thing) == []


def test_a_look_is_told_once_an_hour_for_each_person_and_thing(
    client: Client, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    template, other = TemplateFactory(), TemplateFactory()
    for thing in (template, template, other):
        client.get(page_of(thing))
    assert (access.AGAIN_AFTER, len(looks(template)), len(looks(other))) == (timedelta(hours=1), 1, 1)
    monkeypatch.setattr(access, "AGAIN_AFTER", timedelta(0))  # the hour is over
    client.get(page_of(template))
    assert len(looks(template)) == 2
    assert AuditLog.objects.about(template.pk).filter(action=AuditLog.Action.ACCESS).count() == 2  # its owner reads it


def test_reading_what_somebody_did_and_what_they_deleted_is_a_look(client: Client, staff: User) -> None:
    person = UserFactory()
    template = TemplateFactory(owner=person)
    template.delete(by=person)
    client.get(reverse("accounts:history", args=[person.handle]))
    client.get(reverse("audit:trash_thing", args=[template.deletion_id]))
    assert looks(person) == [(staff.pk, "as staff: what the person did")]
    assert looks(template) == [(staff.pk, "as staff, in the trash")]
    client.force_login(person)
    client.get(reverse("accounts:history", args=[person.handle]))
    assert len(looks(person)) == 1
