"""Importing conversations in the browser: looked at first, brought in by a worker, taken up again when one died."""

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.context import Origin
from audit.models import AuditLog
from conversations import import_jobs
from conversations.import_jobs import Job
from conversations.models import Conversation, ConversationImport, ImportPart, Prompt
from tests.factories import UserFactory


@pytest.fixture
def ines() -> User:
    return UserFactory(handle="ines")


@pytest.fixture
def client(ines: User) -> Client:
    client = Client()
    client.force_login(ines)
    return client


def talk(number: int, *said: str) -> dict[str, Any]:
    turns = [{"from": "gpt" if place % 2 else "human", "value": text} for place, text in enumerate(said)]
    return {"id": f"t{number}", "conversations": turns}


def upload(client: Client, data: Any, name: str = "talks.json") -> Any:
    content = data if isinstance(data, bytes) else json.dumps(data).encode()
    return client.post("/conversations/imports/", {"file": SimpleUploadedFile(name, content)})


def made(response: Any) -> ConversationImport:
    return ConversationImport.objects.get(pk=response.headers["Location"].split("/")[-2])


def work(row: ConversationImport) -> None:
    """As a worker's thread does: these tests have no threads."""
    row.refresh_from_db()
    import_jobs.work(Job(row.pk, row.updated_at, Origin(), "en"))
    row.refresh_from_db()


def kinds(row: ConversationImport) -> list[tuple[str, str, int]]:
    return [(told["kind"], told.get("title", ""), told.get("added", 0)) for told in row.outcomes]


TALKS = [talk(1, "Why?", "So."), {"conversations": 3}, talk(2, "Who?", "I.", "And you?", "Me.")]
TOLD = [("created", "Why?", 1), ("bad", "", 0), ("created", "Who?", 2)]


@pytest.mark.django_db
def test_an_upload_is_looked_at_then_imported_then_linked(client: Client, ines: User) -> None:
    row = made(upload(client, TALKS))
    address = f"/conversations/imports/{row.pk}/"
    assert "0 of 3 looked at" in client.get(address).content.decode()
    work(row)
    assert (row.status, kinds(row), row.format) == ("preview", TOLD, "sharegpt")
    assert not Conversation.objects.exists()
    assert "Import 2 conversations" in client.get(address).content.decode()

    assert client.post(f"{address}run/").status_code == 303
    assert client.post(f"{address}run/").status_code == 303  # the second click
    assert "0 of 3 imported" in client.get(address, headers={"HX-Request": "true"}).content.decode()
    work(row)
    assert (row.status, kinds(row), ImportPart.objects.count()) == ("done", TOLD, 0)
    found = Conversation.objects.order_by("pk")
    assert [(each.title, each.owner, each.prompt_count) for each in found] == [("Why?", ines, 1), ("Who?", ines, 2)]
    page = client.get(address).content.decode()
    assert all(each.get_absolute_url() in page for each in found) and "3 interactions were added" in page
    logged = AuditLog.objects.filter(action=AuditLog.Action.IMPORT, object_pk=str(found[0].pk)).get()
    assert (logged.actor, logged.reason) == (ines, "Imported from talks.json")


@pytest.mark.django_db
def test_what_grew_is_extended_and_what_is_in_the_trash_stays_there(client: Client, ines: User) -> None:
    row = made(upload(client, TALKS))
    work(row)
    client.post(f"/conversations/imports/{row.pk}/run/")
    work(row)
    Conversation.objects.get(source_id="t1").delete(by=ines)
    again = made(upload(client, [TALKS[0], talk(2, "Who?", "I.", "And you?", "Me.", "Since when?", "Now.")]))
    work(again)
    expected = [("trashed", "Why?", 0), ("extended", "Who?", 1)]
    assert kinds(again) == expected
    client.post(f"/conversations/imports/{again.pk}/run/")
    work(again)
    assert (kinds(again), Conversation.objects.get().prompt_count) == (expected, 3)


@pytest.mark.django_db
@pytest.mark.parametrize("told", [0, 1], ids=["before it told anything", "after it told of the first"])
def test_a_worker_that_died_is_followed_by_another_without_duplicates(
    client: Client, told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = made(upload(client, TALKS))
    work(row)
    client.post(f"/conversations/imports/{row.pk}/run/")
    row.refresh_from_db()
    with monkeypatch.context() as patch:  # killed after two conversations, having told of `told` of them
        patch.setattr(import_jobs, "SAVE_SECONDS", 10**6)
        patch.setattr(import_jobs._Pass, "_finish", _killed)
        with pytest.raises(_Killed):
            work(row)
    ConversationImport.objects.filter(pk=row.pk).update(
        outcomes=[{"kind": "created", "place": "conversation 1", "title": "Why?", "added": 1}][:told], done=told
    )
    address = f"/conversations/imports/{row.pk}/"
    assert "Go on" not in client.get(address).content.decode()
    stamp = ConversationImport.objects.get(pk=row.pk).updated_at
    assert client.post(f"{address}resume/").status_code == 303  # too early: it may be alive
    assert ConversationImport.objects.get(pk=row.pk).updated_at == stamp

    ConversationImport.objects.filter(pk=row.pk).update(updated_at=timezone.now() - timedelta(minutes=5))
    page = client.get(address).content.decode()
    assert (f"broke off after {told} of 3" in page, "It goes on when you leave" in page) == (True, False)
    assert client.post(f"{address}resume/").status_code == 303
    work(row)
    assert (row.status, [kind for kind, *_rest in kinds(row)]) == ("done", ["created", "bad", "created"])
    assert (Conversation.objects.count(), Prompt.objects.count()) == (2, 3)


class _Killed(BaseException):
    """Not even `except Exception` sees it."""


def _killed(_self: Any) -> None:
    raise _Killed


@pytest.mark.django_db
def test_a_worker_that_was_overtaken_writes_nothing_more(client: Client) -> None:
    row = made(upload(client, TALKS))
    stale = Job(row.pk, row.updated_at, Origin(), "en")
    ConversationImport.objects.filter(pk=row.pk).update(updated_at=timezone.now() + timedelta(seconds=1))
    import_jobs.work(stale)
    row.refresh_from_db()
    assert (row.outcomes, row.finished_at) == ([], None)


@pytest.mark.django_db
def test_a_worker_that_is_overtaken_on_the_way_writes_nothing_more(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = made(upload(client, TALKS))
    told = import_jobs._told

    def overtaken(*args: Any) -> dict[str, Any]:
        ConversationImport.objects.filter(pk=row.pk).update(updated_at=timezone.now() + timedelta(seconds=1))
        return told(*args)

    monkeypatch.setattr(import_jobs, "_told", overtaken)
    work(row)
    assert (row.outcomes, row.finished_at) == ([], None)


@pytest.mark.django_db
def test_a_fault_of_ours_is_told_and_can_be_tried_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    row = made(upload(client, TALKS))
    with monkeypatch.context() as patch:
        patch.setattr(import_jobs, "import_conversations", lambda *_args, **_options: 1 / 0)
        work(row)
    page = client.get(f"/conversations/imports/{row.pk}/").content.decode()
    assert "Something went wrong in promptlib itself" in page and "Go on" in page
    client.post(f"/conversations/imports/{row.pk}/resume/")
    work(row)
    assert (row.error, kinds(row)) == ("", TOLD)


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.django_db
def test_an_archive_is_read_for_its_conversations(client: Client) -> None:
    data = json.dumps(TALKS).encode()
    row = made(upload(client, zipped(**{"user.json": b"{}", "conversations.json": data, "a.png": b"x"}), "all.zip"))
    work(row)
    assert kinds(row) == TOLD


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not valid JSON"),
        (b"PK\x03\x04 and no more", "damaged ZIP"),
        (b"[" * 100_000, "nested too deep"),
        (b'[{"title": "nothing"}]', "No conversation of a known form"),
        (zipped(**{"conversations.json": b" " * 60_000_000}), "unpacks to more than"),
        (b"[" + b"[],[]," * 60_000 + b"[]]", "too many values"),
        (b'{"a": [' + b"[],[],[]," * 400_000 + b"0]}", "too many values"),
    ],
    ids=["empty", "no archive", "deep", "nothing", "a bomb", "a hundred thousand entries", "a million values"],
)
def test_a_file_that_means_harm_is_refused_at_once_and_nothing_is_kept(
    client: Client, content: bytes, told: str
) -> None:
    response = upload(client, content)
    assert response.status_code == 422 and told in response.content.decode()
    assert not ConversationImport.objects.exists() and not ImportPart.objects.exists()


@pytest.mark.django_db
def test_a_file_beyond_the_limit_is_refused(client: Client, settings: Any) -> None:
    settings.CONVERSATION_IMPORT_MB = 1
    response = upload(client, b" " * 1_100_000)
    assert response.status_code == 422 and "larger than 1 MB" in response.content.decode()


@pytest.mark.django_db
def test_recorded_calls_are_found_by_themselves(client: Client) -> None:
    call = {"messages": [{"role": "user", "content": "Why?"}], "response": "So.", "model": "gpt-4o"}
    row = made(upload(client, "\n".join(json.dumps(call | {"source": str(n)}) for n in range(3)).encode(), "c.jsonl"))
    work(row)
    assert (row.format, kinds(row)) == ("calls", [("created", "c", 3)])


@pytest.mark.django_db(transaction=True)
def test_a_thread_brings_it_in_after_the_answer(client: Client) -> None:
    row = made(upload(client, TALKS))
    _until(row, "preview")
    client.post(f"/conversations/imports/{row.pk}/run/")
    _until(row, "done")
    assert (kinds(row), Conversation.objects.count()) == (TOLD, 2)


def _until(row: ConversationImport, status: str) -> None:
    until = timezone.now() + timedelta(seconds=60)
    while timezone.now() < until:
        row.refresh_from_db()
        if row.status == status and row.finished_at is not None:
            return
        import_jobs.threading.Event().wait(0.05)
    raise AssertionError(f"It is still {row.status}.")
