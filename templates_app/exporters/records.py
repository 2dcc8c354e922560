"""A template as the record that every format is written from, with as much of its history as the reader may have."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Prefetch

from templates_app.importers import History, TemplateRecord, VersionRecord
from templates_app.importers.own import LOCAL_METADATA, SOURCE
from templates_app.models import Label, LabelMove, PromptTemplate, Rating, TemplateVersion
from templates_app.variables import ContractError, Variable, complete_contract, parse_contract


def records_of(pks: list[Any], *, reader: Any, history: bool) -> list[tuple[PromptTemplate, TemplateRecord]]:
    """The templates with these keys that `reader` may see, in the keys' order; 5 queries, with `history` 10.

    What a template's metadata says, and who moved its labels why, is given to those who may edit it.
    """
    templates = PromptTemplate.objects.visible_to(reader).filter(pk__in=pks)
    templates = templates.select_related("owner", "category").prefetch_related("tags", *_related(history))
    found = {template.pk: template for template in templates}
    editable = set(PromptTemplate.objects.editable_by(reader).filter(pk__in=found).values_list("pk", flat=True))
    originals = _originals(found.values(), reader) if history else {}
    return [
        (found[pk], record_of(found[pk], is_whole=pk in editable, originals=originals if history else None))
        for pk in pks
        if pk in found and found[pk].current_version_id
    ]


def _related(history: bool) -> list[Any]:
    if not history:
        return ["current_version"]
    statistics = TemplateVersion.STATISTICS
    versions = TemplateVersion.objects.select_related("author").defer(*statistics).order_by("number")
    ratings = Rating.objects.filter(alive=1).select_related("user", "version").order_by("id")
    moves = LabelMove.objects.select_related("author", "reviewer", "from_version", "to_version").order_by("id")
    texts = ("body", "system_prompt", "examples", "variables", "parameters")
    light = [f"version__{name}" for name in (*texts, *statistics)]
    moved = [f"{end}__{name}" for end in ("from_version", "to_version") for name in (*texts, *statistics)]
    return [
        "current_version",
        Prefetch("versions", versions),
        Prefetch("labels", Label.objects.select_related("version").defer(*light)),
        Prefetch("ratings", ratings.defer(*light)),
        Prefetch("label_moves", moves.defer(*moved)),
    ]


def _originals(templates: Iterable[PromptTemplate], reader: Any) -> dict[Any, dict[str, Any]]:
    """What the templates were forked from, by version: by its place in a collection where the reader may see it."""
    forked = {template.forked_from_id for template in templates if template.forked_from_id}
    if not forked:
        return {}
    versions = TemplateVersion.objects.filter(pk__in=forked).values_list("pk", "number", "template_id")
    rows = {pk: (number, template) for pk, number, template in versions}
    visible = PromptTemplate.objects.visible_to(reader).filter(pk__in={template for _number, template in rows.values()})
    named = {pk: (source or SOURCE, source_id or str(pk)) for pk, source, source_id in _sources(visible)}
    return {
        pk: {
            "id": str(template),
            **dict(zip(("source", "source_id"), named.get(template, ()), strict=False)),
            "version": number,
        }
        for pk, (number, template) in rows.items()
    }


def _sources(templates: Any) -> Any:
    return templates.values_list("pk", "source", "source_id")


def record_of(
    template: PromptTemplate, *, is_whole: bool = True, originals: dict[Any, dict[str, Any]] | None = None
) -> TemplateRecord:
    """`originals` None: without history."""
    version = template.current_version
    assert version is not None
    metadata = {key: value for key, value in template.metadata.items() if key not in LOCAL_METADATA}
    return TemplateRecord(
        place=str(template.pk),
        source=template.source or SOURCE,
        source_id=template.source_id or str(template.pk),
        title=template.title,
        summary=template.summary,
        language=template.language,
        category=template.category.slug if template.category else "",
        tags=tuple(sorted(tag.name for tag in template.tags.all())),
        status=template.status,
        visibility=template.visibility,
        system_prompt=version.system_prompt,
        body=version.body,
        examples=tuple(dict(example) for example in version.examples),
        variables=_contract(version),
        parameters=version.parameters,
        metadata=metadata if is_whole else {},
        origin_id=str(template.pk),
        history=None if originals is None else _history(template, version, originals, is_whole),
    )


def _contract(version: TemplateVersion) -> tuple[Variable, ...]:
    try:
        return parse_contract(version.variables)
    except ContractError:
        texts = [str(example.get("content", "")) for example in version.examples]
        return complete_contract((), version.system_prompt, version.body, *texts)


def _history(
    template: PromptTemplate, current: TemplateVersion, originals: dict[Any, dict[str, Any]], is_whole: bool
) -> History:
    return History(
        versions=tuple(
            VersionRecord(
                number=version.number,
                content={name: getattr(version, name) for name in TemplateVersion.CONTENT},
                change_note=version.change_note,
                author=version.author.handle,
                created_at=version.created_at,
            )
            for version in template.versions.all()
        ),
        current=current.number,
        labels=tuple((label.name, label.version.number, label.is_protected) for label in template.labels.all()),
        forked_from=originals.get(template.forked_from_id, {}),
        people=_people(template, is_whole),
        created_at=template.created_at,
    )


def _people(template: PromptTemplate, is_whole: bool) -> dict[str, Any]:
    """What others did, by their handles. What came with an earlier import and found nobody here goes on with it."""
    brought = template.metadata.get("brought") or {}
    ratings = [
        {
            "user": rating.user.handle,
            "version": rating.version.number,
            "score": rating.score,
            "review": rating.review,
            "model": rating.model,
            "task": rating.task,
            "created_at": moment(rating.created_at),
            "updated_at": moment(rating.updated_at),
        }
        for rating in template.ratings.all()
    ]
    moves = [
        {
            "name": move.name,
            "from": move.from_version.number if move.from_version else None,
            "to": move.to_version.number if move.to_version else None,
            "reason": move.reason,
            "status": move.status,
            "author": move.author.handle,
            "reviewer": move.reviewer.handle if move.reviewer else "",
            "created_at": moment(move.created_at),
        }
        for move in (template.label_moves.all() if is_whole else ())
    ]
    return {
        "owner": template.owner.handle,
        "ratings": ratings + list(brought.get("ratings") or ()) if is_whole else ratings,
        "label_moves": moves + list(brought.get("label_moves") or ()) if is_whole else moves,
    }


def moment(value: dt.datetime) -> str:
    return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
