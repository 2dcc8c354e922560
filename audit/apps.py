from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = _("Audit")

    def ready(self) -> None:
        from audit import access, registry, signals  # noqa: F401  signals connect when imported
        from audit.retention import holds, purging  # noqa: F401  signals connect when imported

        registry.register()
