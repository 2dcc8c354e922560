"""Who is in a conversation: invited, changed, removed, leaving, handing over; and what ends with a seat."""

import pytest
from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.urls import reverse

from audit.models import AuditLog
from conversations.models import Participant, SeatOffer
from conversations.services import rights
from tests.factories import ConversationFactory, ParticipantFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client):
    owner = UserFactory(display_name="Olga")
    client.force_login(owner)
    return owner


@pytest.fixture
def conversation(owner):
    return ConversationFactory(owner=owner, title="Orchard")


def address(name, conversation, **kwargs):
    return reverse(f"conversations:{name}", kwargs={"pk": conversation.pk, **kwargs})


def roles(conversation):
    seats = conversation.participants.order_by("created_at")
    return [(seat.user.handle, seat.role) for seat in seats.select_related("user")]


def invite(client, conversation, who, role="editor"):
    return client.post(address("people", conversation), {"who": who, "role": role})


class TestInviting:
    @pytest.mark.parametrize("who", ["@anna", "anna@example.org"])
    def test_by_handle_or_address_with_a_letter(
        self, client, owner, conversation, who, mailoutbox, django_capture_on_commit_callbacks
    ):
        UserFactory(handle="anna", email="anna@example.org")
        with django_capture_on_commit_callbacks(execute=True):
            response = invite(client, conversation, who)
        assert (response.status_code, roles(conversation)) == (302, [(owner.handle, "owner"), ("anna", "editor")])
        assert [mail.to for mail in mailoutbox] == [["anna@example.org"]]
        assert conversation.get_absolute_url() in mailoutbox[0].body
        seat = conversation.participants.get(role="editor")
        row = AuditLog.objects.about(conversation.pk).get(object_pk=str(seat.pk))
        assert (row.action, row.actor) == (AuditLog.Action.CREATE, owner)

    def test_somebody_who_is_in_it_stays_what_they_are(self, client, owner, conversation):
        ParticipantFactory(conversation=conversation, user__handle="anna", role="viewer")
        assert invite(client, conversation, "anna").status_code == 302
        assert roles(conversation) == [(owner.handle, "owner"), ("anna", "viewer")]

    @pytest.mark.parametrize(
        ("who", "role", "message"),
        [
            ("nobody", "viewer", "Nobody here goes by “nobody”."),
            ("", "viewer", "This field is required."),
            ("no@address@at all", "viewer", "Enter a valid email address."),
            ("anna", "owner", "Select a valid choice."),
        ],
    )
    def test_what_does_not_do_is_said_and_kept(self, client, conversation, who, role, message):
        UserFactory(handle="anna")
        response = invite(client, conversation, who, role)
        page = response.content.decode()
        assert (response.status_code, message in page) == (422, True)
        assert f'value="{who}"' in page or not who

    def test_an_address_without_an_account_is_kept_a_place_until_it_is_confirmed(
        self, client, conversation, mailoutbox, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            invite(client, conversation, "Later@Example.org", "viewer")
            invite(client, conversation, "later@example.org", "commenter")
        assert list(SeatOffer.objects.values_list("email_key", "role")) == [("later@example.org", "commenter")]
        assert "/accounts/signup/?email=" in mailoutbox[0].body
        later = UserFactory(email="later@example.org", handle="later")
        assert conversation.participants.filter(user=later).exists() is False
        confirmed = EmailAddress(user=later, email="later@example.org", verified=True)
        email_confirmed.send(EmailAddress, request=None, email_address=confirmed)
        assert roles(conversation)[1:] == [("later", "commenter")]
        assert SeatOffer.objects.count() == 0

    @pytest.mark.parametrize("registration", ["invite", "closed"])
    def test_who_cannot_make_an_account_is_kept_no_place(self, client, conversation, settings, registration):
        settings.REGISTRATION = registration
        assert invite(client, conversation, "later@example.org").status_code == 422
        assert SeatOffer.objects.count() == 0

    def test_a_place_of_a_thread_in_the_trash_is_not_taken(self, owner, conversation):
        SeatOffer.objects.create(conversation=conversation, email="a@example.org", role="viewer", invited_by=owner)
        conversation.delete(by=owner)
        later = UserFactory(email="a@example.org")
        confirmed = EmailAddress(user=later, email="a@example.org", verified=True)
        email_confirmed.send(EmailAddress, request=None, email_address=confirmed)
        assert Participant.objects.filter(user=later).count() == 0


class TestChanging:
    def test_role_and_removal_are_the_owners_and_logged(self, client, owner, conversation):
        seat = ParticipantFactory(conversation=conversation, user__handle="anna", role="viewer")
        client.post(address("change_seat", conversation, seat_pk=seat.pk), {"role": "editor"})
        assert roles(conversation)[1:] == [("anna", "editor")]
        client.post(address("remove_seat", conversation, seat_pk=seat.pk))
        assert roles(conversation) == [(owner.handle, "owner")]
        told = AuditLog.objects.filter(object_pk=str(seat.pk), actor=owner).order_by("id")
        assert [row.action for row in told] == [AuditLog.Action.UPDATE, AuditLog.Action.DELETE]

    def test_the_owner_keeps_the_seat_until_it_is_handed_over(self, client, owner, conversation):
        mine = conversation.participants.get()
        answers = [
            client.post(address("leave", conversation)),
            client.post(address("remove_seat", conversation, seat_pk=mine.pk)),
            client.post(address("change_seat", conversation, seat_pk=mine.pk), {"role": "viewer"}),
        ]
        assert [answer.status_code for answer in answers] == [409, 409, 409]
        assert roles(conversation) == [(owner.handle, "owner")]

    def test_handing_over(self, client, owner, conversation):
        seat = ParticipantFactory(conversation=conversation, user__handle="anna", role="viewer")
        assert client.post(address("hand_over", conversation, seat_pk=seat.pk)).status_code == 302
        conversation.refresh_from_db()
        assert (conversation.owner, roles(conversation)) == (seat.user, [(owner.handle, "editor"), ("anna", "owner")])
        assert client.post(address("delete", conversation)).status_code == 404

    def test_who_imported_the_same_does_not_get_a_second_one(self, client, owner):
        same = {"source": "chatgpt", "source_id": "abc"}
        conversation = ConversationFactory(owner=owner, **same)
        seat = ParticipantFactory(conversation=conversation)
        ConversationFactory(owner=seat.user, **same)
        assert client.post(address("hand_over", conversation, seat_pk=seat.pk)).status_code == 409
        conversation.refresh_from_db()
        assert conversation.owner == owner

    def test_leaving(self, client, owner):
        seat = ParticipantFactory(user=owner, role="editor")
        assert client.post(address("leave", seat.conversation)).status_code == 302
        assert client.get(address("people", seat.conversation)).status_code == 404


def test_ten_people_and_thirty_take_the_same_queries(client, owner, conversation, django_assert_max_num_queries):
    ParticipantFactory.create_batch(9, conversation=conversation)
    client.get(address("people", conversation))
    with django_assert_max_num_queries(12) as ten:
        assert len(client.get(address("people", conversation)).context["page"].items) == 10
    ParticipantFactory.create_batch(20, conversation=conversation)
    with django_assert_max_num_queries(12) as thirty:
        assert len(client.get(address("people", conversation)).context["page"].items) == 30
    assert len(ten) == len(thirty)


def test_readers_of_one_process_are_looked_up_together(monkeypatch, django_assert_num_queries):
    seats = ParticipantFactory.create_batch(3)
    readers = [rights.Reader(seat.conversation_id, seat.user_id) for seat in seats]
    try:
        seats[0].delete()
        seats[1].user.is_active = False
        seats[1].user.save()
        monkeypatch.setattr(rights, "_asked_at", 0.0)
        with django_assert_num_queries(1):
            assert [reader.may_read() for reader in readers] == [False, False, True]
    finally:
        for reader in readers:
            reader.close()
