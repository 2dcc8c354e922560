"""An import in the browser: the upload is kept, looked at, and brought in, by a thread that says how far it is.

Both the looking and the import are passes over the file, conversation by conversation. The row says which pass and how
far (`done` of `total`, `outcomes`), about once a second, so it goes on when the tab is closed, and when its process is
killed, whoever asks for it goes on from there: what is in already is not brought in twice, whatever was told of it.

`updated_at` is both heartbeat and fence: a worker writes only while the row bears the stamp it wrote last.
"""

import io
import logging
import queue
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from time import monotonic
from typing import IO, Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from audit.context import Origin, acting, current_origin, request_id
from conversations.importers import ImportFileError, Source, open_source
from conversations.importing import Kind, Outcome, import_conversations
from conversations.models import ConversationImport, ImportPart
from promptlib.core.transactions import release_connection

PART_BYTES = 1024 * 1024
MAX_WAITING = 10
WAITING_DAYS = 7
THREADS = 2
SAVE_SECONDS = 1.0
SILENT_SECONDS = 90
"""How long a job may be silent before its process must be dead: 10,000 interactions at once take a third of it."""

Status = ConversationImport.Status
logger = logging.getLogger(__name__)


class Job(NamedTuple):
    """One pass to be made, by whoever holds the stamp."""

    upload_id: UUID
    stamp: Any
    origin: Origin
    language: str


_waiting: "queue.SimpleQueue[Job]" = queue.SimpleQueue()
_lock = threading.Lock()
_threads = 0
_idle = 0


def keep_upload(owner: Any, *, file: IO[bytes], filename: str) -> ConversationImport:
    """Take the file in and begin to look at it. Raises ImportFileError at once for one that cannot be read at all."""
    limit = settings.CONVERSATION_IMPORT_MB
    data = file.read(limit * 1024 * 1024 + 1)
    if len(data) > limit * 1024 * 1024:
        told = {"file": filename, "limit": limit}
        raise ImportFileError(
            _("%(file)s is larger than %(limit)d MB. Of a ZIP, upload the conversations.json in it by itself.") % told
        )
    source = open_source(io.BytesIO(data), filename)
    _forget_old(owner)
    with transaction.atomic():
        upload = ConversationImport.objects.create(
            owner=owner, filename=filename[:255], format=source.format, total=source.count
        )
        for number, start in enumerate(range(0, len(data), PART_BYTES)):
            piece = zlib.compress(data[start : start + PART_BYTES], 6)
            ImportPart.objects.create(upload=upload, number=number, content=piece)
    _claim(ConversationImport.objects.all(), upload)
    return upload


def begin(upload: ConversationImport) -> bool:
    """From the preview to the import; False where it was begun before (the second click)."""
    ready = ConversationImport.objects.filter(pk=upload.pk, status=Status.PREVIEW, finished_at__isnull=False)
    return _claim(ready, upload, status=Status.RUNNING, done=0, outcomes=[], error="", finished_at=None)


def go_on(upload: ConversationImport) -> bool:
    """Take up a pass that broke off; False where somebody is at work on it, or it is at its end."""
    open_ = ConversationImport.objects.filter(pk=upload.pk, finished_at=None).exclude(status=Status.FAILED)
    return _claim(open_.filter(~Q(error="") | Q(updated_at__lt=timezone.now() - silence())), upload, error="")


def has_broken_off(upload: ConversationImport) -> bool:
    """Whether a pass was begun that nobody is making any more."""
    if upload.finished_at is not None:
        return False
    return bool(upload.error) or upload.updated_at < timezone.now() - silence()


def silence() -> timedelta:
    return timedelta(seconds=SILENT_SECONDS)


def work(job: Job) -> None:
    """Make one pass. Raises nothing but for a database that is gone."""
    upload = ConversationImport.objects.select_related("owner").filter(pk=job.upload_id, updated_at=job.stamp).first()
    if upload is None or upload.finished_at is not None:
        return
    origin = job.origin
    with acting(upload.owner, ip=origin.ip, user_agent=origin.user_agent, request_id=origin.request_id):
        _Pass(upload).go()


# ---- one pass --------------------------------------------------------------


class _Overtaken(Exception):
    """Somebody else has taken the job over, or thrown it away."""


class _Pass:
    def __init__(self, upload: ConversationImport) -> None:
        self.upload = upload
        self.is_dry = upload.status == Status.PREVIEW
        self.saved = monotonic()
        self.cost = 0.0

    def go(self) -> None:
        upload = self.upload
        try:
            for outcome in self._outcomes(_opened(upload)):
                upload.outcomes.append(_told(outcome, upload))
                if monotonic() - self.saved > max(SAVE_SECONDS, 20 * self.cost):
                    self._save()
            self._finish()
        except _Overtaken:
            return
        except ImportFileError as error:
            self._give_up(status=Status.FAILED, error=str(error), finished_at=timezone.now())
        except Exception:
            logger.exception("An import of conversations failed.", extra={"upload_id": str(upload.pk)})
            self._give_up(error=_("Something went wrong in promptlib itself; staff find it in the log."))

    def _outcomes(self, source: Source) -> Iterator[Outcome]:
        """From where the last worker was: what it told is kept, what it did since is found done already."""
        upload = self.upload
        upload.total = max(source.count, len(upload.outcomes))
        records = iter(source)
        for _told_already in upload.outcomes:
            next(records, None)
        note = _("Imported from %(file)s") % {"file": upload.filename}
        yield from import_conversations(records, owner=upload.owner, note=note, dry_run=self.is_dry)

    def _finish(self) -> None:
        self.upload.total = len(self.upload.outcomes)
        done = {} if self.is_dry else {"status": Status.DONE}
        with transaction.atomic():
            self._save(finished_at=timezone.now(), **done)
            if not self.is_dry:
                self.upload.parts.all().delete()

    def _give_up(self, **fields: Any) -> None:
        with suppress(_Overtaken):
            self._save(**fields)

    def _save(self, **fields: Any) -> None:
        upload, started = self.upload, monotonic()
        upload.done = len(upload.outcomes)
        values = {"done": upload.done, "total": upload.total, "outcomes": upload.outcomes, **fields}
        _stamp(ConversationImport.objects.filter(updated_at=upload.updated_at), upload, **values)
        self.saved = monotonic()
        self.cost = self.saved - started


def _stamp(held: QuerySet[ConversationImport], upload: ConversationImport, **fields: Any) -> None:
    now = max(timezone.now(), upload.updated_at + timedelta(microseconds=1))
    if not held.filter(pk=upload.pk).update(updated_at=now, **fields):
        raise _Overtaken
    for name, value in {**fields, "updated_at": now}.items():
        setattr(upload, name, value)


def _claim(rows: QuerySet[ConversationImport], upload: ConversationImport, **fields: Any) -> bool:
    try:
        _stamp(rows, upload, **fields)
    except _Overtaken:
        return False
    origin = current_origin()
    origin = Origin(ip=origin.ip, user_agent=origin.user_agent, request_id=request_id())
    job = Job(upload.pk, upload.updated_at, origin, translation.get_language() or settings.LANGUAGE_CODE)
    transaction.on_commit(lambda: _start(job))
    return True


def _opened(upload: ConversationImport) -> Source:
    pieces = upload.parts.order_by("number").values_list("content", flat=True)
    data = b"".join(zlib.decompress(bytes(piece)) for piece in pieces.iterator(chunk_size=8))
    return open_source(io.BytesIO(data), upload.filename)


def _told(outcome: Outcome, upload: ConversationImport) -> dict[str, Any]:
    """An outcome as the row keeps it. What an earlier worker made and could not tell any more is new, not the same."""
    conversation, kind = outcome.conversation, outcome.kind
    if kind is Kind.SAME and conversation is not None and conversation.pk > upload.pk:
        kind = Kind.CREATED
    told = {"kind": kind.value, "place": outcome.place, "title": outcome.title[:300], "reason": outcome.reason[:500]}
    link = str(conversation.pk) if conversation is not None else ""
    return {name: value for name, value in {**told, "conversation": link, "added": outcome.added}.items() if value}


def _forget_old(owner: Any) -> None:
    """Uploads that nobody imports do not pile up."""
    waiting = ConversationImport.objects.filter(owner=owner).exclude(status__in=(Status.DONE, Status.RUNNING))
    keep = list(waiting.order_by("-id").values_list("pk", flat=True)[: MAX_WAITING - 1])
    waiting.exclude(pk__in=keep).delete()
    waiting.filter(created_at__lt=timezone.now() - timedelta(days=WAITING_DAYS)).delete()


# ---- threads ---------------------------------------------------------------


def _start(job: Job) -> None:
    global _threads
    _waiting.put(job)
    with _lock:
        if _idle < _waiting.qsize() and _threads < THREADS:
            _threads += 1
            threading.Thread(target=_work, name=f"import-{_threads}", daemon=True).start()


def _work() -> None:
    while True:
        with _counted_idle():
            job = _waiting.get()
        try:
            with translation.override(job.language):
                work(job)
        except Exception:
            logger.exception("An import could not be saved.", extra={"upload_id": str(job.upload_id)})
        finally:
            release_connection()


@contextmanager
def _counted_idle() -> Iterator[None]:
    global _idle
    with _lock:
        _idle += 1
    try:
        yield
    finally:
        with _lock:
            _idle -= 1
