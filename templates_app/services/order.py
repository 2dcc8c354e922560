"""Shelves and tags, as curators keep them. Each function is one audited transaction."""

from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.text import slugify

from audit.models import AuditLog
from audit.services import record_many
from promptlib.core.fields import normalize_key
from templates_app.models import Category, PromptTemplate, Tag, TemplateTag
from templates_app.shelving import MAX_DEPTH, ShelfTree, read_tree


class NotThereError(ValueError):
    """A shelf cannot stand there: inside itself, or too deep; or its name is taken beside it. `reason` says which."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@transaction.atomic
def create_shelf(*, name: str, parent: Category | None = None) -> Category:
    """A shelf at the end of those in `parent`. Raises NotThereError."""
    tree = read_tree(locked=True)
    if parent is not None and tree.depths[parent.pk] + 2 > MAX_DEPTH:
        raise NotThereError("deep")
    beside = tree.children.get(parent.pk if parent else None, [])
    _refuse_same_name(beside, name, None)
    position = max((each.position for each in beside), default=-1) + 1
    return Category.objects.create(name=name, slug=_free_slug(name, tree), parent=parent, position=position)


@transaction.atomic
def change_shelf(shelf: Category, *, name: str, parent: Category | None) -> bool:
    """Rename it, or move it with all that is in it; its address stays. False if nothing differs.

    Raises NotThereError where it would stand inside itself, too deep, or beside one of the same name.
    """
    tree = read_tree(locked=True)
    locked = tree.by_pk[shelf.pk]
    parent_pk = parent.pk if parent else None
    if parent is not None:
        if parent.pk in tree.below(locked):
            raise NotThereError("inside itself")
        if tree.depths[parent.pk] + 1 + tree.height(locked) > MAX_DEPTH:
            raise NotThereError("deep")
    beside = tree.children.get(parent_pk, [])
    _refuse_same_name(beside, name, locked)
    changed = []
    if locked.name != name:
        locked.name = name
        changed.append("name")
    if locked.parent_id != parent_pk:
        locked.parent = parent
        locked.position = max((each.position for each in beside), default=-1) + 1
        changed += ["parent", "position"]
    if changed:
        locked.save(update_fields=changed)
    return bool(changed)


@transaction.atomic
def move_shelf(shelf: Category, *, by: int) -> bool:
    """One place up (-1) or down (1) among those beside it; False at the end."""
    tree = read_tree(locked=True)
    beside = list(tree.siblings(tree.by_pk[shelf.pk]))
    place = next(index for index, each in enumerate(beside) if each.pk == shelf.pk)
    target = place + by
    if not 0 <= target < len(beside):
        return False
    beside[place], beside[target] = beside[target], beside[place]
    for position, each in enumerate(beside):
        if each.position != position:
            each.position = position
            each.save(update_fields=["position"])
    return True


@transaction.atomic
def merge_shelves(source: Category, target: Category) -> int:
    """Move all that stands on and in `source` to `target`, and delete `source`; returns how many templates moved.

    A target inside the source first takes the source's own place, so that nothing goes in circles. Raises
    NotThereError where the shelves inside would stand too deep.
    """
    tree = read_tree(locked=True)
    source, target = tree.by_pk[source.pk], tree.by_pk[target.pk]
    if source.pk == target.pk:
        raise NotThereError("inside itself")
    if target.pk in tree.below(source):
        target.parent, target.position = source.parent, source.position
        target.save(update_fields=["parent", "position"])
    moved = _retarget(source, target)
    place = max((each.position for each in tree.children.get(target.pk, ())), default=-1)
    for child in Category.objects.filter(parent=source).exclude(pk=target.pk):
        place += 1
        child.parent, child.position = target, place
        child.save(update_fields=["parent", "position"])
    after = read_tree()
    if max(after.depths.values()) + 1 > MAX_DEPTH:
        raise NotThereError("deep")
    Category.objects.get(pk=source.pk).delete()
    return moved


@transaction.atomic
def delete_shelf(shelf: Category) -> bool:
    """Delete an empty shelf; False if a template (perhaps one in the trash) or a shelf stands on it."""
    tree = read_tree(locked=True)
    locked = tree.by_pk[shelf.pk]
    if tree.children.get(locked.pk) or PromptTemplate.all_objects.filter(category=locked).exists():
        return False
    locked.delete()
    return True


@transaction.atomic
def rename_tag(tag: Tag, name: str) -> Tag | None:
    """Give the tag another name. Returns the other tag where that name is taken (merge them), else None."""
    locked = Tag.objects.select_for_update().get(pk=tag.pk)
    slug = Tag.slug_of(name)
    taken = Tag.objects.filter(slug=slug).exclude(pk=tag.pk).first()
    if taken is None and (locked.name, locked.slug) != (name, slug):
        locked.name, locked.slug = name, slug
        locked.save(update_fields=["name", "slug"])
    return taken


@transaction.atomic
def merge_tags(source: Tag, target: Tag) -> int:
    """Put `target` on every template that carries `source`, and delete `source`; returns how many templates."""
    if source.pk == target.pk:
        raise NotThereError("inside itself")
    list(Tag.objects.select_for_update().filter(pk__in=[source.pk, target.pk]).order_by("pk"))
    tagged = TemplateTag.objects.filter(tag=source)
    templates = list(
        PromptTemplate.all_objects.select_for_update()
        .filter(pk__in=tagged.values("template"))
        .only("pk", "title")
        .order_by("pk")
    )
    both = set(TemplateTag.objects.filter(tag=target, template__in=templates).values_list("template", flat=True))
    fresh = [TemplateTag(template=each, tag=target) for each in templates if each.pk not in both]
    quiet = TemplateTag.objects.unlogged("one row for each template tells of both tags")
    quiet.bulk_create(fresh, batch_size=500)
    quiet.filter(tag=source).delete()
    record_many(AuditLog.Action.UPDATE, templates, changes={"tags": [source.name, target.name]})
    source.delete()
    return len(templates)


def _retarget(source: Category, target: Category) -> int:
    """Templates in the trash move as well: their shelf will be gone. Open edit pages become stale, not wrong."""
    standing = PromptTemplate.all_objects.filter(category=source)
    return standing.update(category=target, revision=F("revision") + 1, updated_at=timezone.now())


def _refuse_same_name(beside: list[Category], name: str, itself: Category | None) -> None:
    key = normalize_key(name)
    if any(normalize_key(each.name) == key for each in beside if itself is None or each.pk != itself.pk):
        raise NotThereError("name")


def _free_slug(name: str, tree: ShelfTree) -> str:
    base = slugify(name, allow_unicode=True)[:100] or "shelf"
    taken: set[Any] = {each.slug for each in tree.by_pk.values()}
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)
