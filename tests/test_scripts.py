"""The scripts' own logic: what they write, what they leave alone, how they find their way."""

import contextlib
import os
import re
import shutil
import socket
import sqlite3
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder that holds the scripts and nothing else."""
    shutil.copytree(ROOT / "script", tmp_path / "script")
    return tmp_path


def dotenv(folder: Path, *arguments: str, **environment: str) -> str:
    clean = {"PATH": os.environ["PATH"], **environment}
    done = subprocess.run(
        [sys.executable, str(folder / "script/dotenv.py"), *arguments],
        capture_output=True,
        text=True,
        env=clean,
        check=True,
    )
    return done.stdout.strip()


def test_a_first_start_writes_random_secrets_that_only_the_owner_reads(copy: Path) -> None:
    dotenv(copy, "ensure")
    written = (copy / ".env").read_text()
    assert re.fullmatch(r"SECRET_KEY=[\w-]{64}\nDEMO_PASSWORD=[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}\n", written)
    assert stat.S_IMODE((copy / ".env").stat().st_mode) == 0o600
    dotenv(copy, "ensure")
    assert (copy / ".env").read_text() == written


def test_a_file_that_exists_keeps_all_it_says_and_gains_what_is_empty(copy: Path) -> None:
    (copy / ".env").write_text("# mine\nSECRET_KEY=\nPORT=9000\nDEMO_PASSWORD=chosen")
    dotenv(copy, "ensure")
    lines = (copy / ".env").read_text().splitlines()
    assert re.fullmatch(r"SECRET_KEY=[\w-]{64}", lines.pop(1))
    assert lines == ["# mine", "PORT=9000", "DEMO_PASSWORD=chosen"]


def test_secrets_from_the_environment_are_not_written_down(copy: Path) -> None:
    dotenv(copy, "ensure", SECRET_KEY="from-outside", DEMO_PASSWORD="from-outside")
    assert not (copy / ".env").exists()


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(copy: Path) -> None:
    (copy / ".env").write_text("HOST=\"0.0.0.0\"\nPORT='9000'\nPORT=1\n# WEB_THREADS=7\n")
    assert [
        dotenv(copy, "get", "HOST", "127.0.0.1"),
        dotenv(copy, "get", "PORT", "8000"),
        dotenv(copy, "get", "PORT", "8000", PORT="7777"),
        dotenv(copy, "get", "WEB_THREADS", "16"),
    ] == ["0.0.0.0", "9000", "7777", "16"]


def test_an_old_python_is_refused_in_plain_words(copy: Path, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("bash", "dirname", "cat", "cksum", "sed", "id"):
        (programs / name).symlink_to(shutil.which(name))
    (programs / "python3").write_text("#!/bin/sh\nexit 1\n")
    (programs / "python3").chmod(0o755)
    (copy / "requirements.txt").write_text("")
    done = subprocess.run(
        [str(programs / "bash"), str(copy / "script/server")],
        capture_output=True,
        text=True,
        env={"PATH": str(programs)},
    )
    assert done.returncode == 1
    assert "promptlib needs Python 3.11 or newer." in done.stderr


@pytest.mark.parametrize("script", ["server", "mysql"])
def test_an_unknown_argument_is_answered_with_the_usage(script: str) -> None:
    done = subprocess.run([str(ROOT / "script" / script), "--nonsense"], capture_output=True, text=True)
    assert done.returncode == 2
    assert f"script/{script}" in done.stdout


def tracked() -> list[str]:
    """Paths of the repository's own files."""
    listed = ["git", "ls-files", "-co", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in names if (ROOT / name).is_file()]


def answers(address: str, seconds: float) -> float:
    """Seconds until the address answers 200."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=seconds) as response:
            if response.status == 200:
                return time.monotonic() - began
        time.sleep(0.1)
    raise TimeoutError(f"{address} did not answer within {seconds} s")


@contextlib.contextmanager
def served(folder: Path, port: int) -> Iterator[Path]:
    """`script/server` at work; what it printed is in the file that is given."""
    output = folder / "output.txt"
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PORT": str(port)}
    with output.open("w") as file:
        server = subprocess.Popen([folder / "script/server"], env=environment, stdout=file, stderr=file)
    try:
        yield output
    finally:
        server.terminate()
        server.wait(30)


def test_a_port_that_is_taken_is_said_before_anything_is_prepared(copy: Path) -> None:
    shutil.copy2(ROOT / "requirements.txt", copy)
    programs = copy / ".venv/bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    digest = subprocess.run(
        "cat requirements.txt requirements.txt | cksum",
        shell=True,
        cwd=copy,
        capture_output=True,
        text=True,
        check=True,
    )
    (copy / ".venv/.installed-requirements.txt").write_text(digest.stdout)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment = {"PATH": os.environ["PATH"], "PORT": port}
        done = subprocess.run([str(copy / "script/server")], capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert f"promptlib cannot listen on 127.0.0.1:{port}" in done.stderr
    assert not (copy / "promptlib.sqlite3").exists()


@pytest.mark.slow
@pytest.mark.sqlite_only
def test_the_server_seeds_an_empty_folder_and_loses_nothing_when_it_starts_again(tmp_path: Path) -> None:
    for name in tracked():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with served(tmp_path, port) as output:
        answers(f"{address}/healthz", 150)
        answers(f"{address}/", 10)
        printed = output.read_text()
    secrets = dict(line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines())
    assert f"promptlib answers at {address}/" in printed
    assert re.search(rf"ines@example\.com +{secrets['DEMO_PASSWORD']} +\(staff\)", printed)
    assert stat.S_IMODE((tmp_path / "promptlib.sqlite3").stat().st_mode) == 0o600
    count = "SELECT (SELECT COUNT(*) FROM templates), (SELECT COUNT(*) FROM prompts), (SELECT COUNT(*) FROM users)"
    with sqlite3.connect(tmp_path / "promptlib.sqlite3") as database:
        database.execute("UPDATE users SET display_name = 'Changed' WHERE email = 'ines@example.com'")
        before = database.execute(count).fetchone()
    with served(tmp_path, port):
        assert answers(f"{address}/", 60) < 15  # five seconds on a machine with nothing else to do
    with sqlite3.connect(tmp_path / "promptlib.sqlite3") as database:
        assert database.execute(count).fetchone() == before
        changed = database.execute("SELECT display_name FROM users WHERE email = 'ines@example.com'").fetchall()
    assert changed == [("Changed",)]
    assert min(before) > 0
