"""The whole loop of the workshop in Chromium, with a script and without, by two people: from a blank page to a rating.

Ines writes, saves, compares, labels, reviews and accepts; Jonas suggests, forks, merges what moved on, and rates.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from templates_app.models import PromptTemplate, Rating
from tests.factories import UserFactory
from tests.templates_app.test_library_browser import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

TITLE = "Reply to a ticket"
FIRST = "Answer {{ customer }}.\n\nUse a friendly tone.\n\nKeep it under 250 words."
SECOND = FIRST.replace("250", "{{ max_words }}")
SUGGESTED = SECOND.replace("friendly", "warm")


@pytest.fixture
def ines() -> User:
    return UserFactory(display_name="Ines Okafor", handle="ines")


@pytest.fixture
def jonas() -> User:
    return UserFactory(display_name="Jonas Weber", handle="jonas")


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without a script"])
def test_from_a_blank_page_to_a_rating(
    new_page: Callable[..., Page], live_server: Any, ines: User, jonas: User, script: bool
) -> None:
    hers, his = (new_page(java_script_enabled=script) for _person in range(2))
    sign_in(hers, live_server, ines)
    sign_in(his, live_server, jonas)
    write_and_preview(hers, script)
    template = PromptTemplate.objects.get()
    save_a_second_version(hers, template, script)
    compare(hers)
    label(hers, template)
    suggest(his, template, script)
    review_and_accept(hers, template)
    fork(his, template)
    save_a_fourth_version(hers, template)
    merge_upstream(his)
    rate(his)
    look_at_the_numbers(hers, template)


def save(page: Page) -> None:
    page.locator(".save .button--primary").click()


def write_and_preview(page: Page, script: bool) -> None:
    page.goto("/templates/")
    page.get_by_role("link", name="New template").first.click()
    page.get_by_label("Title").fill(TITLE)
    page.get_by_label("Prompt", exact=True).fill(FIRST)
    page.get_by_label("Visibility").select_option("public")
    if not script:
        page.get_by_role("button", name="Preview").click()
    expect(page.locator("#contract legend .var")).to_have_text(["customer"])
    expect(page.locator("#preview")).to_contain_text("Answer customer.")
    save(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)


def save_a_second_version(page: Page, template: PromptTemplate, script: bool) -> None:
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Prompt", exact=True).fill(SECOND)
    if not script:
        page.locator(".contract noscript button").click()
    words = page.get_by_role("group", name="max_words")
    words.get_by_label("Type").select_option("integer")
    page.get_by_label("Change note").fill("How long it may be, its sender says")
    save(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    found = {each["name"]: each["type"] for each in template.versions.get(number=2).variables}
    assert found == {"customer": "long_text", "max_words": "integer"}


def compare(page: Page) -> None:
    page.get_by_role("link", name="Compare versions").click()
    page.get_by_role("button", name="Compare the two that are chosen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What changed from v1 to v2")
    expect(page.locator(".diff del").first).to_have_text("250")
    expect(page.locator(".diff ins").first).to_have_text("{{ max_words }}")
    page.get_by_role("link", name="Side by side").click()
    expect(page.locator(".diff--sides .diff__line--change").first).to_contain_text("Keep it under 250 words.")


def label(page: Page, template: PromptTemplate) -> None:
    page.goto(f"{template.get_absolute_url()}labels/")
    form = page.locator("#move")
    form.get_by_label("Label").fill("production")
    form.get_by_label("Version").select_option("v2")
    form.get_by_label("Reason").fill("It is what we send")
    form.get_by_role("button", name="Move the label").click()
    expect(page.locator(".labels__item")).to_contain_text("production")
    expect(page.locator(".labels__item")).to_contain_text("v2")


def suggest(page: Page, template: PromptTemplate, script: bool) -> None:
    page.goto("/templates/")
    page.get_by_role("link", name=TITLE, exact=True).click()
    expect(page.locator(".stats")).to_contain_text("in production")
    page.get_by_role("link", name="Suggest a change").click()
    page.get_by_label("Prompt", exact=True).fill(SUGGESTED)
    page.get_by_label("Why").fill("Friendly is what everybody writes.")
    page.get_by_role("button", name="Send the suggestion").click()
    expect(page.locator("#state-title")).to_have_text("Waits for a decision")


def review_and_accept(page: Page, template: PromptTemplate) -> None:
    page.goto(template.get_absolute_url())
    page.get_by_role("link", name="1 suggestion").click()
    page.get_by_role("link", name="Friendly is what everybody writes.").click()
    expect(page.locator(".diff ins").first).to_have_text("warm")
    page.get_by_label("Comment").fill("True.")
    page.get_by_role("button", name="Comment").click()
    expect(page.locator("#discussion .review__text")).to_have_text("True.")
    page.get_by_role("button", name="Accept as v3").click()
    expect(page.locator(".rail__name").first).to_have_text("v3")
    expect(page.locator(".rail__note").first).to_contain_text("Suggested by Jonas Weber, accepted by Ines Okafor")
    assert template.versions.get(number=3).body == SUGGESTED


def fork(page: Page, template: PromptTemplate) -> None:
    page.goto(template.get_absolute_url())
    page.get_by_label("More actions").click()
    page.get_by_role("link", name="Fork v3").click()
    page.get_by_label("Title").fill("Reply in Norwegian")
    page.get_by_role("button", name="Fork the template").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Reply in Norwegian")
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Prompt", exact=True).fill(SUGGESTED.replace("warm", "formal"))
    save(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Reply in Norwegian")


def save_a_fourth_version(page: Page, template: PromptTemplate) -> None:
    page.goto(f"{template.get_absolute_url()}edit/")
    page.get_by_label("Prompt", exact=True).fill(SUGGESTED.replace("a warm", "a kind").replace("Answer", "Write to"))
    save(page)
    expect(page.locator(".rail__name").first).to_have_text("v4")


def merge_upstream(page: Page) -> None:
    page.reload()
    expect(page.get_by_text("The original moved 1 version")).to_be_visible()
    page.get_by_role("link", name="See what changed").click()
    page.get_by_label("As written here:").check()
    page.get_by_label("Prompt, as you want it").fill("Use a formal, kind tone.")
    page.get_by_role("button", name="Show the result").click()
    expect(page.locator("#result-title + *, .diff").filter(has_text="formal, kind").first).to_be_visible()
    page.get_by_role("button", name="Merge as v3").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Reply in Norwegian")
    expect(page.get_by_text("The original moved")).to_have_count(0)
    merged = PromptTemplate.objects.get(title="Reply in Norwegian").current_version
    assert merged.body == "Write to {{ customer }}.\n\nUse a formal, kind tone.\n\nKeep it under {{ max_words }} words."


def rate(page: Page) -> None:
    page.goto("/templates/")
    page.get_by_role("link", name=TITLE, exact=True).click()
    page.locator("summary").filter(has_text="Rate v4").click()
    page.get_by_label("4", exact=True).check(force=True)
    page.get_by_label("Review", exact=True).fill("Kind is right.")
    page.get_by_role("button", name="Save your rating").click()
    expect(page.locator("article.review")).to_contain_text(re.compile("Jonas Weber.*v4.*Kind is right.", re.DOTALL))


def look_at_the_numbers(page: Page, template: PromptTemplate) -> None:
    page.goto(template.get_absolute_url())
    for text in ("4.0", "from 1", "production v2", "1 fork"):
        expect(page.locator(".page__head .stats")).to_contain_text(text)
    assert Rating.objects.values_list("version__number", "score").get() == (4, 4)
