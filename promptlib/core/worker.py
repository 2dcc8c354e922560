"""gunicorn's worker with threads, and the pool that streams do not fill."""

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]  # has no types

from promptlib.core.threads import ThreadPool


class Worker(ThreadWorker):
    def get_thread_pool(self) -> ThreadPool:
        return ThreadPool(self.cfg.threads)
