"""The admin: every model is there, its lists cost the same at any length, and nothing counted can be typed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import TeamMembership, User
from audit.admin import KindFilter
from audit.models import AuditLog
from conversations.models import AIModel, Conversation, Participant, Prompt
from promptlib.core.models import BaseModel
from templates_app.models import (
    Favorite,
    Grant,
    Label,
    PromptTemplate,
    Rating,
    SuggestionComment,
    TemplateVersion,
)
from tests.factories import (
    AIModelFactory,
    ConversationFactory,
    FavoriteFactory,
    GrantFactory,
    LabelFactory,
    ParticipantFactory,
    PromptFactory,
    RatingFactory,
    SuggestionFactory,
    TeamFactory,
    TemplateFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

WITHOUT_A_PAGE = {"template_tags", "template_fork_counts", "audit_purges"}
"""Shown on the page of what they belong to; but for a purge, which is there while it lasts."""

MAKERS: dict[type[Model], Callable[[], Any]] = {
    User: UserFactory,
    PromptTemplate: TemplateFactory,
    TemplateVersion: TemplateFactory,
    Label: LabelFactory,
    Rating: RatingFactory,
    Favorite: FavoriteFactory,
    Grant: lambda: GrantFactory(user=UserFactory()),
    Conversation: ConversationFactory,
    Participant: ParticipantFactory,
    Prompt: PromptFactory,
    AIModel: AIModelFactory,
    AuditLog: TemplateFactory,
    TeamMembership: lambda: TeamFactory(members=[UserFactory()]),
}


@pytest.fixture
def staff_client(client: Client) -> Client:
    client.force_login(UserFactory(staff=True))
    return client


def address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_every_table_has_its_page() -> None:
    ours = {model._meta.db_table for model in apps.get_models() if issubclass(model, BaseModel)}
    shown = {model._meta.db_table for model in admin.site._registry}
    assert ours - shown == WITHOUT_A_PAGE


@pytest.mark.parametrize("model", MAKERS, ids=lambda model: model._meta.model_name)
def test_a_longer_list_costs_no_more_queries(
    staff_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries, model: type[Model]
) -> None:
    counts = []
    for _ in range(2):
        for _ in range(10):
            MAKERS[model]()
        staff_client.get(address(model, "changelist"))
        with django_assert_max_num_queries(14) as captured:
            html = staff_client.get(address(model, "changelist")).content.decode()
        assert "result_list" in html
        counts.append(len(captured))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("model", list(MAKERS), ids=lambda model: model._meta.model_name)
def test_statistics_are_shown_and_cannot_be_typed(staff_client: Client, model: type[Model]) -> None:
    MAKERS[model]()
    row = model._base_manager.first()
    assert row is not None
    response = staff_client.get(address(model, "change", row.pk))
    names = {name for formset in response.context["adminform"] for line in formset for name in line.fields}
    editable = set(response.context["adminform"].form.fields)
    assert editable & {*getattr(model, "STATISTICS", ()), "alive", "rank_score", "created_at", "deletion_id"} == set()
    assert names


def test_deleted_rows_are_marked_and_restored(staff_client: Client) -> None:
    owner = UserFactory()
    conversation = ConversationFactory(owner=owner, title="Lost and found")
    PromptFactory(conversation=conversation)
    conversation.delete(by=owner)
    listing = address(Conversation, "changelist")
    html = staff_client.get(listing, {"trash": "yes"}).content.decode()
    assert "Lost and found" in html
    assert "<b>deleted</b>" in html
    assert "Lost and found" not in staff_client.get(listing).content.decode()
    staff_client.post(
        f"{listing}?trash=yes", {"action": "restore_selected", "_selected_action": [str(conversation.pk)]}
    )
    assert (Conversation.objects.count(), Prompt.objects.count()) == (1, 1)


def test_deleting_in_the_admin_is_the_trash_in_the_name_of_the_staff(staff_client: Client) -> None:
    template = TemplateFactory()
    staff_client.post(
        address(PromptTemplate, "changelist"),
        {"action": "delete_selected", "_selected_action": [str(template.pk)], "post": "yes"},
    )
    template = PromptTemplate.all_objects.get(pk=template.pk)
    assert template.deleted_at is not None
    assert template.deleted_by.is_staff


def test_the_log_and_versions_are_only_read(staff_client: Client) -> None:
    template = TemplateFactory()
    row = AuditLog.objects.first()
    assert staff_client.post(address(AuditLog, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert staff_client.get(address(AuditLog, "add")).status_code == 403
    version = template.current_version
    assert staff_client.post(address(TemplateVersion, "change", version.pk), {"body": "x"}).status_code == 403
    assert TemplateVersion.objects.get(pk=version.pk).body == version.body


def test_a_price_in_another_currency_is_refused(staff_client: Client, settings: Any) -> None:
    model = AIModelFactory()
    data = {"model": model.pk, "effective_from": "2026-11-01", "input_price": "1", "output_price": "2"}
    url = reverse("admin:conversations_aimodelprice_add")
    html = staff_client.post(url, data | {"currency": "XYZ"}).content.decode()
    assert f"Prices here are in {settings.CURRENCY}." in html
    staff_client.post(url, data | {"currency": settings.CURRENCY.lower()})
    assert [price.currency for price in model.prices.filter(input_price=1)] == [settings.CURRENCY]


def test_who_is_no_staff_gets_the_sign_in_page(client: Client) -> None:
    client.force_login(UserFactory())
    response = client.get(address(PromptTemplate, "changelist"))
    assert response.url.startswith(reverse("admin:login")) or response.url.startswith(reverse("account_login"))


def test_kinds_to_filter_the_log_by_are_named_without_reading_it(staff_client: Client) -> None:
    TemplateFactory()
    filters = staff_client.get(address(AuditLog, "changelist")).context["cl"].filter_specs
    kinds = [name for each in filters if isinstance(each, KindFilter) for _pk, name in each.lookup_choices]
    assert kinds == sorted(kinds)
    assert {"template", "conversation", "interaction"} <= set(kinds)


def test_the_trash_alone(staff_client: Client) -> None:
    gone, _kept = TemplateFactory(title="Gone"), TemplateFactory(title="Kept")
    gone.delete()
    shown = {
        query: sorted(
            row.title
            for row in staff_client.get(f"{address(PromptTemplate, 'changelist')}?{query}").context["cl"].result_list
        )
        for query in ("trash=yes", "trash=all", "")
    }
    assert shown == {"trash=yes": ["Gone"], "trash=all": ["Gone", "Kept"], "": ["Kept"]}


def test_what_hangs_on_the_trash_is_in_no_list(staff_client: Client) -> None:
    """The rights of a deleted person, a favourite and a remark on a suggestion of a deleted template."""
    grant, favorite, suggestion = GrantFactory(), FavoriteFactory(), SuggestionFactory()
    remark = SuggestionComment.objects.create(suggestion=suggestion, author=suggestion.author, text="Why?")
    for row in (grant.user, favorite.template, suggestion.template):
        row.delete()
    for model in (Grant, Favorite, SuggestionComment):
        assert list(staff_client.get(address(model, "changelist")).context["cl"].result_list) == []
    assert staff_client.get(address(SuggestionComment, "change", remark.pk)).status_code == 200
    favorite.template.restore()
    assert list(staff_client.get(address(Favorite, "changelist")).context["cl"].result_list) == [favorite]
