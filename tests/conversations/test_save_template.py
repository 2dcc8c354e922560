"""An interaction becomes a template: what is proposed is explained, what is typed is kept, both sides link."""

import pytest
from django.test import Client

from accounts.models import User
from audit.models import AuditLog
from conversations.models import Conversation, Prompt, SavedTemplate
from templates_app.models import PromptTemplate
from tests.factories import ConversationFactory, ParticipantFactory, PromptFactory, UserFactory
from tests.pages import form_fields

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines() -> User:
    return UserFactory(handle="ines")


@pytest.fixture
def client(ines: User) -> Client:
    client = Client()
    client.force_login(ines)
    return client


def ask(owner: User, text: str, conversation: Conversation | None = None) -> Prompt:
    conversation = conversation or ConversationFactory(owner=owner, system_prompt="Be brief.")
    return PromptFactory(conversation=conversation, author=owner, input_text=text, model="gpt-4", parameters={})


def address(prompt: Prompt) -> str:
    return f"/conversations/{prompt.conversation_id}/prompts/{prompt.pk}/template/"


def test_a_question_becomes_a_template_with_the_words_that_changed_as_variables(client: Client, ines: User) -> None:
    earlier = ask(ines, "Write a poem about love in German.")
    olaf = UserFactory()
    ask(olaf, "Write a poem about a secret in Danish.")
    ask(olaf, "Write a poem about another person in Greek.", earlier.conversation)
    gone = ask(ines, "Write a poem about regret in Dutch.")
    gone.conversation.delete(by=ines)
    prompt = ask(ines, "Write a poem about the sea in French.")
    ask(ines, "Write a poem about the mountains in Italian.")

    page = client.get(address(prompt))
    html = page.content.decode()
    assert "differs in 2 questions" in html and f'href="{earlier.get_absolute_url()}"' in html
    assert not any(word in html for word in ("secret", "another person", "regret"))
    fields = form_fields(page, "editor")
    assert fields["body"] == "Write a poem about {{ topic }} in {{ language }}."
    assert (fields["system_prompt"], fields["model"], fields["title"]) == (
        "Be brief.",
        "gpt-4",
        "Write a poem about the sea in French.",
    )
    assert not PromptTemplate.objects.exists()

    answer = client.post(address(prompt), fields | {"title": "Poem"})
    template = PromptTemplate.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, template.get_absolute_url())
    version = template.current_version
    assert version is not None
    assert [(each["name"], each["type"], each["example"], each["required"]) for each in version.variables] == [
        ("topic", "text", "the sea", True),
        ("language", "text", "French", True),
    ]
    assert (template.title, template.owner, template.visibility, version.parameters) == (
        "Poem",
        ines,
        "private",
        {"model": "gpt-4"},
    )
    link = SavedTemplate.objects.get()
    assert (link.prompt, link.template) == (prompt, template)
    assert AuditLog.objects.filter(object_pk=str(link.pk), action=AuditLog.Action.CREATE, actor=ines).exists()

    assert client.post(address(prompt), fields | {"title": "Poem"}).status_code == 302  # the second click
    assert PromptTemplate.objects.count() == 1
    assert f'href="{prompt.get_absolute_url()}"' in client.get(template.get_absolute_url()).content.decode()
    assert f'href="{template.get_absolute_url()}">Poem</a>' in client.get(prompt.get_absolute_url()).content.decode()


def test_others_see_neither_the_template_nor_the_conversation_that_they_may_not_see(client: Client, ines: User) -> None:
    prompt = ask(ines, "Write a poem about the sea.")
    olaf = UserFactory(handle="olaf")
    ParticipantFactory(conversation=prompt.conversation, user=olaf, role="viewer")
    fields = form_fields(client.get(address(prompt)), "editor")
    client.post(address(prompt), fields | {"title": "Mine alone"})
    template = PromptTemplate.objects.get()
    theirs = Client()
    theirs.force_login(olaf)
    assert "Mine alone" not in theirs.get(prompt.get_absolute_url()).content.decode()
    PromptTemplate.objects.update(visibility="public")
    assert "Mine alone" in theirs.get(prompt.get_absolute_url()).content.decode()
    stranger = Client()
    stranger.force_login(UserFactory())
    page = stranger.get(template.get_absolute_url())
    assert page.status_code == 200 and str(prompt.conversation_id) not in page.content.decode()


def test_where_nothing_is_similar_the_question_stays_as_it_is(client: Client, ines: User) -> None:
    ask(ines, "Fix this function.")
    prompt = ask(ines, "Write a poem about the sea in French.")
    page = client.get(address(prompt))
    assert form_fields(page, "editor")["body"] == prompt.input_text
    assert "None of your earlier questions is similar enough" in page.content.decode()


def test_what_was_typed_is_kept_when_it_does_not_do_and_without_a_script(client: Client, ines: User) -> None:
    prompt = ask(ines, "Write a poem about the sea in French.")
    fields = form_fields(client.get(address(prompt)), "editor")
    typed = fields | {"title": "", "body": "About {{ whom }}, typed."}
    refused = client.post(address(prompt), typed)
    assert (refused.status_code, form_fields(refused, "editor")["body"]) == (422, "About {{ whom }}, typed.")
    again = client.post(f"{address(prompt)}variables/", typed)
    shown = form_fields(again, "editor")
    assert (again.status_code, shown["variables-0-name"]) == (200, "whom")
    assert f'action="{address(prompt)}"' in again.content.decode()
    fragment = client.post(f"{address(prompt)}preview/", typed, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment and f'data-hx-post="{address(prompt)}preview/"' in fragment
    assert client.post(f"{address(prompt)}nothing/", typed).status_code == 404
    assert not PromptTemplate.objects.exists()
