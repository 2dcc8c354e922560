"""Pages through the Nu HTML checker: one start of Java for the whole run."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _command() -> list[str] | None:
    java = shutil.which("java")
    jars = [
        os.environ.get("VNU_JAR", ""),
        *ROOT.glob(".cache/**/vnu.jar"),
        *ROOT.glob("node_modules/vnu-jar/**/vnu.jar"),
    ]
    jar = next((str(jar) for jar in jars if jar and Path(jar).is_file()), None)
    return [java, "-Xss1m", "-jar", jar, "--format", "json", "--exit-zero-always"] if java and jar else None


def check(folder: Path) -> list[str]:
    """The checker's errors about the pages in `folder`, one line each: page, line, message, extract."""
    command = _command()
    assert command
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, timeout=300, check=True)
    return [
        f"{Path(message.get('url', '?')).stem}, line {message.get('lastLine', '?')}: {message['message']} "
        f"{message.get('extract', '').strip()!r}"
        for message in json.loads(done.stderr)["messages"]
        if message["type"] in {"error", "non-document-error"}
    ]


@pytest.fixture(scope="session")
def _html_pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("pages")
    yield folder
    if any(folder.iterdir()) and (errors := check(folder)):
        pytest.fail("The HTML checker found errors:\n" + "\n".join(errors), pytrace=False)


@pytest.fixture
def html_check(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`html_check(response_or_text, name)` hands a page in; all are checked when the last test has run.

    A page that is wrong fails the run at its end, under the name given here (or the test's).
    """
    if _command() is None:
        pytest.skip("The HTML checker needs Java and vnu.jar (VNU_JAR names it; .ci/run installs both)")
    folder: Path = request.getfixturevalue("_html_pages")

    def hand_in(page: object, name: str = "") -> None:
        content = getattr(page, "content", page)
        data = content if isinstance(content, bytes) else str(content).encode()
        stem = re.sub(r"[^\w.-]+", "-", name or request.node.name)
        taken = len(list(folder.glob(f"{stem}*.html")))
        (folder / f"{stem}{f'-{taken + 1}' if taken else ''}.html").write_bytes(data)

    return hand_in
