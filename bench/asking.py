"""`python -m bench.asking prepare PORT COUNT` makes a model at that port and so many conversations; `ended` counts
how interactions ended. Both print JSON and run inside the program, on the database that the environment names.

The rest is for the outside: a model's process, and questions as a browser posts them.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import django

from bench.databases import ROOT, Database

CSRF = "c" * 32


def prepare(port: int, count: int) -> dict[str, Any]:
    from django.conf import settings
    from django.test import Client
    from django.urls import reverse

    from accounts.models import User
    from conversations.models import AIModel, Prompt
    from conversations.services import start_conversation

    asker = User.objects.create_user(email="asker@bench.example", handle="bench-asker", password=None)
    model = AIModel.objects.create(label="Bench", name="bench-1", base_url=f"http://127.0.0.1:{port}/v1")
    conversations = [start_conversation(owner=asker, title=f"Bench {number}") for number in range(count)]
    thread = start_conversation(owner=asker, title="A thread to read")
    for number in range(30):
        Prompt.objects.create(
            conversation=thread, author=asker, input_text=f"Why {number}?", response_text="So. " * 50, status="recorded"
        )
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(asker)
    return {
        "cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}",
        "model": str(model.pk),
        "conversations": [str(each.pk) for each in conversations],
        "pages": {"library": reverse("templates_app:list"), "thread": thread.get_absolute_url()},
    }


def ended() -> dict[str, Any]:
    from audit.models import AuditLog
    from conversations.models import Prompt

    rows = list(Prompt.objects.exclude(status="recorded").values_list("pk", "status", "input_text", "response_text"))
    runs = AuditLog.objects.filter(action=AuditLog.Action.RUN).values_list("object_pk", flat=True)
    return {
        "status": Counter(status for _pk, status, _asked, _text in rows),
        "asked": [asked for _pk, _status, asked, _text in rows],
        "with text": sum(bool(text) for _pk, _status, _asked, text in rows),
        "audited": sorted(Counter(runs).values()),
    }


@contextmanager
def model_process(seconds: float, per_second: float) -> Iterator[int]:
    """The port of a model that answers for so long."""
    command = [sys.executable, "-m", "bench.provider", str(seconds), str(per_second)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def inside(database: Database, *arguments: str) -> Any:
    command = [sys.executable, "-m", "bench.asking", *arguments]
    done = subprocess.run(command, env=database.environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def post_question(port: int, made: dict[str, Any], conversation: str, text: str) -> str:
    """Ask, as a browser does; the interaction's id. Raises OSError where the worker died under it."""
    body = urlencode({"input_text": text, "model": made["model"], "key": text, "csrfmiddlewaretoken": CSRF})
    headers = {"Cookie": f"{made['cookie']}; csrftoken={CSRF}", "Content-Type": "application/x-www-form-urlencoded"}
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", f"/conversations/{conversation}/prompts/", body, headers)
        answer = connection.getresponse()
        answer.read()
        place = re.search(r"#p-([0-9a-f-]{36})", answer.headers.get("Location", ""))
        if answer.status != 303 or place is None:
            raise SystemExit(f"A question was answered {answer.status}, not 303.")
        return place[1]
    finally:
        connection.close()


def questions_asked(port: int) -> dict[str, int]:
    """How often the model was asked each question."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/asked")
    return dict(json.loads(connection.getresponse().read()))


if __name__ == "__main__":
    django.setup()
    json.dump(ended() if sys.argv[1] == "ended" else prepare(*map(int, sys.argv[2:])), sys.stdout)
