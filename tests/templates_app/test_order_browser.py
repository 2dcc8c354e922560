"""Order and sharing in Chromium, with a script and without: a selection and its undo, people, teams, visitors."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Page, expect

from accounts.models import User
from templates_app.models import PromptTemplate
from tests.factories import RatingFactory, TemplateFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])


@pytest.fixture
def ines() -> User:
    return UserFactory(handle="ines", display_name="Ines Okafor")


@pytest.fixture
def tomas() -> User:
    return UserFactory(handle="tomas", display_name="Tomas Lind")


@pytest.fixture
def open_as(new_page: Callable[..., Page], live_server: Any) -> Callable[..., Page]:
    def open_page(user: User | None, *, scripts: bool, **options: Any) -> Page:
        page = new_page(java_script_enabled=scripts, **options)
        if user is not None:
            client = Client()
            client.force_login(user)
            value = client.cookies["sessionid"].value
            page.context.add_cookies([{"name": "sessionid", "value": value, "url": live_server.url}])
        return page

    return open_page


def faults(page: Page) -> list[str]:
    rules = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
    results = Axe().run(page, options={"preload": False, "runOnly": rules})  # else it puts styles into the page
    return [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in results.response["violations"]]


@SCRIPTS
def test_select_tag_and_undo(open_as: Callable[..., Page], ines: User, scripts: bool) -> None:
    templates = [TemplateFactory(owner=ines, title=title) for title in ("Apples", "Pears", "Plums")]
    page = open_as(ines, scripts=scripts)
    page.goto("/templates/?scope=mine&sort=newest")
    expect(page.get_by_role("group", name="The selection")).to_be_hidden()
    for title in ("Apples", "Plums"):
        page.get_by_label(f"Select {title}").check()
    bar = page.get_by_role("group", name="The selection")
    expect(bar).to_be_visible()
    expect(bar.locator("[data-selection-count]")).to_have_text("2 selected" if scripts else "Selected")
    bar.get_by_role("button", name="Tag").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tag 2 templates")
    if scripts:
        assert faults(page) == []
    page.get_by_label("Tags").fill("orchard, fruit")
    page.get_by_role("button", name="Put the tags on").click()
    expect(page).to_have_url(re.compile(r"\?scope=mine&sort=newest$"))
    toast = page.locator("#toasts")
    expect(toast).to_contain_text("“orchard”, “fruit” put on 2 templates.")
    assert [sorted(each.tags.values_list("slug", flat=True)) for each in templates] == [
        ["fruit", "orchard"],
        [],
        ["fruit", "orchard"],
    ]
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("2 templates are as before.")
    assert [each.tags.count() for each in templates] == [0, 0, 0]


@SCRIPTS
def test_everything_that_matches_is_put_away_and_comes_back(
    open_as: Callable[..., Page], ines: User, scripts: bool
) -> None:
    ines.preferences = {"rows_per_page": 15}
    ines.save(update_fields=["preferences"])
    for number in range(17):
        TemplateFactory(owner=ines, title=f"Number {number}")
    page = open_as(ines, scripts=scripts)
    page.goto("/templates/?scope=mine")
    page.get_by_label("Select Number 3", exact=True).check()
    page.get_by_label("All 17 that match").check()
    page.get_by_role("button", name="Move to trash").click()
    expect(page.locator("#toasts")).to_contain_text("17 templates are in the trash.")
    assert PromptTemplate.objects.count() == 0
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("17 templates are as before.")
    assert PromptTemplate.objects.count() == 17


def test_the_page_is_ticked_at_once_and_a_range_with_shift(open_as: Callable[..., Page], ines: User) -> None:
    for number in range(5):
        TemplateFactory(owner=ines, title=f"Number {number}")
    page = open_as(ines, scripts=True)
    page.goto("/templates/?sort=newest")
    ticks = page.locator("input[name=ids]")
    ticks.nth(1).click()
    ticks.nth(3).click(modifiers=["Shift"])
    count = page.locator("[data-selection-count]")
    expect(count).to_have_text("3 selected")
    page.get_by_label("All on this page").check()
    expect(count).to_have_text("5 selected")
    assert faults(page) == []
    page.get_by_label("All on this page").uncheck()
    expect(count).to_be_hidden()


@SCRIPTS
def test_what_is_shared_is_seen_by_the_other(
    open_as: Callable[..., Page], ines: User, tomas: User, scripts: bool
) -> None:
    template = TemplateFactory(owner=ines, title="Reply to a ticket")
    mine, theirs = open_as(ines, scripts=scripts), open_as(tomas, scripts=scripts)
    theirs.goto(template.get_absolute_url())
    expect(theirs.get_by_role("heading", level=1)).not_to_have_text("Reply to a ticket")
    mine.goto(template.get_absolute_url())
    mine.get_by_role("link", name="private").click()
    mine.get_by_label("Person").fill("@tomas")
    mine.get_by_role("button", name="Share", exact=True).click()
    expect(mine.locator("#toasts")).to_contain_text("Shared with Tomas Lind as viewer.")
    expect(mine.get_by_label("Shared", exact=False).first).to_be_checked()
    theirs.goto("/templates/?scope=shared")
    theirs.get_by_role("link", name="Reply to a ticket").click()
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Reply to a ticket")
    expect(theirs.get_by_role("link", name="Edit", exact=True)).to_have_count(0)
    mine.get_by_label("Role of Tomas Lind").select_option("editor")
    if not scripts:
        mine.get_by_role("button", name="Change").click()
    expect(mine.locator("#toasts")).to_contain_text("Tomas Lind: editor from now on.")
    theirs.reload()
    expect(theirs.get_by_role("link", name="Edit", exact=True)).to_have_count(1)
    mine.get_by_role("button", name="No longer share with Tomas Lind").click()
    expect(mine.locator("#toasts")).to_contain_text("No longer shared with Tomas Lind.")
    theirs.reload()
    expect(theirs.get_by_role("heading", level=1)).not_to_have_text("Reply to a ticket")


@SCRIPTS
def test_a_team_is_made_and_shared_with(open_as: Callable[..., Page], ines: User, tomas: User, scripts: bool) -> None:
    template = TemplateFactory(owner=ines, title="Reply to a ticket")
    page = open_as(ines, scripts=scripts)
    page.goto("/teams/")
    page.get_by_role("link", name="New team").first.click()
    page.get_by_label("Name").fill("Support desk")
    page.get_by_role("button", name="Make the team").click()
    page.get_by_label("Who").fill("nobody-here")
    page.get_by_role("button", name="Add to the team").click()
    expect(page.get_by_text("Nobody here goes by “nobody-here”.")).to_be_visible()
    page.get_by_label("Who").fill("@tomas")
    page.get_by_role("button", name="Add to the team").click()
    expect(page.get_by_role("link", name="Tomas Lind")).to_be_visible()
    page.goto(f"{template.get_absolute_url()}sharing/")
    page.get_by_label("or team").select_option(label="Support desk")
    page.get_by_role("button", name="Share", exact=True).click()
    theirs = open_as(tomas, scripts=scripts)
    theirs.goto("/teams/support-desk/")
    theirs.get_by_role("link", name="Reply to a ticket").click()
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Reply to a ticket")
    theirs.goto("/teams/support-desk/")
    theirs.get_by_role("button", name="Leave the team").click()
    expect(theirs).to_have_url(re.compile(r"/teams/$"))
    theirs.goto(template.get_absolute_url())
    expect(theirs.get_by_role("heading", level=1)).not_to_have_text("Reply to a ticket")


@SCRIPTS
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_visitor_reads_the_public_library(
    open_as: Callable[..., Page], settings: Any, ines: User, scripts: bool, scheme: str
) -> None:
    settings.PUBLIC_LIBRARY = True
    template = TemplateFactory(owner=ines, title="Reply to a ticket", visibility="public", body="Dear {{ customer }}!")
    RatingFactory(template=template, review="The first that I send unedited.")
    TemplateFactory(owner=ines, title="Private one")
    page = open_as(None, scripts=scripts, color_scheme=scheme, viewport={"width": 360, "height": 740})
    page.goto("/")
    page.get_by_role("link", name="Look around the library").click()
    expect(page.locator(".row__title")).to_have_text(["Reply to a ticket"])
    if scripts:
        assert faults(page) == []
    page.get_by_label("Search templates").fill("ticket")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q=ticket"))
    page.get_by_role("link", name="Reply to a ticket").click()
    expect(page.get_by_text("The first that I send unedited.")).to_be_visible()
    expect(page.locator(".prompt__paragraph").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth") if scripts else True
    if scripts:
        assert faults(page) == []
    page.get_by_role("link", name="Sign in to run it").click()
    expect(page).to_have_url(re.compile(rf"/accounts/login/\?next={template.get_absolute_url()}$"))
