"""In Chromium, with scripts and without: suggest, discuss, accept what moved on, rate, report, judge."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Permission
from django.test import Client
from playwright.sync_api import Page, expect

from accounts.models import User
from templates_app import services
from templates_app.models import PromptTemplate, Rating, RatingReport, Suggestion
from tests.factories import ConversationFactory, PromptFactory, RatingFactory, TemplateFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BODY = "Write about {{ topic }}.\nUse a friendly tone.\nEnd with a question.\n"
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])


@pytest.fixture
def ines() -> User:
    return UserFactory(display_name="Ines Okafor", handle="ines")


@pytest.fixture
def tom() -> User:
    return UserFactory(display_name="Tomas Lindqvist", handle="tomas")


@pytest.fixture
def reply(ines: User) -> PromptTemplate:
    return TemplateFactory(owner=ines, title="Reply to a ticket", body=BODY, visibility="public")


@pytest.fixture
def page_of(new_page: Callable[..., Page], live_server: Any) -> Callable[..., Page]:
    """A page of somebody who is signed in."""

    def make(user: User, **options: Any) -> Page:
        page = new_page(**options)
        client = Client()
        client.force_login(user)
        cookie = client.cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        return page

    return make


@SCRIPTS
def test_suggest_discuss_and_accept_what_moved_on(
    page_of: Callable[..., Page], ines: User, tom: User, reply: PromptTemplate, scripts: bool
) -> None:
    suggester = page_of(tom, java_script_enabled=scripts)
    suggest(suggester, reply, scripts)
    services.publish_version(reply, author=ines, base_revision=0, body=BODY.replace("a question", "thanks"))
    reviewer = page_of(ines, java_script_enabled=scripts)
    reviewer.goto(reply.get_absolute_url())
    reviewer.get_by_role("link", name="1 suggestion").click()
    reviewer.get_by_role("link", name="Nobody reads the word").click()
    expect(reviewer.locator("#outcome-title")).to_have_text("What accepting changes in v2")
    expect(reviewer.locator(".diff ins").first).to_have_text("{{ tone }}")
    reviewer.get_by_label("Comment").fill("Which tones?")
    reviewer.get_by_role("button", name="Comment").click()
    expect(reviewer.locator("#discussion .review__text")).to_have_text("Which tones?")
    suggester.reload()
    suggester.get_by_label("Comment").fill("Warm and cold.")
    suggester.get_by_role("button", name="Comment").click()
    expect(suggester.locator("#discussion .review__text")).to_have_text(["Which tones?", "Warm and cold."])
    reviewer.get_by_label("A word to its author").fill("Thank you.")
    reviewer.get_by_role("button", name="Accept as v3").click()
    expect(reviewer.locator(".rail__name").first).to_have_text("v3")
    expect(reviewer.locator(".rail__note").first).to_contain_text(
        "Suggested by Tomas Lindqvist, accepted by Ines Okafor"
    )
    suggester.reload()
    expect(suggester.locator("#state-title")).to_have_text("Accepted")
    expect(suggester.locator(".said")).to_have_text("Thank you.")
    reply.refresh_from_db()
    assert reply.current_version is not None
    assert reply.current_version.body == "Write about {{ topic }}.\nUse a {{ tone }} tone.\nEnd with thanks.\n"
    assert [each["name"] for each in reply.current_version.variables] == ["topic", "tone"]


def suggest(page: Page, template: PromptTemplate, scripts: bool) -> None:
    page.goto(template.get_absolute_url())
    page.get_by_role("link", name="Suggest a change").click()
    page.get_by_label("Prompt", exact=True).fill(BODY.replace("friendly", "{{ tone }}"))
    if not scripts:
        page.get_by_role("button", name="Find variables").click()
    expect(page.locator("#contract legend .var")).to_have_text(["topic", "tone"])
    page.get_by_label("Why").fill("Nobody reads the word.")
    page.get_by_role("button", name="Send the suggestion").click()
    expect(page.locator("#state-title")).to_have_text("Waits for a decision")
    page.get_by_role("link", name="Change it").click()
    expect(page.get_by_label("Why")).to_have_value("Nobody reads the word.")
    page.get_by_label("Why").fill("Nobody reads the word “friendly”.")
    page.get_by_role("button", name="Save the suggestion").click()
    expect(page.locator(".page__said")).to_have_text("Nobody reads the word “friendly”.")


@SCRIPTS
def test_a_contradiction_is_decided_by_radio_or_in_one_s_own_words(
    page_of: Callable[..., Page], ines: User, tom: User, reply: PromptTemplate, scripts: bool
) -> None:
    version = reply.current_version
    assert version is not None
    content = {"system_prompt": "", "examples": [], "variables": version.variables, "parameters": {}}
    body = BODY.replace("a friendly", "no")
    suggestion = services.suggest_change(version, author=tom, body=body, **content)
    services.publish_version(reply, author=ines, base_revision=0, body=BODY.replace("a friendly", "an angry"))
    page = page_of(ines, java_script_enabled=scripts)
    page.goto(suggestion.get_absolute_url())
    page.get_by_role("button", name="Accept like this as v3").click()
    expect(page.get_by_role("alert")).to_contain_text("say for each contradiction")
    page.get_by_label("As written here:").check()
    page.get_by_label("Prompt, as you want it").fill("Use your own tone.")
    page.get_by_role("button", name="Accept like this as v3").click()
    expect(page.locator(".preview__blank")).to_contain_text("Use your own tone.")
    suggestion = Suggestion.objects.get()
    assert suggestion.accepted_version is not None
    assert (suggestion.accepted_version.author, suggestion.accepted_version.body) == (
        ines,
        BODY.replace("a friendly", "your own"),
    )


@SCRIPTS
def test_rate_report_and_judge(
    page_of: Callable[..., Page], ines: User, tom: User, reply: PromptTemplate, scripts: bool
) -> None:
    PromptFactory(conversation=ConversationFactory(owner=tom), template_version=reply.current_version, model="gpt-4.1")
    RatingFactory(template=reply, review="Buy my course", score=1, user__display_name="Mallory")
    rater = page_of(tom, java_script_enabled=scripts)
    rater.goto(reply.get_absolute_url())
    rater.locator("summary").filter(has_text="Rate v1").click()
    rater.get_by_label("5, keeps its promise").check()
    rater.get_by_label("Review", exact=True).fill("The first that I send unedited.")
    expect(rater.locator("#rate-model")).to_have_value("gpt-4.1")
    rater.get_by_label("Used for").fill("tickets from Germany")
    rater.get_by_role("button", name="Save your rating").click()
    mine = rater.locator("article.review").filter(has_text="unedited")
    expect(mine.locator(".badge")).to_have_text("has run it")
    expect(mine.locator(".review__foot")).to_contain_text("for tickets from Germany")
    rater.get_by_role("link", name="1 star").click()
    expect(rater.locator(".review__text")).to_have_text(["Buy my course"])
    rater.get_by_role("link", name="Report the review by Mallory").click()
    rater.get_by_label("What is wrong with it").fill("It sells something.")
    rater.get_by_role("button", name="Report the review").click()
    expect(rater.get_by_text("The curators will look at the review.")).to_be_visible()
    ines.user_permissions.add(Permission.objects.get(codename="curate_library"))
    curator = page_of(ines, java_script_enabled=scripts)
    curator.goto("/templates/reports/")
    expect(curator.locator(".said")).to_have_text("It sells something.")
    curator.get_by_role("button", name="Remove the review").click()
    expect(curator.get_by_text("Nothing to decide")).to_be_visible()
    rater.goto(reply.get_absolute_url())
    expect(rater.locator(".review__text")).to_have_text(["The first that I send unedited."])
    assert (Rating.objects.count(), RatingReport.objects.get().decision) == (1, "removed")


@pytest.mark.sqlite_only
def test_the_pages_are_accessible_and_do_not_scroll_sideways(
    page_of: Callable[..., Page], ines: User, tom: User, reply: PromptTemplate
) -> None:
    version = reply.current_version
    assert version is not None
    content = {"system_prompt": "", "examples": [], "variables": version.variables, "parameters": {}}
    body = BODY.replace("a friendly", "no")
    suggestion = services.suggest_change(version, author=tom, message="Less " * 40, body=body, **content)
    services.comment_suggestion(suggestion, author=ines, text="W" * 200)
    services.publish_version(reply, author=ines, base_revision=0, body=BODY.replace("a friendly", "an angry"))
    rating = RatingFactory(template=reply, version=version, review="V" * 200, model="m" * 100, task="t" * 190)
    services.report_rating(rating, user=tom, reason="R" * 200)
    ines.user_permissions.add(Permission.objects.get(codename="curate_library"))
    page = page_of(ines, color_scheme="dark", viewport={"width": 360, "height": 800}, bypass_csp=True)
    base = reply.get_absolute_url()
    for address in (f"{base}suggestions/{suggestion.pk}/", f"{base}reviews/", "/templates/reports/"):
        page.goto(address)
        found = Axe().run(page, options={"resultTypes": ["violations"], "preload": False})
        assert (address, found.generate_report() if found.violations_count else "") == (address, "")
        assert (address, page.evaluate("document.documentElement.scrollWidth")) == (address, 360)
