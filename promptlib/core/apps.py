from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "promptlib.core"
    label = "core"
    verbose_name = "promptlib"

    def ready(self) -> None:
        from promptlib.core import sql
        from promptlib.core.search import sqlite

        post_migrate.connect(sql.sync, sender=self, dispatch_uid="promptlib.core.sql")
        connection_created.connect(sqlite.register, dispatch_uid="promptlib.core.search")
