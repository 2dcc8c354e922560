"""Many saves at once by two editors: nothing is lost, numbers have no gaps, and every conflict is shown."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from templates_app import services
from templates_app.models import Draft, PromptTemplate
from tests.factories import GrantFactory, TemplateFactory, UserFactory
from tests.pages import form_fields
from tests.proof import size
from tests.templates_app.test_services import numbers, together
from tests.templates_app.test_writing import edit_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SAVES = size(8, 20)
LINES = [f"This is line {number}." for number in range(SAVES)]


@pytest.fixture
def template() -> PromptTemplate:
    template = TemplateFactory(visibility="shared", body="\n".join(LINES))
    GrantFactory(template=template, user=UserFactory(), role="editor")
    return template


def save_all(template: PromptTemplate, change: Callable[[int, str], str]) -> list[list[Any]]:
    """What each of them was answered: the statuses, and of each 409 the page."""
    editors = [template.owner, template.grants.get().user]
    clients = [Client() for _save in range(SAVES)]
    pages = []
    for place, client in enumerate(clients):
        client.force_login(editors[place % 2])
        pages.append(form_fields(client.get(edit_url(template)), "editor"))

    def save(place: int) -> list[Any]:
        data = pages[place] | {"body": change(place, pages[place]["body"]), "change_note": f"Save {place}"}
        answers = []
        for _attempt in range(3 * SAVES):
            response = clients[place].post(edit_url(template), data)
            answers.append(response)
            if response.status_code != 409:
                break
            data = form_fields(response, "editor")
        return answers

    results = together(SAVES, save)
    assert [each for each in results if isinstance(each, Exception)] == []
    return results


def test_changes_of_different_lines_all_stand_in_the_end(template: PromptTemplate) -> None:
    results = save_all(template, lambda place, body: body.replace(f"line {place}.", f"line {place}, by {place}."))
    assert [answers[-1].status_code for answers in results] == [302] * SAVES
    assert {answer.status_code for answers in results for answer in answers[:-1]} == {409}
    assert sum(len(answers) == 1 for answers in results) == 1  # all began at one revision: one was first
    template.refresh_from_db()
    assert (numbers(template), template.version_count, template.revision) == (
        *(list(range(1, SAVES + 2)), SAVES + 1),
        SAVES,
    )
    assert template.current_version.body == "\n".join(f"This is line {place}, by {place}." for place in range(SAVES))
    notes = template.versions.filter(number__gt=1).values_list("change_note", flat=True)
    assert sorted(notes) == sorted(f"Save {place}" for place in range(SAVES))
    for number in range(2, SAVES + 2):  # each version holds one change more than the one before
        assert template.versions.get(number=number).body.count(", by ") == number - 1


def test_changes_of_one_line_are_each_shown_as_a_conflict_and_each_is_a_version(template: PromptTemplate) -> None:
    results = save_all(template, lambda place, body: body.replace("line 7.", f"line seven, says {place}!"))
    refused = [(place, answer) for place, answers in enumerate(results) for answer in answers[:-1]]
    assert len(refused) >= SAVES - 1
    for place, answer in refused:
        content = answer.content.decode()
        assert answer.status_code == 409
        assert ("You both changed this" in content, 'name="choice-body-0"' in content) == (True, True)
        assert f"line seven, says {place}!" in form_fields(answer, "editor")["body"]
    assert [answers[-1].status_code for answers in results] == [302] * SAVES
    assert numbers(template) == list(range(1, SAVES + 2))
    said = [version.body.split("says ")[1].split("!")[0] for version in template.versions.filter(number__gt=1)]
    assert sorted(map(int, said)) == list(range(SAVES))


@pytest.mark.parametrize("is_new", [True, False])
def test_of_many_keepings_at_once_there_is_one_draft(template: PromptTemplate, is_new: bool) -> None:
    of = None if is_new else template
    data = {"title": ["Half"]}
    kept = together(8, lambda place: services.keep_draft(user=template.owner, template=of, base_revision=0, data=data))
    assert [type(each).__name__ for each in kept] == ["Draft"] * 8
    assert Draft.objects.get().data == data


@pytest.mark.parametrize("name", ["Same", "SAME "])
def test_of_many_sets_of_one_name_at_once_there_is_one(template: PromptTemplate, name: str) -> None:
    owner = template.owner
    kept = together(
        8, lambda place: services.save_value_set(template, user=owner, name=name if place % 2 else "Same", values={})
    )
    assert [type(each).__name__ for each in kept] == ["ValueSet"] * 8
    assert template.value_sets.count() == 1
