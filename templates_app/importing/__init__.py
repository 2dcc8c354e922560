"""Putting the records of a collection into the library: in batches, each of them whole and audited.

A template knows its place in the collection (`source`, `source_id`) and what the collection said of it the last time,
so that a repeated import changes what changed there and leaves alone what people changed here.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from promptlib.core.transactions import in_transaction
from templates_app.importers import BadRecord, TemplateRecord
from templates_app.importing.batches import AS_IN_FILE, Batches, Options
from templates_app.importing.outcomes import Choice, Kind, Outcome, words
from templates_app.models import Category, PromptTemplate

__all__ = ["AS_IN_FILE", "BATCH_RECORDS", "Choice", "Kind", "Outcome", "import_records", "words"]

BATCH_RECORDS = 200
BATCH_CHARACTERS = 2_000_000


def import_records(
    records: Iterable[TemplateRecord | BadRecord],
    *,
    owner: Any,
    visibility: str = PromptTemplate.Visibility.PRIVATE,
    category: Category | None = None,
    note: str = "",
    dry_run: bool = False,
    conflicts: Choice = Choice.KEEP,
    choices: Mapping[str, Choice] | None = None,
    believes_people: bool = False,
) -> Iterator[Outcome]:
    """Make or renew `owner`'s template for each record, and say of each, in order, what became of it.

    Up to 200 records are one transaction, rows of the audit log included: an import that is ended half-way leaves whole
    batches, and the same import again completes it. Neither a record that is bad nor one that the database refuses
    keeps the others out. New templates get `visibility` (AS_IN_FILE: the file's) and are put on the shelf `category`
    (None: the file's); `note` is their change note. Where something was changed both here and in the file, `choices`
    says by the record's place which is kept, and `conflicts` where `choices` does not. With `believes_people` ratings
    and authors are those that the file names, as far as they have an account. A dry run writes nothing.
    """
    options = Options(
        owner, visibility, category, note, dry_run, conflicts, choices or {}, believes_people=believes_people
    )
    batches = Batches(options)
    for group in _groups(records):
        yield from batches.take_in(group)
    in_transaction(batches.link_forks)


def _groups(records: Iterable[TemplateRecord | BadRecord]) -> Iterator[list[TemplateRecord | BadRecord]]:
    """The records in groups that fit into one transaction, none of them naming the same template twice."""
    group: list[TemplateRecord | BadRecord] = []
    keys: set[tuple[str, str]] = set()
    size = 0
    for each in records:
        key = (each.source, each.source_id) if isinstance(each, TemplateRecord) else None
        length = len(each.body) if isinstance(each, TemplateRecord) else 0
        if group and (len(group) >= BATCH_RECORDS or size + length > BATCH_CHARACTERS or key in keys):
            yield group
            group, keys, size = [], set(), 0
        group.append(each)
        size += length
        if key:
            keys.add(key)
    if group:
        yield group
