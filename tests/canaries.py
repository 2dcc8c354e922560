"""Three tenants, and in every text of theirs a word that stands nowhere else: whoever reads it elsewhere found a leak.

A tenant is a `tests.world` of people who share among themselves and with nobody else. While it is made, each row that
is saved gets a word into each column of text that its model has: a column that is added tomorrow has one without a
line here, and a model that no world makes a row of is found by `uncovered`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from io import BytesIO
from itertools import count
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.signals import pre_save
from django.http.response import HttpResponseBase
from django.utils import timezone

from accounts.models import Closure, Invitation, User
from audit.context import acting
from audit.models import AuditLog, LegalHold, Purge
from audit.services import record
from conversations.models import Conversation, ConversationTag, PromptComment, SeatOffer
from promptlib.core.models import SoftDeleteModel
from templates_app import services
from templates_app.models import Draft, PromptTemplate, Tag, TemplateTag
from tests.factories import (
    AIModelFactory,
    ConversationFactory,
    GrantFactory,
    ParticipantFactory,
    PromptFactory,
    RatingFactory,
    SuggestionFactory,
    TagFactory,
    TemplateFactory,
    ValueSetFactory,
)
from tests.world import World, make_world

FOUND = re.compile(r"zq[a-y]{7}|[\w.+-]+@[\w-]+\.example")

APPS = ("accounts", "templates_app", "conversations", "audit")
NOBODYS_TEXT = {
    "a code that promptlib chose, or the name of a thing in the program": {
        *("Prompt.error_code", "Prompt.provider", "Prompt.currency", "Prompt.finish_reason", "AIModelPrice.currency"),
        *("BulkAction.action", "LibraryImport.format", "ConversationImport.format", "UsageDaily.provider"),
        *("User.timezone", "User.locale", "User.preferences", "Closure.plan", "PromptTemplate.language"),
        *("PromptTemplate.source", "Conversation.source", "AuditLog.object_pk", "AuditLog.cid", "AuditLog.actor_name"),
    },
    "keys and digests": {
        *("User.password", "ShareLink.token_hash", "ShareLink.password", "TemplateVersion.content_hash"),
        *("Prompt.idempotency_key", "AuditSeal.digest", "AuditSeal.signature"),
        *("AuditRedaction.signature", "AuditArchive.name", "AuditArchive.digest", "AuditArchive.signature"),
    },
    "made from another column, which is covered": {
        *("PromptTemplate.slug", "Team.slug", "Category.slug", "Tag.slug", "ValueSet.name_key", "User.email_key"),
        *("Invitation.email_key", "SeatOffer.email_key", "UsageDaily.model", "AuditLog.serialized_data"),
        *("AuditLog.changes_text", "AuditLog.changes", "AuditLog.additional_data", "AuditLog.object_repr"),
        *("AuditLog.actor_email", "TemplateSearch.title", "TemplateSearch.summary", "TemplateSearch.tags"),
        *("TemplateSearch.body", "ConversationSearch.title", "ConversationSearch.summary", "PromptSearch.input"),
        *("PromptSearch.response", "BulkAction.before", "LabelMove.name"),
    },
    "everybody's who is signed in, by purpose": {
        *("User.handle", "User.display_name", "User.bio", "Category.name", "AIModel.label", "AIModel.name"),
    },
}
EXEMPT = set().union(*NOBODYS_TEXT.values())
BY_HAND = {"User.email", "Invitation.email", "SeatOffer.email", "Label.name", "AIModel.base_url"} | {
    *("AuditLog.user_agent", "AuditLog.reason")
}
"""Planted by what they are made from, below or in the world: an address must stay one."""
STRUCTURE = {"name", "type", "kind", "role", "model", "is_run", "rejected", "template", "conversation", "revision"}


@dataclass(frozen=True)
class Canary:
    tenant: str
    column: str
    row: models.Model
    is_deleted: bool = False

    @property
    def is_public(self) -> bool:
        """Words of a public template are everybody's who is signed in."""
        row: Any = self.row
        template = row if isinstance(row, PromptTemplate) else getattr(row, "template", None)
        is_of_its_page = self.column.partition(".")[0] in {"PromptTemplate", "TemplateVersion", "Rating", "Label"}
        return (
            not self.is_deleted
            and is_of_its_page
            and isinstance(template, PromptTemplate)
            and (template.visibility, template.status) == ("public", "published")
        )


class Canaries:
    """`words`: where each was put. `worlds`: the tenants'."""

    def __init__(self) -> None:
        self.words: dict[str, Canary] = {}
        self.worlds: dict[str, World] = {}
        self._numbers = count(1)
        self._tenant = ""

    def breed(self) -> None:
        for tenant, suffix in (("ash", ""), ("birch", "-birch"), ("cedar", "-cedar")):
            with self._planting(tenant):
                self.worlds[tenant] = world = make_world(suffix)
                _add(world, self)
                _bury(world)
        for word, canary in self.words.items():
            self.words[word] = replace(canary, is_deleted=is_deleted(canary.row))

    def word(self, column: str, row: models.Model) -> str:
        number, letters = next(self._numbers), ""
        for _place in range(7):
            number, letter = divmod(number, 25)
            letters = chr(97 + letter) + letters
        self.words[f"zq{letters}"] = Canary(self._tenant, column, row)
        return f"zq{letters}"

    def address(self, column: str, row: models.Model) -> str:
        word = f"{self._tenant}{next(self._numbers)}@post.example"
        self.words[word] = Canary(self._tenant, column, row)
        return word

    def found_in(self, response: HttpResponseBase) -> dict[str, Canary]:
        """The canaries in all that is sent, headers included."""
        body = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]
        if response.headers.get("Content-Type") == "application/zip":
            with ZipFile(BytesIO(body)) as archive:
                body = b"\n".join([name.encode() + archive.read(name) for name in archive.namelist()])
        sent = f"{dict(response.headers)}\n{response.cookies}\n{body.decode(errors='replace')}".lower()
        return {word: self.words[word] for word in set(FOUND.findall(sent)) & self.words.keys()}

    @contextmanager
    def _planting(self, tenant: str) -> Iterator[None]:
        self._tenant = tenant
        pre_save.connect(self._plant)
        try:
            yield
        finally:
            pre_save.disconnect(self._plant)

    def _plant(self, sender: type[models.Model], instance: models.Model, **_kwargs: Any) -> None:
        if not instance._state.adding or sender._meta.app_label not in APPS:
            return
        for field in text_fields(sender):
            column = f"{sender.__name__}.{field.name}"
            if column not in EXEMPT | BY_HAND:
                value = getattr(instance, field.name)
                setattr(instance, field.name, self._with_word(field, column, value, instance))

    def _with_word(self, field: models.Field, column: str, value: Any, row: models.Model) -> Any:
        if isinstance(field, models.JSONField):
            found = self._in_json(value, column, row)
            return {"note": self.word(column, row)} if found == value and isinstance(value, dict) else found
        word = self.word(column, row)
        longer = f"{value} {word}".strip()
        return longer if field.max_length is None or len(longer) <= field.max_length else word

    def _in_json(self, value: Any, column: str, row: models.Model) -> Any:
        if isinstance(value, dict):
            return {key: each if key in STRUCTURE else self._in_json(each, column, row) for key, each in value.items()}
        if isinstance(value, list):
            return [self._in_json(each, column, row) for each in value]
        return f"{value} {self.word(column, row)}".strip() if isinstance(value, str) else value

    def uncovered(self) -> list[str]:
        """Columns of text of which the database holds no canary of some tenant."""
        planted: dict[tuple[str, str], list[str]] = {}
        for word, canary in self.words.items():
            planted.setdefault((canary.tenant, canary.column), []).append(word)
        missing = []
        for model in our_models():
            for field in text_fields(model):
                column = f"{model.__name__}.{field.name}"
                words = [planted.get((tenant, column), [""])[-1] for tenant in self.worlds]
                if column in EXEMPT:
                    continue
                rows = model._base_manager.values_list(field.name, flat=True)
                held = " ".join(map(str, rows))
                if not all(word and word in held for word in words):
                    missing.append(column)
        return missing


PARENTS = ("template", "version", "rating", "suggestion", "conversation", "prompt", "link")


def is_deleted(row: models.Model) -> bool:
    """Whether it lies in the trash, or hangs on what does; a tag, whether nothing else carries it."""
    if isinstance(row, Tag):
        carriers = [
            *PromptTemplate.all_objects.filter(pk__in=TemplateTag.objects.filter(tag=row).values("template")),
            *Conversation.all_objects.filter(tag_rows__tag=row),
        ]
        return bool(carriers) and all(each.is_deleted for each in carriers)
    if isinstance(row, SoftDeleteModel):
        row.refresh_from_db(fields=["deleted_at"], from_queryset=type(row).all_objects.all())
        if row.is_deleted:
            return True
    parents = (getattr(row, name, None) for name in PARENTS)
    return any(isinstance(parent, models.Model) and is_deleted(parent) for parent in parents)


def our_models() -> list[type[models.Model]]:
    """Those with a table of their own that holds what people wrote."""
    return [model for model in apps.get_models() if model._meta.app_label in APPS and model._meta.managed]


def text_fields(model: type[models.Model]) -> list[Any]:
    kinds = (models.CharField, models.TextField, models.JSONField)
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, kinds) and not (field.choices or field.primary_key or field.generated)
    ]


def _add(world: World, canaries: Canaries) -> None:
    """What `tests.world` has no row of, and what the hook leaves alone."""
    owner: Any = world.people["owner"]
    template = world.things["template"]
    for person in filter(None, world.people.values()):
        type(person).objects.filter(pk=person.pk).update(email=canaries.address("User.email", person))
        person.refresh_from_db(fields=["email"])
    for model, fields in ((Invitation, {"invited_by": owner}), (SeatOffer, _offer(world))):
        row = model(**fields)
        row.email = canaries.address(f"{model.__name__}.email", row)
        row.save()
    name = canaries.word("Label.name", template)
    services.move_label(template, name=name, version=template.current_version, by=owner, reason="For the orchard.")
    model = AIModelFactory.build(openai=True)
    model.base_url = f"https://{canaries.word('AIModel.base_url', model)}.example/v1"
    model.save()
    kind = ContentType.objects.get_for_model(template)
    LegalHold.objects.create(content_type=kind, subject_id=template.pk, subject_repr="It", placed_by=owner)
    closing: Any = world.people["commenter"]
    User.objects.filter(pk=closing.pk).update(closes_at=timezone.now() + timedelta(days=30))
    Closure.objects.create(user=closing, asked_by=world.people["staff"])
    Purge.objects.create(deletion_id=uuid4(), by=owner)
    Draft.objects.create(user=owner, template=template, data={"body": ["Unsaved."], "title": ["Unsaved"]})
    SuggestionFactory(template=template, author=owner, examples=[{"role": "user", "content": "The orchard?"}])
    TemplateFactory(
        owner=owner,
        visibility="public",
        title="Open orchard",
        body="Sow {{ x }}.",
        variables=[{"name": "x", "label": "What", "help": "Any seed."}],
        examples=[{"role": "user", "content": "Sow."}],
        parameters={"stop": ["END"]},
    )
    with acting(owner, ip="192.0.2.1", user_agent=canaries.word("AuditLog.user_agent", owner)):
        services.publish_version(template, author=owner, base_revision=template.revision, body="Count {{ orchard }}.")
        record(AuditLog.Action.ACCESS, template, actor=owner, reason=canaries.word("AuditLog.reason", owner))


def _offer(world: World) -> dict[str, Any]:
    return {"conversation": world.things["conversation"], "role": "viewer", "invited_by": world.people["owner"]}


def _bury(world: World) -> None:
    """Things in the trash: whole ones with all that hangs on them, and single ones out of things that live."""
    owner, editor, viewer = (world.people[name] for name in ("owner", "editor", "viewer"))
    gone = TemplateFactory(owner=owner, visibility="public", title="Gone orchard", body="Sweep {{ x }}.", tags=["dust"])
    GrantFactory(template=gone, user=editor, role="editor")
    RatingFactory(template=gone, user=viewer, review="Swept.")
    SuggestionFactory(template=gone, author=viewer)
    ValueSetFactory(template=gone, user=owner, is_shared=True)
    thread = ConversationFactory(owner=owner, title="Gone orchard")
    ParticipantFactory(conversation=thread, user=editor, role="editor")
    asked = PromptFactory(conversation=thread, input_text="Who swept the orchard?", response_text="The orchard.")
    PromptComment.objects.create(prompt=asked, author=editor, text="Remarked.")
    ConversationTag.objects.create(conversation=thread, tag=TagFactory(name=f"Swept{world.suffix}"))
    answered = world.things["answered"]
    single = [
        PromptFactory(conversation=answered.conversation, parent=answered, input_text="The orchard?"),
        RatingFactory(template=world.things["fork"], user=viewer, review="Of an orchard."),
    ]
    for row in (gone, thread, *single):
        row.delete(by=owner)
    world.args |= {
        "canary deletion": {"deletion_id": gone.deletion_id},
        "canary template": {"pk": gone.pk},
        "canary thread": {"pk": thread.pk},
    }
