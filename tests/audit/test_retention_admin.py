"""Staff place and lift holds, and set the rules, in the admin."""

import re
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import LegalHold, Purge, RetentionRule
from audit.retention import holds
from conversations.models import Conversation
from templates_app.models import PromptTemplate
from tests.factories import ConversationFactory, TemplateFactory, UserFactory

pytestmark = pytest.mark.django_db
ADD = "admin:audit_legalhold_add"


@pytest.fixture
def staff(client: Client) -> User:
    person = UserFactory(staff=True)
    client.force_login(person)
    return person


def kind(model: Any) -> int:
    return ContentType.objects.get_for_model(model).pk


def test_a_hold_is_placed_by_address_id_or_email_and_lifted_once_with_a_reason(client: Client, staff: User) -> None:
    template, conversation, person = TemplateFactory(title="Reply"), ConversationFactory(), UserFactory()
    conversation.delete()
    names = [
        (PromptTemplate, f"http://testserver{template.get_absolute_url()}?tab=runs", template),
        (Conversation, str(conversation.pk), conversation),
        (User, person.email.upper(), person),
        (User, f"http://testserver{person.get_absolute_url()}", person),
    ]
    for model, text, subject in names:
        client.post(reverse(ADD), {"content_type": kind(model), "thing": text, "reason": "Case 7"})
        placed = LegalHold.objects.latest("pk")
        assert (placed.subject_id, placed.placed_by, placed.reason) == (subject.pk, staff, "Case 7")
    assert LegalHold.objects.count() == 4
    page = reverse("admin:audit_legalhold_change", args=[placed.pk])
    assert "This field is required" in client.post(page, {"lift_reason": ""}).content.decode()
    client.post(page, {"lift_reason": "Settled", "reason": "Another"})
    client.post(page, {"lift_reason": "Again"})
    placed.refresh_from_db()
    assert (placed.lift_reason, placed.lifted_by, placed.reason) == ("Settled", staff, "Case 7")
    assert client.post(reverse("admin:audit_legalhold_delete", args=[placed.pk]), {"post": "yes"}).status_code == 403
    held = "admin:audit_legalhold_changelist"
    for state, there in (("", True), ("?state=active", True), ("?state=lifted", False)):
        html = client.get(reverse(held) + state).content.decode()
        table = html[html.index('id="result_list"') : html.index('id="changelist-filter"')]
        assert ("Reply" in table, person.display_name in table) == (there, True)
    assert LegalHold.objects.count() == 4


def test_what_does_not_exist_or_is_going_already_is_not_held(client: Client, staff: User) -> None:
    template = TemplateFactory()
    post = {"content_type": kind(Conversation), "thing": str(template.pk), "reason": "Case 7"}
    assert "no such thing" in client.post(reverse(ADD), post).content.decode()
    template.delete()
    Purge.objects.create(deletion_id=template.deletion_id)
    html = client.post(reverse(ADD), {**post, "content_type": kind(PromptTemplate)}).content.decode()
    assert "being deleted for good" in html
    assert "Case 7" in html and str(template.pk) in html  # what was typed is still there
    assert not LegalHold.objects.exists()


def test_who_is_not_allowed_places_and_lifts_none(client: Client) -> None:
    placed = holds.place_hold(subject=TemplateFactory(), reason="Case 7", by=UserFactory())
    client.force_login(UserFactory(is_staff=True))  # staff without the permission
    post = {"content_type": kind(PromptTemplate), "thing": str(placed.subject_id), "reason": "Case 8"}
    assert client.post(reverse(ADD), post).status_code == 403
    client.post(reverse("admin:audit_legalhold_change", args=[placed.pk]), {"lift_reason": "Settled"})
    assert LegalHold.objects.get().is_active


def test_a_rule_is_for_a_kind_that_can_lie_in_the_trash(client: Client, staff: User) -> None:
    page = reverse("admin:audit_retentionrule_add")
    assert not {"Created at", "Updated at"} & set(re.findall(r"<label>(.+?):", client.get(page).content.decode()))
    for model, days in ((LegalHold, {"trash_days": 7}), (User, {"idle_days": 90}), (PromptTemplate, {"trash_days": 0})):
        client.post(page, {"content_type": kind(model), **days})
    assert not RetentionRule.objects.exists()
    client.post(page, {"content_type": kind(Conversation), "trash_days": 7, "idle_days": 90})
    assert list(RetentionRule.objects.values_list("content_type", "trash_days", "idle_days")) == [
        (kind(Conversation), 7, 90)
    ]
