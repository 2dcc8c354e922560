"""Ways through a thread: a question edited, a branch begun anywhere, the way remembered, compared and split off."""

from decimal import Decimal

import pytest
from django.urls import reverse

from audit.models import AuditLog
from conversations.models import Conversation, Participant, Prompt, UsageDaily
from conversations.services import retry
from tests.factories import (
    ConversationFactory,
    ParticipantFactory,
    PromptFactory,
    TemplateFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation(client):
    conversation = ConversationFactory(title="Orchard")
    client.force_login(conversation.owner)
    return conversation


def address(name, prompt):
    return reverse(f"conversations:{name}", args=[prompt.conversation_id, prompt.pk])


def shown(response):
    return [turn.prompt for turn in response.context["window"].turns]


def measured(days):
    return {day.pk: (day.cost, day.input_tokens, day.latency_ms, day.latency_count) for day in days}


class TestEdit:
    def test_the_form_holds_the_question(self, client, conversation):
        prompt = PromptFactory(conversation=conversation, input_text="Which <tree>?")
        page = client.get(address("edit", prompt)).content.decode()
        assert ">\nWhich &lt;tree&gt;?</textarea>" in page

    def test_the_new_question_stands_beside_the_old_one(self, client, conversation):
        version = TemplateFactory(owner=conversation.owner).current_version
        first = PromptFactory(conversation=conversation)
        second = PromptFactory(
            conversation=conversation, parent=first, template_version=version, values={"x": "y"}, system_prompt="Be."
        )
        third = PromptFactory(conversation=conversation, parent=second)
        response = client.post(address("edit", second), {"input_text": "Else?", "model": "record"})
        edited = Prompt.objects.latest("pk")
        assert (response.status_code, response.url) == (303, edited.get_absolute_url())
        assert (edited.parent, edited.input_text, edited.system_prompt) == (first, "Else?", "Be.")
        assert (edited.template_version, edited.values) == (None, {})
        assert edited.metadata == {"edited_from": str(second.pk)}
        page = client.get(response.url)
        assert shown(page) == [first, edited]
        assert (page.context["window"].turns[1].siblings, "2/2" in page.content.decode()) == (
            [second.pk, edited.pk],
            True,
        )
        assert shown(client.get(second.get_absolute_url())) == [first, second, third]

    def test_a_first_question_is_edited_too(self, client, conversation):
        first = PromptFactory(conversation=conversation)
        second = PromptFactory(conversation=conversation, parent=first)
        client.post(address("edit", first), {"input_text": "Else?", "model": "record"})
        edited = Prompt.objects.latest("pk")
        assert shown(client.get(conversation.get_absolute_url())) == [edited]
        assert client.get(conversation.get_absolute_url()).context["window"].turns[0].siblings == [first.pk, edited.pk]
        assert shown(client.get(first.get_absolute_url())) == [first, second]

    def test_nothing_typed_is_lost(self, client, conversation):
        prompt = PromptFactory(conversation=conversation)
        response = client.post(address("edit", prompt), {"input_text": "Else?", "model": "no-such"})
        assert response.status_code == 422
        assert "Choose one of the models." in response.content.decode()
        assert ">\nElse?</textarea>" in response.content.decode()
        assert Prompt.objects.count() == 1

    def test_sent_twice_it_is_one_question(self, client, conversation):
        prompt = PromptFactory(conversation=conversation)
        for _ in range(2):
            client.post(address("edit", prompt), {"input_text": "Else?", "model": "record", "key": "once"})
        assert Prompt.objects.count() == 2


class TestBranch:
    def test_a_question_may_follow_any_interaction(self, client, conversation):
        first = PromptFactory(conversation=conversation)
        second = PromptFactory(conversation=conversation, parent=first)
        page = client.get(f"{conversation.get_absolute_url()}?upto={first.pk}")
        assert shown(page) == [first]
        html = page.content.decode()
        assert f'name="after" value="{first.pk}"' in html
        assert "Your question follows interaction 1, on a branch of its own." in html
        data = {"input_text": "Or?", "model": "record", "after": str(first.pk)}
        client.post(reverse("conversations:ask", args=[conversation.pk]), data)
        branch = Prompt.objects.latest("pk")
        assert branch.parent == first
        turn = client.get(conversation.get_absolute_url()).context["window"].turns[-1]
        assert (turn.prompt, turn.siblings) == (branch, [second.pk, branch.pk])


class TestWayRemembered:
    @pytest.fixture
    def branched(self, conversation):
        first = PromptFactory(conversation=conversation)
        second = PromptFactory(conversation=conversation, parent=first)
        newest = PromptFactory(conversation=conversation, parent=first)
        return first, second, newest

    def test_a_get_remembers_nothing(self, client, conversation, branched):
        _first, second, newest = branched
        page = client.get(second.get_absolute_url())
        assert page.context["way_taken"] == second.pk
        assert shown(client.get(conversation.get_absolute_url()))[-1] == newest
        assert Participant.objects.get().leaf is None

    def test_each_person_is_shown_the_way_they_took(self, client, conversation, branched):
        first, second, newest = branched
        other = ParticipantFactory(conversation=conversation, role="viewer").user
        reading = reverse("conversations:reading", args=[conversation.pk])
        assert client.post(reading, {"leaf": str(second.pk)}).status_code == 303
        assert shown(client.get(conversation.get_absolute_url())) == [first, second]
        followed = PromptFactory(conversation=conversation, parent=second)
        assert shown(client.get(conversation.get_absolute_url())) == [first, second, followed]
        client.force_login(other)
        assert shown(client.get(conversation.get_absolute_url())) == [first, second, followed]  # the newest way
        client.post(reading, {"leaf": str(newest.pk)})
        assert shown(client.get(conversation.get_absolute_url())) == [first, newest]

    @pytest.mark.parametrize("leaf", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
    def test_what_is_not_here_is_not_remembered(self, client, conversation, branched, leaf):
        assert client.post(reverse("conversations:reading", args=[conversation.pk]), {"leaf": leaf}).status_code == 303
        assert Participant.objects.get().leaf is None

    def test_whoever_asks_is_on_the_way_of_the_question(self, client, conversation, branched):
        data = {"input_text": "Or?", "model": "record", "leaf": str(branched[1].pk)}
        client.post(reverse("conversations:ask", args=[conversation.pk]), data)
        asked = Prompt.objects.latest("pk")
        assert (asked.parent, Participant.objects.get().leaf) == (branched[1], asked)


class TestCompare:
    def compared(self, client, left, right):
        url = reverse("conversations:compare", args=[left.conversation_id, left.pk, right.pk])
        return client.get(url).context["comparison"]

    def test_both_ways_from_where_they_part(self, client, conversation, django_assert_max_num_queries):
        first = PromptFactory(conversation=conversation)
        second = PromptFactory(conversation=conversation, parent=first, latency_ms=1000, cost=Decimal("0.5"))
        third = PromptFactory(conversation=conversation, parent=second, latency_ms=3000, cost=Decimal("0.25"))
        recorded = PromptFactory(conversation=conversation, parent=third, recorded=True, latency_ms=90_000)
        other = PromptFactory(conversation=conversation, parent=first, failed=True)
        with django_assert_max_num_queries(16):
            found = self.compared(client, second, other)
        assert (found.ancestor, found.shared) == (first, 1)
        assert (found.left.prompts, found.left.end, found.left.hidden) == ([second, third, recorded], recorded.pk, 0)
        left = (found.left.interactions, found.left.failed, found.left.input_tokens, found.left.cost)
        assert left == (3, 0, 300, Decimal("0.75"))
        assert found.left.median_ms == 2000  # what was recorded was not waited for
        assert (found.right.prompts, found.right.failed, found.right.median_ms) == ([other], 1, None)

    def test_two_first_questions_share_nothing(self, client, conversation):
        first = PromptFactory(conversation=conversation)
        again = retry(first, author=conversation.owner, model=None)
        found = self.compared(client, first, again)
        assert (found.ancestor, found.left.prompts, found.right.prompts) == (None, [first], [again])

    def test_one_way_and_itself(self, client, conversation):
        first = PromptFactory(conversation=conversation)
        found = self.compared(client, first, first)
        assert (found.shared, found.left.interactions, found.right.interactions) == (1, 0, 0)

    def test_a_long_way_shows_its_beginning(self, client, conversation):
        first = parent = PromptFactory(conversation=conversation)
        for _ in range(25):
            parent = PromptFactory(conversation=conversation, parent=parent)
        again = retry(first, author=conversation.owner, model=None)
        found = self.compared(client, first, again)
        assert (len(found.left.prompts), found.left.hidden, found.left.interactions) == (20, 6, 26)

    def test_both_must_be_here(self, client, conversation):
        here, elsewhere = PromptFactory(conversation=conversation), PromptFactory()
        for pair in ((here, elsewhere), (elsewhere, here)):
            url = reverse("conversations:compare", args=[conversation.pk, *(prompt.pk for prompt in pair)])
            assert client.get(url).status_code == 404


class TestSplit:
    def test_the_way_is_copied_and_named(self, client, conversation):
        version = TemplateFactory(owner=conversation.owner).current_version
        first = PromptFactory(conversation=conversation, template_version=version, latency_ms=5)
        second = PromptFactory(conversation=conversation, parent=first, failed=True)
        PromptFactory(conversation=conversation, parent=first, input_text="Of another branch")
        PromptFactory(conversation=conversation, parent=second, input_text="Later")
        reader = ParticipantFactory(conversation=conversation, role="viewer").user
        client.force_login(reader)
        before = measured(UsageDaily.objects.all())
        response = client.post(address("split", second))
        copy = Conversation.objects.latest("pk")
        assert (response.status_code, response.url) == (303, copy.get_absolute_url())
        assert (copy.owner, copy.title) == (reader, "Orchard, split off")
        assert copy.metadata == {"split_from": {"conversation": str(conversation.pk), "prompt": str(second.pk)}}
        rows = list(copy.prompts.order_by("pk"))
        assert [(row.input_text, row.response_text, row.status, row.author) for row in rows] == [
            (first.input_text, first.response_text, "recorded", first.author),
            (second.input_text, "", "failed", second.author),
        ]
        assert [row.parent for row in rows] == [None, rows[0]]
        assert [row.metadata for row in rows] == [{"copied_from": str(each.pk)} for each in (first, second)]
        assert [(row.cost, row.latency_ms, row.input_tokens, row.template_version) for row in rows] == [(None,) * 4] * 2
        assert measured(UsageDaily.objects.filter(pk__in=before)) == before
        version.refresh_from_db()
        assert version.usage_count == 1
        told = AuditLog.objects.filter(actor=reader, changes__has_key="interactions").values_list(
            "subject_id", flat=True
        )
        assert set(told) == {conversation.pk, copy.pk}

    def test_the_page_says_where_it_came_from_to_whom_may_see_it(self, client, conversation):
        prompt = PromptFactory(conversation=conversation)
        reader = ParticipantFactory(conversation=conversation, role="viewer")
        client.force_login(reader.user)
        url = client.post(address("split", prompt)).url
        page = client.get(url).content.decode()
        assert f'Split off from <a href="{prompt.get_absolute_url()}">Orchard</a>' in page
        assert "copied from another conversation" in page
        reader.delete()
        page = client.get(url).content.decode()
        assert "Split off from a conversation that you cannot see" in page
        assert str(conversation.pk) not in page


def test_an_answer_as_plain_text(client, conversation):
    prompt = PromptFactory(conversation=conversation, response_text="<script>alert(1)</script> **é**")
    response = client.get(address("raw", prompt))
    assert response.content.decode() == "<script>alert(1)</script> **é**"
    assert (response["Content-Type"], response["X-Content-Type-Options"]) == ("text/plain; charset=utf-8", "nosniff")


def test_strangers_find_none_of_it(client, conversation):
    prompt = PromptFactory(conversation=conversation)
    client.force_login(UserFactory(staff=True))
    compare = reverse("conversations:compare", args=[conversation.pk, prompt.pk, prompt.pk])
    assert [client.get(address("edit", prompt)).status_code, client.get(address("raw", prompt)).status_code] == [
        404,
        404,
    ]
    assert [client.post(address("split", prompt)).status_code, client.get(compare).status_code] == [404, 404]
