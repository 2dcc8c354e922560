"""Make the database and the static files ready to serve, in one process; `script/server` and the container run it.

python script/prepare.py [--seed]
"""

import hashlib
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "promptlib.settings")

import django

django.setup()

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor


def migrate() -> None:
    executor = MigrationExecutor(connection)
    pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if pending:
        print(f"Applying {pending} migrations …", file=sys.stderr)
    call_command("migrate", interactive=False, verbosity=0)


def collect_static() -> None:
    """Collect only when a file, a setting or a package changed: it takes seconds."""
    digest = hashlib.sha256(f"{settings.STORAGES['staticfiles']} {django.__version__}".encode())
    for finder in get_finders():
        for path, storage in sorted(finder.list([]), key=lambda found: found[0]):
            status = Path(storage.path(path)).stat()
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    stamp = settings.BASE_DIR / ".cache" / "static.stamp"
    if stamp.exists() and stamp.read_text() == digest.hexdigest() and Path(settings.STATIC_ROOT).is_dir():
        return
    print("Collecting static files …", file=sys.stderr)
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(digest.hexdigest())


def seed() -> None:
    """Fill an empty database, and print how to sign in while the demonstration's password still holds."""
    call_command("seed_demo", if_empty=True, verbosity=0 if os.environ.get("DEMO_PASSWORD") else 1)
    people = (
        get_user_model().objects.filter(email__endswith="@example.com", is_active=True).order_by("-is_staff", "email")
    )
    password = os.environ.get("DEMO_PASSWORD", "")
    shown = [(user.email, "staff" if user.is_staff else "") for user in people]
    if shown and password and people[0].check_password(password):
        print("\nSign in as one of these; the password of all is in .env as DEMO_PASSWORD:\n")
        for email, role in shown:
            print(f"    {email:<28}{password}{f'   ({role})' if role else ''}")
        print(flush=True)


if __name__ == "__main__":
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        sys.exit(f"The database that DATABASE_URL names cannot be used: {error}")
    migrate()
    call_command("sweep_prompts")
    collect_static()
    if "--seed" in sys.argv:
        seed()
