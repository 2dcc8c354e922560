"""Remarks, tags, pins and filters of the list, and searching inside one conversation."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.urls import reverse
from django.utils import timezone

from conversations.models import ConversationTag, Participant, PromptComment
from templates_app.models import PromptTemplate
from tests.factories import (
    ConversationFactory,
    GrantFactory,
    ParticipantFactory,
    PromptFactory,
    TemplateFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
LIST = "/conversations/"


@pytest.fixture
def user(client):
    user = UserFactory(handle="olga")
    client.force_login(user)
    return user


def address(name, thing, **more):
    prompt = {"prompt_pk": thing.pk} if hasattr(thing, "conversation_id") else {}
    return reverse(
        f"conversations:{name}", kwargs={"pk": getattr(thing, "conversation_id", thing.pk), **prompt, **more}
    )


def titles(client, query=""):
    return [row["conversation"].title for row in client.get(LIST + query).context["rows"]]


@pytest.mark.parametrize(("role", "status"), [("editor", 303), ("commenter", 303), ("viewer", 404)])
def test_who_may_remark(client, user, role, status):
    prompt = PromptFactory()
    ParticipantFactory(conversation=prompt.conversation, user=user, role=role)
    assert client.post(address("remark", prompt), {"text": "Well."}).status_code == status
    assert PromptComment.objects.count() == (status == 303)
    form = address("remark", prompt) in client.get(prompt.conversation.get_absolute_url()).content.decode()
    assert form is (status == 303)


def test_an_empty_remark_is_said_and_only_ones_own_is_deleted(client, user):
    prompt = PromptFactory(conversation__owner=user)
    assert client.post(address("remark", prompt), {"text": " "}).status_code == 422
    other = PromptComment.objects.create(prompt=prompt, author=UserFactory(), text="Theirs.")
    mine = PromptComment.objects.create(prompt=prompt, author=user, text="Mine.")
    answers = [client.post(address("delete_remark", prompt, remark_pk=each.pk)).status_code for each in (other, mine)]
    assert (answers, list(PromptComment.objects.all())) == ([404, 303], [other])


def test_pinned_ones_come_first_for_who_pinned_them(client, user):
    old, new = (ConversationFactory(owner=user, title=title) for title in ("Old", "New"))
    PromptFactory(conversation=new)
    assert titles(client) == ["New", "Old"]
    client.post(address("pin", old))
    assert titles(client) == ["Old", "New"]
    assert titles(client, "?state=pinned") == ["Old"]
    client.post(address("unpin", old))
    assert (titles(client), titles(client, "?state=pinned")) == (["New", "Old"], [])


def test_a_pinned_one_stands_on_the_first_page_alone(client, user):
    rows = [ConversationFactory(owner=user, title=f"{number}") for number in range(33)]
    client.post(address("pin", rows[0]))
    first = client.get(LIST)
    second = titles(client, f"?cursor={first.context['page'].next_cursor}")
    assert (first.context["count"], titles(client)[0], second) == (33, "0", ["2", "1"])


def test_tags_are_shared_and_found_by(client, user):
    conversation = ConversationFactory(owner=user, title="Tagged")
    ConversationFactory(owner=user, title="Bare")
    for name in ("Big Trees", "big  trees", "pears"):
        assert client.post(address("tag", conversation), {"name": name}).status_code == 303
    assert sorted(ConversationTag.objects.values_list("tag__slug", flat=True)) == ["big-trees", "pears"]
    assert titles(client, "?tag=big-trees") == titles(client, "?tag=Big Trees") == ["Tagged"]
    assert client.post(address("tag", conversation), {"name": ""}).status_code == 422
    tag = ConversationTag.objects.get(tag__slug="pears").tag
    client.post(address("untag", conversation, tag_pk=tag.pk))
    assert titles(client, "?tag=pears") == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=unread", ["Theirs"]),
        ("person=@anna", ["Theirs"]),
        ("person=nobody", []),
        ("model=gpt-9", ["Mine"]),
        ("since=2026-01-01&until=2026-01-31", ["Mine"]),
        ("since=yesterday", []),
    ],
)
def test_filters(client, user, query, expected):
    mine = PromptFactory(conversation__owner=user, conversation__title="Mine", model="gpt-9")
    theirs = ConversationFactory(title="Theirs")
    ParticipantFactory(conversation=theirs, user=user)
    ParticipantFactory(conversation=theirs, user__handle="anna")
    Participant.objects.filter(conversation=mine.conversation).update(
        last_read_at=timezone.now() + timedelta(days=1), last_activity_at="2026-01-15T12:00Z"
    )
    Participant.objects.filter(conversation=theirs).update(last_activity_at="2026-03-01T12:00Z")
    assert titles(client, f"?{query}") == expected


@pytest.mark.django_db(transaction=True)  # the full text of MySQL sees what is committed
def test_search_inside_one_conversation_leads_to_the_place(client, user, django_assert_max_num_queries):
    prompt = PromptFactory(conversation__owner=user, input_text="When do pears ripen?", response_text="In autumn.")
    PromptFactory(conversation=prompt.conversation, input_text="And apples?", response_text="Later.")
    PromptFactory(conversation__owner=user, input_text="Other pears", response_text="Elsewhere.")
    with django_assert_max_num_queries(12):
        page = client.get(address("search", prompt.conversation), {"q": "pears"})
    text = page.content.decode()
    assert [hit.pk for hit, _url, _found in page.context["hits"]] == [prompt.pk]
    place = f"{prompt.conversation.get_absolute_url()}?at={prompt.pk}&amp;q=pears#p-{prompt.pk}"
    assert ("<mark>pears</mark>" in text, f'href="{place}"' in text) == (True, True)


def test_what_was_searched_for_is_marked_where_one_jumps_to(client, user):
    prompt = PromptFactory(
        conversation__owner=user,
        input_text="<b>When</b> do pears ripen? " + "Say it at length. " * 300 + "Of pears.",
        response_text="In **autumn**, pears:\n\n```python\npears = 1  # pears\n```",
    )
    answered = PromptFactory(conversation=prompt.conversation, parent=prompt, input_text="And no pears?")
    plain, found = (
        client.get(url).content.decode() for url in (prompt.get_absolute_url(), prompt.found_url("pears -no"))
    )
    assert (plain.count("<mark>"), found.count("<mark>pears</mark>")) == (0, 7)
    assert (plain.count('"ask__fold" open'), found.count('"ask__fold" open')) == (0, 1)
    assert f'id="p-{answered.pk}"' in found
    without = re.sub(r"</?mark>|\?at=[^\"#]*|/keys/\d+", "", found.replace('"ask__fold" open', '"ask__fold"'))
    assert "&lt;b&gt;When&lt;/b&gt; do <mark>pears</mark> ripen?" in found
    assert re.sub(r"\b\w{32,64}\b", "", without).count("<") == plain.count("<")


def test_the_list_by_ones_own_role(client, user):
    ConversationFactory(owner=user, title="Mine")
    for role in ("editor", "commenter", "viewer"):
        ParticipantFactory(conversation=ConversationFactory(title=role), user=user, role=role)
    found = {role: titles(client, f"?role={role}") for role in ("owner", "shared", "editor", "commenter", "viewer")}
    assert found == {
        "owner": ["Mine"],
        "shared": ["viewer", "commenter", "editor"],
        "editor": ["editor"],
        "commenter": ["commenter"],
        "viewer": ["viewer"],
    }


def test_tags_on_a_row_lead_to_what_else_has_them(client, user):
    client.post(address("tag", ConversationFactory(owner=user)), {"name": "Night shift"})
    page = client.get(LIST).content.decode()
    assert '<a class="tag" href="/conversations/?tag=night-shift">Night shift</a>' in page


def test_a_date_that_is_none_is_said_and_finds_nothing(client, user):
    ConversationFactory(owner=user, title="Here")
    answer = client.get(LIST, {"since": "31 Foo"})
    assert (answer.status_code, answer.context["rows"]) == (422, [])
    assert "Active since: Enter a valid date." in answer.content.decode()


def test_each_filter_that_is_set_is_shown_and_taken_back_by_itself(client, user):
    page = client.get(f"{LIST}?role=owner&tag=night&person=@mei&template={UUID(int=7)}&cursor=")
    assert page.context["filter"].chips == [
        {"text": "Tag: night", "url": f"?role=owner&person=%40mei&template={UUID(int=7)}"},
        {"text": "With (@handle): @mei", "url": f"?role=owner&tag=night&template={UUID(int=7)}"},
        {"text": "With runs of one template", "url": "?role=owner&tag=night&person=%40mei"},
    ]
    assert page.content.decode().count('class="chip"') == 3
    assert client.get(f"{LIST}?role=owner").context["filter"].chips == []


def test_a_template_that_one_may_not_see_finds_no_conversation(client, user):
    run = PromptFactory(template_version=TemplateFactory(title="Secret").current_version)
    ParticipantFactory(conversation=run.conversation, user=user)
    template = run.template_version.template
    found = [titles(client, f"?template={template.pk}")]
    GrantFactory(template=template, user=user)
    PromptTemplate.objects.filter(pk=template.pk).update(visibility="shared")
    found.append(titles(client, f"?template={template.pk}"))
    assert found == [[], [run.conversation.title]]
