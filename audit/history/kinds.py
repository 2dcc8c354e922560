"""What the history needs to know of models that the audit log may not import: their apps tell it when they start."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.contrib.auth import get_user_model
from django.db.models import Model, QuerySet
from django.utils.functional import Promise

Right = Callable[[Any], "QuerySet[Any]"]
"""For a person: the templates, conversations or people whose belongings they may change."""


class Speciality(Protocol):
    """How a change of one field is taken back where setting the column back would be wrong."""

    def outcome(self, thing: Any, reversal: Any) -> Any:
        """What would be, an `audit.undo.fields.Outcome` for its `Reversal`. Nothing is written."""

    def apply(self, thing: Any, outcome: Any, *, by: Any, reason: str) -> None:
        """Make it so, in the caller's transaction."""


@dataclass(frozen=True)
class Kind:
    """What is told of a model's rows, and who may take back what."""

    is_subject: bool = False
    """A thing with a history of its own, to which what belongs to it is added."""
    names: Right | None = None
    """The rows whose names somebody may read; by default `visible_to`, without such a method for staff alone."""
    hidden: frozenset[str] = frozenset()
    """Fields that say nothing to people."""
    private: frozenset[str] = frozenset()
    """Fields that staff and whoever wrote them read, not everybody who reads the history."""
    right: Right | None = None
    """Who may undo: those whose queryset holds the row's subject. None leaves it to staff."""
    own: str = ""
    """The column that names the person whose thing this is: they alone may undo, without `right`."""
    restore_right: Right | None = None
    """Who may bring it back from the trash; by default `right`."""
    fields: frozenset[str] | None = None
    """Fields that can be set back; None for all that the admin lets one edit."""
    field_rights: Mapping[str, Right] = field(default_factory=dict)
    """Fields for which another right is needed."""
    specialities: Mapping[str, Speciality] = field(default_factory=dict)
    entitling: frozenset[str] = frozenset()
    """Of fields that can be set back, those that would hand rights to somebody: for superusers."""
    never: str | Promise = ""
    """Why no change of these rows can be taken back."""
    keeps_creation: str | Promise = ""
    """Why what was created stays."""
    keeps_deletion: str | Promise = ""
    """Why what was deleted does not come back."""
    is_record: bool = False
    """Rows that tell of others, and stay when those are taken back."""
    remove: Callable[..., None] | None = None
    """In place of deleting what was created: called with the thing, `by` and `reason`."""
    make_again: Callable[..., None] | None = None
    """In place of saving what was deleted: called with an unsaved thing, `by` and `reason`."""


SUBJECT_NAMES = {"template", "conversation"}
"""What the foreign key to it is called."""

KINDS: dict[type[Model], Kind] = {}
_PLAIN = Kind()


def register(model: type[Model], **told: Any) -> None:
    KINDS[model] = Kind(**told)


def kind_of(model: type[Model]) -> Kind:
    return KINDS.get(model, _PLAIN)


def subject_of(model: type[Model]) -> type[Model] | None:
    """The kind of thing that rows of `model` belong to, as far as a foreign key of its own tells."""
    for each in model._meta.fields:
        related: Any = each.related_model
        if related in KINDS and KINDS[related].is_subject and each.name in SUBJECT_NAMES:
            return related
    return None


def readable(model: type[Model], user: Any) -> "QuerySet[Any] | None":
    """The rows of `model` whose names this person may read; None for none at all."""
    manager: Any = model._default_manager
    kind = kind_of(model)
    if kind.names is not None:
        return kind.names(user)
    if user.is_staff or model is get_user_model():
        return manager.all()
    return manager.visible_to(user) if hasattr(manager.all(), "visible_to") else None
