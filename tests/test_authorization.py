"""Who is answered what at every address of promptlib, and that nobody reads there what is not theirs to see."""

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.db import connection, transaction
from django.http.response import HttpResponse, HttpResponseBase
from django.test import TransactionTestCase
from django.urls import reverse

from templates_app.models import PromptTemplate
from tests.routes import ROUTES, every_route
from tests.world import PEOPLE, World, make_world, nowhere

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
VISITORS = {
    *("templates_app:list", "templates_app:detail", "templates_app:version", "templates_app:versions"),
    *("templates_app:choose_versions", "templates_app:compare", "templates_app:forks"),
    "templates_app:reviews",
}
COMMENTERS_DO = {"conversations:remark"}
THE_VIEWER_S_OWN = {
    *("templates_app:withdraw", "templates_app:unarchive", "templates_app:withdraw_suggestion"),
    *(f"templates_app:edit_suggestion{step}" for step in ("", "_variables", "_examples", "_preview")),
    "templates_app:report_rating",
}
WRITES = re.compile(r'\s*(INSERT INTO|UPDATE|DELETE FROM|REPLACE INTO)\s+[`"]?(?!django_session)\w+', re.IGNORECASE)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """One world for all: committed, as full-text search wants it, and given back at the end."""
    with django_db_blocker.unblock():
        try:
            yield make_world()
        finally:
            TransactionTestCase._fixture_teardown(None)  # type: ignore[arg-type]  # see tests/plugins/database.py


@contextmanager
def undone() -> Iterator[list[str]]:
    """What happens inside is undone; yields the statements that wrote."""
    written: list[str] = []

    def note(execute: Any, sql: str, *args: Any) -> Any:
        if WRITES.match(sql):
            written.append(sql[:200])
        return execute(sql, *args)

    cache.clear()
    with transaction.atomic():
        with connection.execute_wrapper(note):
            yield written
        transaction.set_rollback(True)


def outcome(response: HttpResponseBase, url: str) -> str:
    location = urlsplit(response.headers.get("Location", ""))
    if location.path == reverse("account_login") and parse_qs(location.query).get("next") == [url]:
        return "door"
    if location.path == reverse("account_reauthenticate"):
        return "again"
    return str(response.status_code)


def text(response: HttpResponseBase) -> str:
    """All that is sent, headers included, in small letters."""
    body = b"".join(response) if response.streaming else response.content
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            body = b"\n".join(archive.read(name) for name in archive.namelist())
    return f"{dict(response.headers)}\n{response.cookies}\n{body.decode()}".lower()


class Visit:
    """One request of one person to an address, undone at its end."""

    def __init__(self, world: World, name: str, method: str, person: str, **options: Any) -> None:
        route = ROUTES[name]
        url = route.url(name, world)
        data = route.posted(world) if method == "post" else None
        with undone() as self.written:
            response = getattr(world.client(person), method)(url, data, **options)
            self.text = text(response)
        self.outcome = outcome(response, url)
        told = {route.tells} | (set(world.secrets) if route.open_to_staff and person == "staff" else set())
        self.leaks = {
            word
            for word, readers in world.secrets.items()
            if person not in readers and word not in told and word.lower() in self.text
        }


def test_every_address_has_a_row() -> None:
    assert {name.partition(" ")[0] for name in ROUTES} | {"admin:"} == set(every_route())


@pytest.mark.parametrize("name", ROUTES)
def test_who_is_answered_what(world: World, name: str) -> None:
    route = ROUTES[name]
    gets = {person: Visit(world, name, "get", person) for person in PEOPLE}
    posts = {person: Visit(world, name, "post", person) for person in PEOPLE}
    answers = [" ".join(visit.outcome for visit in visits.values()) for visits in (gets, posts)]
    assert answers == [route.get, route.post]
    leaks = {f"{person}: {word}" for visits in (gets, posts) for person in PEOPLE for word in visits[person].leaks}
    assert leaks == set()
    written = {person: visit.written for person, visit in gets.items() if visit.written and not route.get_writes}
    looks = written.pop("staff", []) if route.staff_look else ["INSERT INTO audit_logs"]
    assert (written, ["audit_logs" in sql for sql in looks]) == ({}, [True])
    readers = {person for person in world.secrets.get(route.shows, PEOPLE) if person in PEOPLE}
    shown = {person for person in readers if gets[person].outcome == "200"} if route.shows else set()
    assert {person for person in shown if route.shows.lower() not in gets[person].text} == set()
    assert shown or not route.shows


@pytest.mark.sqlite_only
@pytest.mark.parametrize("name", ROUTES)
def test_a_fragment_is_answered_as_the_page_and_a_commenter_as_a_viewer(world: World, name: str) -> None:
    route = ROUTES[name]
    columns = dict(zip(PEOPLE, route.get.split(), strict=True))
    fragments = {person: Visit(world, name, "get", person, headers=HTMX) for person in ("viewer", "outsider")}
    for person, visit in fragments.items():
        assert (visit.leaks, route.get_writes or visit.written) == (set(), route.get_writes or [])
        assert visit.outcome == columns[person] or (name, visit.outcome) == ("conversations:prompt", "200")
    if columns["anonymous"] == "door":
        assert "hx-redirect" in Visit(world, name, "get", "anonymous", headers=HTMX).text
    commenter = [Visit(world, name, method, "commenter") for method in ("get", "post")]
    viewer_or_outsider = [dict(zip(PEOPLE, row.split(), strict=True)) for row in (route.get, route.post)]
    kind = "outsider" if name in THE_VIEWER_S_OWN else "editor" if name in COMMENTERS_DO else "viewer"
    assert [visit.outcome for visit in commenter] == [row[kind] for row in viewer_or_outsider]
    assert [visit.leaks for visit in commenter] == [set(), set()]


@pytest.mark.parametrize("name", ROUTES)
def test_what_a_public_library_opens_to_visitors(world: World, settings: Any, name: str) -> None:
    settings.PUBLIC_LIBRARY = True
    route = ROUTES[name]
    visits = [Visit(world, name, method, "anonymous") for method in ("get", "post")]
    fragment = Visit(world, name, "get", "anonymous", headers=HTMX)
    told = {"Larkmeadow"} if route.visitor else set()
    assert [visit.outcome for visit in visits] == [route.visitor or route.get.split()[0], route.post.split()[0]]
    assert [visit.leaks - told for visit in (*visits, fragment)] == [set(), set(), set()]
    assert route.get_writes or [*visits[0].written, *fragment.written] == []


def test_few_addresses_are_open_to_visitors() -> None:
    """A new row here is a decision."""
    assert {name.partition(" ")[0] for name, route in ROUTES.items() if route.visitor} <= VISITORS


HIDDEN = [name for name, route in ROUTES.items() if route.of and "404" in {route.get[-3:], route.post[-3:]}]


@pytest.mark.parametrize("name", HIDDEN)
def test_what_one_may_not_see_is_answered_like_what_is_not_there(world: World, name: str) -> None:
    route = ROUTES[name]
    urls = [route.url(name, world), reverse(name.partition(" ")[0], kwargs=nowhere(world.args[route.of]))]
    answers = []
    for url in urls:
        with undone():
            responses = [world.client("outsider").get(url), world.client("outsider").post(url, route.posted(world))]
        answers.append([(response.status_code, without_address(response)) for response in responses])
    assert answers[0] == answers[1]


def without_address(response: HttpResponse) -> str:
    """The page without the address that was asked for and what is random in each."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|/keys/\d+|\b\w{64}\b", "", response.content.decode())


@pytest.mark.sqlite_only
def test_no_form_is_taken_from_another_site(world: World) -> None:
    taken = {}
    for name, route in ROUTES.items():
        with undone():
            client = world.client("owner", enforce_csrf_checks=True)
            taken[name] = client.post(route.url(name, world), route.posted(world)).status_code
    assert taken == dict.fromkeys(ROUTES, 403)


ELSEWHERE = "https://elsewhere.example/"
NAMES_OF_THE_NEXT_PAGE = ("next", "url", "to", "back", "return", "redirect", "redirect_to", "undo")


@pytest.mark.sqlite_only
def test_no_address_leads_to_another_site(world: World) -> None:
    """Whatever it is told of where to go next, and wherever one comes from."""
    wanted, led = dict.fromkeys(NAMES_OF_THE_NEXT_PAGE, ELSEWHERE), {}
    for name, route in ROUTES.items():
        url = route.url(name, world)
        address = f"{url}{'&' if '?' in url else '?'}{urlencode(wanted)}"
        for method, row in (("get", route.get), ("post", route.post)):
            answers = dict(zip(PEOPLE, row.split(), strict=True))
            for person in ("owner", "anonymous"):
                if not answers[person].startswith("30"):
                    continue
                with undone():
                    data = {**wanted, **route.posted(world)} if method == "post" else None
                    response = getattr(world.client(person), method)(address, data, headers={"Referer": ELSEWHERE})
                if urlsplit(response.headers.get("Location", "")).netloc not in {"", "testserver"}:
                    led[name] = response.headers["Location"]
    assert led == {}


AGAIN = ("again", "again")
GUARDED = {
    "account_email": ("200", "again"),
    "mfa_add_webauthn": AGAIN,
    "mfa_deactivate_totp": AGAIN,
    "mfa_download_recovery_codes": AGAIN,
    "mfa_edit_webauthn": AGAIN,
    "mfa_generate_recovery_codes": AGAIN,
    "mfa_remove_webauthn": AGAIN,
    "mfa_view_recovery_codes": ("again", "405"),
}


def test_what_guards_the_account_asks_for_the_password_again(world: World) -> None:
    answers: dict[str, tuple[str, ...]] = {}
    with undone():
        client = world.client("owner")
        session = client.session
        del session["account_authentication_methods"]
        session.save()
        for name in GUARDED:
            route = ROUTES[name]
            url = route.url(name, world)
            answers[name] = (outcome(client.get(url), url), outcome(client.post(url, route.posted(world)), url))
    assert answers == GUARDED


def admin_addresses(world: World) -> list[str]:
    lists = [f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry]
    one = reverse("admin:templates_app_prompttemplate_change", args=[world.things["template"].pk])
    return [reverse("admin:index"), *(reverse(f"admin:{name}_changelist") for name in lists), one]


def test_the_admin_is_for_staff(world: World) -> None:
    def asked(person: str, method: str = "get") -> set[str]:
        found = set()
        for url in admin_addresses(world):
            with undone():
                response = getattr(world.client(person), method)(url, follow=True)
                path = [place.partition("?")[0] for place, _status in response.redirect_chain]
                assert person == "staff" or not [word for word in world.secrets if word.lower() in text(response)]
            found.add(" ".join([*path, str(response.status_code)]))
        return found

    login = reverse("admin:login")
    assert asked("anonymous") == {f"{login} {reverse('account_login')} 200"}
    for person in ("owner", "editor", "viewer", "outsider"):
        assert asked(person) == {f"{login} 403"}
    assert asked("staff") == {"200"}


def test_only_staff_can_delete_in_the_admin(world: World) -> None:
    data = {"action": "delete_selected", "_selected_action": [str(world.things["template"].pk)], "post": "yes"}
    left = {}
    for person in PEOPLE:
        with undone():
            world.client(person).post(reverse("admin:templates_app_prompttemplate_changelist"), data)
            left[person] = PromptTemplate.objects.filter(pk=world.things["template"].pk).count()
    assert left == dict.fromkeys(PEOPLE, 1) | {"staff": 0}
