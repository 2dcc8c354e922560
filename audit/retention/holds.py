"""Legal holds: what they keep, and placing and lifting them.

A hold keeps a person, template or conversation, and every row that belongs to it (`HELD_BY` of its model), from being
deleted for good. A delete to the trash and a restore stay possible.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model, ProtectedError, Q, QuerySet
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import LegalHold, Purge
from promptlib.core.changes import rows_deleted
from promptlib.core.deletion import Link, hanging, links_to
from promptlib.core.models import BaseModel
from promptlib.core.soft_delete import soft_delete_models

CHUNK = 500

ending: list[Callable[[], Iterable[Model]]] = []
"""Who deletes for good in steps without a `Purge` registers what names the things that have begun to go."""


class Held(ProtectedError):
    """A legal hold keeps what was to be deleted for good; `protected_objects` are some of the rows it keeps."""


class TooLate(Exception):
    """A hold comes after something of it has begun to be deleted for good."""


def active() -> set[UUID]:
    """What is held: the ids of people, templates and conversations."""
    return set(LegalHold.objects.filter(lifted_at=None).values_list("subject_id", flat=True))


def held(deletion_ids: Collection[UUID], subjects: Collection[UUID] | None = None) -> set[UUID]:
    """Which of these deletions took, or would take along, a row that a hold keeps. One query where nothing is held."""
    subjects = active() if subjects is None else subjects
    found: set[UUID] = set()
    if subjects and deletion_ids:
        for root in soft_delete_models():
            for rows, lookup in _kept(root, subjects):
                name = f"{lookup}deletion_id"
                found |= set(rows.filter(**{f"{name}__in": deletion_ids}).order_by().values_list(name, flat=True))
    return found


def keeps(instance: Model, subjects: Collection[UUID] | None = None) -> bool:
    """Whether a hold keeps this row, one that hangs on it, or one that must go before it: a person's templates."""
    subjects = active() if subjects is None else subjects
    if next(_held_rows(type(instance), [instance.pk], subjects), None):
        return True
    links = links_to(type(instance)).protect if subjects else ()
    return any(_belonging(link.model, subjects).filter(**{link.field: instance.pk}).exists() for link in links)


def lock() -> None:
    """Holds and purges are begun one at a time, so that neither misses the other. Held to the transaction's end."""
    kind = ContentType.objects.get_for_model(LegalHold)
    ContentType.objects.select_for_update().get(pk=kind.pk)


def refuse_if_late(subject: BaseModel) -> None:
    """Raises TooLate where something of it is being deleted for good already, and lets nothing begin until the end."""
    lock()
    pending, subjects = list(Purge.objects.values_list("deletion_id", flat=True)), {subject.pk}
    if held(pending, subjects) or any(keeps(each, subjects) for rows in ending for each in rows()):
        raise TooLate(_("Some of this is being deleted for good at this moment. Try again when that is done."))


@transaction.atomic
def place_hold(*, subject: BaseModel, reason: str, by: Any) -> LegalHold:
    """Raises TooLate, see `refuse_if_late`."""
    refuse_if_late(subject)
    return LegalHold.objects.create(
        content_type=ContentType.objects.get_for_model(subject),
        subject_id=subject.pk,
        subject_repr=str(subject)[:300],
        reason=reason,
        placed_by=by,
    )


@transaction.atomic
def lift_hold(hold: LegalHold, *, reason: str, by: Any) -> None:
    hold = LegalHold.objects.select_for_update().get(pk=hold.pk)
    if hold.is_active:
        hold.lifted_at, hold.lifted_by, hold.lift_reason = timezone.now(), by, reason
        hold.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])


@receiver(rows_deleted, dispatch_uid="audit_refuse_what_is_held")
def refuse_what_is_held(sender: type[Model], instances: Sequence[Model], **_kwargs: Any) -> None:
    """Every row that goes along comes by here: the rows themselves are all there is to look at."""
    if getattr(sender, "HELD_BY", ()) and (subjects := active()):
        kept = _belonging(sender, subjects).filter(pk__in=[row.pk for row in instances]).first()
        if kept is not None:
            raise Held(str(_("A legal hold keeps “%(thing)s”.") % {"thing": kept}), {kept})


def kept_of(model: type[Model], pks: list[Any]) -> set[Any]:
    """Those of a few rows that a hold keeps themselves, whatever hangs on them."""
    subjects = active()
    return set(_belonging(model, subjects).filter(pk__in=pks).values_list("pk", flat=True)) if subjects else set()


def _held_rows(model: type[Model], pks: list[Any], subjects: Collection[UUID]) -> Iterator[Model]:
    if subjects:
        for rows, lookup in _kept(model, subjects):
            for start in range(0, len(pks), CHUNK):
                yield from rows.filter(**{f"{lookup}pk__in": pks[start : start + CHUNK]})[:1]


def _kept(root: type[Model], subjects: Iterable[UUID]) -> Iterator[tuple["QuerySet[Model]", str]]:
    """The rows of `root` and of each model that hangs on it that are held, with the lookup's beginning to the root."""
    for model, field in (Link(root, ""), *hanging(root)):
        if getattr(model, "HELD_BY", ()):
            yield _belonging(model, subjects), f"{field}__" if field else ""


def _belonging(model: type[Model], subjects: Iterable[UUID]) -> "QuerySet[Model]":
    """The rows of one model that are held themselves."""
    belongs = Q(pk__in=[])
    for path in getattr(model, "HELD_BY", ()):
        belongs |= Q(**{f"{path}__in": list(subjects)})
    return model._base_manager.filter(belongs)
