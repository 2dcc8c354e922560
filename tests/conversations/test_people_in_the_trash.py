"""A person in the trash is named nowhere; back again, they have their place as before."""

import pytest
from django.urls import reverse

from conversations.models import UsageDaily
from tests.factories import ConversationFactory, ParticipantFactory, PromptFactory, UserFactory, ValueSetFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address", ["conversations:list", "conversations:detail", "conversations:people", "conversations:export"]
)
def test_conversations_do_not_name_them(client, address):
    seat = ParticipantFactory(user__display_name="Jonas Weber", role="viewer")
    owner = seat.conversation.owner
    client.force_login(owner)
    url = reverse(address, args=[] if address == "conversations:list" else [seat.conversation_id])
    data = {"format": "html"} if address == "conversations:export" else {}

    def names() -> bool:
        response = client.get(url, data)
        sent = b"".join(response) if response.streaming else response.content
        return "Jonas Weber" in sent.decode()

    assert names()
    seat.user.delete(by=owner)
    assert not names()
    seat.user.restore()
    assert names()


def test_the_filter_by_person_does_not_know_them(client):
    seat = ParticipantFactory(user__handle="jonas", conversation__title="Names for the tent")
    client.force_login(seat.conversation.owner)
    url = reverse("conversations:list")
    assert "Names for the tent" in client.get(url, {"person": "jonas"}).content.decode()
    seat.user.delete()
    assert "Names for the tent" not in client.get(url, {"person": "jonas"}).content.decode()


def test_their_shared_values_are_not_offered(client):
    shared = ValueSetFactory(name="Frogs", is_shared=True, template__visibility="public")
    client.force_login(shared.template.owner)
    url = shared.template.get_absolute_url()
    assert "Frogs" in client.get(url).content.decode()
    shared.user.delete()
    assert "Frogs" not in client.get(url).content.decode()


def test_what_they_used_is_counted_without_their_name(client):
    gone = UserFactory(display_name="Jonas Weber")
    prompt = PromptFactory(conversation=ConversationFactory(), cost="1.5", currency="EUR")
    UsageDaily.objects.filter(user=prompt.author).update(user=gone)
    client.force_login(UserFactory(staff=True))
    assert "Jonas Weber" in client.get(reverse("site:analytics")).content.decode()
    gone.delete()
    html = client.get(reverse("site:analytics")).content.decode()
    assert "Jonas Weber" not in html
    assert "Somebody who is gone" in html
