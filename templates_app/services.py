"""What happens to templates: written, changed, rated, kept, put away. Each function is one audited transaction."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.models import AuditLog
from audit.services import record
from templates_app.models import Category, Favorite, PromptTemplate, Rating, Tag, TemplateVersion
from templates_app.variables import ContractError, Variable, complete_contract, contract_to_json, parse_contract

DETAILS = ("title", "summary", "category", "language", "visibility", "status")
"""What may change without a new version. Tags too, but they are rows of their own."""


_EMPTY: dict[str, Any] = {"system_prompt": "", "variables": (), "parameters": {}, "examples": ()}


class StaleEdit(Exception):
    """Somebody saved since the edit began. `current` is what is saved now, `submitted` what was to be saved."""

    def __init__(self, current: PromptTemplate, submitted: Mapping[str, Any]) -> None:
        super().__init__(f"{current.pk} is at revision {current.revision}")
        self.current = current
        self.submitted = dict(submitted)


@transaction.atomic
def create_template(
    *,
    owner: Any,
    title: str,
    body: str,
    system_prompt: str = "",
    variables: Iterable[Variable | Mapping[str, Any]] = (),
    parameters: Mapping[str, Any] | None = None,
    examples: Iterable[Mapping[str, Any]] = (),
    summary: str = "",
    category: Category | None = None,
    language: str = "en",
    visibility: str = PromptTemplate.Visibility.PRIVATE,
    status: str = PromptTemplate.Status.PUBLISHED,
    tags: Iterable[str] = (),
    change_note: str = "",
    source: str = "",
    source_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    forked_from: TemplateVersion | None = None,
) -> PromptTemplate:
    """A template with its first version; the contract is completed from the texts. Raises ContractError."""
    template = PromptTemplate.objects.create(
        owner=owner,
        title=title,
        summary=summary,
        category=category,
        language=language,
        visibility=visibility,
        status=status,
        source=source,
        source_id=source_id,
        metadata=dict(metadata or {}),
        forked_from=forked_from,
    )
    content = version_content(system_prompt, body, variables, parameters or {}, examples)
    template.current_version = TemplateVersion.objects.create(
        template=template, number=1, author=owner, change_note=change_note, **content
    )
    set_tags(template, tags)  # before the version: with it the template enters the search, once
    template.save(update_fields=["current_version"])
    template.refresh_from_db(fields=["version_count"])
    return template


@transaction.atomic
def publish_version(
    template: PromptTemplate, *, author: Any, base_revision: int, change_note: str = "", **content: Any
) -> TemplateVersion:
    """Make `content` (of body, system_prompt, variables, parameters, examples; the rest stays) the next version.

    Equal content makes no version and returns the current one. Raises StaleEdit when the template is no longer at
    `base_revision`, ContractError when the variables are wrong.
    """
    locked = _lock(template, base_revision, {"change_note": change_note, **content})
    version = _publish(locked, author, change_note, content)
    _refresh(template, locked)
    return version


@transaction.atomic
def update_details(template: PromptTemplate, *, base_revision: int, **details: Any) -> bool:
    """Change title, summary, category, language, visibility, status or tags, without a version; False if none differs.

    Raises StaleEdit when the template is no longer at `base_revision`.
    """
    locked = _lock(template, base_revision, details)
    changed = _change_details(locked, details)
    _refresh(template, locked)
    return changed


@transaction.atomic
def edit_template(
    template: PromptTemplate,
    *,
    author: Any,
    base_revision: int,
    details: Mapping[str, Any],
    content: Mapping[str, Any],
    change_note: str = "",
) -> TemplateVersion:
    """`update_details` and `publish_version` as one edit: both or neither; returns the version that is now current."""
    locked = _lock(template, base_revision, {**details, **content, "change_note": change_note})
    changed = _change_details(locked, details)
    version = _publish(locked, author, change_note, content, bump=not changed)
    _refresh(template, locked)
    return version


def set_tags(template: PromptTemplate, names: Iterable[str]) -> bool:
    """Give the template exactly these tags, made as needed; True if that changed anything."""
    wanted: dict[str, str] = {}
    for name in names:
        if slug := Tag.slug_of(name):
            wanted.setdefault(slug, " ".join(name.split())[:80])
    if wanted.keys() == set(template.tags.values_list("slug", flat=True)):
        return False
    known = {tag.slug: tag for tag in Tag.objects.filter(slug__in=wanted)}
    for slug in wanted.keys() - known.keys():
        known[slug] = Tag.objects.get_or_create(slug=slug, defaults={"name": wanted[slug]})[0]
    template.tags.set(known.values())
    return True


@transaction.atomic
def rate_template(
    template: PromptTemplate, *, user: Any, score: int, review: str = "", version: TemplateVersion, model: str = ""
) -> Rating:
    """The one living rating of this person, made or changed. Raises ValueError for the template's own owner."""
    if template.owner_id == user.pk:
        raise ValueError("Owners do not rate their own templates.")
    # The triggers will write to both rows; taken now, in the order in which a run takes them, nobody deadlocks.
    TemplateVersion.objects.select_for_update().get(pk=version.pk)
    PromptTemplate.objects.select_for_update().get(pk=template.pk)
    rating = Rating.objects.filter(template=template, user=user).first() or Rating(template=template, user=user)
    rating.score, rating.review, rating.version, rating.model = score, review, version, model
    rating.save(update_fields=None if rating._state.adding else ["score", "review", "version", "model"])
    return rating


@transaction.atomic
def withdraw_rating(template: PromptTemplate, *, user: Any) -> Rating | None:
    """Move this person's rating to the trash; None if there is none."""
    rating = Rating.objects.filter(template=template, user=user).first()
    if rating is not None:
        TemplateVersion.objects.select_for_update().get(pk=rating.version_id)
        PromptTemplate.objects.select_for_update().get(pk=template.pk)
        rating.delete(by=user)
    return rating


@transaction.atomic
def toggle_favorite(template: PromptTemplate, *, user: Any) -> bool:
    """Keep the template among this person's favourites, or no longer; returns whether it now is one."""
    PromptTemplate.objects.select_for_update().get(pk=template.pk)
    favorite = Favorite.objects.filter(template=template, user=user).first()
    if favorite is None:
        Favorite.objects.create(template=template, user=user)
        return True
    favorite.delete()
    return False


@transaction.atomic
def archive(template: PromptTemplate, *, by: Any) -> bool:
    """Put a published template away: it stays readable and leaves the lists. False when it was not published."""
    return _move(template, PromptTemplate.Status.PUBLISHED, PromptTemplate.Status.ARCHIVED, by)


@transaction.atomic
def unarchive(template: PromptTemplate, *, by: Any) -> bool:
    """Bring an archived template back into the lists. False when it was not archived."""
    return _move(template, PromptTemplate.Status.ARCHIVED, PromptTemplate.Status.PUBLISHED, by)


@transaction.atomic
def move_to_trash(template: PromptTemplate, *, by: Any, reason: str = "") -> PromptTemplate:
    """Delete the template and its ratings, to be restored by `template.deletion_id`."""
    template.delete(by=by, reason=reason)
    return template


def version_content(
    system_prompt: str, body: str, variables: Iterable[Any], parameters: Mapping[str, Any], examples: Iterable[Any]
) -> dict[str, Any]:
    """A version's columns: the contract holds exactly the names that the texts use; raises ContractError."""
    entries = [each.to_json() if isinstance(each, Variable) else dict(each) for each in variables]
    few_shots = [dict(example) for example in examples]
    texts = (system_prompt, body, *(str(example.get("content", "")) for example in few_shots))
    contract = complete_contract(parse_contract(entries), *texts)
    return {
        "system_prompt": system_prompt,
        "body": body,
        "examples": few_shots,
        "variables": contract_to_json(contract),
        "parameters": dict(parameters),
    }


def _lock(template: PromptTemplate, base_revision: int, submitted: Mapping[str, Any]) -> PromptTemplate:
    """The row as it is now, ours until the transaction ends: numbers have no gaps and no edit is lost."""
    locked = PromptTemplate.objects.select_for_update().get(pk=template.pk)
    if locked.revision != base_revision:
        raise StaleEdit(locked, submitted)
    return locked


def _publish(
    locked: PromptTemplate, author: Any, change_note: str, content: Mapping[str, Any], *, bump: bool = True
) -> TemplateVersion:
    current = locked.current_version
    now = {name: getattr(current, name) for name in TemplateVersion.CONTENT} if current else {}
    full = version_content(**{**_EMPTY, **now, **content})
    if current is not None and _is_same(now, full):
        return current
    last = locked.versions.order_by("-number").values_list("number", flat=True).first() or 0
    version = TemplateVersion.objects.create(
        template=locked, number=last + 1, author=author, change_note=change_note, **full
    )
    locked.current_version = version
    locked.revision += bump
    locked.save(update_fields=["current_version", "revision"])
    return version


def _is_same(now: dict[str, Any], full: dict[str, Any]) -> bool:
    """Whether the saved content says what `full` says; an imported contract may spell the same differently."""
    try:
        return full in (now, version_content(**now))
    except ContractError:
        return False


def _change_details(locked: PromptTemplate, details: Mapping[str, Any]) -> bool:
    unknown = details.keys() - {*DETAILS, "tags"}
    if unknown:
        raise TypeError(f"Not details of a template: {', '.join(sorted(unknown))}")
    changed = [name for name in DETAILS if name in details and getattr(locked, name) != details[name]]
    for name in changed:
        setattr(locked, name, details[name])
    tagged = "tags" in details and set_tags(locked, details["tags"])
    if changed or tagged:
        locked.revision += 1
        locked.save(update_fields=[*changed, "revision"])
    return bool(changed or tagged)


def _move(template: PromptTemplate, before: str, after: str, by: Any) -> bool:
    """A conditional update, so that of two at once only one counts and is audited."""
    changed = PromptTemplate.objects.filter(pk=template.pk, status=before).update(
        status=after, updated_at=timezone.now()
    )
    if changed:
        template.status = after
        record(AuditLog.Action.UPDATE, template, changes={"status": [str(before), str(after)]}, actor=by)
    return bool(changed)


def _refresh(template: PromptTemplate, locked: PromptTemplate) -> None:
    """The caller's object follows, statistics included."""
    template.__dict__.update({k: v for k, v in locked.__dict__.items() if not k.startswith("_")})
    template._state.fields_cache.update(locked._state.fields_cache)
    template.refresh_from_db(fields=["version_count"])
