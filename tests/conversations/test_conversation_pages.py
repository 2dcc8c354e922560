"""The list and the page of a conversation: what they show, to whom, at what cost; renaming, archiving, deleting."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditLog
from conversations.models import Conversation, Participant, Prompt, PromptComment
from tests.factories import (
    AIModelFactory,
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
    user = UserFactory()
    client.force_login(user)
    return user


def titles(response):
    return [row["conversation"].title for row in response.context["rows"]]


def address(name, conversation):
    return reverse(f"conversations:{name}", args=[conversation.pk])


class TestList:
    def test_own_and_shared_ones_by_last_activity(self, client, user):
        mine = ConversationFactory(owner=user, title="Mine")
        shared = ParticipantFactory(user=user, conversation__title="Shared").conversation
        quiet = ConversationFactory(owner=user, title="Quiet")
        ConversationFactory(title="Not for me")
        ConversationFactory(owner=user, title="Thrown away").delete(by=user)
        ConversationFactory(owner=user, title="Put away", archived_at=timezone.now())
        PromptFactory(conversation=mine, created_at=timezone.now() + timedelta(hours=1))
        PromptFactory(conversation=shared, created_at=timezone.now() + timedelta(hours=2))
        response = client.get(LIST)
        assert titles(response) == ["Shared", "Mine", "Quiet"]
        assert response.context["count"] == 3
        assert quiet.prompt_count == 0

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("role=owner", ["Mine"]),
            ("role=shared", ["Shared"]),
            ("place=archived", ["Put away"]),
            ("place=all", ["Put away", "Shared", "Mine"]),
            ("role=nonsense", []),
            ("place=archived&role=shared", []),
        ],
    )
    def test_filters(self, client, user, query, expected):
        ConversationFactory(owner=user, title="Mine")
        ParticipantFactory(user=user, conversation__title="Shared")
        ConversationFactory(owner=user, title="Put away", archived_at=timezone.now())
        assert titles(client.get(f"{LIST}?{query}")) == expected

    def test_a_second_page_goes_on_where_the_first_ended(self, client, user):
        for number in range(35):
            ConversationFactory(owner=user, title=f"Number {number}")
        first = client.get(LIST)
        second = client.get(LIST, {"cursor": first.context["page"].next_cursor})
        assert titles(first) + titles(second) == [f"Number {number}" for number in reversed(range(35))]
        assert len(titles(first)) == 30

    def test_htmx_gets_the_rows_alone(self, client, user):
        ConversationFactory(owner=user, title="Mine")
        page = client.get(LIST, headers={"HX-Request": "true"}).content.decode()
        assert page.lstrip().startswith('<div id="results">')
        assert "Mine" in page

    def test_what_is_new_is_marked_until_it_was_read(self, client, user):
        conversation = ConversationFactory(owner=user)
        Participant.objects.update(last_read_at=timezone.now() - timedelta(hours=1))
        PromptFactory(conversation=conversation)
        assert [row["is_unread"] for row in client.get(LIST).context["rows"]] == [True]
        assert client.post(address("reading", conversation)).url == conversation.get_absolute_url()
        assert [row["is_unread"] for row in client.get(LIST).context["rows"]] == [False]

    def test_reading_is_for_readers(self, client, user):
        assert client.post(address("reading", ConversationFactory())).status_code == 404

    def test_an_empty_list_names_the_next_step(self, client, user):
        page = client.get(LIST).content.decode()
        assert "No conversations yet" in page
        assert 'href="/conversations/new/"' in page

    def test_ten_rows_and_thirty_take_the_same_queries(self, client, user, django_assert_max_num_queries):
        def fill(count):
            for _ in range(count):
                conversation = ConversationFactory(owner=user)
                for role in ("editor", "viewer"):
                    ParticipantFactory(conversation=conversation, role=role)
                PromptFactory(conversation=conversation)

        fill(10)
        client.get(LIST)
        with django_assert_max_num_queries(12) as ten:
            assert len(titles(client.get(LIST))) == 10
        fill(20)
        with django_assert_max_num_queries(12) as thirty:
            assert len(titles(client.get(LIST))) == 30
        assert len(ten) == len(thirty)


@pytest.mark.django_db(transaction=True)  # the full text of MySQL sees what is committed
class TestSearch:
    def test_titles_of_the_persons_own_conversations_best_first(self, client, user, django_assert_max_num_queries):
        ConversationFactory(owner=user, title="Spring letter")
        ConversationFactory(owner=user, title="Spring, and again spring: the letter")
        ConversationFactory(owner=user, title="Autumn letter")
        ConversationFactory(title="Spring of a stranger")
        ConversationFactory(owner=user, title="Spring in the trash").delete(by=user)
        ConversationFactory(owner=user, title="Spring in the archive", archived_at=timezone.now())
        with django_assert_max_num_queries(12):
            response = client.get(LIST, {"q": "spring"})
        assert sorted(titles(response)) == ["Spring letter", "Spring, and again spring: the letter"]
        assert "<mark>Spring</mark> letter" in response.content.decode()
        assert titles(client.get(LIST, {"q": "spring", "place": "archived"})) == ["Spring in the archive"]
        assert titles(client.get(LIST, {"q": '"letter spring"'})) == []
        assert client.get(LIST, {"q": "(("}).status_code == 200

    def test_nothing_found_leads_on(self, client, user):
        page = client.get(LIST, {"q": "zanzibar"}).content.decode()
        assert "No conversation matches" in page
        assert 'href="/search/?q=zanzibar"' in page


class TestPage:
    def test_ten_turns_and_thirty_take_the_same_queries(self, client, user, django_assert_max_num_queries):
        conversation = ConversationFactory(owner=user)
        version = TemplateFactory(owner=user).current_version
        AIModelFactory()

        def fill(count):
            for _ in range(count):
                prompt = PromptFactory(conversation=conversation, template_version=version, author=UserFactory())
                PromptComment.objects.create(prompt=prompt, author=user, text="Hm.")

        fill(10)
        url = conversation.get_absolute_url()
        client.get(url)
        with django_assert_max_num_queries(12) as ten:
            assert len(client.get(url).context["window"].turns) == 10
        fill(20)
        with django_assert_max_num_queries(12) as thirty:
            assert len(client.get(url).context["window"].turns) == 30
        assert len(ten) == len(thirty)

    @pytest.mark.parametrize(
        ("role", "asks", "deletes"),
        [("owner", True, True), ("editor", True, False), ("commenter", False, False), ("viewer", False, False)],
    )
    def test_each_role_sees_what_it_may_do(self, client, user, role, asks, deletes):
        conversation = ConversationFactory(owner=user) if role == "owner" else ConversationFactory()
        if role != "owner":
            ParticipantFactory(conversation=conversation, user=user, role=role)
        prompt = PromptFactory(conversation=conversation, failed=True)
        page = client.get(conversation.get_absolute_url()).content.decode()
        offered = {
            name: f'{address(name, conversation)}"' in page
            for name in ("ask", "rename", "archive", "delete", "history")
        }
        assert offered == dict.fromkeys(("ask", "rename", "archive", "history"), asks) | {"delete": deletes}
        retry = reverse("conversations:retry", args=[conversation.pk, prompt.pk])
        assert (retry in page) == asks
        assert prompt.input_text in page

    def test_strangers_and_staff_find_nothing(self, client, user):
        conversation = ConversationFactory()
        assert client.get(conversation.get_absolute_url()).status_code == 404
        client.force_login(UserFactory(staff=True))
        assert client.get(conversation.get_absolute_url()).status_code == 404

    def test_numbers_of_an_answer(self, client, user):
        conversation = ConversationFactory(owner=user)
        PromptFactory(
            conversation=conversation,
            input_tokens=1204,
            output_tokens=386,
            latency_ms=1900,
            first_token_ms=400,
            cost="0.0031",
        )
        PromptFactory(
            conversation=conversation,
            input_tokens=None,
            output_tokens=None,
            cost=None,
            currency="",
            finish_reason="length",
        )
        page = " ".join(client.get(conversation.get_absolute_url()).content.decode().replace("\xa0", " ").split())
        for words in ("1,204 in, 386 out", "1.9 s", "first word after 400 ms", "257 tokens/s", "€0.0031"):
            assert words in page
        for words in ("tokens unknown", "cost unknown", "cut off at the token limit"):
            assert words in page

    def test_what_models_and_people_write_is_no_markup(self, client, user):
        conversation = ConversationFactory(owner=user, title="<i>T</i>")
        evil = '<script>alert(1)</script><img src=x onerror="alert(1)">'
        PromptFactory(conversation=conversation, input_text=evil, response_text=evil, feedback=1, feedback_note=evil)
        PromptFactory(conversation=conversation, failed=True, error_message=evil)
        PromptFactory(conversation=conversation, pending=True, response_text=evil)
        page = client.get(conversation.get_absolute_url()).content.decode()
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "<i>T</i>" not in page

    def test_a_template_that_one_may_not_see_is_not_named(self, client, user):
        conversation = ParticipantFactory(user=user).conversation
        secret = TemplateFactory(title="Secret plan", owner=conversation.owner)
        PromptFactory(conversation=conversation, template_version=secret.current_version, values={"topic": "x"})
        page = client.get(conversation.get_absolute_url()).content.decode()
        assert "Secret plan" not in page
        assert str(secret.pk) not in page
        assert "with a template that you cannot see" in page
        GrantFactory(template=secret, user=user)
        secret.visibility = "shared"
        secret.save()
        assert "Secret plan" in client.get(conversation.get_absolute_url()).content.decode()

    def test_a_page_without_a_script_looks_again_while_an_answer_is_written(self, client, user):
        prompt = PromptFactory(conversation__owner=user, pending=True)
        url = prompt.conversation.get_absolute_url()
        page = client.get(url).content.decode()
        assert f'<noscript><meta http-equiv="refresh" content="2; url=?look=1#p-{prompt.pk}"></noscript>' in page
        assert 'content="2; url=?look=2#p-' in client.get(f"{url}?look=1").content.decode()
        Prompt.objects.update(status="completed")
        assert "http-equiv" not in client.get(url).content.decode()

    def test_what_a_dead_server_left_reads_as_interrupted(self, client, user, settings):
        prompt = PromptFactory(conversation__owner=user, pending=True, status="streaming", response_text="Half an")
        Prompt.objects.update(updated_at=timezone.now() - timedelta(seconds=settings.PROVIDER_TOTAL_SECONDS + 61))
        page = client.get(prompt.conversation.get_absolute_url()).content.decode()
        assert "The server was stopped before the answer was whole." in page
        assert "aria-busy" not in page
        assert "http-equiv" not in page
        prompt.refresh_from_db()
        assert prompt.status == "streaming"  # a GET writes nothing

    def test_the_echo_is_offered_only_where_the_installation_wants_it(self, client, user, settings):
        conversation = ConversationFactory(owner=user)
        echo, real = AIModelFactory(), AIModelFactory(openai=True)
        for wanted in (False, True):
            settings.ECHO_PROVIDER = wanted
            page = client.get(conversation.get_absolute_url()).content.decode()
            assert (str(echo.pk) in page, str(real.pk) in page) == (wanted, True)


class TestNew:
    def test_with_a_question_it_is_asked(self, client, user, settings):
        settings.ECHO_PROVIDER = True
        model = AIModelFactory()
        data = {"title": "", "input_text": "What are tides?\nBriefly.", "model": str(model.pk), "key": "k"}
        response = client.post("/conversations/new/", data)
        conversation = Conversation.objects.get()
        assert response["Location"].startswith(conversation.get_absolute_url())
        assert (conversation.title, conversation.owner, conversation.model) == ("What are tides?", user, model)
        prompt = conversation.prompts.get()
        assert (prompt.input_text, prompt.status) == ("What are tides?\nBriefly.", "pending")

    def test_without_one_it_is_empty(self, client, user):
        client.post("/conversations/new/", {"title": " Plans ", "input_text": "", "model": "record", "key": "k"})
        conversation = Conversation.objects.get()
        assert (conversation.title, conversation.prompt_count) == ("Plans", 0)
        assert [(seat.user, seat.role) for seat in conversation.participants.all()] == [(user, "owner")]

    def test_a_mistake_answers_422(self, client, user):
        response = client.post("/conversations/new/", {"title": "x" * 301, "model": "record"})
        assert (response.status_code, Conversation.objects.count()) == (422, 0)


MAY_WRITE = {"owner": True, "editor": True, "commenter": False, "viewer": False, "outsider": False}


@pytest.mark.parametrize(("role", "may"), MAY_WRITE.items())
class TestOrder:
    @pytest.fixture
    def conversation(self, user, role):
        conversation = ConversationFactory(title="Before", **({"owner": user} if role == "owner" else {}))
        if role not in {"owner", "outsider"}:
            ParticipantFactory(conversation=conversation, user=user, role=role)
        return conversation

    def test_rename(self, client, conversation, may):
        response = client.post(address("rename", conversation), {"title": " After  all ", "revision": 0})
        conversation.refresh_from_db()
        assert (response.status_code, conversation.title) == ((303, "After all") if may else (404, "Before"))

    def test_archive_and_back(self, client, conversation, may):
        assert client.post(address("archive", conversation)).status_code == (302 if may else 404)
        conversation.refresh_from_db()
        assert (conversation.archived_at is not None) == may
        assert client.post(address("unarchive", conversation)).status_code == (303 if may else 404)
        conversation.refresh_from_db()
        assert conversation.archived_at is None

    def test_delete(self, client, conversation, role, may):
        assert client.post(address("delete", conversation)).status_code == (302 if role == "owner" else 404)
        assert Conversation.objects.filter(pk=conversation.pk).exists() == (role != "owner")

    def test_history(self, client, conversation, may):
        assert client.get(address("history", conversation)).status_code == (200 if may else 404)


def test_a_stale_title_answers_409_with_both(client, user):
    conversation = ConversationFactory(owner=user, title="First")
    client.post(address("rename", conversation), {"title": "Second", "revision": 0})
    response = client.post(address("rename", conversation), {"title": "Third", "revision": 0})
    page = response.content.decode()
    assert response.status_code == 409
    assert "It is called “Second” now" in page
    assert 'value="Third"' in page
    assert 'name="revision" value="1"' in page
    conversation.refresh_from_db()
    assert (conversation.title, conversation.revision) == ("Second", 1)
    rows = AuditLog.objects.about(conversation.pk).filter(action=AuditLog.Action.UPDATE)
    assert [row.changes for row in rows] == [{"title": ["First", "Second"]}]


def test_an_empty_title_answers_422(client, user):
    conversation = ConversationFactory(owner=user, title="First")
    response = client.post(address("rename", conversation), {"title": "  ", "revision": 0})
    assert response.status_code == 422
    assert "First" in response.content.decode()


def test_a_deleted_conversation_comes_back_by_undo(client, user):
    prompt = PromptFactory(conversation__owner=user)
    response = client.post(address("delete", prompt.conversation), follow=True)
    undo = f"/trash/{Conversation.all_objects.get().deletion_id}/restorations/"
    assert f'action="{undo}"' in response.content.decode()
    assert titles(response) == []
    client.post(undo)
    assert (Conversation.objects.count(), Prompt.objects.count()) == (1, 1)


def test_history_tells_what_happened(client, user):
    conversation = ConversationFactory(owner=user, title="First")
    client.post(address("rename", conversation), {"title": "Second", "revision": 0})
    page = client.get(address("history", conversation)).content.decode()
    assert "<del>First</del>" in page
    assert "<ins>Second</ins>" in page
