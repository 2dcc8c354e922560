"""Versions in Chromium: a protected label, which takes two people, and a comparison from the keyboard."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from accounts.models import User
from templates_app import services
from templates_app.models import PromptTemplate
from tests.factories import GrantFactory, PromptFactory, RatingFactory, TemplateFactory, UserFactory
from tests.templates_app.test_library_browser import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FIRST = "Answer the ticket of {{ customer }}.\n\nUse a friendly tone.\n\nKeep it under 250 words."
SECOND = FIRST.replace("friendly", "warm").replace("250", "{{ max_words }}")


@pytest.fixture
def ines() -> User:
    return UserFactory(display_name="Ines Okafor", handle="ines")


@pytest.fixture
def jonas() -> User:
    return UserFactory(display_name="Jonas Weber", handle="jonas")


@pytest.fixture
def reply(ines: User, jonas: User) -> PromptTemplate:
    template = TemplateFactory(owner=ines, title="Reply to a ticket", body=FIRST, visibility="public")
    GrantFactory(template=template, user=jonas, role="editor")
    RatingFactory(template=template, score=4)
    PromptFactory(template_version=template.current_version)
    services.publish_version(template, author=ines, base_revision=0, body=SECOND, change_note="Norway counts too")
    return template


@pytest.mark.parametrize("script", [True, False])
def test_a_protected_label_moves_when_a_second_person_approves(
    new_page: Callable[..., Page], live_server: Any, ines: User, jonas: User, reply: PromptTemplate, script: bool
) -> None:
    mine, his = (new_page(java_script_enabled=script) for _person in range(2))
    sign_in(mine, live_server, ines)
    sign_in(his, live_server, jonas)
    services.move_label(reply, name="production", version=reply.versions.get(number=1), by=ines)
    mine.goto(f"{reply.get_absolute_url()}labels/")
    mine.get_by_role("button", name="Protect").click()
    expect(mine.locator(".labels__item")).to_contain_text("protected")
    mine.get_by_role("link", name="Move", exact=True).click()
    form = mine.locator("#move")
    form.get_by_label("Version").select_option("v2")
    form.get_by_role("button", name="Move the label").click()
    expect(mine.locator(".labels__item")).to_contain_text("v1")
    expect(mine.get_by_role("button", name="Approve")).to_have_count(0)
    his.goto(reply.get_absolute_url())
    his.get_by_role("link", name="Look at it").click()
    his.get_by_role("button", name="Approve").click()
    expect(his.locator(".labels__item")).to_contain_text("v2")
    expect(his.get_by_text("approved by Jonas Weber")).to_be_visible()


def test_d_compares_with_the_version_before(page: Page, live_server: Any, ines: User, reply: PromptTemplate) -> None:
    sign_in(page, live_server, ines)
    page.goto(reply.get_absolute_url())
    page.keyboard.press("d")
    expect(page.get_by_role("heading", level=1)).to_have_text("What changed from v1 to v2")
    page.locator("#from").select_option("v2")
    page.locator("#to").select_option("v1")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What changed from v2 to v1")
    page.get_by_role("button", name="Restore v1 as v3").click()
    expect(page.locator(".rail__name").first).to_have_text("v3")


@pytest.mark.sqlite_only
def test_a_history_of_labels_and_a_contradiction_with_the_original_read_well(
    new_page: Callable[..., Page], live_server: Any, ines: User, jonas: User, reply: PromptTemplate
) -> None:
    services.move_label(reply, name="production", version=reply.versions.get(number=1), by=ines)
    services.protect_label(reply, name="production")
    services.move_label(reply, name="production", version=reply.current_version, by=jonas, reason="Better")
    fork = services.fork_template(reply.versions.get(number=1), owner=ines, title="My own")
    services.publish_version(fork, author=ines, base_revision=0, body=FIRST.replace("friendly", "formal"))
    narrow = new_page(bypass_csp=True, color_scheme="dark", viewport={"width": 360, "height": 740})  # axe is a script
    sign_in(narrow, live_server, ines)
    for path in (f"{reply.get_absolute_url()}labels/", f"{fork.get_absolute_url()}upstream/"):
        narrow.goto(path)
        found = Axe().run(narrow)
        assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
        assert (path, narrow.evaluate("document.documentElement.scrollWidth")) == (path, 360)
