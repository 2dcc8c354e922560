"""Writing conversations: promptlib's own JSON, Markdown, pages of HTML, a CSV of interactions.

Everything streams: whatever is exported, a hundred interactions are in memory. What each format holds is listed in
`docs/formats.md`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from conversations.exporters.markdown import write_markdown
from conversations.exporters.own import write_json
from conversations.exporters.page import write_page
from conversations.exporters.reading import AccessLost, Thread, read_threads
from conversations.exporters.table import write_csv
from promptlib.core.zips import stream_zip
from templates_app.exporters import Export
from templates_app.models import PromptTemplate

__all__ = ["FORMATS", "Export", "Format", "export"]


@dataclass(frozen=True)
class Format:
    """A format. `write` gives the text of many conversations; `write_one` the file of one, many are then a ZIP."""

    name: str
    title: Promise
    note: Promise
    suffix: str
    content_type: str
    write: Callable[[Iterable[Thread]], Iterator[str]] | None = None
    write_one: Callable[[Thread], Iterator[str]] | None = None


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format(
            name="json",
            title=_("promptlib JSON"),
            note=_(
                "Everything: all branches, numbers, remarks, tags. The one to keep as a copy, or to import elsewhere."
            ),
            suffix="json",
            content_type="application/json",
            write=write_json,
        ),
        Format(
            name="markdown",
            title=_("Markdown"),
            note=_("A text file of each conversation, with every question and answer."),
            suffix="md",
            content_type="text/markdown; charset=utf-8",
            write_one=write_markdown,
        ),
        Format(
            name="html",
            title=_("HTML page"),
            note=_("A page of each conversation that opens anywhere, loads nothing, and prints well."),
            suffix="html",
            content_type="text/html; charset=utf-8",
            write_one=write_page,
        ),
        Format(
            name="csv",
            title=_("CSV"),
            note=_("A table for a spreadsheet: a row for each interaction, with its tokens, times and cost."),
            suffix="csv",
            content_type="text/csv; charset=utf-8",
            write=write_csv,
        ),
    )
}


def export(pks: Sequence[UUID], format_: Format, *, reader: Any, name: str = "", by: Any = None) -> Export:
    """The conversations with these keys, as far as `reader` may see them. One alone is its own file in any format.

    Where the reader's right ends half-way, so does the file. In the audit log it is the act of `by`, by default the
    reader's.
    """
    is_zip = format_.write_one is not None and len(pks) != 1
    threads = read_threads(pks, reader=reader, format_=format_.name, by=by or reader)
    if is_zip:
        chunks = stream_zip(_named(threads, format_))
    elif format_.write_one is not None:
        write_one = format_.write_one
        chunks = (text.encode() for thread in threads for text in write_one(thread))
    else:
        assert format_.write is not None
        chunks = (text.encode() for text in format_.write(threads))
    suffix, type_ = ("zip", "application/zip") if is_zip else (format_.suffix, format_.content_type)
    return Export(f"{name or 'conversations'}.{suffix}", type_, _until_access_is_lost(chunks))


def _until_access_is_lost(chunks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from chunks
    except AccessLost:
        return


def _named(threads: Iterator[Thread], format_: Format) -> Iterator[tuple[str, Iterator[bytes]]]:
    assert format_.write_one is not None
    seen: dict[str, int] = {}
    for thread in threads:
        slug = PromptTemplate.slug_of(thread.conversation.title)[:80]
        seen[slug] = number = seen.get(slug, 0) + 1
        filename = f"{slug}.{format_.suffix}" if number == 1 else f"{slug}~{number}.{format_.suffix}"
        yield filename, (text.encode() for text in format_.write_one(thread))
