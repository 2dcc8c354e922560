"""A template and a conversation of which every kind of row hangs, for what deletes them for good."""

from typing import Any

from django.apps import apps
from django.db.models import Model

from accounts.models import User
from conversations.models import (
    Conversation,
    ConversationTag,
    LinkView,
    Participant,
    Prompt,
    PromptComment,
    SavedTemplate,
    SeatOffer,
    ShareLink,
)
from promptlib.core.deletion import hanging
from promptlib.core.models import BaseModel
from templates_app.models import (
    Draft,
    LabelMove,
    PromptTemplate,
    RatingReport,
    SuggestionComment,
    Upstream,
)
from tests.factories import (
    ConversationFactory,
    FavoriteFactory,
    GrantFactory,
    LabelFactory,
    ParticipantFactory,
    PromptFactory,
    RatingFactory,
    SuggestionFactory,
    TagFactory,
    TemplateFactory,
    UserFactory,
    ValueSetFactory,
)


def whole_template(owner: User | None = None, **fields: Any) -> PromptTemplate:
    """A template with one of everything, run twice by somebody else, forked once."""
    template = TemplateFactory(owner=owner or UserFactory(), versions=2, tags=["frogs"], **fields)
    first = template.versions.get(number=1)
    reader = UserFactory()
    LabelFactory(version=first)
    LabelMove.objects.create(template=template, name="production", to_version=first, author=template.owner)
    rating = RatingFactory(template=template, version=first)
    RatingReport.objects.create(rating=rating, user=reader, reason="Spam")
    RatingFactory(template=template).delete(by=reader)  # with a deletion of its own
    FavoriteFactory(template=template)
    GrantFactory(template=template)
    suggestion = SuggestionFactory(template=template)
    SuggestionComment.objects.create(suggestion=suggestion, author=reader, text="Yes")
    ValueSetFactory(template=template)
    Draft.objects.create(template=template, user=reader)
    fork = TemplateFactory(forked_from=first)
    Upstream.objects.create(template=fork, base=first)
    for _ in range(2):
        PromptFactory(template_version=first)
    template.refresh_from_db()
    return template


def whole_conversation(owner: User | None = None, prompts: int = 4, **fields: Any) -> Conversation:
    """A conversation with one of everything, its interactions one after the other."""
    conversation = ConversationFactory(owner=owner or UserFactory(), **fields)
    seat = ParticipantFactory(conversation=conversation)
    parent: Prompt | None = None
    for _ in range(prompts):
        parent = PromptFactory(conversation=conversation, parent=parent)
    PromptFactory(conversation=conversation, parent=parent).delete()  # with a deletion of its own
    Participant.objects.filter(pk=seat.pk).update(leaf=parent)
    PromptComment.objects.create(prompt=parent, author=seat.user, text="Well")
    SavedTemplate.objects.create(prompt=parent, template=TemplateFactory())
    SeatOffer.objects.create(conversation=conversation, email="x@example.org", invited_by=conversation.owner)
    ConversationTag.objects.create(conversation=conversation, tag=TagFactory())
    link = ShareLink.objects.create(conversation=conversation, token_hash=str(seat.pk), created_by=conversation.owner)
    LinkView.objects.create(link=link)
    conversation.refresh_from_db()
    return conversation


def hanging_rows(thing: Model) -> dict[str, int]:
    """How many rows of each model hang on a thing, that one included; those that are not there are left out."""
    found = {type(thing)._meta.label: type(thing)._base_manager.filter(pk=thing.pk).count()}
    for model in {link.model for link in hanging(type(thing))}:
        pks: set[Any] = set()
        for link in hanging(type(thing)):
            if link.model is model:
                pks |= set(model._base_manager.filter(**{link.field: thing.pk}).values_list("pk", flat=True))
        found[model._meta.label] = len(pks)
    return {label: count for label, count in found.items() if count}


def every_row() -> dict[str, int]:
    """How many rows there are in each of our tables, but for those of the log."""
    ours = [model for model in apps.get_models() if issubclass(model, BaseModel) and model._meta.app_label != "audit"]
    counts = {model._meta.label: model._base_manager.count() for model in ours}
    return {label: count for label, count in counts.items() if count}
