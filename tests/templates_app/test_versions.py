"""All versions of a template, two of them compared, and an old one restored."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from lxml import html

from accounts.models import User
from templates_app import services
from templates_app.measures import Measure, add_p95, measures
from templates_app.models import PromptTemplate, TemplateVersion
from tests.factories import GrantFactory, LabelFactory, PromptFactory, RatingFactory, TemplateFactory
from tests.templates_app.test_services import numbers, together

pytestmark = pytest.mark.django_db


def url(template: PromptTemplate, name: str, **kwargs: Any) -> str:
    return reverse(f"templates_app:{name}", kwargs={"pk": template.pk, **kwargs})


def compare_url(template: PromptTemplate, old: int, new: int) -> str:
    return url(template, "compare", old=old, new=new)


def edited(template: PromptTemplate, **content: Any) -> TemplateVersion:
    template.refresh_from_db()
    return services.publish_version(template, author=template.owner, base_revision=template.revision, **content)


# ---- the list ------------------------------------------------------------------


def test_the_list_shows_what_each_version_is_and_how_it_did(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, versions=2, change_note="Says <b>why</b>")
    LabelFactory(version=template.current_version, is_protected=True)
    RatingFactory(version=template.current_version, template=template, score=4)
    for status in ("completed", "failed"):
        PromptFactory(template_version=template.current_version, status=status, latency_ms=2100)
    content = client.get(url(template, "versions")).content.decode()
    rows = html.fromstring(content).cssselect("tbody tr")
    assert [" ".join(row.cssselect(".versions__name")[0].text_content().split()) for row in rows] == ["v2", "v1"]
    cells = [" ".join(cell.text_content().split()) for cell in rows[0].cssselect("td.number")]
    assert cells == ["4.0 (1)", "2", "50 %", "€0.004", "2.1 s"]
    what = rows[0].cssselect(".versions__what")[0].text_content()
    assert [word in what for word in ("production", "Says <b>why</b>", "Ines Okafor")] == [True] * 3
    assert [" ".join(cell.text_content().split()) for cell in rows[1].cssselect("td.number")] == [""] * 5


def test_the_list_goes_on_and_takes_as_many_queries_for_all(
    client: Client, ines: User, django_assert_num_queries: Any
) -> None:
    template = TemplateFactory(owner=ines, versions=64)
    for version in template.versions.all()[:20]:
        LabelFactory(version=version, name=f"l{version.number}")
    few = TemplateFactory(owner=ines, versions=2)
    LabelFactory(version=few.current_version)
    client.get(url(few, "versions"))
    with django_assert_num_queries(5):
        client.get(url(few, "versions"))
    with django_assert_num_queries(5):
        page = client.get(url(template, "versions"))
    seen = [version.number for version in page.context["versions"].items]
    while page.context["versions"].has_next:
        with django_assert_num_queries(5):
            page = client.get(f"{url(template, 'versions')}?cursor={page.context['versions'].next_cursor}")
        seen += [version.number for version in page.context["versions"].items]
    assert seen == list(range(64, 0, -1))


def test_a_percentile_is_read_where_it_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    template = TemplateFactory(versions=3)
    for version in template.versions.all():
        PromptFactory(template_version=version, latency_ms=1000 * version.number)
    PromptFactory(template_version=template.current_version, latency_ms=9000)
    monkeypatch.setattr("templates_app.measures.MEASURED_RUNS", 1)
    versions = add_p95(list(template.versions.order_by("number")), most=1)
    assert [version.p95_ms for version in versions] == [1000, None, None]


# ---- two compared --------------------------------------------------------------


def test_two_versions_are_compared_by_words_and_fields(client: Client, ines: User) -> None:
    template = TemplateFactory(
        owner=ines,
        body="Use a friendly tone.\nSay why to {{ who }}.",
        variables=[{"name": "who", "type": "text"}],
        parameters={"temperature": 0.7},
    )
    edited(
        template,
        body="Use a warm <b>tone</b>.\nSay why to {{ who }}.\nBe {{ mood }}.",
        variables=[{"name": "who", "type": "text", "label": "Reader"}],
        parameters={"temperature": 0.3},
    )
    page = client.get(compare_url(template, 1, 2))
    tree = html.fromstring(page.content.decode())
    assert tree.cssselect("h1")[0].text_content() == "What changed from v1 to v2"
    diff = tree.cssselect(".diff")[0]
    assert [each.text_content() for each in diff.cssselect("del")] == ["friendly tone"]
    assert [each.text_content() for each in diff.cssselect("ins")] == ["warm <b>tone</b>", "Be {{ mood }}."]
    rows = [
        " ".join(" ".join(cell.text_content() for cell in row).split()) for row in tree.cssselect(".changes tbody tr")
    ]
    assert rows == [
        "who text, no label text, label Reader",
        "mood not there text, label Mood, required",
        "Temperature 0.7 0.3",
    ]
    back = client.get(compare_url(template, 2, 1)).content.decode()
    assert "<ins>friendly tone</ins>" in back
    for view, words in (("sides", 2), ("lines", 0)):
        tree = html.fromstring(client.get(f"{compare_url(template, 1, 2)}?view={view}").content.decode())
        changed = tree.cssselect(".diff__line--change p")
        assert (len(changed), [link.text for link in tree.cssselect(".segmented [aria-current]")]) == (
            words,
            ["Side by side" if view == "sides" else "Raw lines"],
        )
    assert "one and the same version" in client.get(compare_url(template, 2, 2)).content.decode()


def test_the_form_leads_to_the_comparison_and_nothing_else_does(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, versions=3)
    choose = url(template, "choose_versions")
    assert client.get(choose)["Location"] == compare_url(template, 2, 3)
    assert client.get(f"{choose}?from=3&to=1")["Location"] == compare_url(template, 3, 1)
    answers = [client.get(address).status_code for address in (f"{choose}?from=x", compare_url(template, 1, 9))]
    assert answers == [404, 404]
    huge = f"{url(template, 'versions').removesuffix('versions/')}compare/1...{10**30}/"
    assert client.get(huge).status_code == 404


def test_did_it_help() -> None:
    template = TemplateFactory(versions=2)
    old, new = template.versions.order_by("number")
    for version, scores, statuses in ((old, (4, 4), ("completed", "failed")), (new, (5, 4), ("completed",))):
        for score in scores:
            RatingFactory(template=template, version=version, score=score)
        for status in statuses:
            PromptFactory(template_version=version, status=status, latency_ms=2900, cost=Decimal("0.004"))
    versions = add_p95(list(template.versions.order_by("number")), most=2)
    space = "\N{NO-BREAK SPACE}"
    assert measures(*versions) == [
        Measure("Rating", "4.0", "4.5", "new"),
        Measure("Runs", "2", "1", "", is_runs=True),
        Measure("Succeeded", f"50{space}%", f"100{space}%", "new"),
        Measure("Cost a run", "€0.004", "€0.004"),
        Measure("Mean latency", f"2.9{space}s", f"2.9{space}s"),
        Measure("p95 latency", f"2.9{space}s", f"2.9{space}s"),
    ]


def test_a_comparison_takes_as_many_queries_with_many_versions_as_with_few(
    client: Client, ines: User, django_assert_max_num_queries: Any
) -> None:
    template = TemplateFactory(owner=ines, versions=210)
    LabelFactory(version=template.versions.get(number=1))
    client.get(compare_url(template, 1, 2))
    with django_assert_max_num_queries(9):
        page = client.get(compare_url(template, 1, 2)).content.decode()
    options = [each.text for each in html.fromstring(page).cssselect("#from option")]
    assert (len(options), options[0], options[-2:]) == (202, "v210", ["v2", "v1, production"])


# ---- restoring -----------------------------------------------------------------


def test_an_old_version_is_restored_as_a_new_one(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, body="First {{ a }}", parameters={"temperature": 1})
    edited(template, body="Second", parameters={})
    page = client.post(url(template, "restore_version", number=1), follow=True)
    template.refresh_from_db()
    version = template.current_version
    assert (version.number, version.change_note, version.content) == (
        3,
        "Restored v1",
        template.versions.get(number=1).content,
    )
    assert "v1 is restored as v3." in page.content.decode()
    again = client.post(url(template, "restore_version", number=1), follow=True)
    assert (numbers(template), "v3 says what v1 says." in again.content.decode()) == ([1, 2, 3], True)


@pytest.mark.django_db(transaction=True)
def test_restoring_many_times_at_once_makes_one_version() -> None:
    template = TemplateFactory(versions=2)
    old = template.versions.get(number=1)

    def restore(_place: int) -> TemplateVersion:
        return services.restore_version(PromptTemplate.objects.get(pk=template.pk), old, by=template.owner)

    assert {version.number for version in together(20, restore)} == {3}
    assert numbers(template) == [1, 2, 3]


def test_only_an_editor_restores(client: Client, ines: User) -> None:
    template = GrantFactory(user=ines, template__versions=2).template
    restore = url(template, "restore_version", number=1)
    assert client.post(restore).status_code == 404
    pages = [
        client.get(address).content.decode() for address in (url(template, "versions"), compare_url(template, 1, 2))
    ]
    assert [restore in page for page in pages] == [False, False]
    template.grants.update(role="editor")
    pages = [
        client.get(address).content.decode() for address in (url(template, "versions"), compare_url(template, 1, 2))
    ]
    assert [restore in page for page in pages] == [True, True]
    assert client.post(restore).status_code == 302
