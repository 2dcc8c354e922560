"""Forks: a template of one's own made from a version of another, and what of the original's later work it takes in."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from promptlib.core.merging import Merge
from templates_app.merging import merge_fields
from templates_app.models import PromptTemplate, TemplateVersion, Upstream
from templates_app.services.writing import create_template, publish_version

TWICE = dt.timedelta(seconds=10)
"""The same person forking the same version under the same title again within this time has clicked twice."""


class NotThatFar(Exception):
    """The fork has taken in this version of the original, or a later one, already."""


class Undecided(Exception):
    """The merge has conflicts that nobody has decided. `merge` is it, `keys` those conflicts."""

    def __init__(self, merge: Merge, keys: set[str]) -> None:
        super().__init__(", ".join(sorted(keys)))
        self.merge = merge
        self.keys = keys


@transaction.atomic
def fork_template(version: TemplateVersion, *, owner: Any, title: str = "") -> PromptTemplate:
    """A private template of this person with the version's content, and the original's shelf, tags and language."""
    TemplateVersion.objects.select_for_update().get(pk=version.pk)  # before the template, as a run takes them
    original = PromptTemplate.objects.select_for_update().get(pk=version.template_id)
    title = title or original.title
    twice = PromptTemplate.objects.filter(
        owner=owner, forked_from=version, title=title, created_at__gt=timezone.now() - TWICE
    ).first()
    if twice is not None:
        return twice
    fork = create_template(
        owner=owner,
        title=title,
        summary=original.summary,
        category=original.category,
        language=original.language,
        tags=list(original.tags.values_list("name", flat=True)),
        change_note=_("Forked at v%(number)d") % {"number": version.number},
        forked_from=version,
        **version.content,
    )
    Upstream.objects.create(template=fork, base=version)
    return fork


def merge_of(
    base: TemplateVersion,
    fork: PromptTemplate,
    theirs: TemplateVersion,
    choices: Mapping[str, str] | None = None,
    texts: Mapping[str, str] | None = None,
) -> Merge:
    """What the fork becomes with what the original changed from `base` to `theirs`."""
    mine = fork.current_version
    assert mine is not None
    return merge_fields(base.content, mine.content, theirs.content, choices, texts)


@transaction.atomic
def merge_upstream(
    fork: PromptTemplate,
    *,
    by: Any,
    base_revision: int,
    theirs: TemplateVersion,
    choices: Mapping[str, str] | None = None,
    texts: Mapping[str, str] | None = None,
) -> TemplateVersion:
    """Take the original's work up to `theirs` into the fork as its next version; returns that version.

    No version is made where nothing differs. Raises StaleEdit when the fork is no longer at `base_revision`,
    NotThatFar when it has that work already, Undecided for a conflict without a choice, ContractError.
    """
    upstream = _followed(fork)
    base = upstream.base
    if base is None or base.template_id != theirs.template_id or base.number >= theirs.number:
        raise NotThatFar
    merge = merge_of(base, fork, theirs, choices, texts)
    if open_keys := {conflict.key for conflict in merge.conflicts} - (choices or {}).keys():
        raise Undecided(merge, open_keys)
    note = _("Took in v%(number)d of the original") % {"number": theirs.number}
    version = publish_version(fork, author=by, base_revision=base_revision, change_note=note, **merge.content)
    upstream.base = theirs
    upstream.save(update_fields=["base"])
    return version


@transaction.atomic
def ignore_upstream(fork: PromptTemplate, *, number: int) -> bool:
    """What the original did up to this version is no news for the fork any more. False if it was none before."""
    upstream = _followed(fork)
    if upstream.ignored_number >= number:
        return False
    upstream.ignored_number = number
    upstream.save(update_fields=["ignored_number"])
    return True


def _followed(fork: PromptTemplate) -> Upstream:
    """How far the fork has followed its original, ours until the transaction ends; at first to where it was forked."""
    PromptTemplate.objects.select_for_update().get(pk=fork.pk)
    upstream = Upstream.objects.get_or_create(template=fork, defaults={"base": fork.forked_from})[0]
    upstream.base = upstream.base or fork.forked_from
    return upstream
