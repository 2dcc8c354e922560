"""Two people at one template: the second is shown a merge, decides, and nothing of either is lost."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from templates_app import services
from templates_app.models import Category, PromptTemplate
from tests.factories import TemplateFactory, UserFactory
from tests.templates_app.test_editor import shots
from tests.templates_app.test_writing import edit_url, fields_of, posted_from

pytestmark = pytest.mark.django_db

BODY = "First line.\nSecond {{ a }}.\nThird line.\n"
A = {"name": "a", "type": "text", "label": "A"}


@pytest.fixture
def ines(client: Client) -> User:
    user = UserFactory(handle="ines")
    client.force_login(user)
    return user


@pytest.fixture
def template(ines: User) -> PromptTemplate:
    return TemplateFactory(owner=ines, title="Title", body=BODY, variables=[A], tags=["one"])


def theirs(template: PromptTemplate, **details: Any) -> None:
    template.refresh_from_db()
    content = {name: details.pop(name) for name in ("body", "variables", "parameters", "examples") if name in details}
    services.edit_template(
        template,
        author=UserFactory(display_name="Jonas Weber"),
        base_revision=template.revision,
        details=details,
        content=content,
    )


def again(response: Any, **changes: object) -> dict[str, Any]:
    """What a browser sends from the page that was answered."""
    form = response.context["form"]
    data = {field.html_name: field.value() for field in form} | {"examples-count": "1"}
    for each in (*form.contract, *form.examples):
        data |= {field.html_name: field.value() for field in each}
    data = {name: "on" if value is True else value for name, value in data.items() if value not in (None, False)}
    for conflict in response.context["page"].merge.conflicts if response.context["page"].merge else ():
        data |= {f"choice-{conflict.key}": conflict.chosen, f"text-{conflict.key}": conflict.own}
    return data | changes


def test_what_each_changed_alone_stands_together_and_is_saved_when_it_was_looked_at(
    client: Client, template: PromptTemplate
) -> None:
    shelf = Category.objects.get(slug="support")
    mine = posted_from(client, template, body=BODY.replace("First", "My first"), tags="one, two", temperature="0.5")
    mine |= shots(("user", "Mine"))
    theirs(template, body=BODY.replace("Third", "Their third"), title="Theirs", category=shelf, tags=["one", "three"])
    response = client.post(edit_url(template), mine)
    assert response.status_code == 409
    shown = fields_of(response)
    assert {name: shown[name] for name in ("title", "body", "category", "tags", "temperature", "revision")} == {
        "title": "Theirs",
        "body": "My first line.\nSecond {{ a }}.\nTheir third line.\n",
        "category": str(shelf.pk),
        "tags": "one, two, three",
        "temperature": 0.5,
        "revision": "1",
    }
    content = response.content.decode()
    assert ("Jonas Weber saved version 2" in content, "You changed nothing in the same place" in content) == (
        True,
        True,
    )
    template.refresh_from_db()
    assert (template.version_count, template.title) == (2, "Theirs")
    assert client.post(edit_url(template), again(response)).status_code == 302
    template.refresh_from_db()
    version = template.current_version
    assert (version.number, version.body) == (3, "My first line.\nSecond {{ a }}.\nTheir third line.\n")
    assert (version.examples, version.parameters) == ([{"role": "user", "content": "Mine"}], {"temperature": 0.5})
    assert sorted(template.tags.values_list("name", flat=True)) == ["one", "three", "two"]


MINE, THEIRS = BODY.replace("Second", "My second"), BODY.replace("Second", "Their second")


@pytest.mark.parametrize(
    ("choice", "own", "body"),
    [
        ("mine", "", MINE),
        ("theirs", "", THEIRS),
        ("both", "", BODY.replace("Second {{ a }}.", "My second {{ a }}.\nTheir second {{ a }}.")),
        ("own", "Our second {{ a }}.", BODY.replace("Second", "Our second")),
        ("nonsense", "", MINE),
    ],
)
def test_a_contradiction_is_shown_and_the_choice_is_saved(
    client: Client, template: PromptTemplate, choice: str, own: str, body: str
) -> None:
    mine = posted_from(client, template, body=MINE, title="Mine")
    theirs(template, body=THEIRS, title="Theirs")
    response = client.post(edit_url(template), mine)
    conflicts = response.context["page"].merge.conflicts
    assert [(each.key, each.mine, each.theirs) for each in conflicts] == [
        ("title-0", "Mine", "Theirs"),
        ("body-0", "My second {{ a }}.\n", "Their second {{ a }}.\n"),
    ]
    assert (fields_of(response)["body"], fields_of(response)["title"]) == (MINE, "Mine")
    sent = again(response, **{"choice-body-0": choice, "text-body-0": own, "choice-title-0": "theirs"})
    assert client.post(edit_url(template), sent).status_code == 302
    template.refresh_from_db()
    assert (template.title, template.current_version.body) == ("Theirs", body)
    assert template.versions.get(number=2).body == THEIRS


def test_what_is_typed_over_the_merge_stands_beside_the_choice(client: Client, template: PromptTemplate) -> None:
    mine = posted_from(client, template, body=MINE)
    theirs(template, body=THEIRS)
    response = client.post(edit_url(template), mine)
    typed = again(response, body=MINE.replace("Third", "Very third"), **{"choice-body-0": "theirs"})
    preview = client.post(edit_url(template, "edit_preview"), typed)
    assert fields_of(preview)["body"] == THEIRS.replace("Third", "Very third")
    for sent in (typed, again(preview)):
        client.post(edit_url(template), sent)
    template.refresh_from_db()
    assert (template.version_count, template.current_version.body) == (3, THEIRS.replace("Third", "Very third"))


def test_variables_and_settings_are_decided_one_by_one(client: Client, template: PromptTemplate) -> None:
    mine = posted_from(client, template, temperature="0.5", max_tokens="9")
    mine |= {f"{client.get(edit_url(template)).context['form'].contract.used[0].prefix}-label": "My A"}
    theirs(template, variables=[A | {"label": "Their A", "help": "Theirs"}], parameters={"temperature": 1})
    response = client.post(edit_url(template), mine)
    assert sorted(each.key for each in response.context["page"].merge.conflicts) == [
        "parameters-temperature",
        "variables-a-label",
    ]
    client.post(edit_url(template), again(response, **{"choice-variables-a-label": "theirs"}))
    template.refresh_from_db()
    version = template.current_version
    assert version.variables == [A | {"label": "Their A", "help": "Theirs"}]
    assert version.parameters == {"temperature": 0.5, "max_tokens": 9}


def test_a_merge_that_somebody_overtakes_is_a_merge_again(client: Client, template: PromptTemplate) -> None:
    mine = posted_from(client, template, body=MINE)
    theirs(template, body=THEIRS)
    response = client.post(edit_url(template), mine)
    theirs(template, body=THEIRS.replace("Third", "Overtaking third"))
    second = client.post(edit_url(template), again(response, **{"choice-body-0": "mine"}))
    assert (second.status_code, fields_of(second)["body"]) == (409, MINE.replace("Third", "Overtaking third"))
    assert second.context["page"].merge.conflicts == []


def test_the_same_form_sent_twice_is_saved_once(client: Client, template: PromptTemplate) -> None:
    mine = posted_from(client, template, body=MINE, title="Mine")
    places = [client.post(edit_url(template), mine)["Location"] for _time in range(3)]
    template.refresh_from_db()
    assert (places, template.version_count, template.revision) == ([template.get_absolute_url()] * 3, 2, 1)


@pytest.mark.parametrize("broken", ["", "nonsense", "eyJhIjoxfQ:1abc:def"])
def test_without_a_word_of_where_it_began_everything_that_differs_is_for_the_writer(
    client: Client, template: PromptTemplate, broken: str
) -> None:
    mine = posted_from(client, template, body=MINE, base=broken)
    theirs(template, body=BODY.replace("Third", "Their third"))
    response = client.post(edit_url(template), mine)
    assert (response.status_code, fields_of(response)["body"]) == (409, MINE)
    assert [each.field for each in response.context["page"].merge.conflicts] == ["body"]
    template.refresh_from_db()
    assert template.version_count == 2


def test_a_variable_that_mine_dropped_and_their_text_names_anew_is_what_it_was(
    client: Client, template: PromptTemplate
) -> None:
    mine = posted_from(client, template, body=BODY.replace("{{ a }}", "{{ b }}"))
    theirs(template, examples=[{"role": "user", "content": "Say {{ a }}"}])
    response = client.post(edit_url(template), mine)
    contract = {each.variable_name: each["label"].value() for each in response.context["form"].contract.used}
    assert (response.status_code, contract) == (409, {"b": "B", "a": "A"})


def test_a_merge_that_contradicts_itself_is_told_at_its_field(client: Client, template: PromptTemplate) -> None:
    mine = posted_from(client, template)
    prefix = client.get(edit_url(template)).context["form"].contract.used[0].prefix
    theirs(template, variables=[A | {"default": "many"}])
    response = client.post(edit_url(template), mine | {f"{prefix}-type": "integer"})
    assert response.status_code == 409
    assert client.post(edit_url(template), again(response)).status_code == 422
