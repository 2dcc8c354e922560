"""The demonstration in a database: whole, dated back, audited, never doubled, never over what people did since."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import models
from django.db.transaction import atomic, set_rollback
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Team, TeamMembership, User
from audit.models import AuditLog
from audit.registry import audited_models
from conversations.models import Conversation, Participant, Prompt, PromptComment
from conversations.services.path import path_up
from promptlib.core import statistics
from promptlib.site.demo import plant
from promptlib.site.demo.library import SOURCE
from promptlib.site.seed import SeedData, load
from templates_app.models import (
    Favorite,
    Grant,
    Label,
    PromptTemplate,
    Rating,
    RatingReport,
    Suggestion,
    SuggestionComment,
    Tag,
    TemplateVersion,
)

pytestmark = pytest.mark.django_db

DATA: SeedData = load()
TODAY = timezone.now().date()
PASSWORD = "halden-tents-42"


@pytest.fixture(scope="module", autouse=True)
def _planted(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Planted once for all tests here, each of which is undone by itself."""
    with django_db_blocker.unblock():
        transaction = atomic()
        transaction.__enter__()
        plant(PASSWORD)
    yield
    with django_db_blocker.unblock():
        set_rollback(True)
        transaction.__exit__(None, None, None)


def counts() -> dict[str, int]:
    tables = [*audited_models(), AuditLog, EmailAddress]
    return {model.__name__: model._base_manager.count() for model in tables}


def rows_of(model: type[models.Model]) -> Iterator[Any]:
    return model._base_manager.order_by("pk").iterator()


# ---- what is there -----------------------------------------------------------


def test_the_people_can_sign_in(client: Client) -> None:
    assert {
        person.handle: (person.email, person.display_name, person.timezone, person.is_staff, person.is_superuser)
        for person in User.objects.all()
    } == {
        person.handle: (person.email, person.display_name, person.timezone, person.is_staff, person.is_staff)
        for person in DATA.people
    }
    assert set(EmailAddress.objects.values_list("email", "user__email", "verified", "primary")) == {
        (person.email, person.email, True, True) for person in DATA.people
    }
    answer = client.post(reverse("account_login"), {"login": "mei@example.com", "password": PASSWORD})
    assert (answer.status_code, client.session["_auth_user_id"]) == (302, str(User.objects.get(handle="mei").pk))


def test_the_staff_curators_and_teams() -> None:
    assert list(User.objects.filter(is_superuser=True).values_list("handle", flat=True)) == ["ines"]
    curators = User.objects.filter(groups__name="Curators").values_list("handle", flat=True)
    assert set(curators) == {person.handle for person in DATA.people if person.is_curator}
    assert User.objects.get(handle="aoife").has_perm("templates_app.curate_library")
    assert set(TeamMembership.objects.values_list("team__slug", "user__handle", "role")) == {
        (team.slug, member.user, member.role) for team in DATA.teams for member in team.members
    }
    assert set(Team.objects.values_list("slug", "name")) == {(team.slug, team.name) for team in DATA.teams}


def test_the_templates_are_the_content() -> None:
    fields = ("source_id", "title", "summary", "owner__handle", "visibility", "language", "category__slug", "status")
    assert set(PromptTemplate.objects.filter(source=SOURCE).values_list(*fields)) == {
        (each.slug, each.title, each.summary, each.owner, each.visibility, each.language, each.category, "published")
        for each in DATA.templates
    }
    assert set(PromptTemplate.objects.values_list("source_id", "current_version__number", "version_count")) == {
        (each.slug, each.current.number, len(each.versions)) for each in DATA.templates
    }
    assert set(TemplateVersion.objects.values_list("template__source_id", "number", "author__handle", "body")) == {
        (each.slug, version.number, version.author, version.body)
        for each in DATA.templates
        for version in each.versions
    }
    assert all(
        version.content_hash == TemplateVersion.hash_of(**{name: getattr(version, name) for name in version.CONTENT})
        for version in TemplateVersion.objects.all()
    )


def test_what_people_did_with_the_templates() -> None:
    assert set(
        Rating.objects.values_list("template__source_id", "user__handle", "version__number", "score", "review")
    ) == {
        (each.slug, rating.user, rating.version, rating.score, rating.review)
        for each in DATA.templates
        for rating in each.ratings
    }
    assert set(Label.objects.values_list("template__source_id", "name", "version__number")) == {
        (each.slug, name, number) for each in DATA.templates for name, number in each.labels.items()
    }
    assert set(Grant.objects.values_list("template__source_id", "user__handle", "team__slug", "role")) == {
        (each.slug, grant.user or None, grant.team or None, grant.role)
        for each in DATA.templates
        for grant in each.grants
    }
    assert set(Favorite.objects.values_list("template__source_id", "user__handle")) == {
        (each.slug, handle) for each in DATA.templates for handle in each.favorites
    }
    tags = PromptTemplate.objects.filter(tags__isnull=False).values_list("source_id", "tags__slug")
    assert set(tags) == {(each.slug, Tag.slug_of(tag)) for each in DATA.templates for tag in each.tags}
    forks = PromptTemplate.objects.filter(forked_from__isnull=False)
    assert set(forks.values_list("source_id", "forked_from__template__source_id", "forked_from__number")) == {
        (each.slug, each.forked_from.slug, each.forked_from.version) for each in DATA.templates if each.forked_from
    }


def test_what_people_propose_and_say_about_it() -> None:
    stored = Suggestion.objects.order_by("created_at")
    fields = ("template__source_id", "base_version__number", "author__handle", "status", "accepted_version__number")
    proposed = sorted(DATA.suggestions, key=lambda each: (-each.days_ago, each.time))
    assert list(stored.values_list(*fields)) == [
        (
            each.template,
            each.version,
            each.author,
            each.decision.status if each.decision else "open",
            each.decision.version if each.decision else None,
        )
        for each in proposed
    ]
    for suggestion, content in zip(stored, proposed, strict=True):
        text = suggestion.system_prompt + suggestion.body
        assert [change.new in text for change in content.changes] == [True] * len(content.changes)
    assert list(SuggestionComment.objects.values_list("author__handle", "text")) == [
        (comment.user, comment.text)
        for _day, comment in sorted(
            ((-comment.days_ago, comment.time), comment) for each in proposed for comment in each.comments
        )
    ]
    assert list(RatingReport.objects.values_list("rating__template__source_id", "rating__user__handle", "reason")) == [
        (each.template, each.rating_by, each.reason) for each in DATA.reports
    ]


def test_the_written_conversations_are_the_content() -> None:
    written = {thread.key: thread for thread in DATA.conversations}
    stored = Conversation.objects.filter(source_id__in=written)
    assert set(stored.values_list("source_id", "title", "owner__handle", "prompt_count")) == {
        (thread.key, thread.title, thread.owner, len(thread.interactions)) for thread in DATA.conversations
    }
    assert set(
        Participant.objects.filter(conversation__in=stored).values_list(
            "conversation__source_id", "user__handle", "role"
        )
    ) == {
        (thread.key, handle, role)
        for thread in DATA.conversations
        for handle, role in [(thread.owner, "owner"), *((member.user, member.role) for member in thread.participants)]
    }
    assert Counter(
        Prompt.objects.filter(conversation__in=stored).values_list("author__handle", "status", "response_text")
    ) == Counter(
        (item.author, item.status, item.response) for thread in DATA.conversations for item in thread.interactions
    )
    assert set(PromptComment.objects.values_list("author__handle", "text")) == {
        (comment.user, comment.text)
        for thread in DATA.conversations
        for item in thread.interactions
        for comment in item.comments
    }


def test_runs_are_rendered_and_cost_what_their_model_costs() -> None:
    runs = Prompt.objects.filter(template_version__isnull=False)
    assert len(runs) > 300
    assert [run.input_text for run in runs if "{{" in run.input_text or not run.input_text.strip()] == []
    prices = {model.name: model for model in DATA.models}
    priced = Prompt.objects.filter(model__in=prices, output_tokens__isnull=False)
    assert {(run.currency, run.cost is not None and run.cost > 0) for run in priced} == {("EUR", True)}
    unpriced = Prompt.objects.exclude(pk__in=priced)
    assert set(unpriced.values_list("cost", "currency")) == {(None, "")}
    run = Prompt.objects.filter(model="gpt-4.1-mini", status="completed").first()
    assert run is not None and run.input_tokens is not None and run.output_tokens is not None
    assert float(run.cost or 0) == pytest.approx((run.input_tokens * 0.37 + run.output_tokens * 1.48) / 1e6, abs=1e-6)


def test_everyday_runs_follow_one_another() -> None:
    for conversation in Conversation.objects.filter(source_id__startswith="usage-"):
        keys = list(conversation.prompts.order_by("pk").values_list("pk", flat=True))
        assert path_up(conversation.pk, limit=100) == keys


def test_a_first_question_asked_again_is_another_attempt() -> None:
    first, again, _ = Prompt.objects.filter(conversation__source_id="duties-in-the-carrier-contract").order_by("pk")
    assert (first.metadata, again.metadata) == ({"attempts": [str(again.pk)]}, {"attempt_of": str(first.pk)})


# ---- when it happened --------------------------------------------------------


def test_everything_happened_before_now_and_keys_follow_time() -> None:
    now = timezone.now()
    for model in (User, PromptTemplate, TemplateVersion, Rating, Conversation, Prompt, PromptComment):
        rows = list(rows_of(model))
        times = [row.created_at for row in rows]
        assert times == sorted(times), model
        assert times[-1] < now
        assert all(row.created_at <= row.updated_at < now for row in rows), model
    days = {row.created_at.date() for row in rows_of(Prompt)}
    assert len(days) > 20
    assert min(days) >= TODAY - timedelta(days=60)
    joined = {user.pk: user.created_at for user in User.objects.all()}
    assert [row for row in rows_of(PromptTemplate) if row.created_at < joined[row.owner_id]] == []
    assert [row for row in rows_of(Prompt) if row.created_at < joined[row.author_id]] == []


def test_runs_come_after_their_version() -> None:
    runs = Prompt.objects.filter(template_version__isnull=False).select_related("template_version")
    assert [run for run in runs if run.created_at < run.template_version.created_at] == []


def test_every_statistic_is_right() -> None:
    assert [list(statistic.differences()) for statistic in statistics.declared() if list(statistic.differences())] == []


# ---- who did it --------------------------------------------------------------


def test_every_row_was_made_by_somebody_on_its_day() -> None:
    made = {
        (row.content_type.model, row.object_pk): (row.timestamp, row.actor_name)
        for row in AuditLog.objects.filter(action=AuditLog.Action.CREATE).select_related("content_type")
    }
    rows = {
        (model._meta.model_name, str(row.pk)): row.created_at
        for model in audited_models()
        if hasattr(model, "created_at")
        for row in rows_of(model)
        if model._meta.model_name != "category"  # the migrations made them
    }
    assert {key: at for key, (at, _who) in made.items()} == rows
    assert {who for _at, who in made.values()} == {person.display_name for person in DATA.people}


def test_the_log_is_in_order_of_time_and_tells_each_run() -> None:
    times = list(AuditLog.objects.order_by("pk").values_list("timestamp", flat=True))
    assert times == sorted(times)
    prompt = Prompt.objects.filter(status="failed").first()
    assert prompt is not None
    told = AuditLog.objects.filter(object_pk=str(prompt.pk)).order_by("pk")
    assert [(row.get_action_display(), row.actor_id, row.timestamp) for row in told] == [
        ("created", prompt.author_id, prompt.created_at),
        ("ran", prompt.author_id, prompt.completed_at),
    ]
    last = told[1]
    assert (last.subject_id, last.changes) == (
        prompt.conversation_id,
        {
            "status": ["pending", "failed"],
            "latency_ms": [None, str(prompt.latency_ms)],
            "error_code": [None, prompt.error_code],
        },
    )


# ---- again -------------------------------------------------------------------


@pytest.mark.parametrize("days_later", [0, 3])
def test_again_nothing_is_doubled(days_later: int) -> None:
    before = counts()
    assert plant("another-password", today=TODAY + timedelta(days=days_later)).counts == {
        "people": 0,
        "templates": 0,
        "conversations": 0,
        "interactions": 0,
    }
    assert counts() == before
    assert User.objects.get(handle="mei").check_password(PASSWORD)


def test_again_what_people_did_since_stays() -> None:
    ines = User.objects.get(handle="ines")
    template = PromptTemplate.objects.get(source_id="sort-incoming-tickets")
    template.title, template.owner = "Mine now", User.objects.get(handle="mei")
    template.save(update_fields=["title", "owner"])
    gone = PromptTemplate.objects.get(source_id="write-to-an-office")
    gone.delete(by=ines)
    conversation = Conversation.objects.get(source_id="osaka-meeting")
    conversation.delete(by=ines)
    before = counts()
    assert plant(PASSWORD).counts["templates"] == 0
    assert counts() == before
    template.refresh_from_db()
    assert (template.title, template.owner.handle) == ("Mine now", "mei")
    assert set(PromptTemplate.all_objects.deleted().values_list("source_id", flat=True)) == {"write-to-an-office"}
    assert set(Conversation.all_objects.deleted().values_list("source_id", flat=True)) == {"osaka-meeting"}
