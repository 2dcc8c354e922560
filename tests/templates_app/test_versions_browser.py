"""Versions in Chromium, with a script and without: compare, label, approve as a second person, fork, merge upstream."""

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
def test_from_a_comparison_to_a_merged_fork(
    new_page: Callable[..., Page], live_server: Any, ines: User, jonas: User, reply: PromptTemplate, script: bool
) -> None:
    mine, his = (new_page(java_script_enabled=script) for _person in range(2))
    sign_in(mine, live_server, ines)
    sign_in(his, live_server, jonas)

    # Compare, from the list of versions.
    mine.goto(reply.get_absolute_url())
    mine.get_by_role("link", name="Compare versions").click()
    mine.get_by_role("button", name="Compare the two that are chosen").click()
    expect(mine.get_by_role("heading", level=1)).to_have_text("What changed from v1 to v2")
    expect(mine.locator(".diff del").first).to_have_text("friendly")
    expect(mine.locator(".diff ins").first).to_have_text("warm")
    mine.get_by_role("link", name="Side by side").click()
    expect(mine.locator(".diff--sides .diff__line--change").first).to_contain_text(
        "Use a friendly tone.Use a warm tone."
    )

    # Label, protect.
    mine.goto(f"{reply.get_absolute_url()}labels/")
    form = mine.locator("#move")
    form.get_by_label("Label").fill("production")
    form.get_by_label("Version").select_option("v1")
    form.get_by_label("Reason").fill("It is what we send")
    form.get_by_role("button", name="Move the label").click()
    expect(mine.locator(".labels__item")).to_contain_text("production")
    mine.get_by_role("button", name="Protect").click()
    expect(mine.locator(".labels__item")).to_contain_text("protected")

    # The move of a protected label waits for a second person.
    mine.get_by_role("link", name="Move", exact=True).click()
    form.get_by_label("Version").select_option("v2")
    form.get_by_role("button", name="Move the label").click()
    expect(mine.locator(".labels__item")).to_contain_text("v1")
    expect(mine.get_by_role("button", name="Approve")).to_have_count(0)
    his.goto(reply.get_absolute_url())
    his.get_by_role("link", name="Look at it").click()
    his.get_by_role("button", name="Approve").click()
    expect(his.locator(".labels__item")).to_contain_text("v2")
    expect(his.get_by_text("approved by Jonas Weber")).to_be_visible()
    his.goto(reply.get_absolute_url())
    expect(his.locator(".stats")).to_contain_text("in production")

    # Fork the first version, write in it, and take in what the original did.
    his.get_by_label("More actions").click()
    his.get_by_role("link", name="Fork v2").click()
    his.get_by_label("Title").fill("Reply in Norwegian")
    his.get_by_label("Version").fill("1")
    his.get_by_role("button", name="Fork the template").click()
    expect(his.get_by_role("heading", level=1)).to_have_text("Reply in Norwegian")
    fork = PromptTemplate.objects.get(owner=jonas)
    services.publish_version(fork, author=jonas, base_revision=0, body=FIRST.replace("friendly", "formal"))
    his.reload()
    expect(his.get_by_text("The original moved 1 version")).to_be_visible()
    his.get_by_role("link", name="See what changed").click()
    his.get_by_label("As written here:").check()
    his.get_by_label("Prompt, as you want it").fill("Use a formal, warm tone.")
    his.get_by_role("button", name="Show the result").click()
    expect(his.locator("#result-title + *, .diff").filter(has_text="formal, warm").first).to_be_visible()
    his.get_by_role("button", name="Merge as v3").click()
    expect(his.get_by_role("heading", level=1)).to_have_text("Reply in Norwegian")
    expect(his.get_by_text("The original moved")).to_have_count(0)
    fork.refresh_from_db()
    assert fork.current_version.body == SECOND.replace("warm", "formal, warm")
    assert [each["name"] for each in fork.current_version.variables] == ["customer", "max_words"]


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


@pytest.mark.parametrize("look", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 360, "height": 740}}])
def test_the_pages_read_well(
    new_page: Callable[..., Page],
    live_server: Any,
    ines: User,
    jonas: User,
    reply: PromptTemplate,
    look: dict[str, Any],
) -> None:
    services.move_label(reply, name="production", version=reply.versions.get(number=1), by=ines)
    services.protect_label(reply, name="production")
    services.move_label(reply, name="production", version=reply.current_version, by=jonas, reason="Better")
    fork = services.fork_template(reply.versions.get(number=1), owner=ines, title="My own")
    services.publish_version(fork, author=ines, base_revision=0, body=FIRST.replace("friendly", "formal"))
    page = new_page(bypass_csp=True, **look)  # axe is a script of its own
    sign_in(page, live_server, ines)
    start, own = reply.get_absolute_url(), fork.get_absolute_url()
    paths = [f"{start}{rest}" for rest in ("", "versions/", "compare/1...2/", "compare/1...2/?view=sides", "labels/")]
    for path in [*paths, f"{own}forks/", f"{start}forks/", own, f"{own}upstream/"]:
        page.goto(path)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
        width, shown = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert width <= shown, path
