"""The editor in Chromium, with a script and without: write, preview, save, keep values, run; and two people at once."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Page, expect

from accounts.models import User
from conversations.models import Prompt
from templates_app import services
from templates_app.models import Draft, PromptTemplate, ValueSet
from tests.factories import GrantFactory, TemplateFactory, UserFactory, ValueSetFactory
from tests.templates_app.test_library_browser import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BODY = "First line.\n\nSecond {{ a }}.\n\nThird line."


@pytest.fixture
def ines() -> User:
    return UserFactory(display_name="Ines Okafor", handle="ines")


@pytest.fixture
def template(ines: User) -> PromptTemplate:
    return TemplateFactory(owner=ines, title="Poem", visibility="shared", body=BODY)


def save(page: Page) -> None:
    page.locator(".save .button--primary").click()


@pytest.mark.parametrize("script", [True, False])
def test_write_preview_save_keep_values_and_run(
    new_page: Callable[..., Page], live_server: Any, ines: User, script: bool
) -> None:
    page = new_page(java_script_enabled=script)
    sign_in(page, live_server, ines)
    page.goto("/templates/new/")
    page.get_by_label("Title").fill("Greeting")
    page.get_by_label("Prompt", exact=True).fill("Greet {{ who }} in {{ tongue }}.")
    page.get_by_role("button", name="Add an example").click()
    page.locator("#id_examples-0-content").fill("Greet {{ who }} & co.")
    page.locator("#id_examples-1-content").fill("<b>Hei!</b>")
    if not script:
        page.locator(".contract noscript button").click()
    tongue = page.get_by_role("group", name="tongue")
    tongue.get_by_text("Default, help and limits").click()
    tongue.get_by_label("Default", exact=True).fill("Norwegian")
    if not script:
        page.get_by_role("button", name="Preview").click()
    becomes = page.locator("#preview")
    expect(becomes).to_contain_text("Greet who in Norwegian.")
    expect(becomes).to_contain_text("Greet who & co.")
    expect(becomes).to_contain_text("<b>Hei!</b>")
    expect(becomes.locator(".panel__note")).to_have_text("8 words, about 16 tokens")
    page.get_by_label("Change note").fill("First try")
    save(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Greeting")
    version = PromptTemplate.objects.get().current_version
    assert version.examples == [
        {"role": "user", "content": "Greet {{ who }} & co."},
        {"role": "assistant", "content": "<b>Hei!</b>"},
    ]
    page.locator("#f-v-who").fill("Marit")
    page.get_by_text("Keep these values").click()
    page.get_by_label("Name", exact=True).fill("For Marit")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator(".sets__name")).to_have_text(["For Marit"])
    expect(page.locator("#f-v-who")).to_have_value("Marit")
    expect(page.locator(".preview__filled")).to_contain_text("Greet Marit in Norwegian.")
    page.locator("#f-v-who").fill("")
    page.get_by_role("button", name="Run with For Marit").click()
    page.wait_for_url("**/conversations/**")
    assert [prompt.input_text for prompt in Prompt.objects.all()] == ["Greet Marit in Norwegian."]
    page.goto(version.template.get_absolute_url())
    page.get_by_label("Change the set For Marit").click()
    page.get_by_label("Name", exact=True).fill("For Tom")
    page.locator("#f-v-who").fill("Tom")
    page.get_by_label("Everybody who sees the template").check()
    page.get_by_role("button", name="Save the set").click()
    expect(page.locator("#f-v-who")).to_have_value("Tom")
    assert [(each.name, each.values["who"], each.is_shared) for each in ValueSet.objects.all()] == [
        ("For Tom", "Tom", True)
    ]


def test_enter_in_a_field_runs_what_is_filled_in_and_saves_what_is_written(
    page: Page, live_server: Any, ines: User
) -> None:
    template = TemplateFactory(owner=ines, body="Greet {{ name }}.")
    ValueSetFactory(template=template, user=ines, values={"name": "not me"})
    sign_in(page, live_server, ines)
    page.goto(template.get_absolute_url())
    page.locator("#f-v-name").fill("Marit")
    page.locator("#f-v-name").press("Enter")
    page.wait_for_url("**/conversations/**")
    assert Prompt.objects.get().input_text == "Greet Marit."
    page.goto(f"{template.get_absolute_url()}edit/")
    page.get_by_label("Title").fill("Entered")
    page.get_by_label("Title").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Entered")


@pytest.mark.parametrize("script", [True, False])
def test_the_second_of_two_is_shown_the_merge_and_decides(
    new_page: Callable[..., Page], live_server: Any, ines: User, template: PromptTemplate, script: bool
) -> None:
    jonas = UserFactory(display_name="Jonas Weber")
    GrantFactory(template=template, user=jonas, role="editor")
    pages = []
    for person in (ines, jonas):
        page = new_page(java_script_enabled=script)
        sign_in(page, live_server, person)
        page.goto(f"{template.get_absolute_url()}edit/")
        pages.append(page)
    first, second = pages
    first.get_by_label("Prompt", exact=True).fill(BODY.replace("Second", "Her second").replace("First", "Her first"))
    save(first)
    expect(first.get_by_role("heading", level=1)).to_have_text("Poem")
    second.get_by_label("Prompt", exact=True).fill(BODY.replace("Second", "His second").replace("Third", "His third"))
    second.get_by_label("Change note").fill("Mine too")
    save(second)
    expect(second.get_by_role("heading", level=1)).to_have_text("Somebody saved this while you were writing")
    expect(second.get_by_role("alert").first).to_contain_text("Ines Okafor saved version 2")
    expect(second.get_by_label("Prompt", exact=True)).to_have_value(
        "Her first line.\n\nHis second {{ a }}.\n\nHis third line."
    )
    conflict = second.locator(".conflict")
    expect(conflict).to_have_count(1)
    expect(conflict.locator("del").first).to_have_text("His")
    expect(conflict.locator("ins").first).to_have_text("Her")
    conflict.get_by_label("Saved now", exact=True).check()
    if script:
        expect(second.locator("#preview")).to_contain_text("Her second")
    else:
        second.get_by_role("button", name="Preview").click()
        expect(second.get_by_label("Prompt", exact=True)).to_have_value(
            "Her first line.\n\nHer second {{ a }}.\n\nHis third line."
        )
    expect(second.get_by_label("Change note")).to_have_value("Mine too")
    save(second)
    expect(second.get_by_role("heading", level=1)).to_have_text("Poem")
    template.refresh_from_db()
    assert (template.version_count, template.current_version.change_note) == (3, "Mine too")
    assert template.current_version.body == "Her first line.\n\nHer second {{ a }}.\n\nHis third line."


def test_what_was_typed_survives_a_closed_tab(
    new_page: Callable[..., Page], live_server: Any, ines: User, template: PromptTemplate
) -> None:
    page = new_page()
    sign_in(page, live_server, ines)
    page.goto(f"{template.get_absolute_url()}edit/")
    page.get_by_label("Prompt", exact=True).fill("Half a thou")
    expect(page.locator("#draft-kept")).to_contain_text("Not saved yet, but kept for you")
    page.get_by_label("Prompt", exact=True).press("End")
    page.keyboard.type("ght")
    page.goto("/templates/")  # left before the next keeping had its turn
    page.wait_for_timeout(500)
    page.goto(f"{template.get_absolute_url()}edit/")
    expect(page.get_by_text("You have unsaved changes from")).to_be_visible()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("Half a thought")
    page.get_by_role("button", name="Discard them").click()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value(BODY)
    assert (Draft.objects.count(), PromptTemplate.objects.get().version_count) == (0, 1)


def test_without_a_script_a_draft_is_kept_by_a_button(
    new_page: Callable[..., Page], live_server: Any, ines: User, template: PromptTemplate
) -> None:
    page = new_page(java_script_enabled=False)
    sign_in(page, live_server, ines)
    page.goto(f"{template.get_absolute_url()}edit/")
    page.get_by_label("Title").fill("")
    page.get_by_role("button", name="Keep for later").click()
    expect(page.get_by_text("You have unsaved changes from")).to_be_visible()
    expect(page.get_by_label("Title")).to_have_value("")
    page.get_by_label("Title").fill("Kept")
    save(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Kept")
    assert Draft.objects.count() == 0


@pytest.mark.parametrize("script", [True, False])
def test_a_renamed_variable_takes_its_sets_of_values_along(
    new_page: Callable[..., Page], live_server: Any, ines: User, template: PromptTemplate, script: bool
) -> None:
    ValueSetFactory(template=template, user=ines, name="Mine", values={"a": "1"})
    page = new_page(java_script_enabled=script)
    sign_in(page, live_server, ines)
    page.goto(f"{template.get_absolute_url()}edit/")
    page.get_by_label("Prompt", exact=True).fill(BODY.replace("{{ a }}", "{{ b }}"))
    if not script:
        save(page)
        expect(page.get_by_text("a variable goes that others count on")).to_be_visible()
    expect(page.locator(".breakage")).to_contain_text("Mine, yours")
    page.get_by_label("Renamed from").select_option("a")
    if script:
        expect(page.locator(".breakage")).to_have_count(0)
    save(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Poem")
    assert ValueSet.objects.get().values == {"b": "1"}


@pytest.mark.sqlite_only
def test_axe_finds_nothing_on_a_merge_and_a_breakage(
    new_page: Callable[..., Page], live_server: Any, ines: User, template: PromptTemplate
) -> None:
    page = new_page(color_scheme="dark", viewport={"width": 360, "height": 900})
    sign_in(page, live_server, ines)
    ValueSetFactory(template=template, user=ines, name="Mine", values={"a": "1"})
    edit = f"{template.get_absolute_url()}edit/"
    found: dict[str, Any] = {}

    def look(name: str) -> None:
        results = Axe().run(page, options={"preload": False, "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
        found[name] = [f"{rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in results.response["violations"]]
        found[name] += ["scrolls sideways"] * page.evaluate("document.documentElement.scrollWidth > innerWidth")

    page.goto(edit)
    page.get_by_label("Prompt", exact=True).fill("No variable left, and 1 < 2")
    page.get_by_role("button", name="Add an example").click()
    expect(page.locator(".breakage")).to_be_visible()
    look("breakage")
    services.publish_version(template, author=UserFactory(), base_revision=0, body="Theirs {{ a }}")
    save(page)
    expect(page.locator(".conflict")).to_be_visible()
    look("merge")
    page.goto(f"{template.get_absolute_url()}values/{ValueSet.objects.get().pk}/")
    look("set")
    page.goto(f"{template.get_absolute_url()}values/")
    look("sets")
    assert found == {"breakage": [], "merge": [], "set": [], "sets": []}


@pytest.mark.html_check
def test_the_pages_are_valid(
    client: Client, ines: User, template: PromptTemplate, html_check: Callable[..., None]
) -> None:
    client.force_login(ines)
    value_set = ValueSetFactory(template=template, user=ines, name="Mine <b>", values={"a": "1"})
    place = template.get_absolute_url()
    data = {
        "revision": 0,
        "title": "T",
        "body": "Mine",
        "language": "en",
        "visibility": "shared",
        "status": "published",
    }
    data |= {"examples-count": "1", "examples-0-role": "user", "examples-0-content": "Hi <b>"}
    html_check(client.post(f"{place}edit/", data), "editor-breakage")
    html_check(client.post(f"{place}edit/examples/", data), "editor-examples")
    html_check(client.post(f"{place}edit/preview/", data), "editor-preview")
    client.post(f"{place}draft/", data)
    html_check(client.get(f"{place}edit/"), "editor-draft")
    html_check(client.get(f"{place}values/"), "value-sets")
    html_check(client.get(f"{place}values/{value_set.pk}/"), "value-set")
    html_check(client.get(f"{place}?set={value_set.pk}"), "value-set-filled")
    services.publish_version(template, author=ines, base_revision=0, body="Theirs {{ a }}")
    html_check(client.post(f"{place}edit/", data | {"accepted": "a"}), "editor-merge")


def test_nothing_is_drawn_anew_under_the_hands_of_somebody_who_types(
    page: Page, live_server: Any, ines: User, template: PromptTemplate
) -> None:
    sign_in(page, live_server, ines)
    page.goto(f"{template.get_absolute_url()}edit/")
    page.get_by_label("Prompt", exact=True).fill(f"{BODY} And {{{{ more }}}}")
    page.get_by_role("group", name="a", exact=True).get_by_label("Label").press("End")
    page.keyboard.type(" thing of mine", delay=90)  # longer than the variables take to be found
    expect(page.get_by_role("group", name="a", exact=True).get_by_label("Label")).to_have_value("A thing of mine")
    page.get_by_label("Title").focus()
    expect(page.locator(".contract .var")).to_have_text(["a", "more"])
    expect(page.get_by_role("group", name="a", exact=True).get_by_label("Label")).to_have_value("A thing of mine")
    page.get_by_role("button", name="Add an example").click()
    page.locator("#id_examples-0-content").fill("Typed meanwhile")
    page.get_by_role("button", name="Add an example").click()
    expect(page.locator(".shots__pair")).to_have_count(2)
    expect(page.locator("#id_examples-0-content")).to_have_value("Typed meanwhile")
    expect(page.locator("#id_examples-3-role")).to_have_value("assistant")
