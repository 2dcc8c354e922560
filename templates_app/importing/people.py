"""What others did with a template elsewhere: who wrote a version, who gave how many stars, what it was forked from.

Names in a file prove nothing: whoever can edit a file could give their template a hundred ratings. They are restored
only where an operator vouches for the file; else they stay in the template's metadata, for the next export.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from audit.models import AuditLog
from audit.services import record_many
from promptlib.core.fields import normalize_key
from promptlib.core.ids import as_uuid
from templates_app.importers import History, TemplateRecord
from templates_app.importers.own import moment_of
from templates_app.models import PromptTemplate, Rating, TemplateVersion

MAX_BROUGHT = 1_000
"""So many ratings and moves stay in a template's metadata, the latest; it is read with every look at the template."""


class People:
    """Those who are named in a file and are here, by their handles; nobody, where nobody vouches for it."""

    def __init__(self, records: Iterable[TemplateRecord], *, are_believed: bool) -> None:
        handles: set[str] = set()
        if are_believed:
            for history in (record.history for record in records if record.history):
                handles |= {normalize_key(version.author) for version in history.versions}
                handles |= {normalize_key(_handle(rating)) for rating in _entries(history, "ratings")}
        found = get_user_model().objects.filter(handle__in=handles - {""}) if handles else ()
        self._by_handle = {user.handle: user for user in found}

    def find(self, handle: str) -> Any:
        return self._by_handle.get(normalize_key(handle))

    def restore_ratings(self, template: PromptTemplate, history: History) -> list[dict[str, Any]]:
        """Save the ratings of those who are here; returns the others'."""
        versions = {version.number: version for version in template.versions.only("number", "template")}
        left: list[dict[str, Any]] = []
        restored: dict[Any, Rating] = {}
        for entry in _entries(history, "ratings"):
            user = self.find(_handle(entry))
            rating = None if user is None or user.pk in restored else _rating(template, user, entry, versions)
            if rating is None:
                left.append(entry)
            else:
                restored[user.pk] = rating
        ratings = list(restored.values())
        when = {rating.pk: rating.updated_at for rating in ratings}
        quiet = Rating.objects.unlogged("told as imported, below")
        quiet.bulk_create(ratings, batch_size=500)
        for rating in ratings:
            rating.updated_at = when[rating.pk]
        Rating.objects.bulk_update(ratings, ["updated_at"], batch_size=500)
        record_many(AuditLog.Action.IMPORT, ratings, changes=lambda rating: {"score": [None, rating.score]})
        return left


def brought(record: TemplateRecord, people: People) -> dict[str, Any]:
    """What of the history nobody here stands for: kept as the file says it."""
    history = record.history
    if history is None:
        return {}
    authors = {str(v.number): v.author for v in history.versions if v.author and people.find(v.author) is None}
    kept = {
        "owner": history.people.get("owner") or "",
        "authors": authors,
        "ratings": _entries(history, "ratings")[-MAX_BROUGHT:],
        "label_moves": _entries(history, "label_moves")[-MAX_BROUGHT:],
        "forked_from": history.forked_from,
    }
    return {name: value for name, value in kept.items() if value}


def past(moment: dt.datetime | None) -> dt.datetime:
    now = timezone.now()
    return min(moment, now) if moment else now


def original_of(forked_from: dict[str, Any], owner: Any) -> TemplateVersion | None:
    """The version that was forked, if it is here and the owner may see it: among what they imported, or by its id."""
    visible = PromptTemplate.objects.visible_to(owner)
    named = (forked_from.get("source"), forked_from.get("source_id"))
    found = visible.filter(owner=owner, source=named[0], source_id=named[1]).first() if all(named) else None
    if found is None and (pk := as_uuid(forked_from.get("id"))):
        found = visible.filter(pk=pk).first() or visible.filter(owner=owner, source_id=str(pk)).first()
    return found.versions.filter(number=forked_from["version"]).first() if found else None


def _entries(history: History, name: str) -> list[dict[str, Any]]:
    entries = history.people.get(name)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _handle(entry: dict[str, Any]) -> str:
    handle = entry.get("user")
    return handle if isinstance(handle, str) else ""


def _rating(
    template: PromptTemplate, user: Any, entry: dict[str, Any], versions: dict[int, TemplateVersion]
) -> Rating | None:
    """None for what could not have been given here."""
    score, number = entry.get("score"), entry.get("version")
    texts = {name: entry.get(name) or "" for name in ("review", "model", "task")}
    is_sound = number in versions and all(isinstance(text, str) for text in texts.values())
    if not is_sound or user.pk == template.owner_id or not isinstance(score, int) or not 1 <= score <= 5:
        return None
    rating = Rating(
        template=template,
        version=versions[number],  # type: ignore[index]  # it is one of them
        user=user,
        score=score,
        review=texts["review"][:10_000],
        model=texts["model"][:120],
        task=texts["task"][:200],
        created_at=past(moment_of(entry.get("created_at"))),
    )
    rating.updated_at = past(moment_of(entry.get("updated_at")))
    return rating
