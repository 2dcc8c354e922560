from django.apps import AppConfig
from django.db.backends.signals import connection_created


class CoreConfig(AppConfig):
    name = "promptlib.core"
    label = "core"
    verbose_name = "promptlib"

    def ready(self) -> None:
        from promptlib.core.search import sqlite

        connection_created.connect(sqlite.register, dispatch_uid="promptlib.core.search")
