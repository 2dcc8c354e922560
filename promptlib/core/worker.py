"""gunicorn's worker with threads, the pool that streams do not fill, and what it may write into an access log."""

from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # has no types
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]  # as above

from promptlib.core.logs import without_secrets
from promptlib.core.threads import ThreadPool


class Worker(ThreadWorker):
    def get_thread_pool(self) -> ThreadPool:
        return ThreadPool(self.cfg.threads)


class AccessLogger(Logger):
    """For an operator who has an access log written (`--access-logfile`): no link that can be used stands in it."""

    def atoms(self, *request: Any) -> dict[str, Any]:
        found = super().atoms(*request)
        return {name: without_secrets(value) if isinstance(value, str) else value for name, value in found.items()}
