"""How gunicorn serves promptlib (`gunicorn --config python:promptlib.gunicorn`); variables in docs/configuration.md.

Each reader of an answer that is being written has a thread beyond those of the pages; see `promptlib.core.threads`.
"""

import ctypes
import gc
import os
from contextlib import suppress
from typing import Any

wsgi_app = "promptlib.wsgi:application"
bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "promptlib.core.worker.Worker"
logger_class = "promptlib.core.worker.AccessLogger"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "16"))
preload_app = True
umask = 0o077
keepalive = 5
graceful_timeout = 20
limit_request_line = 8190
loglevel = "warning"
control_socket_disable = True
if os.access("/dev/shm", os.W_OK):  # noqa: S108  # the heartbeat file must not wait for a disk
    worker_tmp_dir = "/dev/shm"  # noqa: S108

M_ARENA_MAX = -8  # of mallopt(3)
with suppress(AttributeError, OSError):  # glibc alone gives each thread a heap that it keeps: here a hundred megabytes
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def when_ready(_server: Any) -> None:
    """What the parent loaded is shared by the workers: load the pages too, and keep the collector from copying it."""
    from django.urls import get_resolver

    get_resolver().url_patterns  # noqa: B018  # reading it imports every view
    gc.collect()
    gc.freeze()
    host, port = bind.rsplit(":", 1)
    print(f"promptlib answers at http://{'127.0.0.1' if host in {'0.0.0.0', '[::]'} else host}:{port}/", flush=True)  # noqa: S104, T201


def post_fork(_server: Any, _worker: Any) -> None:
    """A worker opens its own database connections."""
    from django.db import connections

    connections.close_all()


def post_worker_init(_worker: Any) -> None:
    """Somebody must end the answers of a worker that was killed: every worker looks for them."""
    from conversations.services.sweeping import keep_sweeping

    keep_sweeping()
