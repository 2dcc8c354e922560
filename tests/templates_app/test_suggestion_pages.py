"""The pages of suggestions: the form of the editor, the list, the review with its decision, the discussion."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from lxml import html

from accounts.models import User
from templates_app import services
from templates_app.models import PromptTemplate, Suggestion, SuggestionComment, TemplateVersion
from tests.factories import GrantFactory, SuggestionFactory, TemplateFactory, UserFactory

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
BODY = "Write about {{ topic }}.\nUse a friendly tone.\nEnd with a question.\n"
CONTRACT: list[dict[str, Any]] = [{"name": "topic", "type": "choice", "options": ["tents", "boots"], "required": True}]
EXAMPLES = [{"role": "user", "content": "Tents?"}, {"role": "assistant", "content": "Tents."}]


@pytest.fixture
def template() -> PromptTemplate:
    return TemplateFactory(
        title="Reply",
        body=BODY,
        variables=CONTRACT,
        examples=EXAMPLES,
        parameters={"temperature": 0.3, "seed": 7},
        visibility="public",
        owner__display_name="Jonas",
    )


def url(of: PromptTemplate | Suggestion, name: str) -> str:
    args = [of.pk] if isinstance(of, PromptTemplate) else [of.template_id, of.pk]
    return reverse(f"templates_app:{name}", args=args)


def form_data(content: bytes, form_id: str = "editor") -> dict[str, str]:
    """What a browser would post of the form as it stands."""
    tree = html.fromstring(content.decode())
    form = next(each for each in tree.forms if each.get("id") == form_id)
    values = {name: value for name, value in form.form_values() if name != "csrfmiddlewaretoken"}
    areas = {area.get("name") for area in form.cssselect("textarea")}  # whose first line break HTML leaves out
    return {name: value.removeprefix("\n") if name in areas else value for name, value in values.items()}


def banner(content: bytes) -> str:
    return " ".join(html.fromstring(content.decode()).cssselect(".banner")[0].text_content().split())


def accepting(client: Client, suggestion: Suggestion, **data: str) -> dict[str, str]:
    """What the page's own form for accepting would post."""
    tree = html.fromstring(client.get(suggestion.get_absolute_url()).content.decode())
    form = next(each for each in tree.forms if each.action == url(suggestion, "accept_suggestion"))
    return {name: value for name, value in form.form_values() if name != "csrfmiddlewaretoken"} | data


# ---- suggesting ----------------------------------------------------------------


def test_the_form_starts_from_the_version_and_keeps_all_of_it(
    client: Client, ines: User, template: PromptTemplate
) -> None:
    data = form_data(client.get(url(template, "suggest")).content)
    same = client.post(url(template, "suggest"), data)
    assert (same.status_code, same.context["form"].non_field_errors()) == (422, ["Nothing differs from version 1 yet."])
    response = client.post(url(template, "suggest"), {**data, "body": BODY.replace("friendly", "calm"), "message": "!"})
    suggestion = Suggestion.objects.get()
    assert response["Location"] == suggestion.get_absolute_url()
    version = template.current_version
    assert version is not None
    kept = {name: getattr(version, name) for name in TemplateVersion.CONTENT}
    now = {name: getattr(suggestion, name) for name in TemplateVersion.CONTENT}
    assert now == {**kept, "body": BODY.replace("friendly", "calm")}
    assert (suggestion.author, suggestion.base_version, suggestion.message) == (ines, version, "!")
    client.post(url(template, "suggest"), {**data, "body": BODY.replace("friendly", "calm"), "message": "!"})
    assert Suggestion.objects.count() == 1


def test_what_was_typed_is_still_there_when_it_does_not_do(
    client: Client, ines: User, template: PromptTemplate
) -> None:
    data = form_data(client.get(url(template, "suggest")).content)
    typed = {**data, "body": "", "message": "Because", "variables-0-options": ""}
    response = client.post(url(template, "suggest"), typed)
    again = form_data(response.content)
    assert (response.status_code, again["message"], again["variables-0-type"]) == (422, "Because", "choice")
    too_long = client.post(url(template, "suggest"), {**data, "body": "New", "message": "x" * 10_001})
    assert (too_long.status_code, list(too_long.context["form"].errors)) == (422, ["message"])
    assert not Suggestion.objects.exists()


@pytest.mark.parametrize(
    ("step", "marker"), [("variables", 'id="contract"'), ("examples", 'id="examples"'), ("preview", 'id="preview"')]
)
def test_the_steps_of_the_editor_save_nothing(
    client: Client, ines: User, template: PromptTemplate, step: str, marker: str
) -> None:
    mine = SuggestionFactory(template=template, author=ines, body=BODY.replace("friendly", "calm"))
    for of, name in ((template, f"suggest_{step}"), (mine, f"edit_suggestion_{step}")):
        data = form_data(client.get(url(of, name.removesuffix(f"_{step}"))).content) | {"body": "On {{ place }}."}
        part = client.post(url(of, name), data, headers=HTMX).content.decode()
        page = client.post(url(of, name), data)
        assert (marker in part, "<html" in part, f'"{url(of, name)}"' in part) == (True, False, True)
        assert (page.status_code, form_data(page.content)["body"]) == (200, "On {{ place }}.")
    mine.refresh_from_db()
    assert (mine.body, Suggestion.objects.count()) == (BODY.replace("friendly", "calm"), 1)


def test_an_older_version_is_a_base_too(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, versions=3, body="Now {{ a }}")
    data = form_data(client.get(f"{url(template, 'suggest')}?version=1").content)
    assert (data["version"], data["body"]) == ("1", "Now {{ a }} (draft 1)")
    client.post(url(template, "suggest"), {**data, "body": "Then {{ a }}"})
    assert Suggestion.objects.get().base_version.number == 1
    for number in ("9", "1" * 30, "x"):
        status = client.get(f"{url(template, 'suggest')}?version={number}").status_code
        assert (number, status) == (number, 404 if number == "9" else 200)
    assert client.get(url(TemplateFactory(owner=ines, versions=0), "suggest")).status_code == 404


def test_changing_one_s_own_suggestion(client: Client, ines: User, template: PromptTemplate) -> None:
    mine = SuggestionFactory(template=template, author=ines, body="Mine {{ topic }}")
    data = form_data(client.get(url(mine, "edit_suggestion")).content)
    assert (data["body"], data["message"], data["seen"]) == (mine.body, mine.message, mine.stamp)
    client.post(url(mine, "edit_suggestion"), {**data, "message": "Better"})
    mine.refresh_from_db()
    assert mine.message == "Better"
    stale = client.post(url(mine, "edit_suggestion"), {**data, "body": "Other {{ topic }}", "message": "Best"})
    again = form_data(stale.content)
    assert (stale.status_code, again["body"], again["seen"]) == (409, "Other {{ topic }}", mine.stamp)
    assert "you changed this suggestion in another window" in banner(stale.content)
    assert client.post(url(mine, "edit_suggestion"), again).status_code == 302
    theirs = SuggestionFactory(template=template)
    assert [client.get(url(theirs, "edit_suggestion")).status_code] == [404]


def test_a_text_typed_while_it_was_decided_is_not_lost(client: Client, ines: User, template: PromptTemplate) -> None:
    mine = SuggestionFactory(template=template, author=ines)
    data = form_data(client.get(url(mine, "edit_suggestion")).content) | {"body": "Hours of work on {{ topic }}"}
    services.reject_suggestion(mine, by=template.owner, reason="No")
    response = client.post(url(mine, "edit_suggestion"), data)
    assert (response.status_code, form_data(response.content)["body"]) == (409, "Hours of work on {{ topic }}")
    assert "was decided while you were writing" in banner(response.content)
    assert client.get(url(mine, "edit_suggestion"))["Location"] == mine.get_absolute_url()


# ---- the list ------------------------------------------------------------------


def test_suggestions_by_state_and_counted_on_the_template(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines)
    for message in ("First", "Second", "Third"):
        SuggestionFactory(template=template, message=message)
    SuggestionFactory(message="Of another template")
    services.reject_suggestion(Suggestion.objects.get(message="First"), by=ines, reason="Not now")
    services.withdraw_suggestion(
        Suggestion.objects.get(message="Second"), by=Suggestion.objects.get(message="Second").author
    )
    listed = {}
    for state in ("", "open", "accepted", "rejected", "withdrawn", "nonsense"):
        tree = html.fromstring(client.get(f"{url(template, 'suggestions')}?status={state}").content.decode())
        listed[state] = [each.text_content() for each in tree.cssselect(".row__title")]
    assert listed == {
        "": ["Third"],
        "open": ["Third"],
        "accepted": [],
        "rejected": ["First"],
        "withdrawn": ["Second"],
        "nonsense": ["Third"],
    }
    assert [" ".join(each.text_content().split()) for each in tree.cssselect(".tabs__link")] == [
        "Open 1",
        "Accepted 0",
        "Rejected 1",
        "Withdrawn 1",
    ]
    page = html.fromstring(client.get(template.get_absolute_url()).content.decode())
    [link] = page.cssselect(f".stats a[href='{url(template, 'suggestions')}']")
    assert link.text == "1 suggestion"


def test_as_many_queries_for_thirty_suggestions_as_for_ten(client: Client, ines: User) -> None:
    def count(number: int) -> int:
        template = TemplateFactory(owner=ines)
        for _n in range(number):
            suggestion = SuggestionFactory(template=template)
            services.comment_suggestion(suggestion, author=UserFactory(), text="Well")
        client.get(url(template, "suggestions"))
        with CaptureQueriesContext(connection) as captured:
            assert len(client.get(url(template, "suggestions")).context["page"].items) == min(number, 20)
        return len(captured)

    ten, thirty = count(10), count(30)
    assert (ten, thirty) == (thirty, ten)
    assert thirty <= 12


# ---- the review ----------------------------------------------------------------


def test_who_may_decide(client: Client, ines: User, template: PromptTemplate) -> None:
    def decides(of: PromptTemplate) -> bool:
        suggestion = SuggestionFactory(template=of)
        offered = url(suggestion, "accept_suggestion") in client.get(suggestion.get_absolute_url()).content.decode()
        status = client.post(url(suggestion, "reject_suggestion"), {"reason": "No"}).status_code
        suggestion.refresh_from_db()
        assert (offered, status, suggestion.status) in {(True, 302, "rejected"), (False, 404, "open")}
        return offered

    shared = TemplateFactory(visibility="shared")
    GrantFactory(template=shared, user=ines, role="viewer")
    edited = TemplateFactory(visibility="shared")
    GrantFactory(template=edited, user=ines, role="editor")
    templates = {"own": TemplateFactory(owner=ines), "edited": edited, "public": template, "shared": shared}
    assert {name: decides(of) for name, of in templates.items()} == {
        "own": True,
        "edited": True,
        "public": False,
        "shared": False,
    }
    ines.user_permissions.add(Permission.objects.get(codename="curate_library"))
    assert {name: decides(of) for name, of in templates.items()} == {
        "own": True,
        "edited": True,
        "public": True,
        "shared": False,
    }


def test_accepting_what_the_page_shows(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, body=BODY)
    suggestion = SuggestionFactory(template=template, body=BODY.replace("friendly", "calm"))
    tree = html.fromstring(client.get(suggestion.get_absolute_url()).content.decode())
    words = [[each.text_content() for each in tree.cssselect(f".diff {tag}")] for tag in ("del", "ins")]
    assert words == [["friendly"], ["calm"]]
    data = accepting(client, suggestion, note=" Thanks\r\nfor it ")
    page = client.post(url(suggestion, "accept_suggestion"), data, follow=True)
    assert page.redirect_chain == [(template.get_absolute_url(), 302)]
    assert "Accepted as version 2." in page.content.decode()
    suggestion.refresh_from_db()
    assert (suggestion.decision_note, suggestion.accepted_version.number) == ("Thanks\nfor it", 2)
    shown = client.get(suggestion.get_absolute_url()).content.decode()
    assert ("Thanks<br>for it" in shown, url(suggestion, "accept_suggestion") in shown) == (True, False)
    assert client.post(url(suggestion, "accept_suggestion"), data)["Location"] == template.get_absolute_url()
    assert template.versions.count() == 2


def moved_on(owner: User, old: str, new: str) -> Suggestion:
    template = TemplateFactory(owner=owner, body=BODY)
    suggestion = SuggestionFactory(template=template, body=BODY.replace("a friendly", "no"))
    services.publish_version(template, author=owner, base_revision=0, body=BODY.replace(old, new))
    return suggestion


def test_the_outcome_is_shown_when_the_template_moved_on(client: Client, ines: User) -> None:
    suggestion = moved_on(ines, "a question", "thanks")
    tree = html.fromstring(client.get(suggestion.get_absolute_url()).content.decode())
    assert tree.cssselect("#outcome-title")[0].text == "What accepting changes in v2"
    outcome = tree.cssselect(
        "section[aria-labelledby='outcome-title'] ins, section[aria-labelledby='outcome-title'] del"
    )
    assert [each.text_content() for each in outcome] == ["a friendly", "no"]
    client.post(url(suggestion, "accept_suggestion"), accepting(client, suggestion))
    assert TemplateVersion.objects.get(number=3).body == "Write about {{ topic }}.\nUse no tone.\nEnd with thanks.\n"


def test_a_contradiction_waits_for_a_choice(client: Client, ines: User) -> None:
    suggestion = moved_on(ines, "a friendly", "an angry")
    data = accepting(client, suggestion)
    assert "choice-body-0" not in data
    unsaid = client.post(url(suggestion, "accept_suggestion"), {**data, "note": "Kept"})
    assert (unsaid.status_code, "say for each contradiction" in banner(unsaid.content)) == (422, True)
    assert "Kept" in html.fromstring(unsaid.content.decode()).cssselect("[name=note]")[0].text
    own = {**data, "choice-body-0": "own", "text-body-0": "Use your own tone.\r\n"}
    client.post(url(suggestion, "accept_suggestion"), own)
    version = TemplateVersion.objects.get(number=3)
    assert (version.body, version.author) == (BODY.replace("a friendly", "your own"), ines)


def test_variables_that_do_not_work_together_are_explained(client: Client, ines: User) -> None:
    contract: list[dict[str, Any]] = [{"name": "topic", "type": "text"}]
    template = TemplateFactory(owner=ines, body=BODY, variables=contract)
    suggestion = SuggestionFactory(template=template, body=BODY, variables=[{**contract[0], "default": "canoes"}])
    choice = {"name": "topic", "type": "choice", "options": ["tents", "boots"]}
    services.publish_version(template, author=ines, base_revision=0, body=BODY, variables=[choice])
    refused = client.post(url(suggestion, "accept_suggestion"), accepting(client, suggestion, note="Kept"))
    assert refused.status_code == 422
    assert "together the variables do not work. topic: " in banner(refused.content)
    assert html.fromstring(refused.content.decode()).cssselect("[name=note]")[0].text.strip() == "Kept"
    suggestion.refresh_from_db()
    assert (suggestion.status, template.versions.count()) == ("open", 2)


def test_a_version_with_an_unusable_contract_may_be_mended(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, versions=0)
    TemplateVersion.objects.create(
        template=template, number=1, author=ines, body=BODY, variables=[{"name": "topic", "type": "odd"}]
    )
    template.current_version = template.versions.get()
    template.save(update_fields=["current_version"])
    data = form_data(client.get(url(template, "suggest")).content)
    assert client.post(url(template, "suggest"), data).status_code == 302
    assert [each["type"] for each in Suggestion.objects.get().variables] == ["long_text"]


def test_nothing_is_accepted_that_was_not_shown(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, body=BODY)
    suggestion = SuggestionFactory(template=template, body=BODY.replace("friendly", "calm"))
    data = accepting(client, suggestion)
    services.publish_version(template, author=ines, base_revision=0, body=BODY.replace("a question", "thanks"))
    stale = client.post(url(suggestion, "accept_suggestion"), data)
    assert (stale.status_code, "was changed while you were reading" in banner(stale.content)) == (409, True)
    services.reject_suggestion(suggestion, by=ines, reason="No")
    decided = client.post(url(suggestion, "accept_suggestion"), data)
    assert (decided.status_code, "Somebody else was quicker" in banner(decided.content)) == (409, True)
    for nonsense in ({}, {"number": "x" * 5000, "seen": "y"}, {"number": "9" * 400}):
        assert client.post(url(suggestion, "accept_suggestion"), nonsense).status_code == 409
    assert template.versions.count() == 2


def test_rejecting_needs_a_reason_and_reopening_keeps_it(client: Client, ines: User) -> None:
    suggestion = SuggestionFactory(template__owner=ines)
    refused = client.post(url(suggestion, "reject_suggestion"), {"reason": "  "})
    assert (refused.status_code, list(refused.context["page"].rejection_form.errors)) == (422, ["reason"])
    client.post(url(suggestion, "reject_suggestion"), {"reason": "Not <b>now</b>"})
    assert "Not &lt;b&gt;now&lt;/b&gt;" in client.get(suggestion.get_absolute_url()).content.decode()
    client.post(url(suggestion, "reopen_suggestion"))
    suggestion.refresh_from_db()
    assert (suggestion.status, suggestion.decision_note) == ("open", "Not <b>now</b>")
    page = client.get(suggestion.get_absolute_url()).content.decode()
    assert ("Rejected before by" in page, "Not &lt;b&gt;now&lt;/b&gt;" in page) == (True, True)


def test_withdrawing_is_for_the_author(client: Client, ines: User, template: PromptTemplate) -> None:
    mine, theirs = SuggestionFactory(template=template, author=ines), SuggestionFactory(template__owner=ines)
    assert client.post(url(theirs, "withdraw_suggestion")).status_code == 404
    assert client.post(url(mine, "withdraw_suggestion"))["Location"] == mine.get_absolute_url()
    services.withdraw_suggestion(theirs, by=theirs.author)
    assert client.post(url(theirs, "reopen_suggestion")).status_code == 404
    client.post(url(mine, "reopen_suggestion"))
    states = Suggestion.objects.order_by("id").values_list("status", flat=True)
    assert list(states) == ["open", "withdrawn"]
    services.accept_suggestion(mine, by=template.owner, seen=Suggestion.objects.get(pk=mine.pk).stamp, seen_number=1)
    assert client.post(url(mine, "withdraw_suggestion")).status_code == 409


def test_whoever_sees_it_may_comment(client: Client, ines: User, template: PromptTemplate) -> None:
    suggestion = SuggestionFactory(template=template)
    empty = client.post(url(suggestion, "comment_suggestion"), {"text": " "})
    assert (empty.status_code, list(empty.context["page"].comment_form.errors)) == (422, ["text"])
    for _twice in range(2):
        response = client.post(url(suggestion, "comment_suggestion"), {"text": "Why\r\n<i>calm</i>?"})
    assert response["Location"] == f"{suggestion.get_absolute_url()}#discussion"
    assert list(SuggestionComment.objects.values_list("author", "text")) == [(ines.pk, "Why\n<i>calm</i>?")]
    assert "Why<br>&lt;i&gt;calm&lt;/i&gt;?" in client.get(suggestion.get_absolute_url()).content.decode()


def test_a_long_discussion_shows_its_end_first(client: Client, ines: User, template: PromptTemplate) -> None:
    suggestion = SuggestionFactory(template=template)
    for n in range(60):
        services.comment_suggestion(suggestion, author=ines, text=f"Comment {n}")
    tree = html.fromstring(client.get(suggestion.get_absolute_url()).content.decode())
    assert [each.text for each in tree.cssselect(".review__text")] == [f"Comment {n}" for n in range(10, 60)]
    [earlier] = tree.cssselect("#discussion .pagination a[rel=next]")
    tree = html.fromstring(client.get(suggestion.get_absolute_url() + earlier.get("href")).content.decode())
    assert [each.text for each in tree.cssselect(".review__text")] == [f"Comment {n}" for n in range(10)]


def test_a_suggestion_is_found_under_its_own_template_alone(
    client: Client, ines: User, template: PromptTemplate
) -> None:
    hidden = SuggestionFactory(template__visibility="private")
    address = reverse("templates_app:suggestion", args=[template.pk, hidden.pk])
    assert [client.get(each).status_code for each in (hidden.get_absolute_url(), address)] == [404, 404]
