"""Rows for tests: each factory makes the smallest thing that is whole, and says what of it a test may choose."""

import zlib
from datetime import timedelta
from decimal import Decimal
from typing import Any

import factory
from allauth.account.models import EmailAddress
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.models import Team, TeamMembership, User
from conversations.models import AIModel, AIModelPrice, Conversation, Participant, Prompt
from templates_app.models import (
    Category,
    Favorite,
    Follow,
    Grant,
    Label,
    LibraryImport,
    PromptTemplate,
    Rating,
    Suggestion,
    Tag,
    TemplateVersion,
    ValueSet,
)
from templates_app.variables import complete_contract, contract_to_json, parse_contract

PASSWORD = "correct-horse-battery"


class UserFactory(DjangoModelFactory):
    """A person. `can_sign_in=True` adds the verified address that signing in through the pages needs (PASSWORD)."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    class Params:
        staff = factory.Trait(is_staff=True, is_superuser=True)

    handle = factory.Sequence(lambda n: f"person-{n}")
    email = factory.LazyAttribute(lambda user: f"{user.handle}@example.org")
    display_name = factory.LazyAttribute(lambda user: user.handle.replace("-", " ").title())
    last_seen_at = factory.LazyFunction(timezone.now)  # else the first page of a test would note the visit

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, can_sign_in: bool = False, **fields: Any) -> User:
        user = model_class.objects.create_user(password=fields.pop("password", PASSWORD), **fields)
        if can_sign_in:
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user


class TeamFactory(DjangoModelFactory):
    """A team; `members=[…]` are given a seat."""

    class Meta:
        model = Team
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Team {n}")
    slug = factory.Sequence(lambda n: f"team-{n}")

    @factory.post_generation
    def members(self: Team, create: bool, people: list[User] | None, **_kwargs: Any) -> None:
        for user in people or ():
            TeamMembership.objects.create(team=self, user=user)


class CategoryFactory(DjangoModelFactory):
    """A shelf."""

    class Meta:
        model = Category

    name = factory.Sequence(lambda n: f"Shelf {n}")
    slug = factory.Sequence(lambda n: f"shelf-{n}")


class TagFactory(DjangoModelFactory):
    """A tag; asked for twice by the same name it is the same row."""

    class Meta:
        model = Tag
        django_get_or_create = ("slug",)

    name = factory.Sequence(lambda n: f"tag-{n}")
    slug = factory.LazyAttribute(lambda tag: Tag.slug_of(tag.name))


class TemplateFactory(DjangoModelFactory):
    """A published, private template with one version (`versions=3`: three, their bodies differing).

    `body`, `system_prompt`, `variables`, `parameters` and `examples` are the current version's; variables that the
    text uses and the contract does not name are added to it. `tags=["a", "b"]` are made as needed.
    """

    class Meta:
        model = PromptTemplate
        skip_postgeneration_save = True

    owner = factory.SubFactory(UserFactory)
    title = factory.Sequence(lambda n: f"Template {n}")
    summary = factory.LazyAttribute(lambda template: f"What {template.title} is for.")

    @classmethod
    def _create(cls, model_class: type[PromptTemplate], *args: Any, **fields: Any) -> PromptTemplate:
        count = fields.pop("versions", 1)
        tags = fields.pop("tags", ())
        content = {name: fields.pop(name) for name in (*TemplateVersion.CONTENT, "change_note") if name in fields}
        template = super()._create(model_class, *args, **fields)
        body = content.pop("body", "Write about {{ topic }}.")
        for number in range(1, count + 1):
            text = body if number == count else f"{body} (draft {number})"
            version = VersionFactory(template=template, number=number, body=text, **content)
        if count:
            template.current_version = version
            template.save(update_fields=["current_version"])
        for tag in tags:
            template.tags.add(tag if isinstance(tag, Tag) else TagFactory(name=tag))
        template.refresh_from_db()
        return template


class VersionFactory(DjangoModelFactory):
    """The next version of a template. It does not become the current one: `TemplateFactory(versions=2)` does that."""

    class Meta:
        model = TemplateVersion

    template = factory.SubFactory(TemplateFactory, versions=0)
    number = factory.LazyAttribute(lambda version: version.template.versions.count() + 1)
    body = factory.Sequence(lambda n: f"Write about {{{{ topic }}}}, take {n}.")
    author = factory.LazyAttribute(lambda version: version.template.owner)
    change_note = factory.LazyAttribute(lambda version: "First version" if version.number == 1 else "Says it better")

    @classmethod
    def _create(cls, model_class: type[TemplateVersion], *args: Any, **fields: Any) -> TemplateVersion:
        contract = parse_contract(fields.get("variables") or [])
        texts = (fields.get("system_prompt", ""), fields["body"])
        fields["variables"] = contract_to_json(complete_contract(contract, *texts))
        return super()._create(model_class, *args, **fields)


class LabelFactory(DjangoModelFactory):
    """A label on a version: `LabelFactory(version=…)`."""

    class Meta:
        model = Label

    name = "production"
    version = factory.SubFactory(VersionFactory)
    template = factory.LazyAttribute(lambda label: label.version.template)


class RatingFactory(DjangoModelFactory):
    """Somebody's rating of a template's current version."""

    class Meta:
        model = Rating

    template = factory.SubFactory(TemplateFactory)
    version = factory.LazyAttribute(lambda rating: rating.template.current_version)
    user = factory.SubFactory(UserFactory)
    score = 4


class FavoriteFactory(DjangoModelFactory):
    """A bookmark."""

    class Meta:
        model = Favorite

    template = factory.SubFactory(TemplateFactory)
    user = factory.SubFactory(UserFactory)


class FollowFactory(DjangoModelFactory):
    """Somebody who follows a template, and looked at it last a while ago."""

    class Meta:
        model = Follow

    template = factory.SubFactory(TemplateFactory)
    user = factory.SubFactory(UserFactory)
    seen_at = factory.LazyFunction(lambda: timezone.now() - timedelta(days=2))


class GrantFactory(DjangoModelFactory):
    """A right on a shared template: of a viewer, to `user`, or to `team` when one is given."""

    class Meta:
        model = Grant

    template = factory.SubFactory(TemplateFactory, visibility="shared")
    team = None
    user = factory.Maybe("team", None, factory.SubFactory(UserFactory))
    role = "viewer"


class SuggestionFactory(DjangoModelFactory):
    """An open proposal against a template's current version."""

    class Meta:
        model = Suggestion

    template = factory.SubFactory(TemplateFactory)
    base_version = factory.LazyAttribute(lambda suggestion: suggestion.template.current_version)
    author = factory.SubFactory(UserFactory)
    body = "Write about {{ topic }}, briefly."
    variables = factory.LazyAttribute(lambda suggestion: suggestion.base_version.variables)
    message = "Shorter is better."


class ValueSetFactory(DjangoModelFactory):
    """Somebody's private set of values for a template."""

    class Meta:
        model = ValueSet

    template = factory.SubFactory(TemplateFactory)
    user = factory.SubFactory(UserFactory)
    name = factory.Sequence(lambda n: f"Set {n}")
    values = factory.LazyFunction(lambda: {"topic": "frogs"})


class LibraryImportFactory(DjangoModelFactory):
    """An upload that waits to be imported; `finished=True`: one that was, with a record that was rejected."""

    class Meta:
        model = LibraryImport

    class Params:
        finished = factory.Trait(
            finished_at=factory.LazyFunction(timezone.now),
            options={"counts": {"bad": 1}, "is_run": True, "rejected": "csv"},
        )

    owner = factory.SubFactory(UserFactory)
    filename = factory.Sequence(lambda n: f"prompts-{n}.csv")
    format = "prompts-chat"
    text = "act,prompt\nTailor,Sew a coat.\n"
    content = factory.LazyAttribute(lambda upload: zlib.compress(upload.text.encode()))
    outcomes = factory.List([{"kind": "created", "place": "row 2", "title": "Tailor", "reason": "", "template": ""}])
    options = factory.LazyFunction(lambda: {"counts": {"created": 1}})

    @classmethod
    def _create(cls, model_class: type[LibraryImport], *args: Any, **fields: Any) -> LibraryImport:
        fields.pop("text", None)
        return super()._create(model_class, *args, **fields)


class AIModelFactory(DjangoModelFactory):
    """A model that answers without a network. `openai=True`: one behind HTTP; set `base_url` to the test's server."""

    class Meta:
        model = AIModel

    class Params:
        openai = factory.Trait(provider="openai", base_url="http://127.0.0.1:9/v1")

    provider = "echo"
    name = factory.Sequence(lambda n: f"model-{n}")
    label = factory.LazyAttribute(lambda model: model.name.title())


class AIModelPriceFactory(DjangoModelFactory):
    """A price from the beginning of 2026 on."""

    class Meta:
        model = AIModelPrice

    model = factory.SubFactory(AIModelFactory)
    input_price = Decimal(2)
    output_price = Decimal(8)
    currency = "EUR"
    effective_from = "2026-01-01"


class ConversationFactory(DjangoModelFactory):
    """A conversation with its owner's seat."""

    class Meta:
        model = Conversation
        skip_postgeneration_save = True

    owner = factory.SubFactory(UserFactory)
    title = factory.Sequence(lambda n: f"Conversation {n}")

    @factory.post_generation
    def seat(self: Conversation, create: bool, value: Any, **_kwargs: Any) -> None:
        Participant.objects.create(conversation=self, user=self.owner, role="owner")


class ParticipantFactory(DjangoModelFactory):
    """Somebody's seat in a conversation: a viewer's."""

    class Meta:
        model = Participant

    conversation = factory.SubFactory(ConversationFactory)
    user = factory.SubFactory(UserFactory)
    role = "viewer"


class PromptFactory(DjangoModelFactory):
    """An answered interaction, by the conversation's owner; or `failed=True`, `pending=True`, `recorded=True`."""

    class Meta:
        model = Prompt

    class Params:
        failed = factory.Trait(
            status="failed",
            response_text="",
            error_code="timeout",
            error_message="The model did not answer within 60 seconds.",
            output_tokens=None,
            cost=None,
            currency="",
        )
        pending = factory.Trait(
            status="pending",
            response_text="",
            input_tokens=None,
            output_tokens=None,
            latency_ms=None,
            first_token_ms=None,
            cost=None,
            currency="",
            finish_reason="",
            completed_at=None,
        )
        recorded = factory.Trait(
            status="recorded",
            provider="",
            model="",
            latency_ms=None,
            first_token_ms=None,
            cost=None,
            currency="",
            finish_reason="",
        )

    conversation = factory.SubFactory(ConversationFactory)
    author = factory.LazyAttribute(lambda prompt: prompt.conversation.owner)
    input_text = factory.Sequence(lambda n: f"Question {n}?")
    response_text = factory.Sequence(lambda n: f"Answer {n}.")
    status = "completed"
    provider = "echo"
    model = "model-1"
    input_tokens = 100
    output_tokens = 50
    latency_ms = 2000
    first_token_ms = 400
    cost = Decimal("0.004")
    currency = "EUR"
    finish_reason = "stop"
    completed_at = factory.LazyFunction(timezone.now)
