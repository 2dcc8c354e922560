"""The threads of a web worker: few for pages, and one more for each stream that is open.

A pool of a fixed size is either so small that readers of answers take the threads of everybody else, or so large that
each of its threads comes to hold a database connection. Here a thread that goes aside to stream is not counted: another
one takes its place, and whoever is one too many after that goes.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

from promptlib.core.transactions import release_connection

_here = threading.local()


class ThreadPool(Executor):
    """At most `size` threads work at once, those that went aside not counted. Idle ones wait for work."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = deque()
        self._idle = self._counted = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self._changed:
            self._waiting.append((future, fn, args))
            self._staff()
        return future

    def go_aside(self) -> None:
        with self._changed:
            self._counted -= 1
            self._staff()

    def come_back(self) -> None:
        with self._changed:
            self._counted += 1

    def _staff(self) -> None:
        """Wake or start a thread for what waits; the lock is held."""
        self._changed.notify()
        if self._idle < len(self._waiting) and self._counted < self._size:
            self._counted += 1
            threading.Thread(target=self._work, name="web", daemon=True).start()

    def _work(self) -> None:
        _here.pool = self
        while task := self._next():
            future, fn, args = task
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(*args))
                except BaseException as error:
                    future.set_exception(error)
        release_connection()

    def _next(self) -> tuple[Future[Any], Callable[..., Any], tuple[Any, ...]] | None:
        """What to do next; None for a thread that is one too many."""
        with self._changed:
            while self._counted <= self._size:
                if self._waiting:
                    return self._waiting.popleft()
                self._idle += 1
                self._changed.wait()
                self._idle -= 1
            self._counted -= 1
            self._staff()
            return None


@contextmanager
def aside() -> Iterator[None]:
    """Inside, this thread only waits and writes to a socket: it leaves its place to another. Elsewhere than in a
    `ThreadPool` nothing happens."""
    pool: ThreadPool | None = getattr(_here, "pool", None)
    if pool is not None:
        pool.go_aside()
    try:
        yield
    finally:
        if pool is not None:
            pool.come_back()
