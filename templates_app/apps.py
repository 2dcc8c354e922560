from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TemplatesConfig(AppConfig):
    name = "templates_app"
    verbose_name = _("Library")

    def ready(self) -> None:
        from templates_app import erasing, history, own_files

        history.register()
        own_files.register()
        erasing.start()
