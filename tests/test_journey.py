"""The main job in Chromium, from the door to the audit log: with scripts, without, and by keyboard alone."""

import os
import re
from collections.abc import Callable

import pytest
from django.core.management import call_command
from playwright.sync_api import Error, Locator, Page, expect

from accounts.models import User
from conversations.models import AIModel, Prompt
from promptlib.core.templatetags.interface import money, number, seconds
from templates_app.models import PromptTemplate, Rating
from tests.factories import PASSWORD, AIModelFactory, AIModelPriceFactory, TemplateFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

TITLE = "Travel Planner Prompt"
ANSWERS = {
    "city": "Lisbon",
    "dates": "4 to 9 May",
    "budget": "600 euros",
    "interests": "tiles and trams",
    "pace": "slow",
    "constraints": "no cars",
}
COLUMNS = ("who", "action", "kind")
RECORDED = "Begin with **the 28 tram**, then walk."


@pytest.fixture
def ada() -> User:
    return UserFactory(display_name="Ada Marsh", email="ada@example.org", can_sign_in=True)


@pytest.fixture
def vera() -> User:
    return UserFactory(staff=True, display_name="Vera Holm", email="vera@example.org", can_sign_in=True)


@pytest.fixture
def librarian() -> User:
    return UserFactory(display_name="Library of Alexandria", email="library@example.org")


@pytest.fixture
def few(librarian: User) -> int:
    """A public library of one template like the one that is looked for, and some others."""
    TemplateFactory(
        owner=librarian,
        visibility="public",
        title=TITLE,
        body="Plan {{ dates }} in {{ city }} for {{ budget }}: {{ interests }}, {{ pace }}, {{ constraints }}.",
    )
    TemplateFactory.create_batch(9, owner=librarian, visibility="public")
    return PromptTemplate.objects.count()


@pytest.fixture
def library(request: pytest.FixtureRequest, librarian: User) -> int:
    """A public library of 1,282 real templates; of few where the collection is not at hand."""
    folder = os.environ.get("PROMPTLIB_TEST_DATA")
    if not folder:
        return request.getfixturevalue("few")
    command = ["import_templates", f"{folder}/prompts/prompts-chat.csv", "--visibility", "public"]
    call_command(*command, "--owner", librarian.email, verbosity=0)
    return PromptTemplate.objects.count()


@pytest.fixture
def model(model_server: str) -> AIModel:
    model = AIModelFactory(openai=True, base_url=model_server, name="gpt-4.1", label="GPT 4.1")
    AIModelPriceFactory(model=model)
    return model


def sign_in(page: Page, person: User) -> None:
    page.goto("/")
    page.get_by_role("link", name="Sign in").first.click()
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_the_main_job(
    new_page: Callable[..., Page], ada: User, vera: User, library: int, model: AIModel, scripts: bool
) -> None:
    page = new_page(java_script_enabled=scripts, permissions=["clipboard-read", "clipboard-write"])
    sign_in(page, ada)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Library").click()
    arrived(page, "Library")
    find_the_template(page, library, scripts)
    fill_it_in(page, scripts)
    run_it(page, model)
    record_an_answer_by_hand(page, scripts)
    rate_it(page, ada)
    staff = new_page(java_script_enabled=scripts)
    sign_in(staff, vera)
    staff_see_all_of_it(staff, ada)


def find_the_template(page: Page, library: int, scripts: bool) -> None:
    expect(page.get_by_role("status").filter(has_text="templates")).to_have_text(f"{library:,} templates")
    page.get_by_role("searchbox", name="Search templates").fill("travel planner prompt")
    if not scripts:
        page.keyboard.press("Enter")
    expect(page.locator(".row__title").first).to_have_text(TITLE)
    expect(page).to_have_url(re.compile(r"/templates/\?q=travel\+planner\+prompt"))
    page.get_by_role("link", name=TITLE, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)


def fill_it_in(page: Page, scripts: bool) -> None:
    form = page.get_by_role("form", name="Use it")
    for name, value in ANSWERS.items():
        form.get_by_label(re.compile(f"^{name}", re.IGNORECASE)).fill(value)
    if scripts:
        page.get_by_text("Filled in", exact=True).click()
    else:
        page.get_by_role("button", name="Show it filled in").click()
    for value in ANSWERS.values():
        expect(page.locator(".preview__filled")).to_contain_text(value)


def run_it(page: Page, model: AIModel) -> None:
    form = page.get_by_role("form", name="Use it")
    form.get_by_label("Model").select_option(label=model.label)
    form.get_by_role("button", name="Run").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    expect(page.locator(".ask__text")).to_contain_text("Lisbon")
    answer = page.locator(".answer")
    expect(answer.locator(".metrics__numbers")).to_contain_text("€", timeout=20_000)
    prompt = Prompt.objects.get()
    assert (prompt.status, prompt.values) == ("completed", ANSWERS)
    expect(answer.locator(".answer__text")).to_have_text(prompt.response_text)
    numbers = answer.locator(".metrics__numbers")
    expect(numbers).to_contain_text(f"{number(prompt.input_tokens)} in, {number(prompt.output_tokens)} out")
    expect(numbers).to_contain_text(seconds(prompt.latency_ms))
    expect(numbers).to_contain_text(money(prompt.cost, "EUR"))
    assert min(prompt.input_tokens, prompt.output_tokens, prompt.latency_ms, prompt.cost) > 0


def record_an_answer_by_hand(page: Page, scripts: bool) -> None:
    """The same template again, into the same conversation, answered in some other tool."""
    page.get_by_role("complementary").get_by_role("link", name=TITLE).click()
    fill_it_in(page, scripts)
    form = page.get_by_role("form", name="Use it")
    form.get_by_label("Model").select_option(label="No model: record an answer")
    form.get_by_label("Into").select_option(label=TITLE)
    form.get_by_role("button", name="Run").click()
    turn = page.locator(".turn").nth(1)
    expect(turn).to_contain_text("Copy the prompt into any chat tool, then paste what it answered.")
    if scripts:
        turn.get_by_role("button", name="Copy the prompt").click()
        expect(page.get_by_text("Copied.")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == Prompt.objects.latest("pk").input_text
    turn.get_by_label("The answer").fill(RECORDED)
    turn.get_by_label("Who answered").fill("A friend")
    turn.get_by_role("button", name="Record the answer").click()
    expect(turn.locator(".answer")).to_contain_text("A friend")
    expect(turn.locator(".answer")).to_contain_text("recorded by hand")
    expect(turn.locator(".answer strong")).to_have_text("the 28 tram")
    expect(page.locator("#conversation-stats")).to_contain_text("2 interactions")


def rate_it(page: Page, person: User) -> None:
    page.get_by_role("complementary").get_by_role("link", name=TITLE).click()
    reviews = page.get_by_role("region", name="Reviews")
    expect(reviews).to_contain_text("Nobody has rated this yet. Yours would be the first.")
    reviews.get_by_text("Rate v1").click()
    reviews.get_by_label("4", exact=True).check(force=True)
    reviews.get_by_label("Review").fill("Forgets the trams, else fine.")
    reviews.get_by_role("button", name="Save your rating").click()
    expect(page.get_by_role("region", name="Reviews").locator(".review")).to_contain_text(
        re.compile(f"{person.display_name}.*v1.*Forgets the trams, else fine.", re.DOTALL)
    )
    expect(page.get_by_text("Your rating is saved.")).to_be_visible()
    page.reload()
    stats = page.locator(".page__head .stats")
    expect(stats).to_contain_text("4.0")
    expect(stats).to_contain_text("from 1")
    expect(stats).to_contain_text("2 runs")
    assert Rating.objects.values_list("user__email", "score").get() == (person.email, 4)


def staff_see_all_of_it(page: Page, person: User) -> None:
    answered = Prompt.objects.earliest("pk")
    page.goto("/admin/")
    page.get_by_role("link", name="Interactions", exact=True).first.click()
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(2)
    for text in ("recorded", person.display_name):
        expect(rows.nth(0)).to_contain_text(text)
    numbers = (answered.input_tokens, answered.output_tokens, answered.latency_ms, answered.cost)
    for text in ("answered", person.display_name, "gpt-4.1", *map(str, numbers)):
        expect(rows.nth(1)).to_contain_text(text)
    rows.nth(1).locator("th a").click()
    expect(page.get_by_text("Lisbon").first).to_be_visible()
    page.goto("/admin/")
    page.get_by_role("link", name="Ratings", exact=True).first.click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(TITLE)
    page.goto("/admin/")
    page.get_by_role("link", name="Audit log", exact=True).first.click()
    arrived(page, "Select audit log row to view")
    name, staff = person.display_name, "Vera Holm"
    happened = [
        (staff, "opened", "interaction"),
        (staff, "signed in", "person"),
        (name, "created", "rating"),
        (name, "changed", "interaction"),  # its answer was recorded
        (name, "created", "interaction"),
        (name, "ran", "interaction"),  # and what came of it
        (name, "ran", "interaction"),
        (name, "created", "interaction"),
        (name, "created", "person in a conversation"),
        (name, "created", "conversation"),
        (name, "signed in", "person"),
    ]
    cells = [
        [row.locator(f".field-{column}").inner_text() for column in COLUMNS] for row in rows.all()[: len(happened)]
    ]
    assert [tuple(row) for row in cells] == happened
    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="History").click()
    arrived(page, "History")
    told = page.locator(".event__what > p:first-child").all_inner_texts()[:4]
    assert re.match(f"{staff} opened interaction ", told[0])
    assert told[1:3] == [f"{staff} signed in", f"{name} created rating 4 ★ of {TITLE}"]
    assert re.match(f"{name} changed interaction ", told[3])


# ---- by keyboard alone ---------------------------------------------------------------------------------------------

FOCUS = """() => {
    const focused = document.activeElement;
    const box = focused.getBoundingClientRect();
    const over = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return !!over && (focused.contains(over) || over.contains(focused) || !!over.closest("label")?.contains(focused));
}"""


def tab_to(page: Page, what: Locator) -> None:
    """Press Tab until `what` has the focus. Whatever has it on the way must be in sight, nothing lying over it."""
    hidden = []
    for _ in range(60):
        page.keyboard.press("Tab")
        try:
            page.wait_for_function(FOCUS, timeout=1000)  # it may have to be scrolled to
        except Error:
            hidden.append(page.evaluate("document.activeElement.outerHTML.slice(0, 160)"))
        if what.evaluate("element => element === document.activeElement"):
            break
    expect(what).to_be_focused()
    assert hidden == []


def arrived(page: Page, heading: str) -> None:
    """Keys are not heard before the page's scripts have run."""
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    page.wait_for_load_state()


def test_the_main_job_by_keyboard_alone(page: Page, ada: User, few: int, model: AIModel) -> None:
    keys = page.keyboard
    page.goto("/")
    keys.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    tab_to(page, page.get_by_role("link", name="Sign in").first)
    keys.press("Enter")
    arrived(page, "Sign in")
    tab_to(page, page.get_by_label("E-mail"))
    keys.type(ada.email)
    tab_to(page, page.get_by_label("Password"))
    keys.type(PASSWORD)
    keys.press("Enter")
    arrived(page, f"Good to see you, {ada.display_name}")
    keys.type("gl")
    arrived(page, "Library")
    keys.type("/travel planner prompt")
    expect(page.get_by_role("searchbox", name="Search templates")).to_have_value("travel planner prompt")
    expect(page.get_by_role("status").filter(has_text="for “travel planner prompt”")).to_be_visible()
    keys.press("Escape")
    keys.type("jjk")
    expect(page.get_by_role("link", name=TITLE, exact=True)).to_be_focused()
    keys.press("Enter")
    arrived(page, TITLE)
    form = page.get_by_role("form", name="Use it")
    for name, value in ANSWERS.items():
        tab_to(page, form.get_by_label(re.compile(f"^{name}", re.IGNORECASE)))
        keys.type(value)
    keys.press("Control+Enter")
    expect(page.locator(".answer .metrics__numbers")).to_contain_text("€", timeout=20_000)
    assert Prompt.objects.get().values == ANSWERS
    keys.type("j")
    expect(page.get_by_role("link", name="Interaction 1")).to_be_focused()
    tab_to(page, page.get_by_role("button", name="Good answer"))
    keys.press("Enter")
    expect(page.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")
    keys.press("Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()
    keys.type("travel planner prompt")
    expect(page.get_by_role("option", name=TITLE).first).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("dialog")).not_to_be_visible()


def test_a_new_template_by_keyboard_alone(page: Page, ada: User) -> None:
    sign_in(page, ada)
    arrived(page, f"Good to see you, {ada.display_name}")
    keys = page.keyboard
    keys.type("c")
    arrived(page, "New template")
    tab_to(page, page.get_by_label("Title"))
    keys.type("Say it shorter")
    tab_to(page, page.get_by_label("Prompt", exact=True))
    keys.type("Shorten {{ text }}.")
    tab_to(page, page.get_by_role("button", name="Save"))
    keys.press("Enter")
    arrived(page, "Say it shorter")
    expect(page.get_by_role("form", name="Use it").get_by_label("Text")).to_be_visible()
    keys.type("?")
    expect(page.get_by_role("dialog")).to_contain_text("New conversation")
    keys.press("Escape")
    expect(page.get_by_role("dialog")).not_to_be_visible()
