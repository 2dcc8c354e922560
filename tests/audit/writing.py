"""One new row of each audited model, and a change of it: what the tests write by every path there is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

from accounts.models import Closure, Invitation, Team, TeamMembership, User
from audit.models import LegalHold, RetentionRule
from conversations.models import (
    AIModel,
    AIModelPrice,
    Conversation,
    ConversationTag,
    Participant,
    Prompt,
    PromptComment,
    SavedTemplate,
    SeatOffer,
    ShareLink,
    UsageLimit,
)
from templates_app.models import (
    Category,
    Favorite,
    Grant,
    Label,
    LabelMove,
    PromptTemplate,
    Rating,
    RatingReport,
    Suggestion,
    SuggestionComment,
    Tag,
    TemplateVersion,
    Upstream,
    ValueSet,
)
from tests.factories import (
    ConversationFactory,
    PromptFactory,
    RatingFactory,
    SuggestionFactory,
    TagFactory,
    TeamFactory,
    TemplateFactory,
    UserFactory,
)


@dataclass
class Scene:
    """What is there already, that a new row may point at."""

    user: User
    other: User
    team: Team
    template: PromptTemplate
    rating: Rating
    suggestion: Suggestion
    conversation: Conversation
    prompt: Prompt
    model: AIModel
    tag: Tag
    staff: User

    @property
    def version(self) -> TemplateVersion:
        return self.template.current_version  # type: ignore[return-value]  # it has one


def scene() -> Scene:
    user, other = UserFactory(), UserFactory()
    template, conversation = TemplateFactory(owner=user), ConversationFactory(owner=user)
    return Scene(
        user,
        other,
        TeamFactory(),
        template,
        RatingFactory(template=template),
        SuggestionFactory(template=template),
        conversation,
        PromptFactory(conversation=conversation),
        AIModel.objects.create(provider="echo", name="m", label="M"),
        TagFactory(),
        UserFactory(staff=True),
    )


@dataclass(frozen=True)
class Case:
    """`make` gives a row that is not saved yet; `field` then gets `value`, or what `value` gives."""

    make: Callable[[Scene], Model]
    field: str | None
    value: Any
    is_deletable: bool = True
    is_saved_by_its_page: bool = True
    """Else the page in the admin calls a service, which has tests of its own."""

    def other(self, here: Scene) -> Any:
        return self.value(here) if callable(self.value) else self.value


def kind(model: type[Model]) -> ContentType:
    return ContentType.objects.get_for_model(model)


HASH = "0" * 64
PRICES = {"input_price": Decimal("1.000000"), "output_price": Decimal("2.000000")}
CASES: dict[type[Model], Case] = {
    LegalHold: Case(
        lambda s: LegalHold(content_type=kind(User), subject_id=s.user.pk, reason="So."),
        "reason",
        "Such.",
        is_deletable=False,
        is_saved_by_its_page=False,
    ),
    RetentionRule: Case(lambda s: RetentionRule(content_type=kind(Rating), trash_days=9), "trash_days", 12),
    User: Case(lambda s: User(email="new@example.org", email_key="new@example.org", handle="new"), "bio", "New."),
    Team: Case(lambda s: Team(name="New", slug="new"), "name", "Newer"),
    TeamMembership: Case(lambda s: TeamMembership(team=s.team, user=s.other), "role", "owner"),
    Closure: Case(lambda s: Closure(user=s.user, reason="They left"), "reason", "They asked"),
    Invitation: Case(lambda s: Invitation(email="i@example.org", email_key="i@example.org"), "email", "I@example.org"),
    Group: Case(lambda s: Group(name="New"), "name", "Newer"),
    PromptTemplate: Case(lambda s: PromptTemplate(owner=s.user, title="New", slug="new"), "title", "Newer"),
    TemplateVersion: Case(
        lambda s: TemplateVersion(template=s.template, number=9, body="b", author=s.user, content_hash=HASH),
        None,
        "which never changes",
    ),
    Label: Case(lambda s: Label(template=s.template, version=s.version, name="new"), "is_protected", True),
    LabelMove: Case(
        lambda s: LabelMove(template=s.template, name="new", author=s.user, to_version=s.version), "reason", "So."
    ),
    Grant: Case(lambda s: Grant(template=s.template, user=s.other), "role", "editor"),
    Upstream: Case(lambda s: Upstream(template=s.template), "ignored_number", 3),
    Rating: Case(lambda s: Rating(template=s.template, version=s.version, user=s.other, score=4), "score", 2),
    RatingReport: Case(lambda s: RatingReport(rating=s.rating, user=s.other, reason="Rude."), "reason", "Very rude."),
    Favorite: Case(lambda s: Favorite(template=s.template, user=s.other), "user", lambda s: s.user),
    Suggestion: Case(
        lambda s: Suggestion(template=s.template, base_version=s.version, author=s.other, body="b"), "message", "Why."
    ),
    SuggestionComment: Case(
        lambda s: SuggestionComment(suggestion=s.suggestion, author=s.user, text="No."), "text", "Yes."
    ),
    Category: Case(lambda s: Category(name="New", slug="new"), "name", "Newer"),
    Tag: Case(lambda s: Tag(name="New", slug="new"), "name", "Newer"),
    ValueSet: Case(lambda s: ValueSet(template=s.template, user=s.user, name="New", name_key="new"), "is_shared", True),
    AIModel: Case(lambda s: AIModel(provider="echo", name="n", label="N"), "is_enabled", False),
    AIModelPrice: Case(
        lambda s: AIModelPrice(model=s.model, **PRICES, currency="EUR", effective_from=date(2026, 1, 1)),
        "currency",
        "USD",
    ),
    Conversation: Case(lambda s: Conversation(owner=s.user, title="New"), "title", "Newer"),
    Participant: Case(lambda s: Participant(conversation=s.conversation, user=s.other), "role", "editor"),
    SeatOffer: Case(
        lambda s: SeatOffer(conversation=s.conversation, email="o@x.org", email_key="o@x.org", invited_by=s.user),
        "role",
        "editor",
    ),
    ConversationTag: Case(
        lambda s: ConversationTag(conversation=s.conversation, tag=s.tag),
        "conversation",
        lambda s: ConversationFactory(),
    ),
    ShareLink: Case(
        lambda s: ShareLink(conversation=s.conversation, token_hash=HASH, created_by=s.user), "max_views", 3
    ),
    Prompt: Case(
        lambda s: Prompt(conversation=s.conversation, author=s.user, input_text="Q", status="draft"), "feedback", 1
    ),
    PromptComment: Case(lambda s: PromptComment(prompt=s.prompt, author=s.user, text="Hm."), "text", "Ah."),
    SavedTemplate: Case(
        lambda s: SavedTemplate(prompt=s.prompt, template=s.template), "prompt", lambda s: PromptFactory()
    ),
    UsageLimit: Case(lambda s: UsageLimit(user=s.user, runs=3), "runs", 5),
}
"""Audited model → how it is written here."""
