"""The page of a template: its text, its form, its versions, and the preview."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from lxml import html

from accounts.models import User
from templates_app import services
from templates_app.models import PromptTemplate
from tests.factories import (
    ConversationFactory,
    FavoriteFactory,
    GrantFactory,
    LabelFactory,
    PromptFactory,
    RatingFactory,
    TemplateFactory,
    UserFactory,
    ValueSetFactory,
)

pytestmark = pytest.mark.django_db

VARIABLES: list[dict[str, Any]] = [
    {"name": "who", "type": "text", "label": "Customer", "required": True, "max_length": 20, "example": "Marit"},
    {"name": "words", "type": "integer", "min": 40, "max": 400, "default": 180, "help": "The most it may have."},
    {"name": "tone", "type": "choice", "options": ["warm", "cold"], "default": "warm"},
    {"name": "parts", "type": "choices", "options": ["a", "b", "c"]},
    {"name": "polite", "type": "boolean", "default": True},
    {"name": "note", "type": "long_text"},
]
BODY = "Dear {{ who }},\n  in {{words}} words.\n\n\n{{ tone }} {{ parts }} {{ polite }} {{ note }} {{#if x}} & <b>\n"


def make(owner: User, **kwargs: Any) -> PromptTemplate:
    return TemplateFactory(owner=owner, body=BODY, system_prompt="For {{ who }}.", variables=VARIABLES, **kwargs)


def texts(content: bytes, view: str) -> list[str]:
    """The text, to the letter, of the system prompt and the prompt as the page shows them."""
    tree = html.fromstring(content.decode())
    return [element.text_content() for element in tree.cssselect(f".preview__{view} [data-prompt]")]


def url(template: PromptTemplate, name: str = "detail", **kwargs: Any) -> str:
    return reverse(f"templates_app:{name}", kwargs={"pk": template.pk, **kwargs})


# ---- the text ------------------------------------------------------------------


def test_the_text_stands_on_the_page_to_the_letter(client: Client, ines: User) -> None:
    content = client.get(url(make(ines))).content
    blank = BODY
    for name in ("{{ who }}", "{{words}}", "{{ tone }}", "{{ parts }}", "{{ polite }}", "{{ note }}"):
        blank = blank.replace(name, name.strip("{} "))
    assert texts(content, "blank") == ["For who.", blank]
    filled = "Dear who,\n  in 180 words.\n\n\nwarm parts yes note {{#if x}} & <b>\n"
    assert texts(content, "filled") == ["For who.", filled]


def test_what_a_copy_holds_for_a_variable_that_is_empty(client: Client, ines: User) -> None:
    tree = html.fromstring(client.get(url(make(ines))).content.decode())
    places = {each.get("data-var"): each.get("data-typed") for each in tree.cssselect(".preview__filled .var")}
    assert places == {"who": "{{ who }}", "words": "", "tone": "", "parts": "", "polite": "", "note": ""}


def test_markup_in_a_text_a_value_and_a_note_is_text(client: Client, ines: User) -> None:
    evil = "<script>alert(1)</script>"
    template = TemplateFactory(owner=ines, title=evil, summary=evil, body=evil, system_prompt=evil, change_note=evil)
    RatingFactory(template=template, review=evil, model=evil)
    assert "<script>alert" not in client.get(url(template)).content.decode()


def test_markup_in_the_words_about_a_variable_is_text(client: Client, ines: User) -> None:
    about = {"label": "<i>Label</i>", "help": "<img src=x>", "example": "<u>", "type": "text", "name": "who"}
    template = TemplateFactory(owner=ines, body="{{ who }}", variables=[about])
    page = client.get(template.get_absolute_url()).content.decode()
    assert "&lt;img src=x&gt;" in page
    assert [tag for tag in ("<img src=x", "<i>Label", "<u>") if tag in page] == []


def test_a_template_without_a_version_says_so(client: Client, ines: User) -> None:
    response = client.get(url(TemplateFactory(owner=ines, versions=0)))
    assert (response.status_code, b"This template has no text yet" in response.content) == (200, True)


# ---- the form ------------------------------------------------------------------


def test_the_form_is_drawn_from_the_contract(client: Client, ines: User) -> None:
    tree = html.fromstring(client.get(url(make(ines))).content.decode())
    [form] = tree.cssselect("form[data-preview-form]")
    controls = {
        each.get("name"): (each.tag, each.get("type"), each.get("value"))
        for each in form.cssselect("[name^='v-']:not([type=checkbox])")
    }
    assert controls == {
        "v-who": ("input", "text", None),
        "v-words": ("input", "number", "180"),
        "v-tone": ("select", None, None),
        "v-note": ("textarea", None, None),
    }
    boxes = [
        (each.get("name"), each.get("value"), each.get("checked") is not None)
        for each in form.cssselect("[type=checkbox][name^=v-]")
    ]
    assert boxes == [
        ("v-parts", "a", False),
        ("v-parts", "b", False),
        ("v-parts", "c", False),
        ("v-polite", None, True),
    ]
    who = form.cssselect("[name=v-who]")[0]
    assert (who.get("required") is not None, who.get("maxlength"), who.get("placeholder")) == (True, "20", "Marit")
    words = form.cssselect("[name=v-words]")[0]
    assert (words.get("min"), words.get("max"), words.get("step")) == ("40", "400", "1")
    notes = [" ".join(each.text_content().split()) for each in form.cssselect("[for^=f-v-].field__label")][:2]
    assert notes == ["Customer text, required", "Words whole number, 40 to 400"]
    assert form.get("action") == f"/templates/{PromptTemplate.objects.get().pk}/runs/"
    assert form.cssselect(".panel__note")[0].text == "3 of 6 still empty"


# ---- the preview ---------------------------------------------------------------

GOOD = {"v-who": "Marit & Åse", "v-words": "50", "v-tone": "cold", "v-parts": ["a", "c"], "v-note": "one\r\ntwo"}


def test_preview_fills_in_what_was_posted(client: Client, ines: User) -> None:
    template = make(ines)
    for headers in ({}, {"HX-Request": "true"}):
        response = client.post(url(template, "preview"), GOOD, headers=headers)
        assert (response.status_code, b"<html" in response.content) == (200, not headers)
        assert response.context["page"].rendered == (
            "For Marit & Åse.\n\nDear Marit & Åse,\n  in 50 words.\n\n\ncold a, c no one\ntwo {{#if x}} & <b>\n"
        )
    page = client.post(url(template, "preview"), GOOD)
    assert texts(page.content, "filled") == page.context["page"].rendered.split("\n\n", 1)
    assert b'value="filled" checked' in page.content


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"v-who": ""}, "Fill this in."),
        ({"v-who": "x" * 21}, "Keep it to 20 characters; there are 21 now."),
        ({"v-words": "9"}, "Enter a whole number from 40 to 400."),
        ({"v-tone": "hot"}, "Choose one of these: warm, cold."),
        ({"v-parts": ["a", "z"]}, "Choose among these: a, b, c."),
    ],
)
def test_a_value_that_does_not_do_is_told_at_its_field(
    client: Client, ines: User, wrong: dict[str, Any], message: str
) -> None:
    response = client.post(url(make(ines), "preview"), {**GOOD, **wrong})
    [name] = wrong
    field = response.context["form"][name.removeprefix("v-")]
    assert (response.status_code, field.errors) == (422, [message])
    assert (field.value(), message in response.content.decode()) == (wrong[name], True)


def test_preview_of_an_older_version(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, body="{{ a }}", versions=2)
    old = client.post(url(template, "preview"), {"version": "1", "v-a": "x"})
    new = client.post(url(template, "preview"), {"v-a": "x"})
    assert (old.context["page"].rendered, new.context["page"].rendered) == ("x (draft 1)", "x")
    assert client.post(url(template, "preview"), {"version": "3", "v-a": "x"}).status_code == 404


def test_unicode_names(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, body="{{ 顧客名 }}!")
    page = client.get(url(template))
    assert 'href="#f-v-顧客名"' in page.content.decode()
    assert client.post(url(template, "preview"), {"v-顧客名": "鈴木"}).context["page"].rendered == "鈴木!"


# ---- numbers, versions, rights -------------------------------------------------


def test_the_numbers_of_the_head_lead_to_their_rows(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, versions=2, visibility="public", tags=["one tag"])
    LabelFactory(version=template.current_version, name="production")
    for score in (5, 4, 4):
        RatingFactory(template=template, score=score)
    talk = ConversationFactory(owner=ines)
    for latency in (1000, 2000):
        PromptFactory(conversation=talk, template_version=template.current_version, latency_ms=latency)
    tree = html.fromstring(client.get(url(template)).content.decode())
    items = [(" ".join(each.text_content().split()), each.get("href")) for each in tree.cssselect(".stats__item a")]
    assert items == [
        ("public", url(template, "share")),
        ("v2", url(template, "versions")),
        ("in production", url(template, "labels")),
        ("Rated 4.3 from 3", "#reviews"),
        ("2 runs", reverse("conversations:runs", args=[template.pk])),
        ("€0.004 each", "#how"),
        ("p95 2.0 s", "#how"),
        ("Ines Okafor", f"/templates/?owner={ines.handle}"),
        ("History", url(template, "history")),
        ("one tag", "/templates/?tag=one-tag"),
    ]
    table = [[" ".join(cell.text_content().split()) for cell in row] for row in tree.cssselect("#how tbody tr")]
    assert table == [["v2", "4.3", "2", "100 %", "€0.004", "2.0 s"]]
    scores = [[" ".join(cell.text_content().split()) for cell in row] for row in tree.cssselect(".scores tr")]
    assert scores == [
        ["5 stars", "", "1"],
        ["4 stars", "", "2"],
        ["3 stars", "", "0"],
        ["2 stars", "", "0"],
        ["1 star", "", "0"],
    ]


def test_the_runs_lead_to_the_conversations_with_runs_of_this_template(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, versions=2)
    for title, version in (
        ("Old run", template.versions.last()),
        ("New run", template.current_version),
        ("Unrelated talk", None),
    ):
        PromptFactory(conversation__title=title, conversation__owner=ines, template_version=version)
    PromptFactory(conversation__title="Of a stranger", template_version=template.current_version)
    content = client.get(f"/conversations/?template={template.pk}").content.decode()
    assert [each for each in ("Old run", "New run", "Unrelated talk", "Of a stranger") if each in content] == [
        "Old run",
        "New run",
    ]
    refused = client.get("/conversations/?template=nonsense")
    assert (refused.status_code, refused.context["rows"]) == (422, [])
    assert "Template: Enter a valid UUID." in refused.content.decode()


def test_an_older_version_is_shown_as_such(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, versions=3, body="Now {{ a }}")
    response = client.get(url(template, "version", number=1))
    content = response.content.decode()
    assert "This is version 1 of" in content
    assert texts(response.content, "blank") == ["Now a (draft 1)"]
    assert client.get(url(template, "version", number=4)).status_code == 404
    assert client.get(f"/templates/{template.pk}/versions/{10**30}/").status_code == 404


def test_the_rail_shows_twelve_versions_and_leads_on(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, versions=15)
    tree = html.fromstring(client.get(url(template)).content.decode())
    names = [each.text for each in tree.cssselect(".rail__name")]
    link, compare = tree.cssselect(".rail__foot a")
    assert compare.get("href") == url(template, "versions")
    assert (names, link.text, link.get("href")) == (
        [f"v{n}" for n in range(15, 3, -1)],
        "3 older versions",
        "?before=4#versions",
    )
    older = html.fromstring(client.get(f"{url(template)}?before=4").content.decode())
    assert [each.text for each in older.cssselect(".rail__name")] == ["v15", "v3", "v2", "v1"]


def test_only_who_may_finds_the_ways_to_edit_and_delete(client: Client, ines: User) -> None:
    def offered(template: PromptTemplate) -> list[str]:
        content = client.get(url(template)).content.decode()
        names = ("edit", "history", "archive", "delete", "rate")
        return [name for name in names if f'"{url(template, name)}"' in content]

    assert offered(TemplateFactory(owner=ines)) == ["edit", "history", "archive", "delete"]
    assert offered(TemplateFactory(visibility="public")) == ["rate"]


def test_the_page_shows_the_latest_reviews_and_leads_to_all(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines)
    for n in range(7):
        RatingFactory(template=template, review=f"Review {n}", user__display_name=f"Person {n}")
    RatingFactory(template=template, review="Withdrawn").delete()
    tree = html.fromstring(client.get(url(template)).content.decode())
    assert [each.text for each in tree.cssselect(".review__text")] == [f"Review {n}" for n in range(6, 1, -1)]
    [link] = tree.cssselect(".review__all a")
    assert (link.text, link.get("href")) == ("All 7 reviews", url(template, "reviews"))


@pytest.mark.parametrize("who", ["owner", "editor"])
def test_thirteen_queries_however_many_versions_labels_and_reviews(client: Client, ines: User, who: str) -> None:
    """At the worst: a fork whose original moved on, a label that waits, a set of values, one's own rating, and news."""

    def count(versions: int, ratings: int) -> int:
        original = TemplateFactory(visibility="public")
        owner = ines if who == "owner" else UserFactory()
        template = services.fork_template(original.current_version, owner=owner, title="Mine")
        services.update_details(template, base_revision=0, visibility="shared", tags=["a", "b"])
        GrantFactory(template=template, user=ines, role="editor")
        for number in range(2, versions + 1):
            services.publish_version(
                template, author=owner, base_revision=template.revision, body=f"Take {number} of {{{{ topic }}}}"
            )
        for _n in range(ratings):
            RatingFactory(template=template, review="Good")
        if who == "editor":
            RatingFactory(template=template, user=ines)
        for version in template.versions.all():
            LabelFactory(version=version, name=f"l{version.number}", is_protected=True)
        services.move_label(template, name="l1", version=template.current_version, by=owner)
        services.publish_version(original, author=original.owner, base_revision=0, body="Moved on")
        ValueSetFactory(template=template, user=ines)
        PromptFactory(template_version=template.current_version)
        FavoriteFactory(template=template, user=ines)
        client.get(url(template))
        with CaptureQueriesContext(connection) as captured:
            content = client.get(url(template)).content.decode()
        news = "since you looked" in content or who == "editor"
        shown = ["The original moved 1 version" in content, "waits for a second person" in content, news]
        assert shown == [True, True, True]
        return len(captured)

    few, many = count(2, 2), count(30, 30)
    assert few == many
    assert many <= 13


# ---- rating and keeping --------------------------------------------------------


def test_rating_a_template(client: Client, ines: User) -> None:
    template = TemplateFactory(visibility="public", versions=2)
    data = {"version": 1, "score": 4, "review": " Good\r\nindeed ", "model": "m"}
    response = client.post(url(template, "rate"), data)
    assert (response.status_code, response["Location"]) == (302, f"{url(template)}#reviews")
    rating = template.ratings.get()
    assert (rating.user, rating.version.number, rating.score, rating.review, rating.model) == (
        ines,
        1,
        4,
        "Good\nindeed",
        "m",
    )
    part = client.post(url(template, "rate"), {**data, "score": 2}, headers={"HX-Request": "true"})
    tree = html.fromstring(part.content.decode())
    assert (part.status_code, b"<html" in part.content, template.ratings.count()) == (200, False, 1)
    assert "Your rating is saved." in [each.text for each in tree.cssselect("#toasts[data-hx-swap-oob] .toast span")]
    assert tree.cssselect("input[name=score][checked]")[0].get("value") == "2"


@pytest.mark.parametrize(
    "wrong", [{"score": ""}, {"score": "6"}, {"score": "0"}, {"version": "9"}, {"review": "x" * 10_001}]
)
def test_a_rating_that_does_not_do(client: Client, ines: User, wrong: dict[str, str]) -> None:
    template = TemplateFactory(visibility="public")
    data = {"version": "1", "score": "4", "review": "Kept", **wrong}
    for headers in ({}, {"HX-Request": "true"}):
        response = client.post(url(template, "rate"), data, headers=headers)
        assert (response.status_code, b"<html" in response.content) == (422, not headers)
        assert list(response.context["page"].rating_form.errors) == list(wrong)
        assert response.context["page"].rating_form["review"].value() == data["review"]
    assert not template.ratings.exists()


def test_withdrawing_a_rating(client: Client, ines: User) -> None:
    rating = RatingFactory(user=ines, template__visibility="public")
    client.post(url(rating.template, "withdraw"))
    assert not rating.template.ratings.exists()
    assert client.post(url(rating.template, "withdraw")).status_code == 404


def test_keeping_a_favourite(client: Client, ines: User) -> None:
    template = TemplateFactory(visibility="public")
    part = client.post(url(template, "favorite"), headers={"HX-Request": "true"})
    assert (part.status_code, b'aria-pressed="true"' in part.content, b"<html" in part.content) == (200, True, False)
    assert b'aria-pressed="true"' in client.get(url(template)).content
    assert client.post(url(template, "favorite"))["Location"] == url(template)
    assert b'aria-pressed="false"' in client.get(url(template)).content


# ---- putting away --------------------------------------------------------------


def test_deleting_leads_to_the_library_and_offers_undo(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, title="Old one")
    page = client.post(url(template, "delete"), follow=True)
    template.refresh_from_db()
    undo = reverse("audit:restore", args=[template.deletion_id])
    assert (page.redirect_chain, template.is_deleted) == ([("/templates/", 302)], True)
    content = page.content.decode()
    assert ("“Old one” is in the trash." in content, f'action="{undo}"' in content) == (True, True)
    client.post(undo)
    template.refresh_from_db()
    assert (template.is_deleted, client.get(url(template)).status_code) == (False, 200)


def test_archiving_and_back(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines)
    page = client.post(url(template, "archive"), follow=True).content.decode()
    assert (f'action="{url(template, "unarchive")}"' in page, client.post(url(template, "archive")).status_code) == (
        True,
        404,
    )
    client.post(url(template, "unarchive"))
    template.refresh_from_db()
    assert template.status == "published"


def test_the_history_tells_of_the_template_and_of_nothing_else(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, title="Mine")
    services.update_details(template, base_revision=0, title="Renamed")
    TemplateFactory(title="Of somebody else")
    content = client.get(url(template, "history")).content.decode()
    assert ("Renamed" in content, "Of somebody else" in content) == (True, False)
