"""Two people in two browsers: what one asks the other sees written; a link that is revoked while it is read."""

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from conversations.services import links
from tests.factories import AIModelFactory, ConversationFactory, ParticipantFactory, PromptFactory, UserFactory
from tests.faults import ANSWER, running_fault_server

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PATIENCE = 30_000


@pytest.fixture(scope="module")
def faults():
    with running_fault_server() as server:
        yield server


def sign_in(page, live_server, user):
    client = Client()
    client.force_login(user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    return page


def test_two_people_see_what_the_other_asks_and_a_removed_one_nothing_more(faults, live_server, new_page):
    owner = UserFactory(display_name="Olga")
    AIModelFactory(openai=True, base_url=faults.base_url("slow"))
    conversation = ConversationFactory(owner=owner)
    PromptFactory(conversation=conversation, input_text="Ripe?", response_text="Ripe.")
    seat = ParticipantFactory(conversation=conversation, role="viewer")
    asks, reads = sign_in(new_page(), live_server, owner), sign_in(new_page(), live_server, seat.user)
    for page in (asks, reads):
        page.goto(live_server.url + conversation.get_absolute_url())
    expect(reads.locator(".composer")).to_have_count(0)
    expect(reads.locator(".turn")).to_have_count(1)
    asks.fill("#ask", "And the pears?")
    asks.click(".composer button[aria-label=Send]")
    expect(reads.locator(".turn").nth(1)).to_contain_text("And the pears?", timeout=PATIENCE)
    expect(reads.locator(".turn").nth(1)).to_contain_text(ANSWER.split()[0], timeout=PATIENCE)
    expect(reads.locator(".turn").nth(1).locator("[data-copy]")).to_have_count(1, timeout=PATIENCE)
    seat.delete()
    expect(reads.get_by_text("There is nothing here")).to_be_visible(timeout=PATIENCE)


def test_what_appears_while_one_looks_is_read_and_where_that_cannot_be_said_nothing_is(live_server, new_page):
    conversation = ConversationFactory()
    PromptFactory(conversation=conversation, input_text="Ripe?")
    seat = ParticipantFactory(conversation=conversation, role="viewer")
    page = sign_in(new_page(), live_server, seat.user)
    page.goto(live_server.url + conversation.get_absolute_url())
    for text, refused in (("Still?", False), ("And now?", True)):
        if refused:
            page.route("**/reading/", lambda route: route.fulfill(status=404))
        with page.expect_response("**/reading/", timeout=PATIENCE):
            PromptFactory(conversation=conversation, input_text=text)
            expect(page.get_by_text(text)).to_be_visible(timeout=PATIENCE)
    seat.refresh_from_db()
    still, now = conversation.prompts.order_by("pk")[1:]
    assert still.created_at < seat.last_read_at < now.created_at
    expect(page.locator("[data-toast]")).to_have_count(0)


def test_a_revoked_link_dies_while_it_is_open(live_server, new_page):
    conversation = ConversationFactory()
    PromptFactory(conversation=conversation, input_text="Ripe?", response_text="Very ripe.")
    link, token = links.make_link(conversation, by=conversation.owner, max_views=1)
    page = new_page()
    page.goto(live_server.url + reverse("conversations:shared", args=[token]))
    page.click("text=Open the conversation")
    expect(page.get_by_text("Very ripe.")).to_be_visible()
    PromptFactory(conversation=conversation, input_text="Still?", response_text="Still ripe.")
    expect(page.get_by_text("Still ripe.")).to_be_visible(timeout=PATIENCE)
    links.revoke(link)
    expect(page.get_by_text("This link does not work")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Very ripe.")).to_have_count(0)
