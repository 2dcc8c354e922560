"""Actions on a selection: each on what one may change, the rest counted; in one transaction; and one undo."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from django.contrib.messages import get_messages
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import teams
from accounts.models import User
from audit.models import AuditLog
from promptlib.core.templatetags.interface import undo_url
from templates_app import services
from templates_app.models import BulkAction, Grant, PromptTemplate, Tag
from tests.factories import CategoryFactory, GrantFactory, RatingFactory, TeamFactory, TemplateFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines() -> User:
    return UserFactory(handle="ines")


@pytest.fixture
def tomas() -> User:
    return UserFactory(handle="tomas", display_name="Tomas Lind")


@pytest.fixture
def some(ines: User) -> dict[str, PromptTemplate]:
    """own1 and own2 are mine; edited I may change; read I may read; hidden I do not see."""
    made = {name: TemplateFactory(title=name, owner=ines) for name in ("own1", "own2")}
    made["edited"] = GrantFactory(template__title="edited", user=ines, role="editor").template
    made["read"] = TemplateFactory(title="read", visibility="public")
    made["hidden"] = TemplateFactory(title="hidden")
    return made


@pytest.fixture
def act(client: Client, ines: User, some: dict[str, PromptTemplate]) -> Callable[..., HttpResponse]:
    client.force_login(ines)

    def post(action: str, /, *names: str, **data: Any) -> HttpResponse:
        chosen = names or tuple(some)
        return client.post(reverse("templates_app:bulk", args=[action]), {"ids": [some[n].pk for n in chosen], **data})

    return post


def said(response: HttpResponse) -> tuple[str, str]:
    """The toast, and what takes it back."""
    message = list(get_messages(response.wsgi_request))[-1]
    return str(message), undo_url(message)


def state(some: dict[str, PromptTemplate]) -> dict[str, Any]:
    found = {}
    for name, template in some.items():
        now = PromptTemplate.all_objects.get(pk=template.pk)
        tags = sorted(now.tags.values_list("slug", flat=True))
        grants = sorted(Grant.objects.filter(template=now).exclude(user__handle="ines").values_list("role", flat=True))
        found[name] = (now.status, now.visibility, now.category_id, now.is_deleted, tags, grants)
    return found


SKIPPED_2 = "2 skipped: they are not yours to change."
SKIPPED_3 = "3 skipped: they are not yours to change."
DONE: dict[str, tuple[dict[str, Any], str]] = {
    "tag": ({"tags": "Mail, later"}, f"“Mail”, “later” put on 3 templates. {SKIPPED_2}"),
    "untag": ({"tags": "MAIL"}, f"“MAIL” taken off 2 templates. 1 stays as it was. {SKIPPED_2}"),
    "shelve": ({"category": "shelf"}, f"3 templates put on “Desk”. {SKIPPED_2}"),
    "visibility": ({"visibility": "public"}, f"2 templates are public now. {SKIPPED_3}"),
    "share": ({"who": "tomas", "role": "editor"}, f"2 templates shared with Tomas Lind. {SKIPPED_3}"),
    "archive": ({}, f"2 templates are archived. {SKIPPED_3}"),
    "trash": ({}, f"2 templates are in the trash. {SKIPPED_3}"),
}


def prepare(action: str, data: dict[str, Any], some: dict[str, PromptTemplate]) -> dict[str, Any]:
    if action == "untag":
        for name in ("own1", "edited", "read"):
            some[name].tags.add(Tag.objects.get_or_create(slug="mail", defaults={"name": "mail"})[0])
    return {**data, "category": CategoryFactory(name="Desk").pk} if action == "shelve" else data


@pytest.mark.parametrize("action", DONE)
def test_each_is_done_to_what_one_may_change_and_undone(
    client: Client,
    act: Callable[..., HttpResponse],
    some: dict[str, PromptTemplate],
    tomas: User,
    ines: User,
    action: str,
) -> None:
    data, words = DONE[action]
    data = prepare(action, data, some)
    before, revisions = state(some), {name: each.revision for name, each in some.items()}
    audited = set(AuditLog.objects.values_list("pk", flat=True))
    response = act(action, query="scope=mine", **data)
    after = state(some)
    assert (response["Location"], said(response)[0]) == ("/templates/?scope=mine", words)
    right = "editable" if action in {"tag", "untag", "shelve"} else "owned"
    changed = {name for name in some if before[name] != after[name]}
    expected = {"own1", "own2", "edited"} if right == "editable" else {"own1", "own2"}
    assert changed == expected - ({"own2"} if action == "untag" else set())
    rows = AuditLog.objects.exclude(pk__in=audited)
    assert {row.actor_id for row in rows} == {ines.pk}
    told = {row.subject_id for row in rows} - {None}  # a new tag has no history of its own
    assert told == {some[name].pk for name in changed}
    if action != "trash":
        bumped = {n for n, each in some.items() if PromptTemplate.objects.get(pk=each.pk).revision > revisions[n]}
        assert bumped == changed  # an edit page that is open does not put back the old state unseen
    undone = client.post(said(response)[1])
    assert (state(some), undone["Location"]) == (before, "/templates/")
    count = len(changed)
    assert said(undone)[0] == f"{count} templates are as before."


@pytest.mark.parametrize("action", DONE)
def test_an_undo_happens_once(
    client: Client, act: Callable[..., HttpResponse], some: dict[str, PromptTemplate], tomas: User, action: str
) -> None:
    data = prepare(action, DONE[action][0], some)
    undo = said(act(action, **data))[1]
    client.post(undo)
    act(action, **data)
    after = state(some)
    assert said(client.post(undo))[0] == "That was undone already."
    assert state(some) == after


@pytest.mark.parametrize("action", DONE)
def test_what_was_changed_since_is_left_alone_and_said(
    client: Client, act: Callable[..., HttpResponse], some: dict[str, PromptTemplate], tomas: User, action: str
) -> None:
    data = prepare(action, DONE[action][0], some)
    undo = said(act(action, **data))[1]
    template = PromptTemplate.all_objects.get(pk=some["own1"].pk)
    if action == "tag":
        template.tags.clear()
    elif action == "untag":
        template.tags.add(Tag.objects.get(slug="mail"))
    elif action == "share":
        Grant.objects.filter(template=template, user=tomas).update(role="viewer")
    elif action == "trash":
        template.hard_delete()
    else:
        values = {"shelve": {"category": CategoryFactory()}, "visibility": {"visibility": "shared"}}
        PromptTemplate.objects.filter(pk=template.pk).update(**values.get(action, {"status": "draft"}))
    held = state({"own1": some["own1"]}) if action != "trash" else None
    words = said(client.post(undo))[0]
    rest = {"tag": 2, "shelve": 2}.get(action, 1)
    assert words == (
        f"{rest} template{'s are' if rest > 1 else ' is'} as before. 1 was changed since and is left alone."
    )
    assert held is None or state({"own1": some["own1"]}) == held


def test_what_is_so_already_makes_nothing_to_undo(
    act: Callable[..., HttpResponse], some: dict[str, PromptTemplate]
) -> None:
    assert said(act("visibility", "own1", visibility="private")) == ("1 stays as it was.", "")
    assert BulkAction.objects.count() == 0


def test_nothing_ticked_nothing_done(act: Callable[..., HttpResponse], client: Client) -> None:
    for data in ({}, {"ids": ["", "x", "1,2"]}, {"everything": "1", "query": "sort=sideways"}):
        response = client.post(reverse("templates_app:bulk", args=["trash"]), data)
        assert said(response)[0] == "Nothing is selected: tick some templates first."
    assert client.post(reverse("templates_app:bulk", args=["destroy"])).status_code == 404


def test_what_does_not_exist_is_counted_like_what_is_not_mine(
    act: Callable[..., HttpResponse], client: Client, some: dict[str, PromptTemplate]
) -> None:
    counted = []
    for pk in (some["hidden"].pk, uuid4()):
        ids = f"{some['own1'].pk},{pk},{some['own1'].pk}"
        counted.append(
            said(client.post(reverse("templates_app:bulk", args=["visibility"]), {"ids": ids, "visibility": "public"}))[
                0
            ]
        )
        PromptTemplate.objects.update(visibility="private")
    assert counted == ["1 template is public now. 1 skipped: it is not yours to change."] * 2


@pytest.mark.parametrize("action", ["tag", "shelve", "visibility", "share"])
def test_what_an_action_needs_is_asked_for_with_the_selection_kept(
    act: Callable[..., HttpResponse], client: Client, some: dict[str, PromptTemplate], action: str
) -> None:
    response = act(action, query="tag=x")
    html = response.content.decode()
    assert response.status_code == 200
    assert {UUID(pk) for pk in response.context["ids"].split(",")} == {each.pk for each in some.values()}
    skipped = {"tag": 2, "shelve": 2, "visibility": 3, "share": 3}[action]
    assert (response.context["skipped_count"], response.context["titles"]) == (
        skipped,
        ["edited", "own1", "own2", "read"],
    )
    assert 'name="query" value="tag=x"' in html
    assert BulkAction.objects.count() == 0


def test_what_was_typed_wrong_is_kept(act: Callable[..., HttpResponse], some: dict[str, PromptTemplate]) -> None:
    for action, data, field in (
        ("tag", {"tags": " , "}, "tags"),
        ("tag", {"tags": "x" * 90}, "tags"),
        ("shelve", {"category": str(uuid4())}, "category"),
        ("visibility", {"visibility": "all"}, "visibility"),
        ("share", {"who": "nobody", "role": "viewer"}, "who"),
        ("share", {"who": "", "role": "viewer"}, "__all__"),
    ):
        response = act(action, **data)
        form = dict(response.context["forms"])[action]
        assert (response.status_code, list(form.errors)) == (422, [field])
        assert str(some["own1"].pk) in response.context["ids"]
    assert BulkAction.objects.count() == 0


def test_a_template_takes_twenty_tags(act: Callable[..., HttpResponse], some: dict[str, PromptTemplate]) -> None:
    act("tag", "own1", tags=",".join(f"t{n}" for n in range(20)))
    assert said(act("tag", "own1", "own2", tags="more"))[0] == "“more” put on 1 template. 1 stays as it was."
    assert some["own1"].tags.count() == 20


def test_sharing_with_a_team_and_back_to_private(
    act: Callable[..., HttpResponse], client: Client, some: dict[str, PromptTemplate], ines: User, tomas: User
) -> None:
    team = teams.create_team(name="Desk", by=ines)
    GrantFactory(template=some["own2"], user=tomas)  # which keeps it shared after the undo
    undo = said(act("share", "own1", "own2", team=team.pk, role="viewer"))[1]
    assert [state(some)[name][1] for name in ("own1", "own2")] == ["shared", "shared"]
    client.post(undo)
    assert [state(some)[name][1] for name in ("own1", "own2")] == ["private", "shared"]
    assert not Grant.objects.filter(team=team).exists()
    foreign = TeamFactory(members=[tomas])
    assert act("share", "own1", team=foreign.pk, role="viewer").status_code == 422


def test_everything_means_what_the_filters_leave(
    client: Client, act: Callable[..., HttpResponse], some: dict[str, PromptTemplate], monkeypatch: pytest.MonkeyPatch
) -> None:
    response = client.post(
        reverse("templates_app:bulk", args=["tag"]), {"everything": "1", "query": "scope=mine", "tags": "all"}
    )
    assert said(response)[0] == "“all” put on 2 templates."
    monkeypatch.setattr(services, "SELECTION_LIMIT", 1)
    data = {"everything": "1", "query": "scope=mine&sort=newest", "tags": "first"}
    client.post(reverse("templates_app:bulk", args=["tag"]), data)
    assert list(Tag.objects.get(slug="first").templates.all()) == [some["own2"]]


def test_export_leads_on_with_the_selection(
    client: Client, act: Callable[..., HttpResponse], some: dict[str, PromptTemplate]
) -> None:
    url = reverse("templates_app:export_selection")
    ids = [some["own1"].pk, some["read"].pk]
    there = urlsplit(client.post(url, {"ids": ids})["Location"])
    assert there.path == reverse("templates_app:export_all")
    assert [UUID(each) for each in parse_qs(there.query)["ids"][0].split(",")] == ids
    everything = client.post(url, {"everything": "1", "query": "scope=mine&tag=x"})["Location"]
    assert everything == f"{there.path}?scope=mine&tag=x"
    assert client.post(url, {})["Location"] == "/templates/"
    many = client.post(url, {"ids": [uuid4() for _each in range(100)]})["Location"]
    assert len(many) < 4000  # one row fewer than a server reads of an address


def test_an_undo_is_ones_own(
    client: Client, act: Callable[..., HttpResponse], some: dict[str, PromptTemplate], tomas: User
) -> None:
    undo = said(act("archive"))[1]
    after = state(some)
    client.force_login(tomas)
    assert client.post(undo).status_code == 404
    assert (state(some), client.get(undo).status_code) == (after, 405)


def test_an_undo_needs_the_right_still(
    client: Client, act: Callable[..., HttpResponse], some: dict[str, PromptTemplate]
) -> None:
    undo = said(act("tag", "own1", "edited", tags="mail"))[1]
    Grant.objects.all().delete()
    assert said(client.post(undo))[0] == "1 template is as before. 1 was changed since and is left alone."
    assert list(some["edited"].tags.values_list("slug", flat=True)) == ["mail"]


def test_ratings_come_back_with_their_templates(
    client: Client, act: Callable[..., HttpResponse], some: dict[str, PromptTemplate]
) -> None:
    RatingFactory(template=some["own1"], score=5)
    client.post(said(act("trash", "own1", "own2"))[1])
    some["own1"].refresh_from_db()
    assert (some["own1"].rating_count, some["own1"].is_deleted) == (1, False)


def test_a_failure_changes_nothing(
    client: Client, act: Callable[..., HttpResponse], some: dict[str, PromptTemplate], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError

    before = state(some)
    monkeypatch.setattr("templates_app.services.bulk.BulkAction.objects.create", fail)
    client.raise_request_exception = False
    assert act("trash").status_code == 500
    assert state(some) == before


def test_a_thousand_cost_few_queries(client: Client, ines: User) -> None:
    client.force_login(ines)
    counts = []
    for more in (10, 20):
        made = [TemplateFactory(owner=ines) for _each in range(more)]
        with CaptureQueriesContext(connection) as seen:
            client.post(
                reverse("templates_app:bulk", args=["tag"]), {"ids": [each.pk for each in made], "tags": "mail"}
            )
        counts.append(len(seen))
        Tag.objects.all().delete()
    assert counts[0] == counts[1]


def test_visitors_get_no_check_boxes(client: Client, some: dict[str, PromptTemplate], settings: Any) -> None:
    settings.PUBLIC_LIBRARY = True
    cache.clear()
    html = client.get("/templates/").content.decode()
    assert "read" in html
    assert 'name="ids"' not in html


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_undo_once(ines: User) -> None:
    made = [TemplateFactory(owner=ines) for _each in range(3)]
    outcome = services.act_on_many("archive", [each.pk for each in made], by=ines)
    start, results = Barrier(20), []

    def undo() -> None:
        try:
            start.wait()
            results.append(services.undo_many(outcome.action, by=ines))
        finally:
            connection.close()

    threads = [Thread(target=undo) for _each in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((each.is_repeated, each.restored) for each in results) == [(False, 3), *[(True, 0)] * 19]
