"""`kill -9` at any moment of a purge or an import: running it again completes it, and nothing is lost or counted twice.

In the suite one kill of each; `PROOF_ROUNDS=20` makes it twenty.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from audit.models import AuditLog, Purge
from conversations.models import Conversation, Prompt
from promptlib.core.soft_delete import delete_each
from tests.core.test_statistics import differences
from tests.factories import ConversationFactory, UserFactory
from tests.proof import rounds

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
ROWS = 450
"""Interactions of one conversation: more than a purge takes at once."""


def database_url() -> str:
    told = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{told['NAME']}"
    account = f"{told['USER']}:{told['PASSWORD']}" if told["PASSWORD"] else told["USER"]
    return f"mysql://{account}@{told['HOST']}:{told['PORT']}/{told['NAME']}"


def manage(*arguments: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "DATABASE_URL": database_url(), "SECRET_KEY": settings.SECRET_KEY}
    environment["DJANGO_SETTINGS_MODULE"] = "promptlib.settings"
    command = [sys.executable, "manage.py", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, stdout=pipe, stderr=pipe, text=True)


def kill_at_work(process: "subprocess.Popen[str]", progress: Callable[[], int], chance: random.Random) -> bool:
    """Once it has done something, and a random moment later; False where it was ready before that."""
    begun = progress()
    while progress() == begun and process.poll() is None:
        time.sleep(0.01)
    time.sleep(chance.uniform(0, 0.3))
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def ended_well(process: "subprocess.Popen[str]") -> str:
    out, err = process.communicate()
    assert process.returncode == 0, out + err
    return out


def nothing_is_wrong() -> None:
    call_command("seal_audit", settle=-1, stdout=StringIO())
    call_command("verify_audit", stdout=StringIO())
    assert differences() == []


def test_a_purge_that_is_killed_is_completed_by_the_next() -> None:
    kills, chance = rounds(1), random.Random(11)
    owner = UserFactory()
    stays = ConversationFactory(owner=owner)
    things = [ConversationFactory(owner=owner) for _ in range(kills)]
    for thing in [stays, *things]:
        Prompt.objects.bulk_create(
            Prompt(conversation=thing, author=owner, input_text=f"q {n}", status="recorded") for n in range(ROWS)
        )
    delete_each(things)
    for model in (Conversation, Prompt):
        gone: Any = model.all_objects.unlogged("a test's clock").filter(deleted_at__isnull=False)  # type: ignore[attr-defined]
        gone.update(deleted_at=timezone.now() - timedelta(days=31))
    nothing_is_wrong()
    expected = {str(pk) for pk in Prompt.all_objects.filter(deleted_at__isnull=False).values_list("pk", flat=True)}
    killed = sum(kill_at_work(manage("purge_trash"), Prompt.all_objects.count, chance) for _ in range(kills))
    ended_well(manage("purge_trash"))
    assert killed >= kills * 3 // 4
    assert list(Conversation.all_objects.all()) == [stays]
    assert (Prompt.objects.count(), Prompt.all_objects.count(), Purge.objects.count()) == (ROWS, ROWS, 0)
    purged = AuditLog.objects.filter(action=AuditLog.Action.PURGE, content_type__model="prompt")
    keys = list(purged.values_list("object_pk", flat=True))
    assert (len(keys), set(keys)) == (len(expected), expected)
    nothing_is_wrong()


def test_an_import_that_is_killed_is_completed_by_the_next(tmp_path: Path) -> None:
    kills, chance = rounds(1), random.Random(13)
    owner = UserFactory()
    threads = [
        {
            "id": f"thread-{number}",
            "conversations": [
                {"from": "human" if turn % 2 == 0 else "gpt", "value": f"{number} says {turn}"} for turn in range(40)
            ],
        }
        for number in range(kills * 60)
    ]
    file = tmp_path / "threads.json"
    file.write_text(json.dumps(threads))
    command = ("import_conversations", str(file), "--owner", owner.email, "--format", "sharegpt")
    killed = sum(kill_at_work(manage(*command), Conversation.objects.count, chance) for _ in range(kills))
    ended_well(manage(*command))
    assert killed >= kills * 3 // 4
    counts = dict(Conversation.objects.values_list("source_id", "prompt_count"))
    assert (len(counts), set(counts.values())) == (len(threads), {20})
    assert Prompt.objects.count() == len(threads) * 20
    created = AuditLog.objects.filter(content_type__model="conversation", object_pk__isnull=False)
    made = created.filter(action__in=[AuditLog.Action.CREATE, AuditLog.Action.IMPORT]).values_list(
        "object_pk", flat=True
    )
    assert len(made) == len(set(made)) == len(threads)
    ended_well(manage(*command))
    assert Prompt.objects.count() == len(threads) * 20
    nothing_is_wrong()
