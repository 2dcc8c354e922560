"""What becomes of the entries of a collection."""

from dataclasses import dataclass, field
from enum import StrEnum

from django.utils.translation import gettext as _

from templates_app.models import PromptTemplate


class Kind(StrEnum):
    """What became of an entry, or would become of it."""

    CREATED = "created"
    CHANGED = "changed"
    SAME = "same"
    CONFLICT = "conflict"
    KEPT = "kept"
    TRASHED = "trashed"
    BAD = "bad"


class Choice(StrEnum):
    """What to do where a template was changed both here and in the file."""

    KEEP = "keep"
    TAKE = "take"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the entry at `place`. `template` is None for a bad one, and for a new one in a dry run.

    `differs` names what is changed, or in conflict; `raw` is a bad entry as it stood in the file.
    """

    kind: Kind
    place: str
    title: str = ""
    reason: str = ""
    template: PromptTemplate | None = None
    differs: tuple[str, ...] = ()
    raw: str = field(default="", compare=False, repr=False)


def words() -> dict[Kind, str]:
    return {
        Kind.CREATED: _("new"),
        Kind.CHANGED: _("changed"),
        Kind.SAME: _("the same"),
        Kind.CONFLICT: _("in conflict"),
        Kind.KEPT: _("kept as they are here"),
        Kind.TRASHED: _("left in the trash"),
        Kind.BAD: _("bad"),
    }
