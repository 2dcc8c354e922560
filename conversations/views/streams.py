"""Reading along while an answer is written: server-sent events. Nothing is written here, no connection is held."""

import json
import threading
import time
from collections.abc import Iterator
from time import monotonic
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from conversations.models import Prompt
from conversations.services import broker
from conversations.services.following import following
from conversations.services.rights import Reader
from conversations.views import access
from promptlib.core.threads import aside
from promptlib.core.transactions import release_connection

PAUSE_SECONDS = 0.0025
"""After a piece, for each reader in this process: one sees each word, two hundred leave time for pages."""

BEAT_SECONDS = 15.0
RECONNECT_MS = 1000

_places = threading.BoundedSemaphore(settings.STREAMS_PER_PROCESS)
_open: set["_Tail"] = set()


@login_required
@require_GET
def stream(request: HttpRequest, pk: UUID, prompt_pk: UUID) -> HttpResponseBase:
    """Events `text` ({offset, text}) and, once the answer is saved, `end`. The id of an event is where to go on."""
    prompt = access.read_prompt(request, pk, prompt_pk)
    if not _places.acquire(blocking=False):
        return HttpResponse(status=503, headers={"Retry-After": "2"})  # the page asks for the turn now and then
    release_connection()
    last = request.headers.get("Last-Event-ID", "")
    offset = int(last) if last.isascii() and last.isdigit() and len(last) < 10 else 0
    response = StreamingHttpResponse(_Tail(prompt, request.user.pk, offset), content_type="text/event-stream")
    response["Cache-Control"] = "no-cache, no-transform"
    response["X-Accel-Buffering"] = "no"
    return response


class _Tail:
    """The events of one reader. Closed by the server when the reader leaves or the answer has ended."""

    def __init__(self, prompt: Prompt, user_id: Any, offset: int) -> None:
        self.prompt_id, self.user_id, self.offset = prompt.pk, user_id, offset
        self.reader = Reader(prompt.conversation_id, user_id)
        self.is_closed = False
        self.events = self._events()
        _open.add(self)

    def __iter__(self) -> Iterator[bytes]:
        return self.events

    def close(self) -> None:
        """Called once the response is done with, also if not one event was asked for."""
        if not self.is_closed:
            self.is_closed = True
            _open.discard(self)
            self.events.close()  # type: ignore[attr-defined]  # a generator
            self.reader.close()
            _places.release()

    def _events(self) -> Iterator[bytes]:
        release_connection()  # middleware may have opened it again since
        yield b"retry: %d\n\n" % RECONNECT_MS
        if (whole := self._whole()) is not None:
            if whole[self.offset :]:
                rest = whole[self.offset :]
                yield self._event("text", {"offset": self.offset, "text": rest}, len(rest))
            yield self._event("end", {})
            return
        until = monotonic() + settings.PROVIDER_TOTAL_SECONDS + BEAT_SECONDS
        beat = monotonic() + BEAT_SECONDS
        with aside(), following(self.prompt_id) as saved:
            while monotonic() < until:
                channel = broker.find(self.prompt_id)  # written in this process: word by word
                text, has_ended = channel.read(self.offset, timeout=1) if channel else saved.read(self.offset, 0.2)
                if not self.reader.may_read():
                    return
                if text:
                    yield self._event("text", {"offset": self.offset, "text": text}, len(text))
                    time.sleep(PAUSE_SECONDS * len(_open))
                if has_ended:
                    yield self._event("end", {})
                    return
                if monotonic() >= beat:
                    if not self._may_read():
                        return
                    yield b": still here\n\n"
                    beat = monotonic() + BEAT_SECONDS

    def _whole(self) -> str | None:
        """The answer if it is finished: most who ask again after a lost connection need nobody to follow it."""
        try:
            finished = Prompt.objects.filter(pk=self.prompt_id, status__in=Prompt.FINISHED)
            return finished.values_list("response_text", flat=True).first()
        finally:
            release_connection()

    def _may_read(self) -> bool:
        """Whether the person still may: a right can be taken away while an answer is being written."""
        try:
            user = get_user_model().objects.filter(pk=self.user_id, is_active=True).first()
            return user is not None and Prompt.objects.visible_to(user).filter(pk=self.prompt_id).exists()
        finally:
            release_connection()

    def _event(self, name: str, data: dict[str, Any], length: int = 0) -> bytes:
        self.offset += length
        return f"id: {self.offset}\nevent: {name}\ndata: {json.dumps(data)}\n\n".encode()
