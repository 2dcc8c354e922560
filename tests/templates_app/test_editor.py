"""The edit page: examples, settings and preview, what breaks when a variable goes, what was not saved."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AuditLog
from templates_app import services
from templates_app.models import Draft, PromptTemplate
from tests.factories import GrantFactory, TemplateFactory, UserFactory, ValueSetFactory
from tests.templates_app.test_writing import FIELDS, NEW, edit_url, posted_from, row

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
TONE = {"name": "tone", "type": "choice", "options": ["warm", "cold"], "default": "cold", "label": "Tone"}


@pytest.fixture
def ines(client: Client) -> User:
    user = UserFactory(handle="ines", display_name="Ines")
    client.force_login(user)
    return user


def shots(*messages: tuple[str, str], **more: str) -> dict[str, str]:
    data = {"examples-count": "1"}
    for place, (role, content) in enumerate(messages):
        data |= {f"examples-{place}-role": role, f"examples-{place}-content": content}
    return data | more


# ---- examples and settings ----------------------------------------------------


def test_examples_are_part_of_a_version_and_their_names_of_its_contract(client: Client, ines: User) -> None:
    data = FIELDS | shots(("user", "Hi {{ who }}\r\nthere"), ("assistant", " Yes. "), ("user", "\r\n "))
    client.post(NEW, data)
    version = PromptTemplate.objects.get().current_version
    assert version.examples == [
        {"role": "user", "content": "Hi {{ who }}\nthere"},
        {"role": "assistant", "content": " Yes. "},
    ]
    assert [each["name"] for each in version.variables] == ["ticket", "max_words", "who"]
    client.post(
        edit_url(version.template),
        posted_from(client, version.template, **{"examples-0-remove": "on", "examples-1-role": "user"}),
    )
    assert version.template.versions.get(number=2).examples == [{"role": "user", "content": " Yes. "}]


def test_a_request_without_examples_leaves_them_as_they_are(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, body="{{ a }}", examples=[{"role": "user", "content": "Hm."}])
    data = {k: v for k, v in posted_from(client, template, body="New {{ a }}").items() if not k.startswith("examples")}
    client.post(edit_url(template), data)
    template.refresh_from_db()
    assert (template.version_count, template.current_version.examples) == (2, [{"role": "user", "content": "Hm."}])


def test_a_role_that_no_model_knows_is_refused_at_its_place(client: Client, ines: User) -> None:
    response = client.post(NEW, FIELDS | shots(("wizard", "Hocus")))
    assert (response.status_code, PromptTemplate.objects.count()) == (422, 0)
    assert response.context["form"].examples.rows[0].errors == {
        "role": ["Select a valid choice. wizard is not one of the available choices."]
    }


def test_add_an_example_gives_room_and_keeps_everything(client: Client, ines: User) -> None:
    data = FIELDS | shots(("user", "A & b"), title="")
    empty = [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}]
    whole = client.post(f"{NEW}examples/", data)
    assert [row.message for row in whole.context["form"].examples] == [{"role": "user", "content": "A & b"}, *empty]
    content = whole.content.decode()
    assert ("A &amp; b" in content, "This field is required." in content) == (True, False)
    # for htmx the new rows alone: what is there stays, and whatever was typed into it meanwhile
    added = client.post(f"{NEW}examples/", data, headers=HTMX)
    assert [(row.prefix, row.message) for row in added.context["pair"]] == [
        ("examples-1", empty[0]),
        ("examples-2", empty[1]),
    ]
    content = added.content.decode()
    assert ("<html" in content, "A &amp; b" in content, "Example 2" in content) == (False, False, True)
    assert PromptTemplate.objects.count() == 0


def test_all_settings_are_kept_as_typed_and_judged(client: Client, ines: User) -> None:
    more = {"top_p": "0.9", "model": "gpt-5", "settings": '{"seed": 7, "stop": ["END"]}'}
    client.post(NEW, FIELDS | more)
    assert PromptTemplate.objects.get().current_version.parameters == {
        "temperature": 0.3,
        "max_tokens": 700,
        "top_p": 0.9,
        "model": "gpt-5",
        "seed": 7,
        "stop": ["END"],
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("{", "This is not valid JSON: see line 1, column 2."),
        ("[1]", "Enter a JSON object, such as"),
        ('{"temperature": 1}', "“temperature” has a field of its own."),
        ('{"a": NaN}', "This is not valid JSON."),
        ('{"a": "\\ud800"}', "This is not valid JSON."),
    ],
)
def test_settings_that_do_not_do(client: Client, ines: User, settings: str, message: str) -> None:
    response = client.post(NEW, FIELDS | {"settings": settings})
    assert response.status_code == 422
    assert message in response.context["form"].errors["settings"][0]


def test_more_variables_than_a_contract_may_have_are_refused_and_nothing_is_lost(client: Client, ines: User) -> None:
    body = " ".join(f"{{{{ v{number} }}}}" for number in range(201))
    response = client.post(NEW, FIELDS | {"body": body})
    assert (response.status_code, PromptTemplate.objects.count()) == (422, 0)
    assert response.context["form"].errors == {"body": ["A template may have 200 variables at most."]}
    assert response.context["form"]["body"].value() == body


def test_a_new_template_sent_twice_is_one(client: Client, ines: User) -> None:
    data = FIELDS | {"key": client.get(NEW).context["form"]["key"].value()}
    places = {client.post(NEW, data)["Location"] for _time in range(2)}
    assert places == {PromptTemplate.objects.get().get_absolute_url()}


def test_the_key_of_somebody_elses_template_opens_nothing(client: Client, ines: User) -> None:
    data = FIELDS | {"key": client.get(NEW).context["form"]["key"].value()}
    client.post(NEW, data)
    client.force_login(UserFactory())
    assert client.post(NEW, data).status_code == 404
    assert PromptTemplate.objects.get().owner == ines


# ---- the preview ---------------------------------------------------------------


def test_the_preview_shows_defaults_and_examples_and_counts_the_words(client: Client, ines: User) -> None:
    data = FIELDS | {
        "system_prompt": "Be {{ tone }}.",
        "body": "Write to {{ who }} about <b>{{ what }}</b> & {{ tone }}.",
        **row(0, "tone", default="dry"),
        **row(1, "who", example="Marit"),
        **row(2, "what"),
        **shots(("user", "Dear {{ who }}")),
    }
    response = client.post(f"{NEW}preview/", data, headers=HTMX)
    page = response.context["page"]
    assert (page.values, page.measured) == ({"tone": "dry", "who": "Marit"}, (12, 16))
    content = response.content.decode()
    for text in (">dry</a>", ">Marit</a>", "&lt;b&gt;", ">what</a>", "12 words"):
        assert text in content
    assert ("<html" in content, "<b>" in content) == (False, False)
    whole = client.post(f"{NEW}preview/", data)
    assert (whole.status_code, whole.context["page"].values) == (200, page.values)
    assert whole.context["form"]["title"].value() == FIELDS["title"]
    assert PromptTemplate.objects.count() == 0


# ---- a variable that goes --------------------------------------------------------


@pytest.fixture
def counted_on(ines: User) -> PromptTemplate:
    """A template whose variable `tone` is filled by sets of values and used by forks."""
    template = TemplateFactory(owner=ines, visibility="public", body="{{ tone }} {{ a }}", variables=[TONE])
    jonas = UserFactory(display_name="Jonas")
    ValueSetFactory(template=template, user=ines, name="My own", values={"tone": "warm", "a": "1"})
    ValueSetFactory(template=template, user=jonas, name="Everybodys", values={"tone": "warm"}, is_shared=True)
    ValueSetFactory(template=template, user=jonas, name="Secretive", values={"tone": "cold"})
    ValueSetFactory(template=template, user=jonas, name="Untouched", values={"a": "1"}, is_shared=True)
    fork = {"forked_from": template.current_version, "owner": jonas}
    TemplateFactory(title="Open fork", visibility="public", body="{{ tone }}!", **fork)
    TemplateFactory(title="Closed fork", body="{{ tone }}?", **fork)
    TemplateFactory(title="Other fork", visibility="public", body="{{ a }}", **fork)
    TemplateFactory(title="Dead fork", visibility="public", body="{{ tone }}", **fork).delete(by=jonas)
    return template


def test_a_variable_that_goes_is_said_before_it_is_saved(
    client: Client, ines: User, counted_on: PromptTemplate
) -> None:
    data = posted_from(client, counted_on, body="Only {{ a }}")
    found = client.post(edit_url(counted_on, "edit_variables"), data, headers=HTMX).content.decode()
    response = client.post(edit_url(counted_on), data)
    counted_on.refresh_from_db()
    assert (response.status_code, counted_on.version_count) == (422, 1)
    for content in (found, response.content.decode()):
        for said in ("My own", "Everybodys", "shared by Jonas", "1 private one of somebody else", "Open fork"):
            assert said in content
        assert "1 that you cannot see" in content
        for secret in ("Secretive", "Untouched", "Closed fork", "Other fork", "Dead fork"):
            assert secret not in content
    assert response.context["form"]["body"].value() == "Only {{ a }}"
    again = client.post(edit_url(counted_on), {**data, "accepted": "another"})
    assert again.status_code == 422
    saved = client.post(edit_url(counted_on), {**data, "accepted": response.context["page"].breakage.key})
    counted_on.refresh_from_db()
    assert (saved.status_code, counted_on.current_version.body) == (302, "Only {{ a }}")
    assert counted_on.value_sets.get(name="My own").values == {"tone": "warm", "a": "1"}


def test_a_variable_that_nobody_counts_on_goes_without_a_question(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, body="{{ tone }} {{ a }}")
    response = client.post(edit_url(template), posted_from(client, template, body="{{ a }}"))
    assert response.status_code == 302


def test_sets_of_values_and_limits_follow_a_renamed_variable(
    client: Client, ines: User, counted_on: PromptTemplate
) -> None:
    GrantFactory(template=counted_on, user=(editor := UserFactory()), role="editor")
    client.force_login(editor)
    data = posted_from(client, counted_on, body="{{ voice }} {{ a }}")
    page = client.post(edit_url(counted_on, "edit_variables"), data)
    [voice] = [each for each in page.context["form"].contract.used if each.variable_name == "voice"]
    assert voice.former == ("tone",)
    renamed = {
        **data,
        **{f"{voice.prefix}-{name}": value for name, value in (("name", "voice"), ("type", "long_text"))},
        f"{voice.prefix}-label": "Voice",
        f"{voice.prefix}-required": "on",
        f"{voice.prefix}-renamed_from": "tone",
    }
    asked = client.post(edit_url(counted_on), renamed)  # the sets follow, the forks do not
    breakage = asked.context["page"].breakage
    assert (asked.status_code, breakage.set_count, breakage.fork_count) == (422, 0, 2)
    client.post(edit_url(counted_on), {**renamed, "accepted": breakage.key})
    counted_on.refresh_from_db()
    assert counted_on.current_version.variables[0] == {**TONE, "name": "voice", "label": "Voice"}
    values = dict(counted_on.value_sets.values_list("name", "values"))
    assert values == {
        "My own": {"voice": "warm", "a": "1"},
        "Everybodys": {"voice": "warm"},
        "Secretive": {"voice": "cold"},
        "Untouched": {"a": "1"},
    }
    told = AuditLog.objects.filter(actor=editor, content_type__model="valueset").values_list("changes", flat=True)
    assert list(told) == [{"values": ["tone", "voice"]}] * 3


# ---- what was not saved -----------------------------------------------------------


def draft_url(template: PromptTemplate | None = None, name: str = "drafts") -> str:
    return reverse(f"templates_app:{name}", args=[template.pk] if template else [])


def test_what_was_typed_comes_back_whole_and_nobody_else_sees_it(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, visibility="public", body="Old {{ a }}")
    GrantFactory(template=template, user=(editor := UserFactory()), role="editor")
    typed = posted_from(client, template, title="", body="Half <a> {{ b }", temperature="hot", change_note="Why")
    typed |= row(5, "gone", label="L") | shots(("user", "Ex"))
    kept = client.post(draft_url(template), typed, headers=HTMX)
    assert (kept.status_code, "<html" in kept.content.decode()) == (200, False)
    page = client.get(edit_url(template))
    form = page.context["form"]
    shown = {name: form[name].value() for name in ("title", "body", "temperature", "change_note", "revision")}
    assert shown == {
        "title": "",
        "body": "Half <a> {{ b }",
        "temperature": "hot",
        "change_note": "Why",
        "revision": "0",
    }
    assert [row.message for row in form.examples] == [{"role": "user", "content": "Ex"}]
    content = page.content.decode()
    assert ("You have unsaved changes from" in content, "Enter a number" in content) == (True, False)
    client.force_login(editor)
    assert "unsaved" not in client.get(edit_url(template)).content.decode()
    template.refresh_from_db()
    assert (template.revision, template.current_version.body) == (0, "Old {{ a }}")


def test_a_draft_goes_when_it_is_saved_or_discarded(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines)
    typed = posted_from(client, template, body="New {{ topic }}")
    client.post(draft_url(template), typed)
    client.post(draft_url(template), typed)
    client.post(draft_url(), FIELDS)
    assert Draft.objects.count() == 2
    client.post(edit_url(template), typed)
    assert list(Draft.objects.values_list("template", flat=True)) == [None]
    assert client.get(NEW).context["form"]["title"].value() == FIELDS["title"]
    client.post(draft_url(name="discard_draft"))
    assert (Draft.objects.count(), client.get(NEW).context["form"]["title"].value()) == (0, "")
    client.post(draft_url(), FIELDS)
    client.post(NEW, FIELDS)
    assert Draft.objects.count() == 0


def test_a_draft_that_came_in_after_its_own_saving_is_not_shown(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines)
    typed = posted_from(client, template, body="New {{ topic }}", change_note="Because")
    client.post(edit_url(template), typed)
    client.post(draft_url(template), typed)
    page = client.get(edit_url(template))
    assert (page.context["page"].draft, page.context["form"]["revision"].value()) == (None, 1)


def test_a_stale_draft_ends_in_the_merge(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, body="One\nTwo {{ a }}\nThree")
    client.post(draft_url(template), posted_from(client, template, body="One!\nTwo {{ a }}\nThree"))
    services.publish_version(template, author=UserFactory(), base_revision=0, body="One\nTwo {{ a }}\nThree!")
    page = client.get(edit_url(template))
    assert "Somebody has saved since, version 2 now stands" in page.content.decode()
    form = page.context["form"]
    data = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    merged = client.post(edit_url(template), data)
    assert (merged.status_code, merged.context["form"]["body"].value()) == (409, "One!\nTwo {{ a }}\nThree!")
    assert Draft.objects.count() == 1


def test_the_largest_contract_and_many_examples_go_through_the_form(client: Client, ines: User) -> None:
    body = " ".join(f"{{{{ v{number} }}}}" for number in range(200))
    shots = [{"role": role, "content": f"Say {{{{ v{n} }}}}"} for n in range(60) for role in ("user", "assistant")]
    template = TemplateFactory(owner=ines, body=body, examples=shots)
    response = client.post(edit_url(template), posted_from(client, template, body=f"Now: {body}"))
    template.refresh_from_db()
    assert (response.status_code, template.version_count) == (302, 2)
    assert (len(template.current_version.variables), template.current_version.examples) == (200, shots)


def test_what_the_edit_page_costs(client: Client, ines: User, django_assert_max_num_queries: Any) -> None:
    template = TemplateFactory(owner=ines, tags=["a", "b"], versions=3)
    typed = posted_from(client, template, body="{{ b }}")
    for sent in (None, typed):
        if sent:
            client.post(draft_url(template), typed)
        with django_assert_max_num_queries(12):
            client.get(edit_url(template))
    for name in ("edit_variables", "edit_preview", "edit_examples"):
        with django_assert_max_num_queries(12):
            client.post(edit_url(template, name), typed, headers=HTMX)
