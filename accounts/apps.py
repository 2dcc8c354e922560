from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People")

    def ready(self) -> None:
        from accounts import erasing, history, own_files, signals  # noqa: F401  # connects the receivers
        from audit.retention import holds

        holds.ending.append(erasing.under_way)
        history.register()
        own_files.register()
