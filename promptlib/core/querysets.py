"""Querysets whose writes are told row by row, and those of things that can be in the trash."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self, cast
from uuid import UUID

from django.db import connections, models, transaction
from django.db.models import Exists, OuterRef
from django.db.models.query import ModelIterable

from promptlib.core import soft_delete
from promptlib.core.changes import (
    Changed,
    TellingCollector,
    accounted,
    batches,
    rows_changed,
    rows_created,
    told_fields,
    tracked,
)
from promptlib.core.deletion import cascade_whole

if TYPE_CHECKING:
    from promptlib.core.models import SoftDeleteModel


class LoggedQuerySet(models.QuerySet):
    """Rows of which each change is told, whether one is written or a thousand (see `promptlib.core.changes`).

    An update of what nobody keeps a log of (statistics, timestamps) costs what Django's own costs; else the rows are
    read and locked first, and exactly those are written.
    """

    _unlogged = ""

    def unlogged(self, reason: str) -> Self:
        """What this queryset writes is told to nobody; `reason` says why that is right."""
        clone = self._chain()  # type: ignore[attr-defined]  # not in the stubs
        clone._unlogged = reason
        return clone

    def update(self, **values: Any) -> int:
        fields = self._told_fields(values)
        if not fields or self.query.is_sliced or self.query.combinator:
            with accounted():
                return super().update(**values)
        with transaction.atomic(using=self._db_to_write(), savepoint=False):
            rows = self._locked()
            return sum(self._write(batch, values, fields) for batch in batches(rows))

    update.alters_data = True  # type: ignore[attr-defined]  # Django's mark: templates may not call it

    def update_locked(self, rows: Sequence[Any], **values: Any) -> int:
        """As `update`, of rows that the caller has read whole and locked: they are not read again, and are up to date.

        What the database works out (`F("revision") + 1`) stays in them as it was, unless changes of it are told.
        """
        fields = self._told_fields(values)
        with transaction.atomic(using=self._db_to_write(), savepoint=False):
            return sum(self._write(batch, values, fields) for batch in batches(rows))

    update_locked.alters_data = True  # type: ignore[attr-defined]  # as above

    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None) -> int:
        objs, names = tuple(objs), list(fields)
        told = self._told_fields(names)
        if not told:
            with accounted():
                return super().bulk_update(objs, names, batch_size)
        with transaction.atomic(using=self._db_to_write(), savepoint=False):
            before = [row for batch in batches(objs) for row in self.filter(pk__in=[o.pk for o in batch])._locked()]
            quiet = self.unlogged("bulk_update tells it with the objects' own values")
            count = super(LoggedQuerySet, quiet).bulk_update(objs, names, batch_size)
            by_pk = {each.pk: each for each in objs}
            for rows in batches(before):
                values = {each.attname: {row.pk: getattr(by_pk[row.pk], each.attname) for row in rows} for each in told}
                self._tell_written(rows, values)
            return count

    bulk_update.alters_data = True  # type: ignore[attr-defined]  # as above

    def bulk_create(self, objs: Iterable[Any], *args: Any, **options: Any) -> list[Any]:
        """As Django's. Where nobody could tell which rows came of it, only an unlogged queryset does it."""
        objs = list(objs)
        if self._unlogged or self.model not in tracked:
            with accounted():
                return super().bulk_create(objs, *args, **options)
        has_keys, ignores = all(each.pk is not None for each in objs), options.get("ignore_conflicts")
        if options.get("update_conflicts") or (ignores and not has_keys):
            raise NotImplementedError("Nobody could tell which rows came of it: write them one by one, or unlogged.")
        with transaction.atomic(using=self._db_to_write(), savepoint=False), accounted():
            if not has_keys and not connections[self.db].features.can_return_rows_from_bulk_insert:
                for each in objs:  # else nobody learns their keys
                    each.save(using=self.db, force_insert=True)
                return objs
            made = super().bulk_create(objs, *args, **options)
            fresh: Sequence[Any] = made
            if ignores:
                there = self.model._base_manager.using(self.db).filter(pk__in=[each.pk for each in made])
                keys = set(there.values_list("pk", flat=True))
                fresh = [each for each in made if each.pk in keys]
            for batch in batches(fresh):
                rows_created.send(self.model, instances=batch)
            return made

    bulk_create.alters_data = True  # type: ignore[attr-defined]  # as above

    def delete(self) -> tuple[int, dict[str, int]]:
        if self._unlogged or self.query.is_sliced or self.query.combinator or self._fields is not None:  # type: ignore[attr-defined]
            with accounted():
                return super().delete()
        rows = self._chain()  # type: ignore[attr-defined]  # as Django's own delete prepares it
        rows._for_write = True
        rows.query.select_for_update = rows.query.select_related = False
        rows.query.clear_ordering(force=True)
        collector = TellingCollector(using=self._db_to_write(), origin=cast("models.QuerySet[models.Model]", self))
        collector.collect(rows)
        self._result_cache = None
        return collector.delete()

    delete.alters_data = True  # type: ignore[attr-defined]  # as above
    delete.queryset_only = True  # type: ignore[attr-defined]  # as on Django's own: not on managers

    # ---- what they have in common ----------------------------------------------

    def _clone(self) -> Self:
        clone = super()._clone()  # type: ignore[misc]  # not in the stubs
        clone._unlogged = self._unlogged
        return clone

    def _told_fields(self, names: Iterable[str]) -> list[models.Field]:
        return [] if self._unlogged else told_fields(self.model, names)

    def _db_to_write(self) -> str:
        self._for_write = True
        return self.db

    def _locked(self) -> list[Any]:
        """The rows whole, whatever this queryset would have fetched of them; nobody changes them until the end."""
        rows = self._chain()  # type: ignore[attr-defined]  # as above
        rows._fields, rows._iterable_class, rows._prefetch_related_lookups = None, ModelIterable, ()
        rows.query.clear_select_clause()
        rows.query.clear_deferred_loading()
        rows.query.clear_ordering(force=True)
        rows.query.default_cols = True
        return list(rows.using(self._db_to_write()).select_for_update(of=("self",)))

    def _chosen(self, pks: list[Any]) -> Any:
        rows: Any = self if self.query.annotations else self.model._base_manager.using(self.db)
        return rows.filter(pk__in=pks)

    def _write(self, rows: Sequence[Any], values: dict[str, Any], fields: Sequence[models.Field]) -> int:
        chosen = self._chosen([row.pk for row in rows])
        with accounted():
            count: int = models.QuerySet.update(chosen, **values)
        given = {self.model._meta.get_field(name).name: value for name, value in values.items() if name != "pk"}
        self._tell_written(rows, {each.attname: {row.pk: given[each.name] for row in rows} for each in fields})
        return count

    def _tell_written(self, rows: Sequence[Any], values: dict[str, dict[Any, Any]]) -> None:
        """`values`: what was written, per column and row; what the database worked out is read back."""
        computed = [name for name, of in values.items() if any(hasattr(v, "resolve_expression") for v in of.values())]
        if computed:
            found = self.model._base_manager.using(self.db).filter(pk__in=[row.pk for row in rows])
            for pk, *read in found.values_list("pk", *computed):
                for name, value in zip(computed, read, strict=True):
                    values[name][pk] = value
        changes = []
        for row in rows:
            change = Changed(row)
            for name, of in values.items():
                change.note(name, getattr(row, name), self._as_read(name, of[row.pk]))
            if change.after:
                changes.append(change)
        if changes:
            rows_changed.send(self.model, changes=changes)

    def _as_read(self, name: str, value: Any) -> Any:
        return value.pk if isinstance(value, models.Model) else self.model._meta.get_field(name).to_python(value)  # type: ignore[union-attr]


class SoftDeleteQuerySet(LoggedQuerySet):
    """Deleting moves the rows to the trash, one deletion id for all of them."""

    def alive(self) -> Self:
        return self.filter(deleted_at__isnull=True)

    def deleted(self) -> Self:
        return self.filter(deleted_at__isnull=False)

    def heads(self) -> Self:
        """Of each delete the row that it was about, without what went along: what stands in the trash by itself."""
        rows = self.filter(
            deletion_id__gt=UUID(int=0)
        )  # not NULL, in words that begin a walk of its index on SQLite too
        model = cast("type[SoftDeleteModel]", self.model)
        fields: list[Any] = [field for field in model._meta.concrete_fields if field.name != "deleted_by"]
        own = [field for field in fields if field.related_model is model]
        for field in [*soft_delete.cascades(model), *own]:
            target = field.related_model._base_manager.filter(pk=OuterRef(field.attname))
            rows = rows.exclude(Exists(target.filter(deletion_id=OuterRef("deletion_id"))))
        others = self.model._base_manager.filter(deletion_id=OuterRef("deletion_id"), pk__lt=OuterRef("pk"))
        return rows.exclude(Exists(others))

    def for_trash(self) -> Self:
        """With what a line of the trash shows."""
        model = cast("type[SoftDeleteModel]", self.model)
        return self.select_related("deleted_by", *model.soft_delete_parents(), *({model.OWNER} - {"pk"}))

    def purgeable_by(self, user: Any) -> Self:
        """Of what a person may restore, that which is theirs alone to delete for good."""
        return self

    def search_trash(self, text: str) -> Self:
        """Those in which `text` stands, in what they are called or what they say."""
        return self.search(text)  # type: ignore[attr-defined]  # kinds without a search have their own

    def delete(self, *, by: Any = None, reason: str = "") -> tuple[int, dict[str, int]]:
        return soft_delete.delete(cast("list[SoftDeleteModel]", list(self)), by=by, reason=reason)

    delete.alters_data = True  # type: ignore[attr-defined]  # Django's mark: templates may not call it
    delete.queryset_only = True  # type: ignore[attr-defined]  # as on Django's own: not on managers

    def hard_delete(self) -> tuple[int, dict[str, int]]:
        """Delete the rows for good, with all that Django's own collector finds on them."""
        return super().delete()

    hard_delete.alters_data = True  # type: ignore[attr-defined]  # as above

    def restore(self, *, by: Any = None, reason: str = "") -> int:
        """Undo the deletions that these rows went with; returns how many rows came back."""
        ids: list[UUID] = sorted(set(self.deleted().values_list("deletion_id", flat=True)))
        return sum(soft_delete.restore(deletion_id, by=by, reason=reason) for deletion_id in ids)

    restore.alters_data = True  # type: ignore[attr-defined]  # as above


class AliveManager(models.Manager):
    """Rows that are not in the trash."""

    def get_queryset(self) -> models.QuerySet:
        return super().get_queryset().filter(deleted_at__isnull=True)


def living_with_parents(queryset: models.QuerySet) -> models.QuerySet:
    """Rows that hang on nothing in the trash, however far up.

    Each is asked for by itself: MySQL begins a join at what rows hang on, and then sorts all of them for a page.
    """
    for first, *rest in _paths_to_trash(queryset.model):
        field = queryset.model._meta.get_field(first)
        above = field.related_model._base_manager.filter(pk=OuterRef(field.attname))
        queryset = queryset.exclude(Exists(above.filter(**{"__".join([*rest, "deleted_at", "isnull"]): False})))
    return queryset


def _paths_to_trash(model: type[models.Model], depth: int = 3) -> list[list[str]]:
    """Foreign keys on the way to what a row goes with that can be in the trash: suggestion, template."""
    paths = []
    for field in model._meta.concrete_fields:
        if not isinstance(field, models.ForeignKey) or field.remote_field.on_delete not in {
            models.CASCADE,
            cascade_whole,
        }:
            continue
        if any(each.name == "deletion_id" for each in field.related_model._meta.concrete_fields):
            paths.append([field.name])
        elif depth > 1 and field.related_model is not model:
            paths += [[field.name, *path] for path in _paths_to_trash(field.related_model, depth - 1)]
    return paths
