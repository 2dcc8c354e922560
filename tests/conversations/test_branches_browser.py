"""Ways through a thread in Chromium: by keyboard from one version to the next, and back on the way that was chosen."""

import pytest
from playwright.sync_api import expect

from conversations.models import Participant
from tests.conversations.test_thread_browser import sign_in
from tests.factories import ConversationFactory, PromptFactory

pytestmark = [pytest.mark.browser, pytest.mark.sqlite_only, pytest.mark.django_db(transaction=True)]


def test_the_way_that_was_chosen_is_there_on_the_next_visit(page, live_server):
    conversation = ConversationFactory()
    first = PromptFactory(conversation=conversation)
    second = PromptFactory(conversation=conversation, parent=first, response_text="An old answer.")
    PromptFactory(conversation=conversation, parent=first, response_text="A new answer.")
    sign_in(page, live_server, conversation.owner)
    page.goto(conversation.get_absolute_url())
    expect(page.locator(".turn").last).to_contain_text("A new answer.")
    page.keyboard.press("[")
    expect(page.locator(".turn").last).to_contain_text("An old answer.")
    for _ in range(100):  # it is sent when the page has been seen
        if Participant.objects.get().leaf == second:
            break
        page.wait_for_timeout(100)
    assert Participant.objects.get().leaf == second
    page.goto(conversation.get_absolute_url())
    expect(page.locator(".turn").last).to_contain_text("An old answer.")
    expect(page.get_by_label("Versions of this interaction")).to_contain_text("1/2")
