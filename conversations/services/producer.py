"""Getting the answers: a few threads of this process that call models and save what they say.

No database connection is held while a model is waited for. Whatever happens, a row that was begun here is ended here.
"""

import atexit
import contextlib
import logging
import queue
import threading
from collections.abc import Iterator
from time import monotonic
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from audit.context import Origin, acting, current_origin, request_id
from conversations.models import AIModel, Prompt
from conversations.providers import ChatRequest, Finished, ProviderError, TextDelta, Usage, prices, stream_chat
from conversations.services import broker
from conversations.services.finishing import UNFINISHED, finish
from conversations.services.messages import messages_for
from conversations.services.sweeping import sweep_orphans
from promptlib.core.transactions import release_connection

THREADS = 100
DATABASE_THREADS = 12
"""So many of them are at the database at once; the others wait for models, or for their turn."""

SAVE_SECONDS = 1.0
SAVE_ATTEMPTS = 4
SWEEP_SECONDS = 60.0
BEATS = 6
"""How many signs of life an answer gives while it might be taken for an orphan."""

STOPPED = "stopped"

logger = logging.getLogger(__name__)

_waiting: "queue.SimpleQueue[tuple[UUID, Origin, str]]" = queue.SimpleQueue()
_lock = threading.Lock()
_turns = threading.BoundedSemaphore(DATABASE_THREADS)
_threads = 0
_idle = 0
_swept = 0.0
_ours: set[UUID] = set()
"""What this process is to answer: waiting its turn or being written."""


def start_on_commit(prompt_id: UUID) -> None:
    """Produce the answer in the background once this transaction is committed, in the language of its request."""
    origin = current_origin()
    origin = Origin(ip=origin.ip, user_agent=origin.user_agent, request_id=request_id())
    language = translation.get_language()
    transaction.on_commit(lambda: start(prompt_id, origin, language))


def start(prompt_id: UUID, origin: Origin = Origin(), language: str | None = None) -> None:  # noqa: B008  # frozen
    """Produce the answer in the background. At most 100 are being written at once; the others wait their turn."""
    global _threads
    _ours.add(prompt_id)
    _waiting.put((prompt_id, origin, language or settings.LANGUAGE_CODE))
    with _lock:
        if _idle < _waiting.qsize() and _threads < THREADS:
            if not _threads:
                atexit.unregister(_close_down)
                atexit.register(_close_down)
                threading.Thread(target=_save_every_second, name="answers-save", daemon=True).start()
            _threads += 1
            threading.Thread(target=_work, name=f"answer-{_threads}", daemon=True).start()


def produce(prompt_id: UUID, origin: Origin = Origin()) -> bool:  # noqa: B008  # frozen
    """Answer one pending interaction here and now; False if it is no longer pending. Raises nothing but for a
    database that is gone."""
    with _at_database():
        prompts = Prompt.all_objects.select_related("author", "ai_model", "template_version")
        prompt = prompts.filter(pk=prompt_id).first()
        pending = Prompt.all_objects.filter(pk=prompt_id, status=Prompt.Status.PENDING)
        pending = pending.unlogged("a run is told when it is asked for and when it ends")
        if prompt is None or not pending.update(status=Prompt.Status.STREAMING, updated_at=timezone.now()):
            return False
    prompt.status = Prompt.Status.STREAMING
    by_author = acting(prompt.author, ip=origin.ip, user_agent=origin.user_agent, request_id=origin.request_id)
    with by_author, broker.channel_for(prompt_id) as channel:
        _Run(prompt, channel).go()
    return True


def cost_of(prompt: Prompt, usage: Usage) -> dict[str, Any]:
    """Cost and currency by the price valid on the day of the question; nothing where a price or a count is unknown."""
    price = prompt.ai_model.price_on(prompt.created_at.date()) if prompt.ai_model else None
    if price is None or usage.input_tokens is None or usage.output_tokens is None:
        return {}
    known = prices.Price(price.input_price, price.output_price, price.cached_price, price.currency)
    return {"cost": prices.cost(usage, known), "currency": price.currency}


def save_partials() -> None:
    """Save what has arrived of every answer being written here, and learn which of them somebody wants stopped."""
    channels = broker.open_channels()
    unsaved = {prompt_id: text for prompt_id, channel in channels.items() if (text := channel.unsaved_text())}
    with transaction.atomic() if unsaved else contextlib.nullcontext():
        for prompt_id, text in sorted(unsaved.items()):
            writing = Prompt.all_objects.filter(pk=prompt_id, status=Prompt.Status.STREAMING)
            writing = writing.unlogged("an answer is told when it is whole")
            writing.update(response_text=text, updated_at=timezone.now())
    for prompt_id in Prompt.all_objects.filter(pk__in=channels, finish_reason=STOPPED).values_list("pk", flat=True):
        channels[prompt_id].stop_requested.set()


def give_sign_of_life() -> None:
    """Somebody has these: whoever sweeps leaves them alone."""
    unfinished = Prompt.all_objects.filter(pk__in=list(_ours), status__in=UNFINISHED)
    unfinished.update(updated_at=timezone.now())


@contextlib.contextmanager
def _at_database() -> Iterator[None]:
    with _turns:
        try:
            yield
        finally:
            release_connection()


class _Stopped(Exception):
    """Somebody pressed Stop, or the row has ended by other hands."""


class _Run:
    """One call, from a claimed row to a finished one."""

    def __init__(self, prompt: Prompt, channel: broker.Channel) -> None:
        self.prompt = prompt
        self.channel = channel
        self.started = monotonic()
        self.first_token_ms: int | None = None
        self.has_text = False

    def go(self) -> None:
        try:
            finished = self._call()
        except _Stopped:
            self._end_stopped()
        except ProviderError as error:
            if self.channel.stop_requested.is_set():
                self._end_stopped()
            else:
                self._end(self._broken, error.code, error.message)
        except Exception:
            logger.exception("A run failed in promptlib itself.", extra={"prompt_id": str(self.prompt.pk)})
            message = _("Something went wrong in promptlib itself; staff find it in the log. Try again.")
            self._end(self._broken, "internal", message)
        else:
            self._complete(finished)

    def _call(self) -> Finished:
        model = self.prompt.ai_model
        if model is None:
            raise ProviderError("no_model", _("The model was removed. Choose another one. Nothing was charged."))
        with _at_database():
            request = _request(self.prompt, model, self.channel.stop_requested)
        self.started = monotonic()
        with contextlib.closing(_closable(stream_chat(model.provider, request))) as events:
            for event in events:
                if isinstance(event, Finished):
                    return event
                self._take(event)
        raise ProviderError("cut_off", _("The answer ended before it was whole. Try again."))

    def _take(self, delta: TextDelta) -> None:
        if self.first_token_ms is None:
            self.first_token_ms = self._elapsed_ms
        self.has_text = True
        self.channel.write(delta.text)
        if self.channel.stop_requested.is_set():
            raise _Stopped

    def _complete(self, finished: Finished) -> None:
        usage, prompt = finished.usage, self.prompt
        facts: dict[str, str] = {}
        if finished.model and finished.model != prompt.model:
            facts["answered_by"] = finished.model
        self._save(
            Prompt.Status.COMPLETED,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            finish_reason=finished.finish_reason[:64],
            metadata=facts,
            **cost_of(prompt, usage),
        )

    @property
    def _broken(self) -> Prompt.Status:
        """What arrived makes the difference: a failed answer has nothing to read, an interrupted one has."""
        return Prompt.Status.INTERRUPTED if self.has_text else Prompt.Status.FAILED

    @property
    def _elapsed_ms(self) -> int:
        return round((monotonic() - self.started) * 1000)

    def _end_stopped(self) -> None:
        message = _("The answer was stopped. What had arrived is kept.")
        self._end(Prompt.Status.INTERRUPTED, STOPPED, message, finish_reason=STOPPED)

    def _end(self, status: Prompt.Status, code: str, message: str, **fields: Any) -> None:
        self._save(status, error_code=code[:64], error_message=message, **fields)

    def _save(self, status: Prompt.Status, **fields: Any) -> None:
        """Saving is repeated when the connection breaks: it changes an unfinished row, so twice is the same as once."""
        fields |= {
            "response_text": self.channel.text(),
            "latency_ms": self._elapsed_ms,
            "first_token_ms": self.first_token_ms,
        }
        for attempt in range(1, SAVE_ATTEMPTS + 1):
            try:
                with _at_database():
                    finish(self.prompt, status, fields)
                return
            except OperationalError:
                if attempt == SAVE_ATTEMPTS:
                    raise
                logger.warning("An answer could not be saved; trying again.", exc_info=True)
                threading.Event().wait(attempt)


def _request(prompt: Prompt, model: AIModel, given_up: threading.Event) -> ChatRequest:
    parameters = dict(prompt.parameters)
    if model.max_output_tokens:
        wanted = parameters.get("max_tokens")
        most = model.max_output_tokens
        parameters["max_tokens"] = min(wanted, most) if isinstance(wanted, int) and wanted > 0 else most
    return ChatRequest(
        base_url=model.base_url,
        model=model.name,
        messages=messages_for(prompt),
        api_key=model.api_key,
        parameters=parameters,
        connect_seconds=settings.PROVIDER_CONNECT_SECONDS,
        first_token_seconds=settings.PROVIDER_FIRST_TOKEN_SECONDS,
        total_seconds=settings.PROVIDER_TOTAL_SECONDS,
        attempts=settings.PROVIDER_ATTEMPTS,
        given_up=given_up,
    )


def _closable(events: Iterator[Any]) -> Any:
    """A provider may return any iterator; leaving the loop must close its connection."""
    return events if hasattr(events, "close") else (event for event in events)


def _work() -> None:
    global _idle
    while True:
        with _lock:
            _idle += 1
        prompt_id, origin, language = _waiting.get()
        with _lock:
            _idle -= 1
        try:
            with translation.override(language):
                produce(prompt_id, origin)
                _sweep_now_and_then()
        except Exception:
            logger.exception("An answer could not be saved.", extra={"prompt_id": str(prompt_id)})
        finally:
            _ours.discard(prompt_id)
            release_connection()


def _save_every_second() -> None:
    """Apart from the calls, so that what came before a silence is saved too."""
    beaten = monotonic()
    while True:
        threading.Event().wait(SAVE_SECONDS)
        if _ours or broker.open_channels():
            try:
                save_partials()
                if monotonic() - beaten >= settings.ORPHAN_SECONDS / BEATS:
                    beaten = monotonic()
                    give_sign_of_life()
            except Exception:
                logger.warning("Partial answers could not be saved; the next time will do.", exc_info=True)
            finally:
                release_connection()


def _sweep_now_and_then() -> None:
    """Another process may have been killed half-way: whoever writes answers clears up after it, where no watch does."""
    global _swept
    with _lock:
        is_due = monotonic() - _swept >= SWEEP_SECONDS
        _swept = monotonic() if is_due else _swept
    if is_due:
        sweep_orphans()


def _close_down() -> None:
    """The process ends: say so in the rows that are being written, in place of leaving them for the sweep."""
    for prompt_id, channel in broker.open_channels().items():
        fields = {
            "response_text": channel.text(),
            "error_code": "shutdown",
            "error_message": _("The server was stopped while the answer was being written. Try again."),
        }
        with contextlib.suppress(Exception):
            if prompt := Prompt.all_objects.select_related("author").filter(pk=prompt_id).first():
                finish(prompt, Prompt.Status.INTERRUPTED, fields)
