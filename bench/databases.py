"""Databases that the benchmark makes for itself, fills and removes."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Database:
    """A database of the benchmark's own, and the environment in which promptlib uses it."""

    kind: str
    url: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "bench.settings",
            "BENCH_STATIC_ROOT": str(self.folder / "static"),
            "SECRET_KEY": os.environ.get("SECRET_KEY") or SECRET_KEY,
            "DEBUG": "False",
            "BASE_URL": "http://127.0.0.1",
            "ALLOWED_HOSTS": "127.0.0.1",
            "LOG_LEVEL": "ERROR",
        }

    def manage(self, *arguments: str) -> str:
        """Run `manage.py`; raises CalledProcessError when it fails."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, env=self.environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout


SECRET_KEY = secrets.token_urlsafe(48)


@contextmanager
def made(given: str, size: int, folder: Path, *, keep: bool = False) -> Iterator[Database]:
    """`given` is "sqlite", or the URL of a MySQL server and the name that the database's own name begins with."""
    if given == "sqlite":
        yield Database("sqlite", f"sqlite:///{folder / f'{size}.sqlite3'}", folder)
        return
    parts = urlsplit(given)
    name = f"{parts.path.strip('/') or 'promptlib'}_bench_{size}"
    _on_server(given, f"DROP DATABASE IF EXISTS `{name}`")
    _on_server(given, f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci")
    try:
        yield Database("mysql", urlunsplit(parts._replace(path=f"/{name}")), folder)
    finally:
        if not keep:
            _on_server(given, f"DROP DATABASE IF EXISTS `{name}`")


def version_of(given: str) -> str:
    if given == "sqlite":
        import sqlite3

        return f"SQLite {sqlite3.sqlite_version}"
    return f"MySQL {_on_server(given, 'SELECT VERSION()')}"


def _on_server(url: str, statement: str) -> str:
    import MySQLdb

    parts = urlsplit(url)
    server = {"host": parts.hostname or "127.0.0.1", "port": parts.port or 3306}
    account = {"user": unquote(parts.username or "root"), "password": unquote(parts.password or "")}
    connection = MySQLdb.connect(**server, **account)
    try:
        cursor = connection.cursor()
        cursor.execute(statement)
        row = cursor.fetchone()
        return str(row[0]) if row else ""
    finally:
        connection.close()
