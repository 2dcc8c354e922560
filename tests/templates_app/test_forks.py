"""Forks: one's own copy of a version, its place in the tree, and the original's later work merged into it."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from lxml import html

from accounts.models import User
from templates_app import services
from templates_app.lineage import original_of
from templates_app.models import PromptTemplate, TemplateVersion
from tests.factories import CategoryFactory, GrantFactory, TemplateFactory, UserFactory
from tests.templates_app.test_services import numbers, together

pytestmark = pytest.mark.django_db

BODY = "Write a short reply.\nBe kind to {{ who }}.\n\nEnd with a joke."


@pytest.fixture
def original() -> PromptTemplate:
    return TemplateFactory(
        title="Zebrafinch",
        summary="About it.",
        visibility="public",
        body=BODY,
        system_prompt="Be brief.",
        parameters={"temperature": 0.5},
        examples=[{"role": "user", "content": "Hi"}],
        tags=["support", "mail"],
        category=CategoryFactory(name="Support"),
        language="de",
    )


def url(template: PromptTemplate, name: str = "detail", **kwargs: Any) -> str:
    return reverse(f"templates_app:{name}", kwargs={"pk": template.pk, **kwargs})


def edited(template: PromptTemplate, **content: Any) -> TemplateVersion:
    template.refresh_from_db()
    return services.publish_version(template, author=template.owner, base_revision=template.revision, **content)


def forked(template: PromptTemplate, owner: User, title: str = "My own") -> PromptTemplate:
    template.refresh_from_db()
    return services.fork_template(template.current_version, owner=owner, title=title)


# ---- forking -------------------------------------------------------------------


def test_a_fork_is_a_private_template_with_the_versions_content(
    client: Client, ines: User, original: PromptTemplate
) -> None:
    edited(original, body="Newer {{ who }}")
    response = client.post(url(original, "fork"), {"title": " My  own ", "version": "1"})
    fork = PromptTemplate.objects.get(owner=ines)
    first = original.versions.get(number=1)
    assert response["Location"] == url(fork)
    assert (fork.title, fork.visibility, fork.category, fork.language) == ("My own", "private", original.category, "de")
    assert (fork.forked_from, fork.upstream.base, fork.current_version.content) == (first, first, first.content)
    assert (fork.summary, sorted(fork.tags.values_list("slug", flat=True))) == ("About it.", ["mail", "support"])
    assert original.forks_counted.fork_count == 1


def test_a_version_that_is_not_there_is_not_forked(client: Client, ines: User, original: PromptTemplate) -> None:
    response = client.post(url(original, "fork"), {"title": "Kept as typed", "version": "7"})
    assert (response.status_code, "Kept as typed" in response.content.decode()) == (422, True)
    assert client.post(url(original, "fork"), {}).status_code == 422
    hidden = TemplateFactory()
    assert client.post(url(hidden, "fork"), {"title": "Mine", "version": "1"}).status_code == 404
    assert not PromptTemplate.objects.filter(owner=ines).exists()


@pytest.mark.django_db(transaction=True)
def test_twenty_clicks_on_fork_are_one_fork() -> None:
    original, person = TemplateFactory(visibility="public"), UserFactory()
    forks = together(20, lambda _place: services.fork_template(original.current_version, owner=person, title="Mine"))
    assert {getattr(fork, "pk", fork) for fork in forks} == {PromptTemplate.objects.get(owner=person).pk}
    assert services.fork_template(original.current_version, owner=person, title="Another").pk != forks[0].pk


# ---- the tree ------------------------------------------------------------------


def test_the_tree_names_what_one_may_see_and_counts_the_rest(
    client: Client, ines: User, original: PromptTemplate
) -> None:
    root = TemplateFactory(title="Hushpocket")
    PromptTemplate.objects.filter(pk=original.pk).update(forked_from=root.current_version)
    mine = forked(original, ines, "Mine of it")
    hidden = forked(original, UserFactory(), "Mufflecap")
    grandchild = forked(hidden, UserFactory(), "Visible grandchild")
    PromptTemplate.objects.filter(pk=grandchild.pk).update(visibility="public")
    forked(original, UserFactory(), "Grimwillow")
    forked(mine, UserFactory(), "Ashbonnet")
    forked(original, UserFactory(), "In the trash").delete()
    content = client.get(url(original, "forks")).content.decode()
    tree = html.fromstring(content).cssselect(".lineage")[0]
    assert [each.text_content() for each in tree.cssselect(".lineage__name")] == [
        "Zebrafinch",
        "Visible grandchild",
        "Mine of it",
    ]
    words = [" ".join(each.text_content().split()) for each in tree.cssselect("span.muted:not(.small)")]
    assert words == [
        "a template you may not see",
        "a template you may not see",
        "1 fork that you may not see",
        "1 fork that you may not see",
    ]
    assert not re.search("Hushpocket|Mufflecap|Grimwillow|Ashbonnet|In the trash", content)
    below = client.get(url(mine, "forks")).content.decode()
    assert "Zebrafinch" in below
    assert "Hushpocket" not in below


def test_the_tree_takes_as_many_queries_for_many_forks_as_for_few(
    client: Client, ines: User, original: PromptTemplate, django_assert_max_num_queries: Any
) -> None:
    first = forked(original, ines, "First")
    for n in range(35):
        forked(first if n % 2 else original, ines, f"Fork {n}")
    client.get(url(original, "forks"))
    with django_assert_max_num_queries(11):
        page = client.get(url(original, "forks"))
    for n in range(40):
        forked(original, ines, f"More {n}")
    with django_assert_max_num_queries(11):
        page = client.get(url(original, "forks"))
    seen = len(html.fromstring(page.content.decode()).cssselect(".lineage__item"))
    while page.context["lineage"].page.has_next:
        with django_assert_max_num_queries(12):
            page = client.get(f"{url(original, 'forks')}?cursor={page.context['lineage'].page.next_cursor}")
        seen += len(html.fromstring(page.content.decode()).cssselect(".lineage__item")) - 1
    assert seen == 1 + 1 + 35 + 40


# ---- keeping up ----------------------------------------------------------------


def test_a_clean_merge_takes_what_the_original_changed_and_keeps_ones_own(
    client: Client, ines: User, original: PromptTemplate
) -> None:
    fork = forked(original, ines)
    assert "The original moved" not in client.get(url(fork)).content.decode()
    edited(fork, body=BODY.replace("a joke", "a question"))
    edited(original, body=BODY.replace("short", "long"))
    theirs = edited(original, body=BODY.replace("short", "tiny"), parameters={"temperature": 0.1})
    page = client.get(url(fork)).content.decode()
    assert "The original moved 2 versions" in page
    preview = client.get(url(fork, "upstream"))
    fork.refresh_from_db()
    assert preview.context["merge"].is_clean
    response = client.post(url(fork, "upstream"), {"revision": fork.revision, "version": theirs.number})
    fork.refresh_from_db()
    merged = BODY.replace("a joke", "a question").replace("short", "tiny")
    assert (response["Location"], fork.current_version.number, fork.current_version.body) == (url(fork), 3, merged)
    assert (fork.current_version.parameters, fork.upstream.base) == ({"temperature": 0.1}, theirs)
    assert "The original moved" not in client.get(url(fork)).content.decode()
    assert client.post(url(fork, "upstream"), {"revision": fork.revision, "version": theirs.number}).status_code == 302
    assert numbers(fork) == [1, 2, 3]


def test_a_conflict_is_decided_by_mine_theirs_both_or_ones_own_words(
    client: Client, ines: User, original: PromptTemplate
) -> None:
    fork = forked(original, ines)
    edited(fork, body=BODY.replace("short", "long"))
    edited(original, body=BODY.replace("short", "tiny"))
    tree = html.fromstring(client.get(url(fork, "upstream")).content.decode())
    radios = [each.get("value") for each in tree.cssselect('[name="choice-body-0"]')]
    assert radios == ["mine", "theirs", "both", "own"]
    fork.refresh_from_db()
    data = {"revision": str(fork.revision), "version": "2"}
    undecided = client.post(url(fork, "upstream"), data)
    assert (undecided.status_code, numbers(fork)) == (422, [1, 2])
    results = {}
    for choice in radios:
        posted = {**data, "choice-body-0": choice, "text-body-0": "Write a sonnet."}
        shown = client.post(url(fork, "preview_upstream"), posted)
        assert (shown.status_code, numbers(fork)) == (200, [1, 2])
        results[choice] = shown.context["merge"].content["body"].partition("\nBe kind")[0]
    assert results == {
        "mine": "Write a long reply.",
        "theirs": "Write a tiny reply.",
        "both": "Write a long reply.\nWrite a tiny reply.",
        "own": "Write a sonnet.",
    }
    client.post(url(fork, "upstream"), {**data, "choice-body-0": "own", "text-body-0": "Write a {{ form }}."})
    fork.refresh_from_db()
    assert fork.current_version.body == BODY.replace("Write a short reply.", "Write a {{ form }}.")
    assert [each["name"] for each in fork.current_version.variables] == ["form", "who"]


def test_somebody_saving_the_fork_meanwhile_loses_nothing(client: Client, ines: User, original: PromptTemplate) -> None:
    fork = forked(original, ines)
    edited(fork, body=BODY.replace("short", "long"))
    edited(original, body=BODY.replace("short", "tiny"))
    stale = {
        "revision": str(fork.revision - 1),
        "version": "2",
        "choice-body-0": "own",
        "text-body-0": "Kept as typed.",
    }
    response = client.post(url(fork, "upstream"), stale)
    assert (response.status_code, numbers(fork)) == (409, [1, 2])
    shown = html.fromstring(response.content.decode())
    assert shown.cssselect('[name="text-body-0"]')[0].text.strip() == "Kept as typed."
    assert shown.cssselect('[name="choice-body-0"][checked]')[0].get("value") == "own"
    assert shown.cssselect('[name="revision"]')[0].get("value") == str(fork.revision)


@pytest.mark.django_db(transaction=True)
def test_twenty_merges_at_once_are_one_version() -> None:
    original = TemplateFactory(visibility="public", body=BODY)
    fork = services.fork_template(original.current_version, owner=UserFactory(), title="Mine")
    theirs = edited(original, body=BODY.replace("short", "tiny"))

    def merge(_place: int) -> TemplateVersion:
        mine = PromptTemplate.objects.get(pk=fork.pk)
        return services.merge_upstream(mine, by=fork.owner, base_revision=0, theirs=theirs)

    results = [type(each).__name__ for each in together(20, merge)]
    assert (results.count("TemplateVersion"), set(results)) == (1, {"TemplateVersion", "NotThatFar"})
    assert (numbers(fork), PromptTemplate.objects.get(pk=fork.pk).upstream.base) == ([1, 2], theirs)


def test_a_fork_that_was_brought_in_follows_from_where_it_was_forked(
    client: Client, ines: User, original: PromptTemplate
) -> None:
    fork = TemplateFactory(owner=ines, body=BODY, forked_from=original.current_version)
    edited(original, body=BODY.replace("short", "long"))
    assert "The original moved 1 version" in client.get(url(fork)).content.decode()
    client.post(url(fork, "upstream"), {"revision": "0", "version": "2"})
    fork.refresh_from_db()
    assert (fork.current_version.body, fork.upstream.base.number) == (BODY.replace("short", "long"), 2)
    edited(original, body=BODY.replace("short", "tiny"))
    fork.upstream.delete()
    client.post(url(fork, "ignore_upstream"), {"version": "3"})
    assert "The original moved" not in client.get(url(fork)).content.decode()


def test_what_is_ignored_is_no_news_until_the_original_moves_again(
    client: Client, ines: User, original: PromptTemplate
) -> None:
    fork = forked(original, ines)
    edited(original, body="Two {{ who }}")
    assert client.post(url(fork, "ignore_upstream"), {"version": "2"}).status_code == 302
    assert "The original moved" not in client.get(url(fork)).content.decode()
    edited(original, body="Three {{ who }}")
    assert "The original moved 2 versions" in client.get(url(fork)).content.decode()


def test_nothing_leaks_of_an_original_that_the_owner_may_no_longer_see(
    client: Client, ines: User, original: PromptTemplate
) -> None:
    fork = forked(original, ines)
    for n in range(40):
        edited(original, body=f"Version of Larkspur {n}")
    PromptTemplate.objects.filter(pk=original.pk).update(visibility="private")
    answers = [
        client.get(url(fork, "upstream")).status_code,
        client.post(url(fork, "upstream"), {"revision": "0", "version": "2"}).status_code,
        client.post(url(fork, "preview_upstream"), {"version": "2"}).status_code,
        client.post(url(fork, "ignore_upstream"), {"version": "2"}).status_code,
    ]
    assert (answers, numbers(fork)) == ([404] * 4, [1])
    for name in ("detail", "versions", "forks", "labels", "edit", "history"):
        content = client.get(url(fork, name)).content.decode()
        assert not re.search(r"Zebrafinch|Larkspur|The original moved", content), name
        words = html.fromstring(content).cssselect("main")[0].text_content().split()
        assert not {"40", "41", "v40", "v41"} & set(words), name


def test_an_editor_of_the_fork_hears_of_the_original_only_if_the_owner_may(
    client: Client, ines: User, original: PromptTemplate
) -> None:
    owner = UserFactory()
    fork = forked(original, owner)
    PromptTemplate.objects.filter(pk=fork.pk).update(visibility="shared")
    GrantFactory(template=fork, user=ines, role="editor")
    edited(original, body="Two {{ who }}")
    assert "The original moved 1 version" in client.get(url(fork)).content.decode()
    PromptTemplate.objects.filter(pk=original.pk).update(visibility="shared")
    GrantFactory(template=original, user=ines)
    assert "The original moved" not in client.get(url(fork)).content.decode()
    assert client.get(url(fork, "upstream")).status_code == 404
    fork.refresh_from_db()
    assert original_of(fork, ines) is None
