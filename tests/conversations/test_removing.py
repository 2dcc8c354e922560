"""An interaction goes to the trash and comes back: alone, or with what follows it."""

import re

import pytest
from django.urls import reverse

from audit.models import AuditLog
from conversations.models import Conversation, Prompt
from conversations.services import load_window
from tests.factories import ConversationFactory, ParticipantFactory, PromptFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def line():
    conversation = ConversationFactory()
    prompts = []
    for _ in range(3):
        parent = prompts[-1] if prompts else None
        prompts.append(PromptFactory(conversation=conversation, author=conversation.owner, parent=parent))
    return prompts


def post(client, prompt, **data):
    return client.post(reverse("conversations:delete_prompt", args=[prompt.conversation_id, prompt.pk]), data)


def living():
    return list(Prompt.objects.order_by("pk"))


def undo(client, response):
    """Press Undo in the toast of the page that follows."""
    html = client.get(response.url).content.decode()
    address = re.search(r'data-toast>.*?action="(/trash/[^"]+)"', html)
    assert address, html
    return client.post(address[1])


def test_the_last_one_goes_at_once_and_undo_brings_it_back(client, line):
    client.force_login(line[0].author)
    response = post(client, line[2])
    assert living() == line[:2]
    response = undo(client, response)
    assert response.url == line[2].get_absolute_url()
    assert living() == line


def test_one_in_the_middle_asks_whether_what_follows_goes_too(client, line):
    client.force_login(line[0].author)
    html = post(client, line[1]).content.decode()
    assert "This one and the one that follows it" in html
    assert living() == line
    assert post(client, line[1], what="nonsense").status_code == 422
    assert living() == line


@pytest.mark.parametrize(("what", "left"), [("alone", [0, 2]), ("all", [0])])
def test_alone_or_with_what_follows_undo_brings_back_what_went(client, line, what, left):
    client.force_login(line[0].author)
    response = post(client, line[1], what=what)
    assert living() == [line[place] for place in left]
    line[0].conversation.refresh_from_db()
    window = load_window(line[0].conversation)
    assert [turn.prompt for turn in window.turns] == [line[place] for place in left]
    assert line[0].conversation.prompt_count == len(left)
    undo(client, response)
    assert living() == line
    assert AuditLog.objects.filter(action=AuditLog.Action.RESTORE).count() == 3 - len(left)


def test_all_ways_below_go(client, line):
    other = PromptFactory(conversation=line[0].conversation, author=line[0].author, parent=line[1])
    client.force_login(line[0].author)
    assert "This one and the 2 that follow it" in post(client, line[1]).content.decode()
    post(client, line[1], what="all")
    assert living() == line[:1]
    assert Prompt.all_objects.get(pk=other.pk).is_deleted


def test_who_writes_there_deletes_what_they_asked_and_nothing_of_others(client, line):
    editor = ParticipantFactory(conversation=line[0].conversation, role="editor").user
    own = PromptFactory(conversation=line[0].conversation, author=editor, parent=line[1])
    PromptFactory(conversation=line[0].conversation, author=line[0].author, parent=own)
    client.force_login(editor)
    assert post(client, line[0], what="alone").status_code == 404
    html = post(client, own).content.decode()
    assert "Some of what follows is others’" in html
    assert post(client, own, what="all").status_code == 422
    assert len(living()) == 5
    post(client, own, what="alone")
    assert own not in living()
    assert len(living()) == 4


@pytest.mark.parametrize("role", ["viewer", "commenter", None])
def test_who_does_not_write_there_deletes_nothing(client, line, role):
    seat = ParticipantFactory(conversation=line[0].conversation, role=role) if role else None
    user = seat.user if seat else UserFactory()
    mine = PromptFactory(conversation=line[0].conversation, author=user, parent=line[2])
    client.force_login(user)
    assert post(client, mine).status_code == 404
    assert mine in living()


def test_the_menu_offers_it_to_those_who_may(client, line):
    editor = ParticipantFactory(conversation=line[0].conversation, role="editor").user
    own = PromptFactory(conversation=line[0].conversation, author=editor, parent=line[2])

    def offered(user):
        client.force_login(user)
        html = client.get(line[0].conversation.get_absolute_url()).content.decode()
        return [prompt for prompt in [*line, own] if f"/prompts/{prompt.pk}/delete/" in html]

    assert offered(line[0].author) == [*line, own]
    assert offered(editor) == [own]


def test_an_answer_that_is_being_written_is_stopped_first(client, line):
    waiting = PromptFactory(
        conversation=line[0].conversation, author=line[0].author, parent=line[2], status="pending", completed_at=None
    )
    client.force_login(line[0].author)
    post(client, waiting)
    gone = Prompt.all_objects.get(pk=waiting.pk)
    assert (gone.status, gone.is_deleted) == ("interrupted", True)


def test_a_selection_goes_and_one_undo_brings_it_back_as_it_was(client, line):
    owner = line[0].author
    others = [ConversationFactory(owner=owner) for _ in range(2)]
    foreign = ParticipantFactory(user=owner, role="editor").conversation
    earlier = ConversationFactory(owner=owner)
    earlier.delete(by=owner)
    client.force_login(owner)
    picked = [line[0].conversation, *others, foreign]
    page = client.get(reverse("conversations:list")).content.decode()
    url = reverse("conversations:delete_selection")
    assert f'formmethod="post" formaction="{url}"' in page
    response = client.post(url, {"ids": [each.pk for each in picked]})
    assert list(Conversation.objects.all()) == [foreign]
    html = client.get(response.url).content.decode()
    assert "3 conversations are in the trash. 1 is not yours and stays." in html
    address = re.search(r'action="(/trash/[^"]+/together/)"', html)
    assert address
    client.post(address[1])
    assert set(Conversation.objects.all()) == set(picked)
    assert living() == line
    assert client.post(address[1]).status_code == 404


def test_of_a_selection_one_is_restored_alone(client, line):
    owner = line[0].author
    other = ConversationFactory(owner=owner)
    client.force_login(owner)
    client.post(reverse("conversations:delete_selection"), {"ids": f"{other.pk},{line[0].conversation_id}"})
    client.post(reverse("audit:restore", args=[Conversation.all_objects.get(pk=other.pk).deletion_id]))
    assert list(Conversation.objects.all()) == [other]
