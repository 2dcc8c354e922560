"""Labels of versions: moved with a reason and a history, and where they are protected, by two people.

A protected label does not move at once: the move waits until somebody else approves it. Taking the protection away
waits in the same way, else it would protect nothing; it is kept as a move from a version to the same version.
"""

import re
import unicodedata
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from templates_app.models import Label, LabelMove, PromptTemplate, TemplateVersion

LABELS_MAX = 50
_NAME = re.compile(r"[\w][\w.-]*")


class LabelRefused(Exception):
    """The label cannot be moved as asked; the message says why, in a sentence for people."""


def clean_label_name(text: str) -> str:
    """The name as it is kept: small letters, hyphens for spaces. Raises ValidationError."""
    name = "-".join(unicodedata.normalize("NFKC", text).casefold().split())
    if len(name) > 60 or not _NAME.fullmatch(name):
        raise ValidationError(_("A label is letters, digits, hyphens and dots, 60 at most."))
    return name


@transaction.atomic
def move_label(
    template: PromptTemplate, *, name: str, version: TemplateVersion | None, by: Any, reason: str = ""
) -> LabelMove | None:
    """Point the label at the version, new or not; at None it goes. None when that is how it is already.

    The move of a protected label waits. Asking twice for the same is one move. Raises LabelRefused while another move
    of the same label waits, and for a template that has too many labels.
    """
    _lock(template, _pointed_at(template, name), version.pk if version else None)
    label = Label.objects.filter(template=template, name=name).first()
    if waiting := _waiting(template, name):
        return _same_or_refused(waiting, version, by)
    target = version.pk if version else None
    if target == (label.version_id if label else None):
        return None
    if label is None and template.labels.count() >= LABELS_MAX:
        raise LabelRefused(_("A template has %(count)d labels at most. Remove one first.") % {"count": LABELS_MAX})
    move = LabelMove(
        template=template,
        name=name,
        from_version=label.version if label else None,
        to_version=version,
        reason=reason,
        author=by,
        status=LabelMove.Status.WAITING if label and label.is_protected else LabelMove.Status.DONE,
    )
    if move.status == LabelMove.Status.DONE:
        move.decided_at = timezone.now()
        _apply(move, label)
    move.save()
    return move


@transaction.atomic
def protect_label(template: PromptTemplate, *, name: str) -> bool:
    """From now on the label moves with a second person's approval only. False if it is so already, or gone."""
    _lock(template)
    label = Label.objects.filter(template=template, name=name, is_protected=False).first()
    if label is None:
        return False
    label.is_protected = True
    label.save(update_fields=["is_protected"])
    return True


@transaction.atomic
def unprotect_label(template: PromptTemplate, *, name: str, by: Any, reason: str = "") -> LabelMove | None:
    """Ask for the protection to be taken away; somebody else approves. None when the label is not protected.

    Raises LabelRefused while a move of the label waits.
    """
    _lock(template, _pointed_at(template, name))
    label = Label.objects.filter(template=template, name=name, is_protected=True).first()
    if label is None:
        return None
    if waiting := _waiting(template, name):
        return _same_or_refused(waiting, label.version, by)
    return LabelMove.objects.create(
        template=template,
        name=name,
        from_version=label.version,
        to_version=label.version,
        reason=reason,
        author=by,
        status=LabelMove.Status.WAITING,
    )


@transaction.atomic
def approve_move(template: PromptTemplate, pk: UUID, *, by: Any) -> LabelMove:
    """Let the waiting move happen, once; raises LabelRefused if it waits no longer, or for its own author."""
    move = _decide(template, pk, by, LabelMove.Status.DONE)
    label = Label.objects.filter(template=template, name=move.name).first()
    if (label.version_id if label else None) != move.from_version_id:
        raise LabelRefused(_("The label points at another version by now. Ask for the move again."))
    _apply(move, label)
    return move


@transaction.atomic
def reject_move(template: PromptTemplate, pk: UUID, *, by: Any) -> LabelMove:
    """Let the waiting move not happen; raises LabelRefused if it waits no longer, or for its own author."""
    return _decide(template, pk, by, LabelMove.Status.REJECTED)


@transaction.atomic
def withdraw_move(template: PromptTemplate, pk: UUID, *, by: Any) -> LabelMove:
    """Take one's own waiting move back; raises LabelRefused if it waits no longer, or is somebody else's."""
    move = _decide(template, pk, None, LabelMove.Status.WITHDRAWN)
    if move.author_id != by.pk:
        raise LabelRefused(_("Only who asked for the move can withdraw it."))
    return move


def _decide(template: PromptTemplate, pk: UUID, reviewer: Any, status: str) -> LabelMove:
    moved = LabelMove.objects.filter(template=template, pk=pk).values_list("from_version", "to_version").first()
    _lock(template, *(moved or ()))
    move = (
        LabelMove.objects.select_for_update().select_related("from_version", "to_version").get(template=template, pk=pk)
    )
    if move.status != LabelMove.Status.WAITING:
        raise LabelRefused(_("This was decided already: %(status)s.") % {"status": move.get_status_display()})
    if reviewer is not None and reviewer.pk == move.author_id:
        raise LabelRefused(_("A protected label takes two people: somebody else has to decide this."))
    move.status, move.reviewer, move.decided_at = status, reviewer, timezone.now()
    move.save(update_fields=["status", "reviewer", "decided_at"])
    return move


def _apply(move: LabelMove, label: Label | None) -> None:
    if move.to_version is None:
        if label is not None:
            label.delete()
    elif label is None:
        Label.objects.create(template=move.template, name=move.name, version=move.to_version)
    elif move.is_unprotecting:
        label.is_protected = False
        label.save(update_fields=["is_protected"])
    else:
        label.version = move.to_version
        label.save(update_fields=["version"])


def _lock(template: PromptTemplate, *version_pks: Any) -> None:
    """The versions that will be pointed at, then the template: in the order in which a run takes them."""
    list(TemplateVersion.objects.select_for_update().filter(pk__in=version_pks).order_by("pk").values_list("pk"))
    PromptTemplate.objects.select_for_update().get(pk=template.pk)


def _pointed_at(template: PromptTemplate, name: str) -> Any:
    return Label.objects.filter(template=template, name=name).values_list("version_id", flat=True).first()


def _waiting(template: PromptTemplate, name: str) -> LabelMove | None:
    return LabelMove.objects.filter(template=template, name=name, status=LabelMove.Status.WAITING).first()


def _same_or_refused(waiting: LabelMove, version: TemplateVersion | None, by: Any) -> LabelMove:
    if waiting.author_id == by.pk and waiting.to_version_id == (version.pk if version else None):
        return waiting
    raise LabelRefused(
        _("A move of “%(label)s” is waiting. Decide or withdraw that one first.") % {"label": waiting.name}
    )
