"""Labels: moved with a reason and a history, and protected ones by two people."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from accounts.models import User
from templates_app import services
from templates_app.models import Label, LabelMove, PromptTemplate
from tests.factories import GrantFactory, LabelFactory, TemplateFactory, UserFactory
from tests.templates_app.test_services import audited, together

pytestmark = pytest.mark.django_db


@pytest.fixture
def template() -> PromptTemplate:
    return TemplateFactory(versions=3, visibility="shared", title="Reply")


@pytest.fixture
def editor(template: PromptTemplate) -> User:
    return GrantFactory(template=template, role="editor", user__display_name="Jonas Weber").user


def curator() -> User:
    user = UserFactory(display_name="Cara Tor")
    user.user_permissions.add(Permission.objects.get(codename="curate_library"))
    return user


def url(template: PromptTemplate, name: str = "labels", **kwargs: Any) -> str:
    return reverse(f"templates_app:{name}", kwargs={"pk": template.pk, **kwargs})


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def where(template: PromptTemplate) -> dict[str, tuple[int, bool]]:
    return {label.name: (label.version.number, label.is_protected) for label in template.labels.all()}


def history(template: PromptTemplate) -> list[tuple[Any, ...]]:
    moves = template.label_moves.order_by("id")
    return list(moves.values_list("name", "from_version__number", "to_version__number", "status"))


# ---- moving --------------------------------------------------------------------


def test_a_label_is_put_moved_and_removed_with_a_history(template: PromptTemplate, editor: User) -> None:
    one, _two, three = template.versions.order_by("number")
    services.move_label(template, name="staging", version=one, by=template.owner, reason="First try")
    services.move_label(template, name="staging", version=three, by=editor, reason="Better")
    assert where(template) == {"staging": (3, False)}
    assert services.move_label(template, name="staging", version=three, by=editor) is None
    services.move_label(template, name="staging", version=None, by=editor, reason="Unused")
    assert where(template) == {}
    assert list(template.label_moves.order_by("id").values_list("author", "reason", "status")) == [
        (template.owner.pk, "First try", "done"),
        (editor.pk, "Better", "done"),
        (editor.pk, "Unused", "done"),
    ]
    assert [row[1:3] for row in history(template)] == [(None, 1), (1, 3), (3, None)]
    assert {("label", "created"), ("label", "changed"), ("label", "deleted"), ("labelmove", "created")} <= set(
        audited(template)
    )


def test_the_names_of_labels() -> None:
    assert [services.clean_label_name(name) for name in (" Production ", "pt-BR", "In  use", "v1.2")] == [
        "production",
        "pt-br",
        "in-use",
        "v1.2",
    ]
    for wrong in ("", "  ", "a/b", "-a", "x" * 61, "<b>"):
        with pytest.raises(ValidationError):
            services.clean_label_name(wrong)


def test_a_template_has_labels_to_a_limit(template: PromptTemplate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("templates_app.services.labels.LABELS_MAX", 1)
    services.move_label(template, name="a", version=template.current_version, by=template.owner)
    with pytest.raises(services.LabelRefused):
        services.move_label(template, name="b", version=template.current_version, by=template.owner)
    assert where(template) == {"a": (3, False)}


# ---- protected -----------------------------------------------------------------


def test_a_protected_label_moves_when_somebody_else_approves(template: PromptTemplate, editor: User) -> None:
    LabelFactory(version=template.versions.get(number=1), is_protected=True)
    move = services.move_label(template, name="production", version=template.current_version, by=template.owner)
    again = services.move_label(template, name="production", version=template.current_version, by=template.owner)
    assert (move, move.status, where(template)) == (again, "waiting", {"production": (1, True)})
    with pytest.raises(services.LabelRefused):
        services.approve_move(template, move.pk, by=template.owner)
    with pytest.raises(services.LabelRefused):
        services.move_label(template, name="production", version=template.versions.get(number=2), by=editor)
    approved = services.approve_move(template, move.pk, by=editor)
    assert (approved.status, approved.reviewer, where(template)) == ("done", editor, {"production": (3, True)})
    with pytest.raises(services.LabelRefused):
        services.reject_move(template, move.pk, by=editor)
    assert history(template) == [("production", 1, 3, "done")]


def test_rejected_and_withdrawn_moves_leave_the_label_where_it_is(template: PromptTemplate, editor: User) -> None:
    LabelFactory(version=template.versions.get(number=1), is_protected=True)
    for decide, person in ((services.reject_move, editor), (services.withdraw_move, template.owner)):
        move = services.move_label(template, name="production", version=None, by=template.owner)
        decide(template, move.pk, by=person)
    assert where(template) == {"production": (1, True)}
    assert [row[3] for row in history(template)] == ["rejected", "withdrawn"]
    move = services.move_label(template, name="production", version=None, by=template.owner)
    with pytest.raises(services.LabelRefused):
        services.withdraw_move(template, move.pk, by=editor)
    services.approve_move(template, move.pk, by=editor)
    assert where(template) == {}


def test_the_protection_goes_only_with_a_second_person(template: PromptTemplate, editor: User) -> None:
    LabelFactory(version=template.current_version)
    assert services.protect_label(template, name="production") is True
    assert services.protect_label(template, name="production") is False
    move = services.unprotect_label(template, name="production", by=template.owner, reason="Too slow")
    assert (where(template), move.status, move.is_unprotecting) == ({"production": (3, True)}, "waiting", True)
    with pytest.raises(services.LabelRefused):
        services.approve_move(template, move.pk, by=template.owner)
    services.approve_move(template, move.pk, by=editor)
    assert where(template) == {"production": (3, False)}
    assert services.unprotect_label(template, name="production", by=template.owner) is None


@pytest.mark.django_db(transaction=True)
def test_twenty_approvals_at_once_are_one_move() -> None:
    template = TemplateFactory(versions=2, visibility="shared")
    LabelFactory(version=template.versions.get(number=1), is_protected=True)
    editors = [GrantFactory(template=template, role="editor").user for _n in range(20)]
    move = services.move_label(template, name="production", version=template.current_version, by=template.owner)
    results = together(20, lambda place: services.approve_move(template, move.pk, by=editors[place]))
    kinds = [type(each).__name__ for each in results]
    assert (kinds.count("LabelMove"), kinds.count("LabelRefused")) == (1, 19)
    assert (where(template), LabelMove.objects.count()) == ({"production": (2, True)}, 1)
    assert audited(template).count(("label", "changed")) == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_equal_moves_at_once_are_one() -> None:
    template = TemplateFactory(versions=2)
    version = template.current_version
    results = together(
        20, lambda place: services.move_label(template, name="staging", version=version, by=template.owner)
    )
    assert {type(each).__name__ for each in results} == {"LabelMove", "NoneType"}
    assert (history(template), Label.objects.count()) == ([("staging", None, 2, "done")], 1)


# ---- the page ------------------------------------------------------------------


def test_moving_on_the_page(template: PromptTemplate, editor: User) -> None:
    client = browser(editor)
    response = client.post(url(template), {"name": "Production", "version": "2", "reason": "It <b>works</b>"})
    assert (response.status_code, where(template)) == (302, {"production": (2, False)})
    content = client.get(url(template)).content.decode()
    assert "Jonas Weber" in content
    assert "put production on v2" in content
    assert "It &lt;b&gt;works&lt;/b&gt;" in content
    for wrong in ({"name": "a b/c", "version": "2"}, {"name": "x", "version": "9"}, {"name": "", "version": ""}):
        response = client.post(url(template), {**wrong, "reason": "Kept as typed"})
        assert (response.status_code, "Kept as typed" in response.content.decode()) == (422, True)
    assert where(template) == {"production": (2, False)}


def test_only_owner_and_curator_protect_and_a_viewer_only_reads(template: PromptTemplate, editor: User) -> None:
    LabelFactory(version=template.current_version)
    viewer = GrantFactory(template=template).user
    keeper = curator()
    assert browser(keeper).post(url(template, "protect_label"), {"name": "production"}).status_code == 404
    GrantFactory(template=template, user=keeper)
    answers = [
        browser(person).post(url(template, "protect_label"), {"name": "production"}).status_code
        for person in (viewer, editor, keeper)
    ]
    assert (answers, where(template)) == ([404, 404, 302], {"production": (3, True)})
    move = services.move_label(template, name="production", version=template.versions.get(number=1), by=editor)
    page = browser(viewer).get(url(template)).content.decode()
    assert ("wants to move production from v3 to v1" in page, 'action="' + url(template) in page) == (True, False)
    approve = url(template, "approve_move", move_pk=move.pk)
    assert approve not in page
    assert browser(viewer).post(approve).status_code == 404
    own = browser(editor).post(approve)
    assert (own.status_code, "two people" in own.content.decode()) == (409, True)
    assert approve in browser(keeper).get(url(template)).content.decode()
    assert (browser(keeper).post(approve).status_code, where(template)) == (302, {"production": (1, True)})
    again = browser(keeper).post(approve)
    assert (again.status_code, "decided already" in again.content.decode()) == (409, True)


def test_asking_to_unprotect_and_withdrawing_on_the_page(template: PromptTemplate, editor: User) -> None:
    LabelFactory(version=template.current_version, is_protected=True)
    owner = browser(template.owner)
    assert owner.post(url(template, "unprotect_label"), {"name": "production"}).status_code == 302
    move = template.label_moves.get()
    assert "wants production to be protected no longer" in browser(editor).get(url(template)).content.decode()
    assert browser(editor).post(url(template, "withdraw_move", move_pk=move.pk)).status_code == 404
    assert owner.post(url(template, "withdraw_move", move_pk=move.pk)).status_code == 302
    assert (history(template), where(template)) == ([("production", 3, 3, "withdrawn")], {"production": (3, True)})


def test_removing_on_the_page(template: PromptTemplate, editor: User) -> None:
    LabelFactory(version=template.current_version)
    assert browser(editor).post(url(template, "remove_label"), {"name": "nothing"}).status_code == 404
    assert (
        browser(editor).post(url(template, "remove_label"), {"name": "production", "reason": "Old"}).status_code == 302
    )
    assert (where(template), template.label_moves.get().reason) == ({}, "Old")


def test_an_imported_label_keeps_its_spelling(template: PromptTemplate, editor: User) -> None:
    LabelFactory(version=template.current_version, name="Prod / EU")
    browser(editor).post(url(template), {"name": "Prod / EU", "version": "1"})
    assert where(template) == {"Prod / EU": (1, False)}
    browser(editor).post(url(template, "remove_label"), {"name": "Prod / EU"})
    assert where(template) == {}


def test_the_page_takes_as_many_queries_with_many_moves_as_with_few(
    template: PromptTemplate, django_assert_max_num_queries: Any
) -> None:
    client = browser(template.owner)
    versions = list(template.versions.order_by("number"))
    for n in range(45):
        services.move_label(template, name=f"l{n % 5}", version=versions[n % 3], by=template.owner, reason=f"Move {n}")
    client.get(url(template))
    with django_assert_max_num_queries(9):
        page = client.get(url(template))
    with django_assert_max_num_queries(10):
        older = client.get(f"{url(template)}?cursor={page.context['page'].moves.next_cursor}")
    reasons = [move.reason for each in (page, older) for move in each.context["page"].moves.items]
    assert reasons == [f"Move {n}" for n in range(44, 4, -1)]


def test_staff_do_not_move_labels_past_the_second_person(template: PromptTemplate) -> None:
    label = LabelFactory(version=template.current_version, is_protected=True)
    staff = browser(UserFactory(staff=True))
    other = template.versions.get(number=1)
    posted = {"template": template.pk, "name": "production", "version": other.pk}
    answers = [
        staff.post(reverse(f"admin:templates_app_label_{page}", args=[label.pk]), posted | {"post": "yes"}).status_code
        for page in ("change", "delete")
    ]
    assert (answers, where(template)) == ([403, 403], {"production": (3, True)})
    change = staff.get(reverse("admin:templates_app_prompttemplate_change", args=[template.pk])).content.decode()
    assert ("production" in change, 'name="labels-0-version"' in change) == (True, False)
