from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "promptlib.core"
    label = "core"
    verbose_name = "promptlib"
