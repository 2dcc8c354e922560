"""A conversation in Chromium: answers that appear while they are written, with a script and without; axe and HTML."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import expect

from conversations.models import Prompt, PromptComment
from conversations.services import retry
from tests.factories import (
    AIModelFactory,
    AIModelPriceFactory,
    ConversationFactory,
    ParticipantFactory,
    PromptFactory,
    TemplateFactory,
    UserFactory,
)
from tests.faults import running_fault_server
from tests.model_server import model_server  # noqa: F401  # a fixture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MARKDOWN = """## Shares

Compare **shares**, see [the note](https://example.org/note) and `month`.

1. One
2. Two

| Product | October |
|---|--:|
| Tent | 187 |

```sql
SELECT sku FROM returns;
```
"""


@pytest.fixture(scope="module")
def faults():
    with running_fault_server() as server:
        yield server


@pytest.fixture
def user():
    return UserFactory(display_name="Ines Okafor")


@pytest.fixture
def conversation(user):
    return ConversationFactory(owner=user, title="Why did returns double?")


def sign_in(page, live_server, user):
    client = Client()
    client.force_login(user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )


def answer(page):
    return page.locator(".turn").last.locator(".answer")


def ask(page, conversation, text):
    page.goto(conversation.get_absolute_url())
    page.get_by_label("Your question").fill(text)
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".turn").last.locator(".ask__text")).to_have_text(text)


def test_an_answer_appears_as_it_is_written_and_ends_as_markdown(page, live_server, user, conversation, model_server):  # noqa: F811
    model = AIModelFactory(openai=True, base_url=model_server, name="gpt-4.1", label="GPT")
    AIModelPriceFactory(model=model)
    sign_in(page, live_server, user)
    ask(page, conversation, "What is this?")
    expect(answer(page).locator(".metrics")).to_contain_text(re.compile(r"\d+ in, \d+ out"))
    expect(answer(page)).not_to_have_attribute("aria-busy", "true")
    prompt = Prompt.objects.get()
    assert (prompt.status, prompt.finish_reason) == ("completed", "stop")
    assert prompt.cost > 0
    expect(answer(page).locator(".answer__text")).to_have_text(prompt.response_text)
    expect(page.locator("#conversation-totals")).to_contain_text(f"{prompt.output_tokens}")


def test_the_words_are_there_before_the_end_and_stop_keeps_them(page, live_server, user, conversation, faults):
    AIModelFactory(openai=True, base_url=faults.base_url("drip_words"))
    sign_in(page, live_server, user)
    ask(page, conversation, "Go on for ever")
    expect(answer(page).locator("[data-answer-text]")).to_have_text(re.compile("^xx"))
    expect(answer(page)).to_have_attribute("aria-busy", "true")
    answer(page).get_by_role("button", name="Stop").click()
    expect(answer(page).locator(".banner")).to_contain_text("The answer was stopped. What had arrived is kept.")
    expect(answer(page).locator(".answer__text")).to_have_text(re.compile(r"^\s*x+\s*$"))
    answer(page).get_by_role("button", name="Try again").click()
    expect(answer(page)).to_have_attribute("aria-busy", "true")
    page.keyboard.press("Escape")
    expect(answer(page).locator(".banner")).to_contain_text("The answer was stopped.")
    expect(page.locator(".branches__count")).to_have_text("2/2")
    page.keyboard.press("[")
    expect(page.locator(".branches__count")).to_have_text("1/2")


def test_a_failure_says_what_happened_and_another_model_helps(page, live_server, user, conversation, faults, settings):
    settings.PROVIDER_ATTEMPTS = 1  # else it is asked again, as long as it says that one should
    AIModelFactory(openai=True, base_url=faults.base_url("429"), label="Busy", position=1)
    AIModelFactory(openai=True, base_url=faults.base_url("ok"), label="Free", position=2)
    sign_in(page, live_server, user)
    ask(page, conversation, "Hello?")
    expect(answer(page).get_by_role("alert")).to_contain_text(
        "The provider takes no more questions at the moment (429)."
    )
    answer(page).get_by_text("Choose a model").click()
    answer(page).get_by_role("button", name="Ask Free").click()
    expect(answer(page).locator(".answer__text")).to_have_text("Hello wörld, 日本 👍🏽.")
    expect(page.get_by_label("Model", exact=True)).to_have_value(str(Prompt.objects.latest("pk").ai_model_id))


def test_without_a_script_the_page_looks_again_until_the_answer_is_there(
    new_page, live_server, user, conversation, faults
):
    AIModelFactory(openai=True, base_url=faults.base_url("slow"))
    page = new_page(java_script_enabled=False)
    sign_in(page, live_server, user)
    ask(page, conversation, "Hello?")
    expect(answer(page).locator(".metrics")).to_be_visible(timeout=20_000)
    expect(answer(page).locator(".answer__text")).to_have_text("Hello wörld, 日本 👍🏽.")
    answer(page).get_by_role("button", name="Good answer").click()
    expect(answer(page).get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")


def test_an_answer_is_recorded_by_hand_without_a_script(new_page, live_server, user, conversation):
    page = new_page(java_script_enabled=False)
    sign_in(page, live_server, user)
    ask(page, conversation, "Hello?")
    page.get_by_label("The answer").fill("From elsewhere: **yes**")
    page.get_by_label("Who answered").fill("gpt-5")
    page.get_by_role("button", name="Record the answer").click()
    expect(answer(page)).to_contain_text("recorded by hand")
    expect(answer(page).locator("strong")).to_have_text("yes")


@pytest.fixture
def every_state(user, conversation):
    """A conversation with a turn in each state; another person's, remarked and judged."""
    AIModelFactory(openai=True)
    template = TemplateFactory(owner=user, title="Read a table aloud")
    tomas = ParticipantFactory(conversation=conversation, role="editor").user
    version, values = template.current_version, {"topic": "tides"}
    first = PromptFactory(
        conversation=conversation,
        author=tomas,
        response_text=MARKDOWN,
        template_version=version,
        values=values,
        feedback=1,
        feedback_note="Exact.",
    )
    PromptComment.objects.create(prompt=first, author=tomas, text="Please do not send it yet.")
    failed = PromptFactory(conversation=conversation, parent=first, failed=True, input_text="Long. " * 1000)
    PromptFactory(conversation=conversation, parent=failed, status="interrupted", error_message="It broke. Try again.")
    retry(Prompt.objects.latest("pk"), author=user, model=None)
    PromptFactory(conversation=conversation, parent=Prompt.objects.latest("pk"), recorded=True)
    PromptFactory(conversation=conversation, parent=Prompt.objects.latest("pk"), pending=True, status="streaming")
    return conversation


@pytest.mark.sqlite_only
def test_axe_finds_nothing_in_a_thread_in_every_state(new_page, live_server, user, every_state):
    # So tall that nothing lies under the composer, where a target would count as covered.
    page = new_page(viewport={"width": 360, "height": 6000}, color_scheme="dark")
    sign_in(page, live_server, user)
    page.goto(every_state.get_absolute_url())
    rules = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
    results = Axe().run(page, options={"preload": False, "runOnly": rules})
    assert [f"{rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in results.response["violations"]] == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


@pytest.mark.html_check
def test_it_is_valid(client, user, every_state, html_check):
    client.force_login(user)
    html_check(client.get(every_state.get_absolute_url()), "conversation-in-every-state")
