"""Links by which others read: made, opened, counted, refused, revoked; and what a reader sees and takes along."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditLog
from conversations.models import Conversation, LinkView, Participant, PromptComment, ShareLink
from conversations.services import links, people
from tests.factories import ConversationFactory, ParticipantFactory, PromptFactory, UserFactory

pytestmark = pytest.mark.django_db

GONE = "This link does not work"


@pytest.fixture
def conversation():
    conversation = ConversationFactory(owner__display_name="Winifred", title="Orchard", system_prompt="Be secretive.")
    prompt = PromptFactory(conversation=conversation, input_text="Ripe?", response_text="Very **ripe**.", values={})
    PromptComment.objects.create(prompt=prompt, author=conversation.owner, text="Between us.")
    return conversation


def address(name, *args):
    return reverse(f"conversations:{name}", args=args)


def made(conversation, **chosen):
    return links.make_link(conversation, by=conversation.owner, **chosen)


def opened(client, token, password=""):
    return client.post(address("open_shared", token), {"password": password})


def reads(client, token):
    """Whether this browser reads the thread by the link: yes, the door, or gone."""
    page = client.get(address("shared", token))
    text = page.content.decode()
    if "Very <strong>ripe</strong>." in text:
        return "reads"
    return "gone" if GONE in text and page.status_code == 404 else "door"


class TestMaking:
    def test_the_address_is_shown_once_and_only_its_hash_is_kept(self, client, conversation):
        client.force_login(conversation.owner)
        chosen = {"name": "For Ann", "days": "7", "password": "let me in", "max_views": "3"}
        response = client.post(address("links", conversation.pk), chosen)
        token = response.context["url"].rstrip("/").rpartition("/")[2]
        link = ShareLink.objects.get()
        assert (response.status_code, response.headers["Cache-Control"]) == (
            201,
            "max-age=0, no-cache, no-store, must-revalidate, private",
        )
        assert links.find_link(token) == link
        assert (link.name, link.max_views, link.created_by) == ("For Ann", 3, conversation.owner)
        assert abs(link.expires_at - timezone.now() - timedelta(days=7)) < timedelta(minutes=5)
        assert "let me in" not in link.password
        page = client.get(address("links", conversation.pk)).content.decode()
        assert ("For Ann" in page, token in page, link.token_hash in page) == (True, False, False)
        kept = [str(row.changes) + row.object_repr for row in AuditLog.objects.all()]
        assert [row for row in kept if token in row or "let me in" in row] == []

    @pytest.mark.parametrize("wrong", [{"max_views": "0"}, {"password": "abc"}, {"days": "400"}])
    def test_what_does_not_do_is_said_and_kept(self, client, conversation, wrong):
        client.force_login(conversation.owner)
        response = client.post(address("links", conversation.pk), {"name": "For Ann", "days": "7"} | wrong)
        assert (response.status_code, 'value="For Ann"' in response.content.decode()) == (422, True)
        assert ShareLink.objects.count() == 0


class TestReading:
    def test_a_stranger_opens_and_reads_and_nothing_else_is_told(self, client, conversation):
        _link, token = made(conversation)
        door = client.get(address("shared", token))
        assert "Orchard" not in door.content.decode()
        response = opened(client, token)
        assert (response.status_code, response.headers["Location"]) == (303, address("shared", token))
        page = client.get(address("shared", token))
        text = page.content.decode()
        assert "Very <strong>ripe</strong>." in text
        told = [
            word for word in ("Winifred", "Between us", "secretive", "€", conversation.owner.handle) if word in text
        ]
        assert told == []
        headers = {name: page.headers[name] for name in ("Cache-Control", "X-Robots-Tag", "Referrer-Policy")}
        assert headers == {
            "Cache-Control": "private, no-store",
            "X-Robots-Tag": "noindex, nofollow",
            "Referrer-Policy": "no-referrer",
        }
        assert "topbar" not in text

    def test_looking_counts_nothing_and_opening_is_counted_and_logged(self, client, conversation):
        link, token = made(conversation)
        client.get(address("shared", token))
        assert LinkView.objects.count() == 0
        reader = UserFactory()
        client.force_login(reader)
        response = client.post(address("open_shared", token), headers={"User-Agent": "Lynx"}, REMOTE_ADDR="192.0.2.9")
        assert response.status_code == 303
        for _again in range(3):
            client.get(address("shared", token))
        link.refresh_from_db()
        assert link.view_count == 1
        assert list(LinkView.objects.values_list("link", "user", "ip", "user_agent")) == [
            (link.pk, reader.pk, "192.0.2.9", "Lynx")
        ]
        row = AuditLog.objects.about(conversation.pk).get(action=AuditLog.Action.ACCESS)
        assert (row.object_pk, row.actor) == (str(link.pk), reader)

    def test_an_address_that_opens_it_again_and_again_waits(self, client, conversation, monkeypatch):
        """Each opening leaves rows for good."""
        monkeypatch.setattr(links, "OPENINGS_ALLOWED", 2)
        link, token = made(conversation)
        answers = [client.post(address("open_shared", token)) for _time in range(4)]
        assert [answer.status_code for answer in answers] == [303, 303, 429, 429]
        assert "opened very often from where you are" in answers[-1].content.decode()
        elsewhere = client.post(address("open_shared", token), REMOTE_ADDR="192.0.2.77")
        link.refresh_from_db()
        assert (elsewhere.status_code, link.view_count, LinkView.objects.count()) == (303, 3, 3)

    def test_the_cookie_of_one_link_opens_no_other(self, client, conversation):
        _one, first = made(conversation)
        _two, second = made(conversation)
        opened(client, first)
        assert (reads(client, first), reads(client, second)) == ("reads", "door")

    @pytest.mark.parametrize(
        "end",
        [
            lambda link: links.revoke(link),
            lambda link: ShareLink.objects.filter(pk=link.pk).update(expires_at=timezone.now()),
            lambda link: link.conversation.delete(by=link.created_by),
            lambda link: type(link.created_by).objects.filter(pk=link.created_by_id).update(is_active=False),
            lambda link: Participant.objects.filter(user=link.created_by).update(role="viewer"),
        ],
        ids=["revoked", "expired", "in the trash", "maker locked out", "maker demoted"],
    )
    def test_a_link_dies_while_it_is_read(self, client, conversation, end):
        link, token = made(conversation)
        opened(client, token)
        assert reads(client, token) == "reads"
        end(link)
        assert (reads(client, token), opened(client, token).status_code) == ("gone", 404)
        assert client.get(address("shared", "never-made")).content == client.get(address("shared", token)).content

    def test_removing_somebody_revokes_the_links_they_made(self, client, conversation):
        seat = ParticipantFactory(conversation=conversation, role="editor")
        _link, token = links.make_link(conversation, by=seat.user)
        opened(client, token)
        people.remove(seat)
        assert reads(client, token) == "gone"
        ParticipantFactory(conversation=conversation, user=seat.user, role="editor")
        assert reads(client, token) == "gone"

    def test_used_up_for_others_but_not_for_who_opened_it(self, client, conversation):
        _link, token = made(conversation, max_views=1)
        opened(client, token)
        assert (reads(client, token), reads(Client(), token)) == ("reads", "gone")
        assert opened(Client(), token).status_code == 404

    def test_a_password_is_asked_for_and_guessing_waits(self, client, conversation):
        _link, token = made(conversation, password="let me in")
        assert (opened(client, token).status_code, opened(client, token, "wrong").status_code) == (422, 422)
        assert reads(client, token) == "door"
        answers = [opened(client, token, "wrong").status_code for _ in range(9)]
        assert answers == [422] * 8 + [429]
        assert opened(client, token, "let me in").status_code == 429
        assert (
            client.post(address("open_shared", token), {"password": "let me in"}, REMOTE_ADDR="192.0.2.1").status_code
            == 303
        )


class TestCopying:
    def test_a_copy_of_what_was_read_is_the_readers_own(self, client, conversation):
        first = conversation.prompts.get()
        PromptFactory(conversation=conversation, parent=first, input_text="Sure?", response_text="Yes.")
        PromptFactory(conversation=conversation, parent=first, input_text="Sure?", response_text="No.")
        PromptFactory(conversation=conversation, parent=first, pending=True)
        _link, token = made(conversation)
        reader = UserFactory()
        client.force_login(reader)
        assert client.post(address("copy_shared", token)).headers["Location"] == address("shared", token)
        opened(client, token)
        assert client.get(address("copy_shared", token)).status_code == 200
        assert client.post(address("copy_shared", token)).status_code == 303
        copy = Conversation.objects.exclude(pk=conversation.pk).get()
        assert (copy.owner, copy.title, copy.system_prompt) == (reader, "Orchard", "")
        rows = list(copy.prompts.order_by("pk"))
        assert [(row.input_text, row.response_text, row.status, row.cost, row.author) for row in rows] == [
            ("Ripe?", "Very **ripe**.", "recorded", None, reader),
            ("Sure?", "Yes.", "recorded", None, reader),
            ("Sure?", "No.", "recorded", None, reader),
        ]
        assert [row.parent_id for row in rows] == [None, rows[0].pk, rows[0].pk]
        assert PromptComment.objects.filter(prompt__conversation=copy).count() == 0


@pytest.mark.django_db(transaction=True)
def test_no_more_openings_than_allowed_however_many_come_at_once():
    conversation = ConversationFactory()
    link, token = made(conversation, max_views=3)
    answers = []

    def come():
        try:
            answers.append(opened(Client(), token).status_code)
        finally:
            connection.close()

    readers = [threading.Thread(target=come) for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    link.refresh_from_db()
    assert (sorted(answers), link.view_count) == ([303] * 3 + [404] * 5, 3)
    assert LinkView.objects.count() == 3


def test_ten_openings_and_thirty_take_the_same_queries(client, conversation, django_assert_max_num_queries):
    client.force_login(conversation.owner)
    link, _token = made(conversation)
    pages = [address("links", conversation.pk), address("link", conversation.pk, link.pk)]
    counts = []
    for more in (9, 20):
        for _ in range(more):
            made(conversation)
            LinkView.objects.create(link=link, user=UserFactory())
        for page in pages:
            client.get(page)
            with django_assert_max_num_queries(12) as asked:
                client.get(page)
            counts.append(len(asked))
    assert counts[:2] == counts[2:]
