"""A model server that nobody here wrote: mock-ai-api, in a process of its own on a free loopback port.

It needs no key. `gpt-4.1` and `gpt-4.1:mock-text` answer with fixed text, `gpt-4.1:mock-delay` slowly,
`gpt-4.1:mock-429` (400, 401, 500, 503) with that error. Usage comes in the chunk
with the finish reason, asked for or not.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

import pytest

START_SECONDS = 30


@contextmanager
def running_model_server() -> Iterator[str]:
    """Yields its base_url, such as http://127.0.0.1:40123/v1."""
    # The socket is ours and is handed down, so that no other process can take the port in between.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = [sys.executable, "-m", "uvicorn", "app.openai_app:app", "--log-level", "warning"]
        process = subprocess.Popen(
            [*command, "--fd", str(listener.fileno())], pass_fds=[listener.fileno()], cwd="/", stdin=subprocess.DEVNULL
        )
        try:
            _wait(process, url)
            yield f"{url}/v1"
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urlopen(f"{url}/health", timeout=START_SECONDS) as response:
                if response.status == 200:
                    return
        except (URLError, OSError):
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"mock-ai-api did not start at {url}")
        time.sleep(0.05)


@pytest.fixture(scope="session")
def model_server() -> Iterator[str]:
    with running_model_server() as base_url:
        yield base_url
