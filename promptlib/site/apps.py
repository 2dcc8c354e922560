from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "promptlib.site"
    label = "promptlib_site"
    verbose_name = "promptlib"
