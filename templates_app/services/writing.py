"""Writing a template: its versions and what it is called. Each function is one audited transaction."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from templates_app.models import Category, PromptTemplate, Tag, TemplateVersion
from templates_app.services.following import follow_own
from templates_app.services.value_sets import rename_values
from templates_app.variables import ContractError, Variable, complete_contract, contract_to_json, parse_contract
from templates_app.variables.contract import MAX_VARIABLES

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
    pk: UUID | None = None,
) -> PromptTemplate:
    """A template with its first version; the contract is completed from the texts. Raises ContractError.

    A `pk` that is given makes a repeated call an IntegrityError.
    """
    template = PromptTemplate.objects.create(
        **({} if pk is None else {"pk": pk}),
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
    follow_own([template.pk], user=owner)
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
    renames: Mapping[str, str] | None = None,
) -> TemplateVersion:
    """`update_details` and `publish_version` as one edit: both or neither; returns the version that is now current.

    `renames` are the variables that were renamed, old name to new: the sets of values follow.
    """
    locked = _lock(template, base_revision, {**details, **content, "change_note": change_note})
    changed = _change_details(locked, details)
    version = _publish(locked, author, change_note, content, bump=not changed)
    rename_values(locked, renames or {})
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


def version_content(
    system_prompt: str, body: str, variables: Iterable[Any], parameters: Mapping[str, Any], examples: Iterable[Any]
) -> dict[str, Any]:
    """A version's columns: the contract holds exactly the names that the texts use; raises ContractError."""
    entries = [each.to_json() if isinstance(each, Variable) else dict(each) for each in variables]
    few_shots = [dict(example) for example in examples]
    texts = (system_prompt, body, *(str(example.get("content", "")) for example in few_shots))
    contract = complete_contract(parse_contract(entries), *texts)
    if len(contract) > MAX_VARIABLES:
        raise ContractError([_("A template may have %(limit)d variables at most.") % {"limit": MAX_VARIABLES}])
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
    follow_own([locked.pk], user=author)
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


def _refresh(template: PromptTemplate, locked: PromptTemplate) -> None:
    """The caller's object follows, statistics included."""
    template.__dict__.update({k: v for k, v in locked.__dict__.items() if not k.startswith("_")})
    template._state.fields_cache.update(locked._state.fields_cache)
    template.refresh_from_db(fields=["version_count"])
