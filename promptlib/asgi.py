"""The ASGI entry point. Streams are written for WSGI workers with threads; see docs/configuration.md."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "promptlib.settings")
application = get_asgi_application()
