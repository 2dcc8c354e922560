"""Writing templates in the formats of promptlib and of other tools.

`FORMATS` says what there is. `export` streams: whatever the size of the library, a hundred templates are in memory.
What a format cannot hold is listed in `docs/formats.md`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.context import Origin, acting, current_origin
from audit.models import AuditLog
from audit.services import record_many
from promptlib.core.zips import stream_zip
from templates_app.exporters.files import write_dotprompt, write_prompty
from templates_app.exporters.own import write_csv, write_json, write_markdown
from templates_app.exporters.records import records_of
from templates_app.exporters.tools import write_langfuse, write_openwebui, write_prompts_chat
from templates_app.importers import TemplateRecord
from templates_app.models import PromptTemplate

CHUNK = 100


@dataclass(frozen=True)
class Format:
    """A format. `write` gives the text of many templates; `write_one` the file of one, many are then a ZIP."""

    name: str
    title: Promise | str
    note: Promise | str
    suffix: str
    content_type: str
    write: Callable[[Iterable[TemplateRecord]], Iterator[str]] | None = None
    write_one: Callable[[TemplateRecord], str] | None = None
    has_history: bool = False


_JSON, _CSV, _PLAIN = "application/json", "text/csv; charset=utf-8", "text/plain; charset=utf-8"

FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format(
            name="json",
            title=_("promptlib JSON"),
            note=_("Everything: all versions, labels, ratings, where it comes from. The one to keep as a copy."),
            suffix="json",
            content_type=_JSON,
            write=write_json,
            has_history=True,
        ),
        Format(
            name="markdown",
            title=_("Markdown"),
            note=_("A text file each, with every field above the prompt."),
            suffix="md",
            content_type="text/markdown; charset=utf-8",
            write_one=write_markdown,
        ),
        Format(
            name="csv",
            title=_("CSV"),
            note=_("A table for a spreadsheet, a row each."),
            suffix="csv",
            content_type=_CSV,
            write=write_csv,
        ),
        Format(
            name="langfuse",
            title=_("Langfuse"),
            note=_("JSON with all versions and labels, as Langfuse’s API takes them."),
            suffix="json",
            content_type=_JSON,
            write=write_langfuse,
            has_history=True,
        ),
        Format(
            name="open-webui",
            title=_("Open WebUI"),
            note=_("JSON for Workspace → Prompts → Import."),
            suffix="json",
            content_type=_JSON,
            write=write_openwebui,
        ),
        Format(
            name="prompts-chat",
            title=_("prompts.chat"),
            note=_("A CSV of act and prompt. It has no place for a system prompt of its own."),
            suffix="csv",
            content_type=_CSV,
            write=write_prompts_chat,
        ),
        Format(
            name="dotprompt",
            title=_("Dotprompt"),
            note=_("A .prompt file each, for Genkit and Firebase."),
            suffix="prompt",
            content_type=_PLAIN,
            write_one=write_dotprompt,
        ),
        Format(
            name="prompty",
            title=_("Prompty"),
            note=_("A .prompty file each, for Azure AI and VS Code."),
            suffix="prompty",
            content_type=_PLAIN,
            write_one=write_prompty,
        ),
    )
}


@dataclass(frozen=True)
class Export:
    """A file on its way: what it is called, what it is, and its bytes as they are made."""

    filename: str
    content_type: str
    chunks: Iterator[bytes]


def export(
    pks: Sequence[Any],
    format_: Format,
    *,
    reader: Any,
    name: str = "",
    by: Any = None,
) -> Export:
    """The templates with these keys, as far as `reader` may see them.

    Each hundred is in the audit log before it is sent, as the act of `by`, by default the reader's: the stream outlives
    the request.
    One template alone is its own file in any format; several of a format that has a file each are a ZIP.
    """
    is_zip = format_.write_one is not None and len(pks) != 1
    suffix = "zip" if is_zip else format_.suffix
    records = _records(pks, format_, reader, by or reader, current_origin())
    if is_zip:
        chunks = stream_zip(_named(records, format_))
    elif format_.write_one is not None:
        write_one = format_.write_one
        chunks = (write_one(record).encode() for record in records)
    else:
        assert format_.write is not None
        chunks = (text.encode() for text in format_.write(records))
    return Export(f"{name or 'promptlib'}.{suffix}", "application/zip" if is_zip else format_.content_type, chunks)


def _records(pks: Sequence[Any], format_: Format, reader: Any, by: Any, origin: Origin) -> Iterator[TemplateRecord]:
    for start in range(0, len(pks), CHUNK):
        found = records_of(list(pks[start : start + CHUNK]), reader=reader, history=format_.has_history)
        templates = [template for template, _record in found]
        with acting(origin.actor, ip=origin.ip, user_agent=origin.user_agent, request_id=origin.request_id):
            record_many(AuditLog.Action.EXPORT, templates, changes={"format": [None, format_.name]}, actor=by)
        for _template, record in found:
            yield record


def _named(records: Iterator[TemplateRecord], format_: Format) -> Iterator[tuple[str, list[bytes]]]:
    assert format_.write_one is not None
    seen: dict[str, int] = {}
    for record in records:
        slug = PromptTemplate.slug_of(record.title)[:80]
        seen[slug] = number = seen.get(slug, 0) + 1
        filename = f"{slug}.{format_.suffix}" if number == 1 else f"{slug}~{number}.{format_.suffix}"
        yield filename, [format_.write_one(record).encode()]
