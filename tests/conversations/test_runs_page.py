"""GET /templates/<uuid>/runs/: the interactions that used a template, as far as one may see them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from conversations.models import Conversation, Prompt
from templates_app.models import PromptTemplate
from tests.factories import ConversationFactory, ParticipantFactory, PromptFactory, TemplateFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines() -> User:
    return UserFactory(handle="ines")


@pytest.fixture
def template(ines: User) -> PromptTemplate:
    return TemplateFactory(owner=ines, title="Reply", visibility="public", versions=3)


@pytest.fixture
def look(client: Client, ines: User, template: PromptTemplate) -> Callable[..., HttpResponse]:
    client.force_login(ines)

    def get(query: str = "", **kwargs: Any) -> HttpResponse:
        return client.get(reverse("conversations:runs", args=[template.pk]) + query, **kwargs)

    return get


def run(template: PromptTemplate, number: int, conversation: Conversation, **fields: Any) -> Prompt:
    return PromptFactory(conversation=conversation, template_version=template.versions.get(number=number), **fields)


def listed(response: HttpResponse) -> list[str]:
    return [prompt.conversation.title for prompt in response.context["page"].items]


def test_it_lists_what_one_may_see_the_latest_first(
    look: Callable[..., HttpResponse], template: PromptTemplate, ines: User
) -> None:
    run(template, 3, ConversationFactory(owner=ines, title="Mine"), values={"topic": "tides"})
    shared = ParticipantFactory(user=ines, conversation__title="Shared with me").conversation
    run(template, 1, shared)
    run(template, 3, ConversationFactory(title="Of others"), values={"topic": "a secret"})
    gone = ConversationFactory(owner=ines, title="Deleted")
    run(template, 3, gone)
    gone.delete(by=ines)
    PromptFactory(conversation=ConversationFactory(owner=ines, title="No template"))
    other = TemplateFactory(owner=ines)
    PromptFactory(
        conversation=ConversationFactory(owner=ines, title="Another template"), template_version=other.current_version
    )
    response = look()
    assert (listed(response), response.context["count"]) == (["Shared with me", "Mine"], 2)
    html = response.content.decode()
    assert "Topic: tides" in html
    assert [text for text in ("Of others", "a secret", "Deleted") if text in html] == []
    assert Prompt.objects.get(conversation__title="Mine").get_absolute_url() in html


def test_it_is_narrowed_by_version_and_state(
    look: Callable[..., HttpResponse], template: PromptTemplate, ines: User
) -> None:
    conversation = ConversationFactory(owner=ines)
    run(template, 1, conversation)
    run(template, 3, conversation)
    failed = run(template, 3, conversation, failed=True)
    queries = ("", "?version=3", "?version=1", "?status=failed", "?version=1&status=failed", "?version=2")
    assert [look(query).context["count"] for query in queries] == [3, 2, 1, 1, 0, 0]
    assert [each.pk for each in look("?version=3&status=failed").context["page"].items] == [failed.pk]
    assert look("?version=2").context["filter"].versions == [3, 2, 1]
    for query in ("?version=x", "?status=odd", "?version=-1"):
        response = look(query)
        assert (response.status_code, response.context["count"]) == (422, 0)


def test_the_fragment_is_the_rows_alone(look: Callable[..., HttpResponse]) -> None:
    html = look(headers={"HX-Request": "true"}).content.decode()
    assert html.lstrip().startswith('<div id="results">')


def test_the_numbers_of_the_template_page_lead_to_their_rows(
    client: Client, look: Callable[..., HttpResponse], template: PromptTemplate, ines: User
) -> None:
    look()
    run(template, 3, ConversationFactory(owner=ines))
    html = client.get(template.get_absolute_url()).content.decode()
    url = reverse("conversations:runs", args=[template.pk])
    stats = html[html.index('class="stats"') : html.index('<div class="desk"')]
    assert f'<a href="{url}"><strong>1</strong> run</a>' in stats
    assert 'href="#how"' in stats
    assert 'id="how"' in html
    assert f'href="{url}?version=3"' in html
    library = client.get("/templates/").content.decode()
    assert f'href="{url}"' in library


def test_query_counts_do_not_grow(look: Callable[..., HttpResponse], template: PromptTemplate, ines: User) -> None:
    counts = []
    for more in (10, 20):
        for _each in range(more):
            conversation = ParticipantFactory(user=ines).conversation
            run(template, 3, conversation, values={"topic": "tides"}, author=UserFactory())
        with CaptureQueriesContext(connection) as seen:
            assert len(listed(look())) == (10 if not counts else 30)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 12


def test_pages_are_cut_by_keyset(look: Callable[..., HttpResponse], template: PromptTemplate, ines: User) -> None:
    conversation = ConversationFactory(owner=ines)
    runs = [run(template, 3, conversation) for _each in range(35)]
    Prompt.objects.filter(pk=runs[0].pk).update(created_at=timezone.now() + timedelta(hours=1))
    first = look().context["page"]
    second = look(f"?cursor={first.next_cursor}").context["page"]
    expected = [runs[0], *reversed(runs[1:])]
    assert [each.pk for each in (*first.items, *second.items)] == [each.pk for each in expected]
