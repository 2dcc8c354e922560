"""Every migration runs forwards and backwards on a database that holds data."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.plugins.database import migrated

ROOT = Path(settings.BASE_DIR)
SCRIPT = """
import django; django.setup()
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from accounts.models import User
from audit.models import AuditLog
from conversations.models import Conversation, Participant, Prompt
from promptlib.core.models import BaseModel
from templates_app.models import Favorite, PromptTemplate, Rating, TemplateVersion

def migrate(*arguments):
    call_command("migrate", *arguments, verbosity=0)

def count():
    models = (User, PromptTemplate, TemplateVersion, Rating, Conversation, Prompt, AuditLog)
    found = (PromptTemplate.objects.search("ticket"), Prompt.objects.search("refund"))
    print(*(model._base_manager.count() for model in models), *(rows.count() for rows in found))

migrate()
call_command("seed_demo", password="a-long-enough-word", verbosity=0)
gone = User.objects.create_user(email="gone@example.org", handle="gone", password=None)
Participant.objects.create(conversation=Conversation.objects.first(), user=gone, role="viewer")
Favorite.objects.create(template=PromptTemplate.objects.first(), user=gone)
gone.delete()
count()
for app, target in (("conversations", "0001"), ("templates_app", "0003"), ("audit", "0001"), ("accounts", "0001")):
    migrate(app, target)
migrate()
count()
call_command("verify_stats")
call_command("makemigrations", check=True, dry_run=True)
migrate("accounts", "zero")
ours = {model._meta.db_table for model in apps.get_models() if issubclass(model, BaseModel)}
print("left:", *sorted(ours & set(connection.introspection.table_names(include_views=True))))
"""


@pytest.fixture
def database_url(tmp_path: Path, django_db_blocker: pytest.FixtureDef) -> Iterator[str]:
    """A database of this test's own: empty, or migrated as the tests' own was."""
    if connection.vendor == "sqlite":
        if migrated().exists():
            shutil.copy(migrated(), tmp_path / "migrations.sqlite3")
        yield f"sqlite:///{tmp_path / 'migrations.sqlite3'}"
        return
    name = "promptlib_migrations"
    with django_db_blocker.unblock(), connection.cursor() as cursor:  # type: ignore[attr-defined]  # pytest-django's
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci")
    try:
        yield os.environ["TEST_DATABASE_URL"].rpartition("/")[0] + f"/{name}"
    finally:
        with django_db_blocker.unblock(), connection.cursor() as cursor:  # type: ignore[attr-defined]  # pytest-django's
            cursor.execute(f"DROP DATABASE {name}")


@pytest.mark.slow(seconds=20)
@pytest.mark.django_db
def test_there_and_back_on_data(database_url: str) -> None:
    environment = {**os.environ, "DATABASE_URL": database_url, "SECRET_KEY": "k" * 60, "PYTHONWARNINGS": "ignore"}
    environment["DJANGO_SETTINGS_MODULE"] = "promptlib.settings"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    filled, after, verdict, changes, left = done.stdout.splitlines()
    assert filled.split()[1] == "40"
    assert all(int(number) > 0 for number in filled.split())
    assert after == filled
    assert verdict == "Every statistic is right."
    assert changes == "No changes detected"
    assert left == "left:"
