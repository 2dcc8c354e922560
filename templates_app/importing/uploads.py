"""An import in the browser: an upload, what it would do, and what it did.

The file waits, compressed, in its row until the person says go. The preview is made once, when the file comes in; the
run looks at everything again. What was rejected stays in the row, to be downloaded, mended and imported.
"""

import csv
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from templates_app.exporters.own import to_json
from templates_app.importers import (
    BadRecord,
    ImportFileError,
    TemplateRecord,
    detect,
    promptlib,
    read_bytes,
    tables,
)
from templates_app.importing import import_records
from templates_app.importing.outcomes import Choice, Kind, Outcome
from templates_app.models import Category, LibraryImport

MAX_UPLOAD_BYTES = 16 * 1024 * 1024
MAX_UPLOAD_RECORDS = 10_000
MAX_WAITING = 10
WAITING_DAYS = 7

_CSV = {"csv", "prompts-chat"}
_LISTS = {"langfuse", "open-webui", "awesome-zh"}


def keep_upload(owner: Any, *, data: bytes, filename: str, format: str = "auto") -> LibraryImport:  # noqa: A002
    """Read the file, note what importing it would do, and keep it. Raises ImportFileError; then nothing is kept."""
    if len(data) > MAX_UPLOAD_BYTES:
        limit = {"file": filename, "limit": MAX_UPLOAD_BYTES // (1024 * 1024)}
        raise ImportFileError(_("%(file)s is larger than %(limit)d MiB. Split it into smaller files.") % limit)
    chosen = detect(data, filename) if format == "auto" else format
    outcomes = list(import_records(_limited(read_bytes(data, filename, format=format)), owner=owner, dry_run=True))
    if not outcomes:
        raise ImportFileError(_("There is no prompt in %(file)s.") % {"file": filename})
    _forget_old(owner)
    return LibraryImport.objects.create(
        owner=owner,
        filename=filename[:255],
        format=chosen,
        content=zlib.compress(data, 6),
        options={"counts": _counts(outcomes)},
        outcomes=[_told(outcome) for outcome in outcomes],
    )


def run(
    upload: LibraryImport,
    *,
    by: Any,
    visibility: str,
    category: Category | None = None,
    conflicts: Choice = Choice.KEEP,
    choices: Mapping[str, Choice] | None = None,
) -> bool:
    """Import it, once: False when somebody (the second click) was here before. What breaks off can be run again."""
    claimed = LibraryImport.objects.filter(pk=upload.pk, finished_at=None).update(finished_at=timezone.now())
    if not claimed:
        return False
    try:
        data = zlib.decompress(bytes(upload.content))
        outcomes = list(
            import_records(
                _limited(read_bytes(data, upload.filename, format=upload.format)),
                owner=by,
                visibility=visibility,
                category=category,
                note=_("Imported from %(file)s") % {"file": upload.filename},
                conflicts=conflicts,
                choices=choices,
            )
        )
    except BaseException:
        LibraryImport.objects.filter(pk=upload.pk).update(finished_at=None)
        raise
    suffix, rejected = _rejected(upload.format, data, [each for each in outcomes if each.kind is Kind.BAD])
    upload.finished_at = timezone.now()
    upload.options = {"counts": _counts(outcomes), "is_run": True, "rejected": suffix}
    upload.outcomes = [_told(outcome) for outcome in outcomes]
    upload.content = zlib.compress(rejected.encode("utf-8", "replace")) if rejected else b""
    upload.save(update_fields=["finished_at", "options", "outcomes", "content"])
    return True


def rejected_records(upload: LibraryImport) -> tuple[str, bytes] | None:
    """The name and content of the file of what was rejected; None where there is none."""
    suffix = upload.options.get("rejected")
    if not suffix or not upload.content:
        return None
    stem = upload.filename.rpartition(".")[0] or upload.filename
    return f"{stem}-rejected.{suffix}", zlib.decompress(bytes(upload.content))


def _limited(records: Iterable[TemplateRecord | BadRecord]) -> Iterable[TemplateRecord | BadRecord]:
    for number, record in enumerate(records):
        if number >= MAX_UPLOAD_RECORDS:
            limit = {"limit": f"{MAX_UPLOAD_RECORDS:,}"}
            raise ImportFileError(_("The file holds more than %(limit)s entries. Split it into smaller files.") % limit)
        yield record


def _forget_old(owner: Any) -> None:
    """Uploads that nobody runs do not pile up."""
    waiting: QuerySet[LibraryImport] = LibraryImport.objects.filter(owner=owner, finished_at=None).defer("content")
    keep = list(waiting.order_by("-id").values_list("pk", flat=True)[: MAX_WAITING - 1])
    waiting.exclude(pk__in=keep).delete()
    waiting.filter(created_at__lt=timezone.now() - timedelta(days=WAITING_DAYS)).delete()


def _counts(outcomes: Iterable[Outcome]) -> dict[str, int]:
    return dict(Counter(str(outcome.kind) for outcome in outcomes))


def _told(outcome: Outcome) -> dict[str, Any]:
    return {
        "kind": str(outcome.kind),
        "place": outcome.place,
        "title": outcome.title,
        "reason": outcome.reason,
        "template": str(outcome.template.pk) if outcome.template and outcome.kind is not Kind.BAD else "",
        "differs": list(outcome.differs),
    }


# ---- what was rejected -------------------------------------------------------


def _rejected(format_: str, data: bytes, bad: list[Outcome]) -> tuple[str, str]:
    """The rejected entries as a file of their own kind (its suffix, its text), else as JSON lines with the reasons."""
    if not bad:
        return "", ""
    if format_ in _CSV:
        header = _header(data.decode("utf-8-sig", "replace"))
        return "csv", header + "".join(_line(outcome.raw) for outcome in bad)
    if format_ in _LISTS:
        return "json", "[\n" + ",\n".join(_unlisted(outcome.raw) for outcome in bad) + "\n]\n"
    if format_ == promptlib.NAME:
        head = to_json({"format": promptlib.NAME, "version": promptlib.FORMAT_VERSION})
        return "json", f'{head[:-1]}, "templates": [\n' + ",\n".join(outcome.raw for outcome in bad) + "\n]}\n"
    if format_ != "zip" and all(outcome.raw.lstrip().startswith("{") for outcome in bad):
        return "jsonl", "".join(_line(outcome.raw) for outcome in bad)
    if format_ != "zip" and len(bad) == 1:
        return {"dotprompt": "prompt", "prompty": "prompty", "markdown": "md"}.get(format_, "txt"), bad[0].raw
    lines = ({"place": each.place, "reason": each.reason, "record": each.raw} for each in bad)
    return "jsonl", "".join(to_json(line) + "\n" for line in lines)


def _header(text: str) -> str:
    lines = tables.Lines(text)
    next(csv.reader(lines), None)
    return _line(lines.take())


def _line(raw: str) -> str:
    return raw if raw.endswith(("\n", "\r")) else f"{raw}\n"


def _unlisted(raw: str) -> str:
    """An entry that was put together of several stands as a list: without its brackets it is the several again."""
    text = raw.strip()
    return text[1:-1] if text.startswith("[") else text
