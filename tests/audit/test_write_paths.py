"""Every audited model by every path that writes it: exactly the rows of the log that it should leave."""

import copy
from collections.abc import Callable, Iterable
from functools import partial
from io import BytesIO
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.contrib.messages.storage.fallback import FallbackStorage
from django.db import models, transaction
from django.test import RequestFactory

from audit.fields import beginning, end, links
from audit.models import AuditLog
from audit.registry import audited_links, audited_models
from audit.retention.purging import purge
from conversations.importers import open_source
from conversations.importing import import_conversations
from promptlib.core.models import SoftDeleteModel
from promptlib.core.querysets import LoggedQuerySet
from templates_app.importers import read_bytes
from templates_app.importing import import_records
from templates_app.models import Tag, TemplateTag
from tests.audit.writing import CASES, Scene, scene
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

Paths = dict[str, Callable[[Any], Any]]
Told = list[tuple[str, str, Any]]
"""What the log says: action, object, changes."""


def every_row(row: Any) -> Any:
    """A queryset of the row, wherever it is."""
    manager = getattr(type(row), "all_objects", type(row)._default_manager)
    return manager.filter(pk=row.pk)


def admin_of(row: Any, here: Scene) -> tuple[Any, Any]:
    request: Any = RequestFactory().post("/")
    request.user, request.session = here.staff, {}
    request._messages = FallbackStorage(request)
    return admin.site._registry[type(row)], request


class NoForm:
    """A form in which nothing was said to have changed."""

    changed_data: tuple[str, ...] = ()
    cleaned_data: dict[str, Any] = {}


# ---- the paths -----------------------------------------------------------------------------------------------------


def load(row: Any) -> None:
    """As loaddata saves what it has read."""
    row._state.adding = True
    row.save_base(raw=True)


def save_in_admin(row: Any, here: Scene, *, change: bool) -> None:
    page, request = admin_of(row, here)
    page.save_model(request, row, NoForm(), change=change)


def creations(here: Scene) -> Paths:
    return {
        "save": lambda row: row.save(),
        "bulk_create": lambda row: every_row(row).bulk_create([row]),
        "bulk_create, conflicts ignored": lambda row: every_row(row).bulk_create([row], ignore_conflicts=True),
        "loaddata": load,
        "admin": partial(save_in_admin, here=here, change=False),
    }


def changes(here: Scene, name: str, value: Any) -> Paths:
    def given(row: Any) -> Any:
        setattr(row, name, value)
        return row

    return {
        "save": lambda row: given(row).save(),
        "save of one field": lambda row: given(row).save(update_fields=[name]),
        "update": lambda row: every_row(row).update(**{name: value}),
        "update_locked": lambda row: every_row(row).update_locked([row], **{name: value}),
        "bulk_update": lambda row: every_row(row).bulk_update([given(row)], [name]),
        "update_or_create": lambda row: every_row(row).update_or_create(pk=row.pk, defaults={name: value}),
        "loaddata": lambda row: load(given(row)),
        "admin": lambda row: save_in_admin(given(row), here, change=True),
    }


def deletes(here: Scene) -> Paths:
    def in_admin(row: Any) -> None:
        page, request = admin_of(row, here)
        page.delete_model(request, row)

    def by_action(row: Any) -> None:
        page, request = admin_of(row, here)
        page.delete_queryset(request, page.get_queryset(request).filter(pk=row.pk))

    return {
        "delete": lambda row: row.delete(),
        "queryset": lambda row: every_row(row).delete(),
        "admin": in_admin,
        "admin action": by_action,
    }


def restores(here: Scene) -> Paths:
    def by_action(row: Any) -> None:
        page, request = admin_of(row, here)
        page.restore_selected(request, page.get_queryset(request).filter(pk=row.pk))

    return {
        "restore": lambda row: row.restore(),
        "queryset": lambda row: every_row(row).restore(),
        "admin action": by_action,
    }


PURGES: Paths = {
    "hard_delete": lambda row: row.hard_delete(),
    "queryset": lambda row: every_row(row).hard_delete(),
}


def possible(model: type[models.Model], paths: Paths) -> Paths:
    """A model without a page in the admin is not written there."""
    has_page = model in admin.site._registry and CASES[model].is_saved_by_its_page
    return {name: path for name, path in paths.items() if has_page or not name.startswith("admin")}


# ---- the tests -----------------------------------------------------------------------------------------------------


def try_all(paths: Paths, row: Callable[[], Any]) -> dict[str, tuple[Told, Any]]:
    """Each path from the same state: what the log said to it, and the row as it was then."""
    found = {}
    for name, path in paths.items():
        point = transaction.savepoint()
        each = row()
        known = set(AuditLog.objects.values_list("pk", flat=True))
        path(each)
        rows = AuditLog.objects.exclude(pk__in=known).order_by("id")
        found[name] = ([(said.get_action_display(), said.object_pk, said.changes) for said in rows], each)
        transaction.savepoint_rollback(point)
    return found


def said(found: dict[str, tuple[Told, Any]]) -> dict[str, Told]:
    return {name: told for name, (told, _row) in found.items()}


def the_same(paths: Iterable[str], action: str, row: Any, what: Any) -> dict[str, Told]:
    return {name: [(action, str(row.pk), what)] for name in paths}


@pytest.mark.parametrize("model", CASES, ids=lambda model: model._meta.label)
def test_each_write_leaves_its_row(model: type[models.Model]) -> None:
    here, case = scene(), CASES[model]
    ways = possible(model, creations(here))
    if model is Group:  # it has no key before it is there, so nobody could tell which of several came to be
        with pytest.raises(NotImplementedError):
            ways.pop("bulk_create, conflicts ignored")(case.make(here))
    made = try_all(ways, lambda: case.make(here))
    assert said(made) == {name: [("created", str(row.pk), beginning(row))] for name, (_told, row) in made.items()}

    row: Any = case.make(here)
    row.save()
    fetched = partial(lambda: every_row(row).get())
    if case.field is not None:
        value = case.other(here)
        pair = [getattr(row, case.field), value]
        plain = [str(each.pk) if isinstance(each, models.Model) else each for each in pair]
        paths = possible(model, changes(here, case.field, value))
        assert said(try_all(paths, fetched)) == the_same(paths, "changed", row, {case.field: plain})

    if not case.is_deletable:  # the database refuses it
        return
    is_soft = issubclass(model, SoftDeleteModel)
    ways = possible(model, deletes(here))
    gone = said(try_all(ways, fetched))
    if not is_soft:
        assert gone == the_same(ways, "deleted", row, end(row))
        return
    ids = {name: told[0][2].pop("deletion_id") for name, told in gone.items()}
    assert gone == the_same(ways, "deleted", row, {})
    assert all(before is None and after for before, after in ids.values())
    assert said(try_all(PURGES, fetched)) == the_same(PURGES, "deleted for good", row, end(row))
    copy.copy(row).delete()
    back = said(try_all(restores(here), fetched))
    told = {"deletion_id": [str(fetched().deletion_id), None]}
    final = said(try_all({"purge": lambda row: purge([row.deletion_id])}, fetched))
    assert final == the_same(["purge"], "deleted for good", row, end(fetched()))
    assert back == the_same(restores(here), "restored", row, told)


def test_links_between_models_are_told_of_whoever_has_them() -> None:
    here = scene()
    key, name = str(here.template.pk), str(here.tag)
    ways = creations(here) | {"admin": lambda row: here.template.tags.add(row.tag)}
    made = said(try_all(ways, lambda: TemplateTag(template=here.template, tag=here.tag)))
    assert made == {path: [("changed", key, links("tags", "add", [name]))] for path in made}
    here.template.tags.add(here.tag)
    ends: dict[str, Callable[[Any], Any]] = {
        "remove": lambda row: here.template.tags.remove(here.tag),
        "clear": lambda row: here.template.tags.clear(),
        "set": lambda row: here.template.tags.set([]),
        "from the other side": lambda row: here.tag.templates.clear(),
        "queryset": lambda row: every_row(row).delete(),
        "delete": lambda row: row.delete(),
    }
    gone = said(try_all(ends, lambda: TemplateTag.objects.get(template=here.template)))
    assert gone == {path: [("changed", key, links("tags", "delete", [name]))] for path in ends}
    deleted = said(try_all({"tag": lambda row: row.delete()}, lambda: Tag.objects.get(pk=here.tag.pk)))
    name_and_slug = {"name": [here.tag.name, None], "slug": [here.tag.slug, None]}
    assert sorted(deleted["tag"], key=lambda row: row[0]) == [
        ("changed", key, links("tags", "delete", [name])),
        ("deleted", str(here.tag.pk), name_and_slug),
    ]


def keys() -> set[str]:
    return {str(pk) for model in audited_models() for pk in model._base_manager.values_list("pk", flat=True)}


TEMPLATES = b"act,prompt,tags\nTailor,Sew a {{coat}}.,clothes\nBaker,Bake bread.,food\n"
THREADS = b'[{"id": "t1", "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}]'


@pytest.mark.parametrize("kind", ["templates", "conversations"])
def test_an_import_leaves_one_row_for_each_row_that_it_makes(kind: str) -> None:
    owner = UserFactory()
    before, known = keys(), set(AuditLog.objects.values_list("pk", flat=True))
    if kind == "templates":
        list(import_records(read_bytes(TEMPLATES, "prompts.csv"), owner=owner))
    else:
        list(import_conversations(open_source(BytesIO(THREADS), "threads.json"), owner=owner))
    rows = AuditLog.objects.exclude(pk__in=known)
    told = [row.object_pk for row in rows if row.action in (AuditLog.Action.CREATE, AuditLog.Action.IMPORT)]
    assert sorted(told) == sorted(keys() - before)
    assert len(told) == rows.count() >= 3


def test_every_audited_model_is_tried() -> None:
    assert set(CASES) == set(audited_models()), "tests/audit/writing.py lacks the case of a model, or has one too many"


def test_every_manager_of_an_audited_model_tells() -> None:
    silent = {
        f"{model._meta.label}.{manager.name}"
        for model in [*audited_models(), *audited_links()]
        if not model._meta.auto_created
        for manager in model._meta.managers
        if not issubclass(manager._queryset_class, LoggedQuerySet)  # type: ignore[attr-defined]  # not in the stubs
    }
    assert silent == set()
