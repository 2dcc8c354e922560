"""The library in Chromium: search, a prompt that fills in, a contract that follows its text; and all with no script."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from accounts.models import User
from templates_app.models import PromptTemplate
from tests.factories import (
    ConversationFactory,
    FavoriteFactory,
    LabelFactory,
    PromptFactory,
    RatingFactory,
    TemplateFactory,
    UserFactory,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CONTRACT: list[dict[str, Any]] = [
    {"name": "customer", "type": "text", "label": "Customer", "required": True},
    {"name": "tone", "type": "choice", "label": "Tone", "options": ["warm", "cold"], "default": "warm"},
    {"name": "language", "type": "choice", "label": "Language", "options": ["English", "German"]},
    {"name": "parts", "type": "choices", "label": "Parts", "options": ["greeting", "facts"]},
    {"name": "ticket", "type": "long_text", "label": "Ticket", "required": True, "help": "As it was written."},
    {"name": "polite", "type": "boolean", "label": "Be polite", "default": True},
    {"name": "words", "type": "integer", "label": "Words", "min": 40, "max": 400, "default": 180},
]
BODY = "Dear {{ customer }},\n\n\n  {{ tone }}: {{ parts }} {{ language }} {{ polite }} {{ words }}\n<b> {{ ticket }}\n"


@pytest.fixture
def ines() -> User:
    return UserFactory(display_name="Ines Okafor", handle="ines")


@pytest.fixture
def reply(ines: User) -> PromptTemplate:
    """A template with everything a page can show."""
    template = TemplateFactory(
        owner=ines,
        title="Reply to a ticket",
        summary="Within what the policy allows.",
        body=BODY,
        system_prompt="You answer for {{ customer }}.",
        variables=CONTRACT,
        tags=["customers", "e-mail"],
        versions=3,
        visibility="public",
    )
    LabelFactory(version=template.current_version)
    RatingFactory(template=template, score=5, review="The first that I send unedited.")
    RatingFactory(template=template, score=4)
    FavoriteFactory(template=template, user=ines)
    PromptFactory(conversation=ConversationFactory(owner=ines), template_version=template.current_version)
    return template


def sign_in(page: Page, live_server: Any, user: User) -> None:
    client = Client()
    client.force_login(user)
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])


def test_the_list_follows_what_one_types(page: Page, live_server: Any, ines: User, reply: PromptTemplate) -> None:
    TemplateFactory(owner=ines, title="Warranty letter", tags=["customers"])
    sign_in(page, live_server, ines)
    page.goto("/templates/")
    page.keyboard.press("/")
    page.keyboard.type("warranty")
    expect(page).to_have_url(re.compile(r"/templates/\?q=warranty$"))
    expect(page.locator(".row__title")).to_have_text(["Warranty letter"])
    expect(page.get_by_role("status").filter(has_text="template")).to_have_text("1 template for “warranty”")
    page.get_by_label("Search templates").fill("")
    page.get_by_label("Rating").select_option("4")
    expect(page.locator(".row__title")).to_have_text(["Reply to a ticket"])
    page.get_by_label("Remove filter: rated 4 and up").click()
    expect(page.locator(".row")).to_have_count(2)
    page.go_back()
    expect(page.locator(".row__title")).to_have_text(["Reply to a ticket"])
    expect(page.get_by_label("Rating")).to_have_value("4")


def test_a_prompt_fills_in_as_one_types_and_is_copied_to_the_letter(
    page: Page, live_server: Any, ines: User, reply: PromptTemplate
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live_server.url)
    sign_in(page, live_server, ines)
    page.goto(reply.get_absolute_url())
    expect(page.locator(".panel__note").first).to_have_text("4 of 7 still empty")
    page.get_by_label("Customer").fill("<i>Marit</i> & co")
    filled = page.locator(".preview__filled")
    expect(filled).to_be_visible()
    expect(filled.locator("[data-var=customer]").first).to_have_text("<i>Marit</i> & co")
    page.get_by_label("greeting").check()
    page.get_by_label("facts").check()
    page.get_by_label("Be polite").uncheck()
    expect(page.locator(".panel__note").first).to_have_text("2 of 7 still empty")
    page.locator(".preview__bar").get_by_role("button", name="Copy").click()
    expect(page.locator(".toast")).to_have_text("Copied.")
    who = "<i>Marit</i> & co"
    assert page.evaluate("navigator.clipboard.readText()") == (
        f"You answer for {who}.\n\nDear {who},\n\n\n  warm: greeting, facts  no 180\n<b> {{{{ ticket }}}}\n"
    )
    page.get_by_text("Template", exact=True).click()
    expect(filled).to_be_hidden()
    page.get_by_role("button", name="Run").click()
    assert page.get_by_label("Ticket").evaluate("field => field.validity.valueMissing")


def test_keeping_and_rating_without_leaving_the_page(page: Page, live_server: Any, reply: PromptTemplate) -> None:
    tom = UserFactory(display_name="Tomas Lindqvist")
    sign_in(page, live_server, tom)
    page.goto(reply.get_absolute_url())
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Favourite")).to_have_attribute("aria-pressed", "true")
    page.get_by_text("Rate v3").click()
    page.get_by_role("button", name="Save your rating").click()
    page.get_by_label("2", exact=True).check()
    page.get_by_role("textbox", name="Review").fill("Too <long>.")
    page.get_by_role("button", name="Save your rating").click()
    expect(page.locator(".review__text").first).to_have_text("Too <long>.")
    expect(page.locator(".toast")).to_have_text("Your rating is saved.")
    page.get_by_text("Change your rating").click()
    page.get_by_role("button", name="Withdraw it").click()
    expect(page.get_by_text("Too <long>.")).to_have_count(0)
    reply.refresh_from_db()
    assert (reply.rating_count, reply.favorite_count) == (2, 2)


def test_the_contract_follows_the_text_and_keeps_what_was_set(page: Page, live_server: Any, ines: User) -> None:
    sign_in(page, live_server, ines)
    page.goto("/templates/new/?title=Fresh")
    body = page.get_by_label("Prompt", exact=True)
    body.fill("Hello {{ first_name }} of {{ city }}")
    names = page.locator(".contract .var")
    expect(names).to_have_text(["first_name", "city"])
    city = page.get_by_role("group", name="city")
    city.get_by_label("Type").select_option("choice")
    city.get_by_text("Default, help and limits").click()
    city.get_by_label("Options").fill("Oslo\nBergen")
    expect(city.get_by_label("Pattern")).to_be_hidden()
    body.press("Control+End")
    body.press_sequentially(", {{ age }}", delay=20)
    expect(names).to_have_text(["first_name", "city", "age"])
    expect(page.locator("#id_variables-1-options")).to_have_value("Oslo\nBergen")
    expect(body).to_be_focused()
    page.get_by_role("button", name="Save template").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Fresh")
    contract = PromptTemplate.objects.get().current_version.variables
    assert [(each["name"], each["type"], each.get("options")) for each in contract] == [
        ("first_name", "text", None),
        ("city", "choice", ["Oslo", "Bergen"]),
        ("age", "text", None),
    ]


def test_the_whole_way_without_a_script(new_page: Callable[..., Page], live_server: Any, ines: User) -> None:
    page = new_page(java_script_enabled=False)
    sign_in(page, live_server, ines)
    page.goto("/templates/new/")
    page.get_by_label("Title").fill("Plain")
    page.get_by_label("Prompt", exact=True).fill("Say {{ what }}.")
    page.locator(".contract noscript button").click()
    page.get_by_label("Type").select_option("long_text")
    page.get_by_role("button", name="Save template").click()
    page.get_by_label("What").fill("<b>two</b>\nlines")
    page.locator(".desk__form noscript button").click()
    expect(page.locator("#rendered")).to_have_value("Say <b>two</b>\nlines.")
    page.get_by_role("button", name="Favourite").click()
    expect(page.get_by_role("button", name="Favourite")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Library").first.click()
    page.get_by_label("Search templates").fill("plain")
    page.locator(".filters noscript button").click()
    page.get_by_role("link", name="Plain").click()
    page.get_by_label("More actions").click()
    page.get_by_role("button", name="Move to trash").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Plain")
