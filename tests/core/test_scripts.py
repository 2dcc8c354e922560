"""What the scripts add, in Chromium; that everything works without them is each page's own test."""

import pytest
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.template import engines
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from playwright.sync_api import expect

from accounts.models import User
from promptlib.core.toasts import notify

pytestmark = [
    pytest.mark.browser,
    pytest.mark.sqlite_only,
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls(__name__),
]

KIT = """{% extends "base.html" %}{% block main %}<h1>Kit</h1>
<p class="prompt" data-preview>Dear <a class="var" data-var="name" href="#id_name">name</a>,
 about <a class="var" data-var="topic" data-default="tents">topic</a>.</p>
<form method="post" action="/run/" data-preview-form data-submit-key>
<input class="input" id="id_name" name="name" data-var="name"><input id="id_topic" name="topic" data-var="topic">
<p data-empty-note="%(empty)s of %(all)s still empty"></p>
<button class="button button--primary" data-busy-text="Running">{% icon "run" %}Run</button></form>
<ul><li class="row"><h2 class="row__title"><a href="/one/">One</a></h2></li>
<li class="row"><h2 class="row__title"><a href="/two/">Two</a></h2></li></ul>
<input type="search" id="q" data-key="/">
<a id="edit" href="/edit/" data-key="e">Edit</a>
<button type="button" class="button" id="copy" data-copy="the text">Copy</button>
<button type="button" class="button" id="copy-prompt" data-copy-from=".prompt">Copy</button>
<button type="button" class="button" id="broken" data-hx-get="/broken/">Load</button>
<form data-auto-submit action="/filtered/"><select name="sort"><option>a</option><option>b</option></select>
<button data-apply>Apply</button></form>
{% endblock %}"""

runs: list[str] = []


def kit(request, **_kwargs):
    request.user = User(pk="0192d4e0-7b1a-7c3e-9f00-aabbccddeeff", display_name="Ines Okafor")
    if "off" in request.GET:
        request.user.preferences = {"shortcuts": "off"}
    if "say" in request.GET:
        notify(request, "Moved to the trash.")
        messages.error(request, "It failed.")
    return HttpResponse(engines["django"].from_string(KIT).render({}, request))


@csrf_exempt
def run(request):
    runs.append(request.POST["name"])
    request.user = AnonymousUser()
    return HttpResponse(status=204)


def broken(request):
    return HttpResponse("no", status=500)


def search(request):
    found = f'<a class="palette__item" role="option" href="/found/">{request.GET["q"]}, {request.htmx.target}</a>'
    return HttpResponse(found if request.htmx else "page")


def named(namespace, **views):
    return include(([path(f"{name}/", view, name=name) for name, view in views.items()], namespace))


urlpatterns = [
    path("", kit),
    path("run/", run),
    path("broken/", broken),
    path("templates/", named("templates_app", list=kit, create=kit)),
    path("conversations/", named("conversations", list=kit, create=kit)),
    path("site/", named("site", analytics=kit, search=search)),
    path("accounts/", include("allauth.urls")),
    path("<str:anything>/", kit),
]


@pytest.fixture
def kit_page(page):
    page.goto("/")
    page.wait_for_load_state("networkidle")
    return page


def test_the_theme_is_kept_for_the_next_page(kit_page):
    kit_page.locator("summary[aria-label^='Your account']").click()
    kit_page.get_by_label("Dark").check(force=True)
    assert kit_page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    kit_page.reload()
    assert kit_page.locator("html").get_attribute("data-theme") == "dark"
    kit_page.locator("summary[aria-label^='Your account']").click()
    kit_page.get_by_label("System").check(force=True)
    kit_page.reload()
    assert kit_page.locator("html").get_attribute("data-theme") is None


def test_menus_close_on_escape_and_on_a_click_outside(kit_page):
    summary = kit_page.locator("summary[aria-label='New']")
    menu = kit_page.locator("details.menu[open]")
    summary.click()
    expect(menu).to_have_count(1)
    kit_page.keyboard.press("ArrowDown")
    assert kit_page.evaluate("document.activeElement.textContent").startswith("New template")
    kit_page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(summary).to_be_focused()
    summary.click()
    kit_page.locator("h1").click()
    expect(menu).to_have_count(0)


@pytest.mark.parametrize(
    ("keys", "address"),
    [("e", "/edit/"), ("g c", "/conversations/list/"), ("g l", "/templates/list/"), ("c", "/templates/create/")],
)
def test_a_letter_goes_to_its_place(kit_page, keys, address):
    for key in keys.split():
        kit_page.keyboard.press(key)
    kit_page.wait_for_url(f"**{address}")


def test_letters_do_nothing_while_one_types_or_when_they_are_off(kit_page):
    kit_page.keyboard.press("/")
    expect(kit_page.locator("#q")).to_be_focused()
    kit_page.keyboard.type("gecn?")
    assert (kit_page.locator("#q").input_value(), kit_page.url.rpartition("/")[2]) == ("gecn?", "")
    kit_page.goto("/?off=1")
    kit_page.wait_for_load_state("networkidle")
    kit_page.keyboard.type("ej?")
    assert kit_page.url.endswith("/?off=1")
    assert kit_page.locator("#shortcuts[open]").count() == 0


def test_the_list_of_shortcuts_opens_and_closes(kit_page):
    kit_page.keyboard.press("?")
    expect(kit_page.locator("#shortcuts")).to_be_visible()
    kit_page.keyboard.press("Escape")
    expect(kit_page.locator("#shortcuts")).to_be_hidden()


def test_j_and_k_walk_the_rows(kit_page):
    at = []
    for key in "jjjk":
        kit_page.keyboard.press(key)
        at.append(kit_page.evaluate("document.activeElement.textContent"))
    assert at == ["One", "Two", "Two", "One"]
    kit_page.keyboard.press("Enter")
    kit_page.wait_for_url("**/one/")


def test_the_palette_searches_and_opens(kit_page):
    kit_page.keyboard.press("Control+k")
    field = kit_page.locator("#palette-q")
    expect(field).to_be_focused()
    kit_page.keyboard.type("tent <b>")
    expect(kit_page.locator("#palette-list [role=option]").first).to_have_text("tent , palette-list")
    kit_page.keyboard.press("Enter")
    kit_page.wait_for_url("**/found/")


def test_the_palette_is_walked_with_the_arrows(kit_page):
    kit_page.locator(".jump").click()
    chosen = kit_page.locator("#palette [aria-selected=true] .palette__text")
    seen = [chosen.inner_text()]
    for key in ("ArrowDown", "ArrowDown", "ArrowUp"):
        kit_page.keyboard.press(key)
        seen.append(chosen.inner_text())
    assert seen == ["New template", "New conversation", "Go to the library", "New conversation"]
    active = kit_page.locator("#palette-q").get_attribute("aria-activedescendant")
    assert kit_page.locator(f"#{active}").inner_text().startswith("New conversation")
    kit_page.keyboard.press("Escape")
    expect(kit_page.locator("#palette")).to_be_hidden()


def test_copying_takes_the_text_and_says_so(new_page):
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto("/")
    page.wait_for_load_state("networkidle")
    page.locator("#copy").click()
    expect(page.locator("#toasts .toast")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == "the text"
    page.locator("#id_name").fill("Marit")
    page.locator("#copy-prompt").click()
    page.wait_for_function("navigator.clipboard.readText().then((text) => text.includes('Dear Marit,'))")


def classes(locator):
    return set(locator.get_attribute("class").split())


def test_values_show_in_the_prompt_as_they_are_typed(kit_page):
    name, topic = kit_page.locator(".var[data-var=name]"), kit_page.locator(".var[data-var=topic]")
    note = kit_page.locator("[data-empty-note]")
    assert (name.inner_text(), topic.inner_text(), note.inner_text()) == ("name", "tents", "2 of 2 still empty")
    kit_page.locator("#id_name").press_sequentially("<b>Marit</b>")
    assert (name.inner_text(), classes(name)) == ("<b>Marit</b>", {"var", "var--filled", "var--active"})
    assert note.inner_text() == "1 of 2 still empty"
    kit_page.locator("#id_topic").fill("x" * 161)
    assert classes(topic) == {"var", "var--filled", "var--block", "var--active"}
    kit_page.locator("#id_name").fill("")
    assert (name.inner_text(), classes(name)) == ("name", {"var", "var--active"})


def test_a_form_is_sent_once(kit_page):
    runs.clear()
    kit_page.locator("#id_name").fill("Marit")
    button = kit_page.locator(".button--primary")
    button.click()
    expect(button).to_have_attribute("aria-busy", "true")
    expect(button).to_have_text("Running")
    button.click()
    kit_page.locator("#id_name").press("Control+Enter")
    kit_page.wait_for_timeout(300)
    assert runs == ["Marit"]


def test_a_request_that_fails_says_so(browser, live_server):
    page = browser.new_page()  # not `page`: htmx writes the failure to the console as well
    page.goto(live_server.url)
    page.wait_for_load_state("networkidle")
    page.locator("#broken").click()
    expect(page.locator("#toasts .toast")).to_have_text("That did not work. Check the connection, then try again.")
    page.close()


def test_a_changed_choice_is_applied_at_once(kit_page):
    expect(kit_page.locator("[data-apply]")).to_be_hidden()
    kit_page.locator("select[name=sort]").select_option("b")
    kit_page.wait_for_url("**/filtered/?sort=b")


@pytest.mark.slow
def test_a_toast_leaves_after_eight_seconds_unless_it_is_read(page):
    page.goto("/?say=1")
    page.wait_for_timeout(6000)
    toast = page.locator("#toasts .toast")
    expect(toast).to_have_text("Moved to the trash.")
    toast.hover()
    page.wait_for_timeout(3500)
    expect(toast).to_have_count(1)
    page.locator("h1").hover()
    expect(toast).to_have_count(0)
    expect(page.locator(".banner--bad")).to_have_text("It failed.")
