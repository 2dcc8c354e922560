"""Every page, in the states people meet it in, as `tests/inspector.py` looks at it.

That is: axe (WCAG 2.2 A and AA, best practice) wide in light and narrow in dark, in a whole proof wide in dark too and
to everybody to whom a page looks different; nothing scrolls sideways at 320 px; no script error, nothing the content
security policy refuses; valid HTML; bounds on bytes and queries. Names, addresses and who may open what come from the
authorization matrix (`tests/routes.py`): a page that has its row there is looked at here. `-s` prints what each page
weighs and costs.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.management import call_command
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.test import Client, TransactionTestCase, override_settings
from django.urls import include, path, reverse
from playwright.sync_api import Browser

from audit.models import AuditLog
from audit.retention import holds
from conversations.models import Conversation
from promptlib.site.demo import plant
from templates_app.models import PromptTemplate
from tests.core.test_static import STORAGES
from tests.inspector import Inspector, Visit
from tests.proof import IS_WHOLE
from tests.routes import ROUTES
from tests.world import PEOPLE, World, make_world

pytestmark = [
    pytest.mark.browser,
    pytest.mark.html_check,
    pytest.mark.slow(seconds=60),
    pytest.mark.sqlite_only,  # the pages are the same on MySQL, and what they cost there is measured by `bench`
    pytest.mark.django_db,
    pytest.mark.urls(__name__),
]

NOT_PAGES = {
    *("conversations:news", "conversations:stream", "conversations:raw", "site:health"),
    *("mfa_download_recovery_codes", "templates_app:rejected_records"),
    *("conversations:export as a file", "conversations:export_all as a file"),
    *("audit:export", "accounts:export_history", "templates_app:export_history", "conversations:export_history"),
    "accounts:download_data",
    *("templates_app:export as a file", "templates_app:export_all as a file"),
}
DIFFERENT_FOR_EVERYBODY = {
    *("site:home", "site:analytics", "audit:history", "audit:trash", "audit:trash_of_everybody", "accounts:person"),
    "accounts:account",
    *("templates_app:list", "conversations:list", "mfa_index", "mfa_list_webauthn"),
}


def fail(request: HttpRequest, code: int) -> HttpResponse:
    if code == 429:
        return render(request, "429.html", status=429)
    if code == 409:
        raise holds.Held("A hold keeps it", set())
    raise {400: BadRequest, 403: PermissionDenied, 500: RuntimeError}[code]


urlpatterns = [path("fail/<int:code>/", fail), path("", include("promptlib.urls"))]


def visits_of_routes(world: World) -> Iterator[Visit]:
    """Whatever answers 200, to the people it looks different to."""
    for name, route in ROUTES.items():
        if {name, name.partition(" ")[0]} & NOT_PAGES:
            continue
        for person, answer in zip(PEOPLE, route.get.split(), strict=True):
            looks_different = person in {"anonymous", "owner"} or (person == "viewer" and bool(route.of))
            if answer == "200" and person != "editor" and (looks_different or name in DIFFERENT_FOR_EVERYBODY):
                yield Visit(name, person, route.url(name, world))


def visits_of_states(world: World) -> Iterator[Visit]:
    """Nothing was found, what was typed does not do, somebody else was quicker, something failed."""
    library, search, create = (reverse(name) for name in ("templates_app:list", "site:search", "templates_app:create"))
    edit, rate, run = (
        world.url(name, "template") for name in ("templates_app:edit", "templates_app:rate", "conversations:runs")
    )
    stale = ROUTES["templates_app:edit"].posted(world) | {"revision": 999, "body": "Quite another {{ text }}."}
    yield Visit("nothing found in the library", "owner", f"{library}?q=xylophone&visibility=public")
    yield from visits_of_sharing_and_order(world)
    yield Visit("a filter that makes no sense", "owner", f"{library}?sort=sideways")
    yield Visit("found in the library", "owner", f"{library}?q=orchard&sort=newest&rating=3&tag=none")
    yield Visit("the trash of an empty kind", "outsider", f"{reverse('audit:trash')}?kind=conversation")
    yield Visit("nothing searched for", "owner", search)
    yield Visit("nothing found anywhere", "owner", f"{search}?q=xylophone")
    yield Visit("no conversation found", "owner", f"{reverse('conversations:list')}?q=xylophone")
    yield Visit("a new template without a text", "owner", create, {"title": ""})
    yield Visit("an edit that is stale", "owner", edit, stale)
    yield Visit("a run without its values", "viewer", run, {"model": "record", "v-orchard": ""})
    yield Visit("a rating without stars", "viewer", rate, {"version": 3})
    accept, refuse, discuss, change = (
        world.url(f"templates_app:{name}_suggestion", "suggestion") for name in ("accept", "reject", "comment", "edit")
    )
    theirs = ROUTES["templates_app:edit_suggestion"].posted(world) | {"seen": "another window"}
    yield Visit(
        "a suggestion that says nothing new", "viewer", world.url("templates_app:suggest", "template"), {"body": ""}
    )
    yield Visit("a suggestion changed in two windows", "viewer", change, theirs)
    yield Visit("a suggestion accepted unseen", "owner", accept, {"number": 1, "seen": "another"})
    yield Visit("a rejection without a reason", "owner", refuse, {"reason": ""})
    yield Visit("an empty comment", "viewer", discuss, {"text": ""})
    yield Visit(
        "suggestions of a kind there is none of",
        "owner",
        f"{world.url('templates_app:suggestions', 'template')}?status=accepted",
    )
    yield Visit(
        "reviews like which there is none", "owner", f"{world.url('templates_app:reviews', 'template')}?stars=1"
    )
    yield Visit(
        "a report without a reason", "owner", world.url("templates_app:report_rating", "public review"), {"reason": ""}
    )
    yield Visit("reports that were decided", "staff", f"{reverse('templates_app:reports')}?state=removed")
    yield Visit("an empty question", "owner", world.url("conversations:ask", "conversation"), {"model": "record"})
    yield Visit(
        "a question edited to nothing", "owner", world.url("conversations:edit", "answered"), {"model": "record"}
    )
    branch = f"?upto={world.things['answered'].pk}"
    yield Visit("a question on a branch", "owner", world.url("conversations:detail", "conversation") + branch)
    yield Visit("an empty answer", "owner", world.url("conversations:record", "waiting"), {"response_text": ""})
    yield from visits_of_links(world)
    yield from visits_of_histories(world)
    yield Visit("a title taken away", "owner", world.url("conversations:rename", "conversation"), {"title": ""})
    yield Visit("a wrong password", "anonymous", reverse("account_login"), {"login": "a@example.org", "password": "no"})
    yield Visit("a sign-up that fails", "anonymous", reverse("account_signup"), {"email": "a", "password1": "b"})
    yield Visit("an erasure of which nothing is decided", "owner", reverse("accounts:close"), {"fate": "erase"})
    yield Visit("an erasure by the only owner", "owner", reverse("accounts:close"), {"fate": "close"})
    yield Visit("a closing without a reason", "staff", world.url("accounts:account", "person"), {"fate": "erase"})
    yield Visit("a profile that fails", "owner", reverse("accounts:profile"), {"handle": "-", "display_name": ""})
    labels, fork = world.url("templates_app:labels", "template"), world.url("templates_app:fork", "template")
    compare = world.url("templates_app:compare", "comparison")
    yield Visit("a label without a name", "owner", labels, {"name": "", "version": 9, "reason": "Why"})
    yield Visit("one's own move approved", "editor", world.url("templates_app:approve_move", "move"), {})
    yield Visit("a fork of no version", "owner", fork, {"title": "", "version": 9})
    yield Visit("a comparison side by side", "owner", f"{compare}?view=sides")
    yield Visit("a comparison of one version", "owner", compare.replace("1...3", "3...3"))
    for person in ("anonymous", "owner"):
        yield Visit("not found", person, "/nothing/here/")
        yield Visit("not allowed", person, "/fail/403/")
    yield Visit("a form without its token", "owner", create, {}, checks_csrf=True)
    yield Visit("what a hold keeps", "owner", "/fail/409/")
    for code in (400, 429, 500):
        yield Visit(f"fault {code}", "owner", f"/fail/{code}/")


def visits_of_sharing_and_order(world: World) -> Iterator[Visit]:
    """What is asked for a selection, and what of sharing, teams and shelves is refused."""
    ids = {"ids": [str(world.things[name].pk) for name in ("template", "draft", "public")]}
    for action in ("tag", "shelve", "visibility"):
        yield Visit(f"a selection: {action}", "owner", reverse("templates_app:bulk", args=[action]), ids)
    nobody = {"who": "nobody", "role": "viewer"}
    yield Visit("a selection for nobody", "owner", reverse("templates_app:bulk", args=["share"]), ids | nobody)
    yield Visit("a right for nobody", "owner", world.url("templates_app:grant", "template"), nobody)
    yield Visit("a seat for nobody", "owner", world.url("accounts:add_member", "team"), {"who": "nobody"})
    yield Visit("the last owner who leaves", "owner", world.url("accounts:leave_team", "team"), {})
    yield Visit("a shelf without a name", "staff", reverse("templates_app:shelves"), {"name": ""})
    yield Visit("a shelf that is not empty", "staff", world.url("templates_app:delete_shelf", "shelf"), {})


def visits_of_histories(world: World) -> Iterator[Visit]:
    """Filters that let nothing through or make no sense, and what is in the way of taking something back."""
    history, revert = reverse("audit:history"), world.url("audit:revert", "event")
    signed_in = AuditLog.objects.filter(action=AuditLog.Action.SIGN_IN, actor=world.people["owner"]).latest()
    yield Visit("nobody called so in the history", "staff", f"{history}?who=xylophone")
    yield Visit("nothing on these days", "owner", f"{history}?since=2001-01-01&until=2001-01-02")
    yield Visit("one step of the history", "owner", f"{history}?request_id=the-owner-s")
    yield Visit("an account's history", "staff", f"{world.url('accounts:history', 'person')}?of=account")
    yield Visit("a revert without a reason", "owner", revert, _posted(world, reason=""))
    yield Visit("a revert that is out of date", "owner", revert, _posted(world, seen="another"))
    yield Visit("a revert that contradicts", "owner", world.url("audit:revert", "contradicted"))
    yield Visit("what cannot be reverted", "owner", reverse("audit:revert", args=[signed_in.pk]))


def _posted(world: World, **changed: str) -> dict[str, str]:
    return ROUTES["audit:revert"].posted(world) | changed


def visits_of_links(world: World) -> Iterator[Visit]:
    """What a link leads to, and what of seats and links is refused."""
    links, people = (world.url(f"conversations:{name}", "conversation") for name in ("links", "people"))
    door = world.url("conversations:open_shared", "shared link")
    yield Visit("a link that was made", "owner", links, {"name": "For somebody", "days": "30"})
    yield Visit("a link that makes no sense", "owner", links, {"max_views": "0", "password": "short"})
    yield Visit("a link's wrong password", "anonymous", door, {"password": "wrong"})
    yield Visit("a link that was opened", "reader", world.url("conversations:shared", "shared link"))
    yield Visit("a copy of what was opened", "reader", world.url("conversations:copy_shared", "shared link"))
    yield Visit("a link to nothing", "anonymous", reverse("conversations:shared", args=["nothing"]))
    yield Visit("a seat in a thread for nobody", "owner", people, {"who": "-"})
    yield Visit("the owner who leaves a thread", "owner", world.url("conversations:leave", "conversation"), {})


def visits_of_visitors(world: World) -> Iterator[Visit]:
    """What is open to visitors where PUBLIC_LIBRARY is on."""
    yield Visit("the landing page with a library", "anonymous", reverse("site:home"))
    for name, route in ROUTES.items():
        if route.visitor == "200":
            yield Visit(f"{name}, public", "anonymous", route.url(name, world))


def visits_of_demo() -> Iterator[Visit]:
    """The main pages and those of the admin with much on them: long titles, charts, threads, versions."""
    template = PromptTemplate.objects.filter(visibility="public").latest("usage_count")
    conversation = Conversation.objects.filter(participants__user__is_staff=True).latest("prompt_count")
    user = get_user_model().objects.filter(is_staff=True).earliest("id")
    held, lifted = (holds.place_hold(subject=thing, reason="A case", by=user) for thing in (conversation, template))
    holds.lift_hold(lifted, reason="Settled", by=user)
    library, analytics = reverse("templates_app:list"), reverse("site:analytics")
    urls = [
        *(reverse(name) for name in ("site:home", "audit:history", "audit:trash", "conversations:list")),
        analytics,
        f"{analytics}?days=365",
        library,
        template.get_absolute_url(),
        reverse("templates_app:version", args=[template.pk, 1]),
        conversation.get_absolute_url(),
        reverse("admin:index"),
        reverse("admin:accounts_user_add"),
        reverse("admin:accounts_user_change", args=[user.pk]),
        reverse("admin:conversations_aimodel_add"),
        reverse("admin:audit_auditlog_changelist"),
        reverse("admin:audit_legalhold_changelist"),
        reverse("admin:audit_legalhold_add"),
        *(reverse("admin:audit_legalhold_change", args=[hold.pk]) for hold in (held, lifted)),
        reverse("admin:audit_retentionrule_add"),
        reverse("admin:conversations_prompt_changelist"),
        reverse("admin:conversations_prompt_change", args=[conversation.prompts.earliest("id").pk]),
        reverse("admin:templates_app_prompttemplate_changelist"),
        reverse("admin:templates_app_prompttemplate_change", args=[template.pk]),
    ]
    yield from (Visit(f"demonstration {url}", "staff", url) for url in urls)
    yield Visit("a hold of nothing", "staff", reverse("admin:audit_legalhold_add"), {"thing": "nothing"})


@pytest.fixture(scope="module")
def _static_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The static files as a server gets them."""
    folder = tmp_path_factory.mktemp("static")
    with override_settings(STATIC_ROOT=folder, STORAGES=STORAGES):
        call_command("collectstatic", interactive=False, verbosity=0)
        assert staticfiles_storage.url("css/app.css") != "/static/css/app.css"
        yield folder


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Committed, as full-text search wants it, and given back at the end."""
    with django_db_blocker.unblock():
        try:
            yield make_world()
        finally:
            TransactionTestCase._fixture_teardown(None)  # type: ignore[arg-type]  # see tests/plugins/database.py


@pytest.fixture
def inspector(_static_files: Path, browser: Browser, html_check: Callable[..., None]) -> Iterator[Inspector]:
    made = Inspector(browser, html_check)
    yield made
    made.close()
    sys.stdout.write(f"\n{made.report()}\n")


def inspect_all(inspector: Inspector, visits: Iterable[Visit], client: Callable[[Visit], Client]) -> None:
    """Each on what was there at first: what a visit writes is taken back."""
    seen = set()
    for visit in visits:
        if visit.name in seen and not IS_WHOLE:  # it looks a little different to each person
            continue
        seen.add(visit.name)
        with transaction.atomic():
            inspector.inspect(visit, client(visit))
            transaction.set_rollback(True)
    found = [f"{visit}: {problem}" for visit, problems in inspector.problems.items() for problem in problems]
    assert not found, "\n".join(found)


def test_pages_of_every_route_and_state(world: World, inspector: Inspector) -> None:
    inspect_all(
        inspector,
        [*visits_of_routes(world), *visits_of_states(world)],
        lambda visit: world.client(visit.person, enforce_csrf_checks=visit.checks_csrf),
    )


def test_pages_of_a_public_library(world: World, inspector: Inspector, settings: Any) -> None:
    settings.PUBLIC_LIBRARY = True
    inspect_all(inspector, visits_of_visitors(world), lambda visit: world.client(visit.person))


def test_pages_of_the_demonstration(inspector: Inspector) -> None:
    plant("a-password-for-the-demonstration")
    client = Client()
    client.force_login(get_user_model().objects.filter(is_staff=True).earliest("id"))
    inspect_all(inspector, visits_of_demo(), lambda _visit: client)
