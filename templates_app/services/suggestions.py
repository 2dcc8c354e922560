"""Proposed changes of a template: made, discussed, taken in or not. Each function is one audited transaction.

Nothing here overwrites anything: a proposal is merged with what was saved since (three-way, `merging`), from the
texts that its reviewer has seen, and a decision that was made already is not made twice.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from promptlib.core.merging import CHOICES, Merge
from templates_app.merging import merge_fields
from templates_app.models import PromptTemplate, Suggestion, SuggestionComment, TemplateVersion
from templates_app.services.following import follow_own
from templates_app.services.forks import Undecided
from templates_app.services.writing import publish_version, version_content

Status = Suggestion.Status


class AlreadyDecided(Exception):
    """What was to be done needs another state of the suggestion; `suggestion` is as it is now."""

    def __init__(self, suggestion: Suggestion) -> None:
        super().__init__(f"{suggestion.pk} is {suggestion.status}")
        self.suggestion = suggestion


class StaleReview(Exception):
    """The suggestion or its template is no longer what was looked at; `suggestion` is as it is now."""

    def __init__(self, suggestion: Suggestion) -> None:
        super().__init__(f"{suggestion.pk} or its template was changed")
        self.suggestion = suggestion


@transaction.atomic
def suggest_change(base: TemplateVersion, *, author: Any, message: str = "", **content: Any) -> Suggestion:
    """Propose `content` (all of a version's) in place of version `base`. Raises ContractError.

    The same proposal of the same person, while the first one is open, is that one.
    """
    PromptTemplate.objects.select_for_update().get(pk=base.template_id)
    columns = {**version_content(**content), "message": message}
    mine = Suggestion.objects.filter(template=base.template_id, status=Status.OPEN, author=author, base_version=base)
    latest = mine.order_by("-id").first()
    if latest is not None and all(getattr(latest, name) == value for name, value in columns.items()):
        return latest
    suggestion = Suggestion.objects.create(template_id=base.template_id, base_version=base, author=author, **columns)
    follow_own([base.template_id], user=author)
    return suggestion


@transaction.atomic
def change_suggestion(suggestion: Suggestion, *, by: Any, seen: str, message: str = "", **content: Any) -> Suggestion:
    """Change one's own open suggestion. Raises ContractError, AlreadyDecided, StaleReview."""
    locked = _lock(suggestion, Status.OPEN)
    if locked.author_id != by.pk:
        raise PermissionError("A suggestion is changed by its author.")
    columns = {**version_content(**content), "message": message}
    changed = [name for name, value in columns.items() if getattr(locked, name) != value]
    if changed and seen != locked.stamp:
        raise StaleReview(locked)
    for name in changed:
        setattr(locked, name, columns[name])
    if changed:
        locked.save(update_fields=changed)
    return locked


def merged_with(
    suggestion: Suggestion,
    current: TemplateVersion,
    choices: Mapping[str, str] | None = None,
    texts: Mapping[str, str] | None = None,
) -> Merge:
    """What the template would say with the suggestion taken in; "mine" is what is saved, "theirs" the suggestion."""
    base, saved, suggested = (
        {name: getattr(each, name) for name in TemplateVersion.CONTENT}
        for each in (suggestion.base_version, current, suggestion)
    )
    return merge_fields(base, saved, suggested, choices, texts)


@transaction.atomic
def accept_suggestion(
    suggestion: Suggestion,
    *,
    by: Any,
    seen: str,
    seen_number: int,
    choices: Mapping[str, str] | None = None,
    texts: Mapping[str, str] | None = None,
    note: str = "",
) -> TemplateVersion | None:
    """Take the suggestion in as the template's next version, or return the one that an earlier accept made.

    `seen` is the stamp of the suggestion and `seen_number` the number of the current version that `by` has looked
    at. The version's author is who wrote the words: the suggester, or `by` where `by` wrote some of them anew; the
    change note names both. Raises StaleReview, Undecided, AlreadyDecided and ContractError.
    """
    template = PromptTemplate.objects.select_for_update().get(pk=suggestion.template_id)
    locked = _locked_row(suggestion)
    if locked.status == Status.ACCEPTED:
        return locked.accepted_version
    if locked.status != Status.OPEN:
        raise AlreadyDecided(locked)
    current = template.current_version
    if current is None or current.number != seen_number or locked.stamp != seen:
        raise StaleReview(locked)
    merge = merged_with(locked, current, choices, texts)
    if open_keys := {each.key for each in merge.conflicts if (choices or {}).get(each.key) not in CHOICES}:
        raise Undecided(merge, open_keys)
    is_rewritten = any(conflict.chosen == "own" for conflict in merge.conflicts)
    version = publish_version(
        template,
        author=by if is_rewritten else locked.author,
        base_revision=template.revision,
        change_note=_change_note(locked, by, is_rewritten=is_rewritten),
        **merge.content,
    )
    _decide(locked, Status.ACCEPTED, by, note, accepted_version=version)
    return version


@transaction.atomic
def reject_suggestion(suggestion: Suggestion, *, by: Any, reason: str) -> Suggestion:
    """Say no, and why. Raises AlreadyDecided unless it is open or was rejected already."""
    locked = _lock(suggestion, Status.OPEN, Status.REJECTED)
    if locked.status == Status.OPEN:
        _decide(locked, Status.REJECTED, by, reason)
    return locked


@transaction.atomic
def withdraw_suggestion(suggestion: Suggestion, *, by: Any) -> Suggestion:
    """Take one's own suggestion back. Raises AlreadyDecided unless it is open or was withdrawn already."""
    return _move(suggestion, Status.WITHDRAWN, Status.OPEN, by=by)


@transaction.atomic
def reopen_suggestion(suggestion: Suggestion, *, by: Any) -> Suggestion:
    """Bring back what was rejected, or what its author withdrew. Who rejected it and why stays with it.

    Raises AlreadyDecided for an accepted one.
    """
    return _move(suggestion, Status.OPEN, Status.REJECTED, Status.WITHDRAWN, by=by)


@transaction.atomic
def comment_suggestion(suggestion: Suggestion, *, author: Any, text: str) -> SuggestionComment:
    """Say something about it. Who says the same twice, with nobody in between, has said it once."""
    locked = _locked_row(suggestion)
    latest = locked.comments.order_by("-id").first()
    if latest is not None and latest.author_id == author.pk and latest.text == text:
        return latest
    return SuggestionComment.objects.create(suggestion=locked, author=author, text=text)


def _lock(suggestion: Suggestion, *states: str) -> Suggestion:
    locked = _locked_row(suggestion)
    if locked.status not in states:
        raise AlreadyDecided(locked)
    return locked


def _locked_row(suggestion: Suggestion) -> Suggestion:
    queryset = Suggestion.objects.select_related("author", "base_version", "template")
    return queryset.select_for_update(of=("self",)).get(pk=suggestion.pk)


def _move(suggestion: Suggestion, to: str, *origins: str, by: Any) -> Suggestion:
    locked = _lock(suggestion, to, *origins)
    if locked.author_id != by.pk and Status.WITHDRAWN in (to, locked.status):
        raise PermissionError("A suggestion is withdrawn, and brought back from that, by its author.")
    if locked.status != to:
        locked.status = to
        locked.save(update_fields=["status"])
    return locked


def _decide(locked: Suggestion, status: str, by: Any, note: str, **columns: Any) -> None:
    columns |= {"status": status, "reviewer": by, "decided_at": timezone.now(), "decision_note": note}
    for name, value in columns.items():
        setattr(locked, name, value)
    locked.save(update_fields=list(columns))


def _change_note(suggestion: Suggestion, by: Any, *, is_rewritten: bool) -> str:
    """The suggestion's message and whose words these are, within what a change note holds."""
    words = {"author": str(suggestion.author), "reviewer": str(by)}
    if is_rewritten:
        whose = _("From a suggestion by %(author)s, reworded by %(reviewer)s.") % words
    elif suggestion.author_id == by.pk:
        whose = _("Suggested and accepted by %(author)s.") % words
    else:
        whose = _("Suggested by %(author)s, accepted by %(reviewer)s.") % words
    limit = TemplateVersion._meta.get_field("change_note").max_length or 500
    whose = Truncator(whose).chars(limit)
    room = limit - len(whose) - 1
    message = Truncator(" ".join(suggestion.message.split())).chars(room) if room > 20 else ""
    return f"{message} {whose}".strip()
