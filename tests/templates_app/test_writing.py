"""Writing templates: nothing typed is ever lost, a changed text is a new version, a stale edit shows both."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import User
from templates_app.models import Category, PromptTemplate
from tests.factories import GrantFactory, TemplateFactory, UserFactory

pytestmark = pytest.mark.django_db
NEW = "/templates/new/"

FIELDS: dict[str, Any] = {
    "revision": "0",
    "title": "Reply to a ticket",
    "summary": "Drafts an answer.\r\nReady to send.",
    "category": "",
    "tags": "Customers, #e-mail , customers,,",
    "language": "en",
    "visibility": "shared",
    "status": "draft",
    "system_prompt": "",
    "body": "Answer {{ ticket }}\r\nin {{ max_words }} words. \r\n",
    "temperature": "0.3",
    "max_tokens": "700",
    "change_note": "From the sheet",
}


def row(place: int, name: str, **values: object) -> dict[str, object]:
    return {f"variables-{place}-{key}": value for key, value in {"name": name, "type": "text", **values}.items()}


@pytest.fixture
def ines(client: Client) -> User:
    user = UserFactory(handle="ines")
    client.force_login(user)
    return user


def edit_url(template: PromptTemplate, name: str = "edit") -> str:
    return reverse(f"templates_app:{name}", args=[template.pk])


def fields_of(response: HttpResponse) -> dict[str, Any]:
    form = response.context["form"]
    return {field.name: field.value() for field in form}


# ---- a new one -----------------------------------------------------------------


def test_create_saves_everything_as_the_first_version(client: Client, ines: User) -> None:
    category = Category.objects.get(slug="support")
    limits = row(0, "max_words", type="integer", label="Words", min="40", max="400", default="180")
    response = client.post(NEW, {**FIELDS, **limits, "category": category.pk})
    template = PromptTemplate.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/templates/{template.pk}/")
    version = template.current_version
    assert (template.owner, template.title, template.summary) == (
        ines,
        "Reply to a ticket",
        "Drafts an answer. Ready to send.",
    )
    assert (template.category, template.language, template.visibility, template.status) == (
        category,
        "en",
        "shared",
        "draft",
    )
    assert sorted(template.tags.values_list("name", flat=True)) == ["Customers", "e-mail"]
    assert (version.number, version.body) == (1, "Answer {{ ticket }}\nin {{ max_words }} words. \n")
    assert (version.parameters, version.change_note) == ({"temperature": 0.3, "max_tokens": 700}, "From the sheet")
    assert version.variables == [
        {"name": "ticket", "type": "long_text", "label": "Ticket", "required": True},
        {"name": "max_words", "type": "integer", "label": "Words", "default": 180, "min": 40, "max": 400},
    ]


def test_the_title_can_come_with_the_address(client: Client, ines: User) -> None:
    assert fields_of(client.get(f"{NEW}?title=Warranty"))["title"] == "Warranty"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"title": ""}, "This field is required."),
        ({"body": " \r\n "}, "This field is required."),
        ({"temperature": "3"}, "less than or equal to 2"),
        ({"language": "English!"}, "Enter a language code such as en or pt-BR."),
        ({"tags": ",".join(f"t{n}" for n in range(21))}, "Give 20 tags at most."),
        ({"visibility": "everyone"}, "Select a valid choice."),
        ({"category": "nonsense"}, "is not a valid UUID"),
        (row(0, "max_words", type="integer", default="many"), "The default does not fit."),
        (row(0, "max_words", type="integer", min="9", max="3"), "The smallest value is larger than the largest."),
        (row(0, "ticket", type="choice"), "A choice needs"),
        (row(0, "ticket", pattern="("), "The pattern is not a regular expression"),
        (row(0, "ticket", type="odd"), "Select a valid choice."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    client: Client, ines: User, wrong: dict[str, Any], message: str
) -> None:
    posted = {**FIELDS, **wrong}
    response = client.post(NEW, posted)
    assert (response.status_code, PromptTemplate.objects.count()) == (422, 0)
    assert message in response.content.decode()
    assert "Everything you typed is still here" in response.content.decode()
    shown = fields_of(response)
    assert {name: shown[name] for name in FIELDS} == {name: posted[name] for name in FIELDS}
    for name, value in wrong.items():
        if name.startswith("variables-"):
            [form] = [each for each in response.context["form"].contract if each.prefix == "variables-0"]
            assert form[name.rpartition("-")[2]].value() == value


def test_find_variables_draws_a_row_for_each_name_and_saves_nothing(client: Client, ines: User) -> None:
    data = {**FIELDS, **row(4, "max_words", type="integer", help="Mine"), **row(7, "gone", label="Old")}
    for headers in ({}, {"HX-Request": "true"}):
        response = client.post(f"{NEW}variables/", data, headers=headers)
        rows = [(each.variable_name, each.prefix, each.is_used) for each in response.context["form"].contract]
        assert rows == [
            ("ticket", "variables-8", True),
            ("max_words", "variables-4", True),
            ("gone", "variables-7", False),
        ]
        content = response.content.decode()
        assert ("<html" in content) is not bool(headers)
        assert ('value="Mine"' in content, 'value="Old"' in content) == (True, True)
    assert PromptTemplate.objects.count() == 0


# ---- an edit -------------------------------------------------------------------


def posted_from(client: Client, template: PromptTemplate, **changes: object) -> dict[str, Any]:
    """What a browser would send after opening the edit page and changing something."""
    response = client.get(edit_url(template))
    form = response.context["form"]
    data = {field.html_name: field.value() for field in form}
    data["examples-count"] = str(len(form.examples))
    for each in (*form.contract, *form.examples):
        data |= {field.html_name: field.value() for field in each}
    data = {name: value for name, value in data.items() if value is not None and value is not False}
    return {name: "on" if value is True else value for name, value in data.items()} | changes


def test_saving_unchanged_changes_nothing(client: Client, ines: User) -> None:
    variables = [
        {"name": "tone", "type": "choice", "options": ["warm", "cold"], "default": "warm", "label": "Tone"},
        {"name": "all", "type": "choices", "options": ["a, b", "c"], "default": ["a, b", "c"], "label": "All"},
        {"name": "n", "type": "number", "default": 0.5, "min": 0, "max": 1.5, "label": "N", "required": True},
        {"name": "yes", "type": "boolean", "default": False, "label": "Yes"},
        {"name": "data", "type": "json", "default": {"a": [1]}, "label": "Data"},
        {"name": "text", "type": "long_text", "default": "One\n\ntwo ", "label": "Text", "min_length": 2},
        {"name": "no_label", "type": "text"},
    ]
    body = " ".join(f"{{{{ {each['name']} }}}}" for each in variables)
    template = TemplateFactory(
        owner=ines, body=body, variables=variables, tags=["a", "b"], parameters={"temperature": 1, "model": "m"}
    )
    response = client.post(edit_url(template), posted_from(client, template))
    template.refresh_from_db()
    assert (response.status_code, template.revision, template.version_count) == (302, 0, 1)


def test_a_changed_text_is_the_next_version_and_keeps_other_parameters(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, body="Old {{ a }}", parameters={"model": "m", "temperature": 1})
    data = posted_from(client, template, body="New {{ a }}", temperature="", max_tokens="5", change_note="Why")
    response = client.post(edit_url(template), data, follow=True)
    template.refresh_from_db()
    version = template.current_version
    assert (version.number, version.body, version.author, version.change_note) == (2, "New {{ a }}", ines, "Why")
    assert version.parameters == {"model": "m", "max_tokens": 5}
    assert (template.revision, template.versions.get(number=1).body) == (1, "Old {{ a }}")
    assert "Saved as version 2." in response.content.decode()


def test_a_changed_title_makes_no_version(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines)
    response = client.post(edit_url(template), posted_from(client, template, title="Better"), follow=True)
    template.refresh_from_db()
    assert (template.title, template.version_count, template.revision) == ("Better", 1, 1)
    assert "The text is still version 1." in response.content.decode()


def test_an_editor_edits_but_does_not_decide_who_sees_it(client: Client, ines: User) -> None:
    template = GrantFactory(user=ines, role="editor").template
    data = posted_from(client, template, body="Theirs {{ topic }}")
    assert ("visibility" in data, "status" in data) == (False, False)
    client.post(edit_url(template), {**data, "visibility": "public", "status": "draft"})
    template.refresh_from_db()
    assert (template.current_version.author, template.current_version.number) == (ines, 2)
    assert (template.visibility, template.status) == ("shared", "published")


def test_an_archived_template_stays_archived(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, status="archived")
    client.post(edit_url(template), {**posted_from(client, template, title="Still"), "status": "published"})
    template.refresh_from_db()
    assert (template.title, template.status) == ("Still", "archived")


def test_the_longest_text_of_any_script_comes_back_whole(client: Client, ines: User) -> None:
    body = "第一行 \U0001f642 {{ 顧客名 }}\n\n  <b>&amp;</b>\t" * 6000 + "end \n"
    client.post(NEW, {**FIELDS, "body": body.replace("\n", "\r\n")})
    template = PromptTemplate.objects.get()
    assert template.current_version.body == body
    assert client.get(edit_url(template)).context["form"]["body"].value() == body
