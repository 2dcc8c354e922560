"""Sets of values: kept from the form, filled in, run with one click, changed, shared."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from accounts.models import User
from audit.models import AuditLog
from conversations.models import Prompt
from templates_app import services
from templates_app.models import PromptTemplate, ValueSet
from tests.factories import TemplateFactory, UserFactory, ValueSetFactory

pytestmark = pytest.mark.django_db

CONTRACT: list[dict[str, Any]] = [
    {"name": "who", "type": "text", "label": "Who", "required": True},
    {"name": "parts", "type": "choices", "options": ["a, b", "c"], "label": "Parts"},
    {"name": "words", "type": "integer", "default": 180, "min": 1, "label": "Words"},
    {"name": "polite", "type": "boolean", "default": True, "label": "Polite"},
    {"name": "data", "type": "json", "label": "Data"},
]
BODY = " ".join(f"{{{{ {each['name']} }}}}" for each in CONTRACT)
TYPED: dict[str, Any] = {
    "version": "1",
    "set-name": " Norway,  angry ",
    "set-is_shared": "on",
    "v-who": " Marit & co",
    "v-parts": ["a, b", "c"],
    "v-words": "40",
    "v-data": '{"a": [1]}',
}
VALUES = {"who": "Marit & co", "parts": ["a, b", "c"], "words": 40, "polite": False, "data": {"a": [1]}}


@pytest.fixture
def ines(client: Client) -> User:
    user = UserFactory(handle="ines")
    client.force_login(user)
    return user


@pytest.fixture
def template(ines: User) -> PromptTemplate:
    return TemplateFactory(owner=ines, visibility="public", body=BODY, variables=CONTRACT)


def url(name: str, *args: Any) -> str:
    return reverse(f"templates_app:{name}", args=args)


def test_the_forms_values_are_kept_and_fill_the_form(client: Client, ines: User, template: PromptTemplate) -> None:
    response = client.post(url("value_sets", template.pk), TYPED)
    kept = ValueSet.objects.get()
    assert (kept.template, kept.user, kept.name, kept.values, kept.is_shared) == (
        *(template, ines, "Norway, angry"),
        *(VALUES, True),
    )
    assert response["Location"] == f"{template.get_absolute_url()}?set={kept.pk}"
    page = client.get(response["Location"])
    form = page.context["form"]
    assert {name: form[name].value() for name in form.fields} == VALUES | {"data": '{\n  "a": [\n    1\n  ]\n}'}
    assert (page.context["page"].view, page.context["page"].texts["parts"]) == ("filled", "a, b, c")
    assert page.context["page"].rendered.startswith("Marit & co a, b, c 40 no ")


def test_a_set_may_leave_out_what_is_required_and_takes_nothing_that_does_not_fit(
    client: Client, template: PromptTemplate
) -> None:
    wrong = client.post(url("value_sets", template.pk), TYPED | {"v-words": "0", "v-who": ""})
    assert (wrong.status_code, ValueSet.objects.count()) == (422, 0)
    content = wrong.content.decode()
    for text in ("Enter a whole number of at least 1.", escape('{"a": [1]}'), " Norway,  angry "):
        assert text in content
    client.post(url("value_sets", template.pk), TYPED | {"v-who": " ", "v-data": ""})
    assert ValueSet.objects.get().values == {"parts": ["a, b", "c"], "words": 40, "polite": False, "data": ""}


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_a_set_has_a_name(client: Client, template: PromptTemplate, name: str) -> None:
    response = client.post(url("value_sets", template.pk), TYPED | {"set-name": name})
    assert (response.status_code, ValueSet.objects.count()) == (422, 0)
    assert response.context["set_form"].errors.keys() == {"name"}
    assert response.context["form"]["who"].value() == " Marit & co"


def test_a_set_runs_with_one_click_and_each_once(client: Client, ines: User, template: PromptTemplate) -> None:
    first = ValueSetFactory(template=template, user=ines, values=VALUES)
    second = ValueSetFactory(template=template, user=ines, values={"who": "Tom"})
    data = {"model": "record", "key": "a" * 32, "v-who": "not this", "v-words": "7"}
    for value_set in (first, first, second):
        response = client.post(reverse("conversations:runs", args=[template.pk]), data | {"value_set": value_set.pk})
        assert response.status_code == 303
    values = dict(Prompt.objects.values_list("input_text", "values"))
    assert list(values.values()) == [
        VALUES,
        {"who": "Tom", "parts": [], "words": 180, "polite": True, "data": ""},
    ]
    assert next(iter(values)).startswith("Marit & co a, b, c 40 no ")


def test_a_set_that_no_longer_fits_is_told_at_its_field_and_runs_nothing(
    client: Client, ines: User, template: PromptTemplate
) -> None:
    value_set = ValueSetFactory(template=template, user=ines, values={"words": "many", "parts": ["z"], "gone": 1})
    url_of_run = reverse("conversations:runs", args=[template.pk])
    response = client.post(url_of_run, {"model": "record", "value_set": value_set.pk})
    assert (response.status_code, Prompt.objects.count()) == (422, 0)
    assert response.context["form"].errors.keys() == {"who", "parts", "words"}
    assert client.post(url_of_run, {"model": "record", "value_set": "nonsense"}).status_code == 404


def test_a_set_is_renamed_refilled_and_keeps_what_has_no_variable(
    client: Client, ines: User, template: PromptTemplate
) -> None:
    value_set = ValueSetFactory(template=template, user=ines, name="Old", values={"who": "Tom", "gone": "still"})
    address = url("value_set", template.pk, value_set.pk)
    page = client.get(address)
    assert (page.context["values"]["who"].value(), page.context["stray"]) == ("Tom", {"gone": "still"})
    assert '<span class="var">gone</span>' in page.content.decode()
    client.post(address, TYPED | {"set-is_shared": ""})
    value_set.refresh_from_db()
    assert (value_set.name, value_set.is_shared) == ("Norway, angry", False)
    assert value_set.values == VALUES | {"gone": "still"}
    ValueSetFactory(template=template, user=ines, name="Taken")
    refused = client.post(address, TYPED | {"set-name": "TAKEN", "v-who": "Kept"})
    assert (refused.status_code, refused.context["values"]["who"].value()) == (422, "Kept")
    assert refused.context["form"].errors == {"name": ["You have another set of this name."]}


def test_keeping_again_under_a_name_refills_that_set(client: Client, ines: User, template: PromptTemplate) -> None:
    for who in ("One", "Two", "Two"):
        client.post(url("value_sets", template.pk), TYPED | {"v-who": who, "set-name": "Same"})
    assert ValueSet.objects.get().values == VALUES | {"who": "Two"}


def test_others_see_and_use_what_is_shared_and_change_nothing(
    client: Client, ines: User, template: PromptTemplate
) -> None:
    for name, is_shared in (("Everybodys", True), ("Secretive", False)):
        ValueSetFactory(template=template, user=ines, name=name, values={"who": name}, is_shared=is_shared)
    client.force_login(UserFactory())
    ValueSetFactory(template=template, name="Strangers", values={"who": "Strangers"})
    private = ValueSet.objects.get(name="Secretive")
    for address in (
        template.get_absolute_url(),
        url("value_sets", template.pk),
        f"{template.get_absolute_url()}?set={private.pk}",
    ):
        content = client.get(address).content.decode()
        assert ["Everybodys" in content, "Secretive" in content, "Strangers" in content] == [True, False, False]
    shared = ValueSet.objects.get(name="Everybodys")
    assert client.get(f"{template.get_absolute_url()}?set={shared.pk}").context["form"]["who"].value() == "Everybodys"
    for value_set in (shared, private):
        for name in ("value_set", "delete_value_set"):
            assert client.post(url(name, template.pk, value_set.pk), TYPED).status_code == 404
    assert ValueSet.objects.count() == 3


def test_what_is_private_stands_in_no_history_but_ones_own(
    client: Client, ines: User, template: PromptTemplate
) -> None:
    for user, name, is_shared in ((UserFactory(), "Hidden", False), (UserFactory(), "Open", True)):
        services.save_value_set(template, user=user, name=name, values={}, is_shared=is_shared)
    told = AuditLog.objects.about(template.pk).filter(content_type__model="valueset")
    assert [each.changes["name"][1] for each in told] == ["Open"]


def test_deleting_a_set(client: Client, ines: User, template: PromptTemplate) -> None:
    value_set = ValueSetFactory(template=template, user=ines, name="Old")
    response = client.post(url("delete_value_set", template.pk, value_set.pk), follow=True)
    assert (ValueSet.objects.count(), "The set “Old” is deleted." in response.content.decode()) == (0, True)


def test_the_lists_cost_the_same_with_ten_sets_and_with_thirty(
    client: Client, ines: User, template: PromptTemplate, django_assert_max_num_queries: Any
) -> None:
    counts = []
    for total in (10, 30):
        for number in range(ValueSet.objects.count(), total):
            ValueSetFactory(
                template=template, user=ines if number % 2 else UserFactory(), name=f"S{number}", is_shared=True
            )
        queries = []
        for address in (template.get_absolute_url(), url("value_sets", template.pk)):
            with django_assert_max_num_queries(14) as counted:
                client.get(address)
            queries.append(len(counted))
        counts.append(queries)
    assert counts[0] == counts[1]
    first = client.get(url("value_sets", template.pk)).context["listed"]
    assert (len(first), first.has_next) == (30, False)
