"""What becomes of the library when a person is erased."""

import re
from collections.abc import Iterator
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy

from accounts import forgetting
from accounts.erasing import Erasure, Estate, register
from accounts.models import User
from audit.models import AuditLog
from audit.proof.redactions import CONTENT
from promptlib.core.transactions import in_transaction
from templates_app.models import Grant, PromptTemplate, Rating, TemplateVersion


def give(template: PromptTemplate, _giver: User, heir: User) -> None:
    """The heir owns it; where it came from is forgotten if they have it from there already."""
    changed = {"owner"}
    source = {"source": template.source, "source_id": template.source_id}
    if template.source_id is not None and PromptTemplate.objects.filter(owner=heir, **source).exists():
        template.source, template.source_id = "", None
        changed |= set(source)
    template.owner = heir
    template.save(update_fields=changed)
    template.grants.filter(user=heir).delete()


def take_names_out_of_change_notes(erasure: Erasure) -> Iterator[None]:
    """A version that was made of a suggestion says who suggested and who accepted it."""
    person = erasure.person
    names = sorted(forgetting.known_as(person, "display_name", "handle"), key=len, reverse=True)
    suggested = TemplateVersion.objects.filter(
        Q(from_suggestions__author=person) | Q(from_suggestions__reviewer=person)
    ).distinct()
    for pk in list(suggested.values_list("pk", flat=True)):
        in_transaction(lambda pk=pk: _take_names_out(pk, names))  # type: ignore[misc]
        told = Q(pk__in=[])
        for name in names:
            told |= Q(changes__icontains=name)
        yield from erasure.forget(AuditLog.objects.filter(object_pk=str(pk)).filter(told), CONTENT)


def _take_names_out(pk: UUID, names: list[str]) -> None:
    version = TemplateVersion.objects.select_for_update().get(pk=pk)
    note = version.change_note
    for name in names:
        note = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", forgetting.FORMER_MEMBER, note)
    if note != version.change_note:
        limit = TemplateVersion._meta.get_field("change_note").max_length
        rows = TemplateVersion.objects.unlogged("the log would tell what is erased").filter(pk=pk)
        rows.update(change_note=note[:limit])


def _owned(person: User) -> "QuerySet[PromptTemplate]":
    return PromptTemplate.all_objects.filter(owner=person)


def _shared(person: User) -> "QuerySet[PromptTemplate]":
    granted = Exists(Grant.objects.filter(template=OuterRef("pk")))
    return PromptTemplate.objects.filter(Q(visibility="public") | Q(visibility="shared") & granted, owner=person)


TEMPLATES = Estate("templates", gettext_lazy("Templates"), owned=_owned, shared=_shared, give=give)


def start() -> None:
    register(estates=[TEMPLATES], cleaners=[take_names_out_of_change_notes])
    forgetting.keep(Rating)
