"""What enters the figures of how long people wait: what was run here, and nothing that was brought here."""

import pytest
from django.core.management import call_command

from conversations.models import ModelUsageDaily, UsageDaily
from conversations.services import compare
from conversations.services.totals import totals_of
from promptlib.site import analytics
from tests.factories import ConversationFactory, PromptFactory, TemplateFactory

pytestmark = pytest.mark.django_db

IMPORTED = {"imported": {"key": "7"}}


@pytest.fixture
def conversation():
    """Run, recorded, and imported from another installation, where it was run; each as if it took long."""
    conversation = ConversationFactory()
    version = TemplateFactory(owner=conversation.owner).current_version
    first = PromptFactory(conversation=conversation, template_version=version, latency_ms=1_000)
    PromptFactory(
        conversation=conversation, parent=first, latency_ms=80_000, metadata=IMPORTED, template_version=version
    )
    PromptFactory(conversation=conversation, parent=first, recorded=True, latency_ms=90_000, template_version=version)
    PromptFactory(conversation=conversation, parent=first, failed=True, latency_ms=60_000, template_version=version)
    return conversation


def test_every_figure_is_of_the_one_that_was_run(conversation):
    first, imported, recorded, _failed = conversation.prompts.order_by("pk")
    days = UsageDaily.objects.filter(user=conversation.owner)
    assert sum(day.runs for day in days) == 4
    assert (sum(day.latency_ms for day in days), sum(day.latency_count for day in days)) == (1_000, 1)
    assert {day.mean_latency_ms for day in ModelUsageDaily.objects.all() if day.mean_latency_ms} == {1_000}
    assert analytics.total(days).mean_latency_ms == 1_000
    version = first.template_version
    version.refresh_from_db()
    assert (version.usage_count, version.total_latency_ms, version.latency_count) == (4, 1_000, 1)
    assert totals_of(conversation).median_ms == 1_000
    found = compare(conversation, imported.pk, recorded.pk)
    assert (found.left.median_ms, found.right.median_ms) == (None, None)
    call_command("verify_stats")


def test_the_page_says_of_each_where_it_comes_from(conversation, client):
    client.force_login(conversation.owner)
    _first, imported, recorded, _failed = conversation.prompts.order_by("pk")
    for prompt, words in ((imported, "imported"), (recorded, "recorded by hand")):
        page = client.get(f"{conversation.get_absolute_url()}?upto={prompt.pk}").content.decode()
        assert page.count(f"<span>{words}</span>") == 1


def test_an_answer_shows_all_that_was_measured(client):
    prompt = PromptFactory(cached_tokens=1_300, reasoning_tokens=7, finish_reason="length")
    client.force_login(prompt.author)
    page = " ".join(client.get(prompt.get_absolute_url()).content.decode().replace("\xa0", " ").split())
    for words in ("100 in, 50 out", "1,300 cached", "7 reasoning", "2.0 s", "first word after 400 ms", "31 tokens/s"):
        assert words in page
    assert "cut off at the token limit" in page
