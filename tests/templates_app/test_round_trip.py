"""Records of every collection: imported, exported in each format, and imported again into an empty library.

Of long collections every tenth; a whole proof takes all.

What a format cannot hold stands in `docs/formats.md`; seven of the eight hold all of what a template is now.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from accounts.models import User
from templates_app.exporters import FORMATS, export
from templates_app.importers import TemplateRecord, read_bytes, read_file
from templates_app.importers.own import content_of
from templates_app.importing import AS_IN_FILE, Kind, import_records
from templates_app.models import PromptTemplate, TemplateVersion
from templates_app.rendering import segments
from tests.factories import UserFactory
from tests.proof import size

COLLECTIONS = {
    "awesome-chatgpt-prompts-zh.json": 124,
    "deepset-prompthub.jsonl": 19,
    "dotprompt-samples.jsonl": 27,
    "fabric-patterns.jsonl": 225,
    "lobe-agents-6-languages.jsonl": 360,
    "prompts-chat.csv": 1282,
    "prompty-samples.jsonl": 89,
}
OTHER_DOLLARS = {"fabric-patterns.jsonl": 1}
"""Texts of other collections that hold ${…} of their own."""
LONG = 200
"""Collections with more records go round on SQLite alone: the formats are the same, and MySQL takes minutes."""
EACH = [pytest.param(*each, marks=[pytest.mark.sqlite_only] if each[1] > LONG else []) for each in COLLECTIONS.items()]
HOLD_EVERYTHING = ("json", "markdown", "csv", "langfuse", "open-webui", "dotprompt", "prompty")

Library = dict[str, dict[str, Any]]


def library_of(owner: User) -> Library:
    """All that an export may hold of each template, by its place in its collection."""
    templates = PromptTemplate.objects.filter(owner=owner).select_related("current_version", "category")
    return {
        f"{template.source}/{template.source_id}": {
            **{name: getattr(template, name) for name in ("title", "summary", "language", "status", "visibility")},
            "category": template.category.slug if template.category else "",
            "tags": sorted(tag.slug for tag in template.tags.all()),
            "metadata": {k: v for k, v in template.metadata.items() if k not in {"imported", "brought"}},
            **{name: getattr(template.current_version, name) for name in TemplateVersion.CONTENT},
        }
        for template in templates.prefetch_related("tags")
    }


@contextmanager
def empty_library() -> Iterator[User]:
    with transaction.atomic():
        assert not PromptTemplate.all_objects.exists()
        yield UserFactory(handle="nora")
        transaction.set_rollback(True)


def written(owner: User, name: str) -> tuple[str, bytes]:
    pks = list(PromptTemplate.objects.filter(owner=owner).order_by("id").values_list("pk", flat=True))
    exported = export(pks, FORMATS[name], reader=owner)
    return exported.filename, b"".join(exported.chunks)


def imported(owner: User, data: bytes, filename: str) -> set[Kind]:
    records = read_bytes(data, filename)
    return {outcome.kind for outcome in import_records(records, owner=owner, visibility=AS_IN_FILE)}


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize(("name", "count"), EACH)
def test_records_come_back_from_every_format(test_data: Path, name: str, count: int) -> None:
    with empty_library() as ines:
        records = list(read_file(test_data / "prompts" / name))[:: size(10, 1) if count > LONG else 1]
        list(import_records(records, owner=ines))
        before = library_of(ines)
        files = {format_: written(ines, format_) for format_ in HOLD_EVERYTHING}
    assert len(before) == len(records)
    for format_, (filename, data) in files.items():
        with empty_library() as nora:
            assert imported(nora, data, filename) == {Kind.CREATED}
            after = library_of(nora)
            different = {
                key: (before.get(key), after.get(key)) for key in before | after if before.get(key) != after.get(key)
            }
            assert (format_, different) == (format_, {})
            assert (format_, imported(nora, data, filename)) == (format_, {Kind.SAME})


@cache
def records_of(folder: Path, name: str) -> list[TemplateRecord]:
    return [record for record in read_file(folder / "prompts" / name) if isinstance(record, TemplateRecord)]


@pytest.mark.parametrize(("name", "count"), COLLECTIONS.items())
def test_prompts_chat_keeps_titles_and_texts(test_data: Path, name: str, count: int) -> None:
    """It has an act and a prompt: the system prompt stands before the body, and ${…} of the text itself is read as a
    variable."""
    records = records_of(test_data, name)
    data = "".join(FORMATS["prompts-chat"].write(records)).encode()  # type: ignore[misc]  # it is not None
    back = [record for record in read_bytes(data, "prompts.csv") if isinstance(record, TemplateRecord)]
    assert len(back) == len(records) == count
    kept = [
        (record.metadata.get("full_title") if record.source == "prompts.chat" else None) or record.title
        for record in records
    ]
    assert [record.metadata.get("full_title") or record.title for record in back] == kept
    texts = ["\n\n".join(filter(None, [record.system_prompt, record.body])) for record in records]
    changed = {
        record.title: text
        for record, text, again in zip(records, texts, back, strict=True)
        if _spaced(again.body) != _spaced(text)
    }
    assert all("${" in text for text in changed.values())
    assert len(changed) == OTHER_DOLLARS.get(name, 0)
    if name == "prompts-chat.csv":
        assert [content_of(record) for record in back] == [content_of(record) for record in records]


def _spaced(text: str) -> str:
    """Braces around a name, in our own spelling: ${x} comes back as {{ x }} where {{x}} stood."""
    return "".join(f"{{{{ {part.name} }}}}" if part.name else part.text for part in segments(text))
