"""The settings tests run under: those of the program, untouched by the caller's environment and `.env`.

`TEST_DATABASE_URL` chooses the server (the test database is `test_<name>`); without it SQLite in a temporary file,
so that threads, live servers and the write-ahead log behave as they do in service.
"""

import os
import re
import tempfile
from pathlib import Path

import environ

_root = Path(__file__).resolve().parent.parent
for _name in re.findall(r"^#?\s?([A-Z][A-Z0-9_]+)=", (_root / ".env.example").read_text(), re.MULTILINE):
    os.environ.pop(_name, None)
environ.Env.read_env = classmethod(lambda *_args, **_kwargs: None)

_scratch = tempfile.TemporaryDirectory(prefix="promptlib-tests-")
_folder = Path(_scratch.name)
os.environ["SECRET_KEY"] = "a-key-for-tests-alone-" + "k" * 50
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{_folder / 'unused.sqlite3'}"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's synchronous API keeps a loop running

from promptlib.settings import *  # noqa: E402, F403
from promptlib.settings import DATABASES, STORAGES  # noqa: E402

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["TEST"] = {"NAME": str(_folder / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous = OFF;"

PROVIDER_HOSTS = ["127.0.0.1", "localhost"]  # where the tests' model servers are
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
STATIC_ROOT = _folder / "static"
STATIC_ROOT.mkdir()
