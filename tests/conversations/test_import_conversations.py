"""Exports of other services: everything in them arrives, once, and what is bad is reported while the rest goes in."""

import json
import os
import zipfile
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from accounts.models import User
from audit.models import AuditLog
from conversations.exporters import FORMATS, export
from conversations.importers import ImportFileError, read_file
from conversations.importing import Kind, import_conversations
from conversations.models import Conversation, Prompt
from conversations.services.thread import load_window
from tests.factories import ConversationFactory, PromptFactory, UserFactory

pytestmark = pytest.mark.django_db

DATA = os.environ.get("PROMPTLIB_TEST_DATA", "")
FILES = sorted(Path(DATA, "conversations").glob("*/*.json")) if DATA else []


@pytest.fixture
def owner() -> User:
    return UserFactory()


def take_in(path: Path, owner: User, **options: Any) -> Counter[Kind]:
    return Counter(outcome.kind for outcome in import_conversations(read_file(path), owner=owner, **options))


def written(tmp_path: Path, data: Any, name: str = "conversations.json") -> Path:
    path = tmp_path / name
    path.write_text(json.dumps(data))
    return path


def chat(**nodes: tuple[str | None, str, str]) -> dict[str, Any]:
    """A ChatGPT conversation of nodes: name=(parent, role, text)."""
    mapping: dict[str, Any] = {
        name: {
            "id": name,
            "parent": parent,
            "children": [child for child, (of, _role, _text) in nodes.items() if of == name],
            "message": {
                "id": name,
                "author": {"role": role},
                "content": {"content_type": "text", "parts": [text]},
                "create_time": 1_700_000_000 + number,
                "metadata": {"model_slug": "gpt-4"} if role == "assistant" else {},
            },
        }
        for number, (name, (parent, role, text)) in enumerate(nodes.items())
    }
    return {
        "id": "c1",
        "title": "Trees",
        "mapping": mapping,
        "create_time": 1_700_000_000.5,
        "current_node": list(nodes)[-1],
    }


# ---- counts, made from the raw JSON without our readers --------------------------------------------------------------


def raw_messages(entry: Any) -> Iterator[tuple[str, str | None]]:
    """(id, parent) of every message of one entry, as the file names them."""
    if "mapping" in entry:
        for key, node in entry["mapping"].items():
            if node.get("message") or node.get("parent"):
                yield key, node.get("parent")
    elif "chat_messages" in entry:
        for message in entry["chat_messages"]:
            yield message["uuid"], None
    elif "chat" in entry:
        for key, message in entry["chat"]["history"]["messages"].items():
            yield key, message["parentId"]
    elif "conversationId" in entry:
        waiting = list(entry["messages"])
        while waiting:
            message = waiting.pop()
            yield message["messageId"], message["parentMessageId"]
            waiting += message.get("children", [])
    elif "conversations" in entry:
        for number, _message in enumerate(entry["conversations"]):
            yield str(number), str(number - 1) if number else None


def raw_conversations(path: Path) -> list[dict[str, str | None]]:
    """Per conversation, id → parent of its messages; without messages, nothing."""
    data = json.loads(path.read_text(encoding="utf-8-sig"))
    entries = data if isinstance(data, list) else [data]
    if "parent_message_id" in entries[0]:
        parents = {entry["user_message_id"]: entry["parent_message_id"] for entry in entries}
        trees: dict[str, dict[str, str | None]] = {}
        for key in parents:
            root = key
            while parents.get(parents[root] or "") is not None or parents[root] in parents:
                root = parents[root] or ""
            trees.setdefault(root, {})[key] = parents[key]
        return list(trees.values())
    return [found for entry in entries if (found := dict(raw_messages(entry)))]


def branches(messages: dict[str, str | None]) -> int:
    """How many messages stand beside another one under the same parent."""
    families = Counter(parent for parent in messages.values() if parent in messages)
    return sum(size - 1 for size in families.values() if size > 1)


@pytest.mark.skipif(not FILES, reason="PROMPTLIB_TEST_DATA names no folder of collections")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_conversation_message_and_branch_arrives(path: Path, owner: User) -> None:
    raw = raw_conversations(path)
    counts = take_in(path, owner)
    assert counts[Kind.CREATED] == len(raw) == Conversation.objects.count()
    kept: list[dict[str, str]] = []
    for conversation in Conversation.objects.order_by("pk"):
        messages = [each for prompt in conversation.prompts.all() for each in prompt.metadata["imported"]["messages"]]
        kept.append({each["id"]: each.get("parent", "") for each in messages})
    for expected, found in zip(raw, kept, strict=True):
        own = {key for key in found if "/" not in key}  # a block beside the words of a message has an id below its own
        assert own - {"system"} == expected.keys()
        assert branches({key: found[key] for key in own}) == branches(expected)


@pytest.mark.slow(seconds=20)
@pytest.mark.skipif(not FILES, reason="PROMPTLIB_TEST_DATA names no folder of collections")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_repeat_changes_nothing_and_an_export_brings_everything_back(path: Path, owner: User, tmp_path: Path) -> None:
    exported = tmp_path / "export.json"
    with transaction.atomic():
        take_in(path, owner)
        before = snapshot()
        rows = AuditLog.objects.count()
        assert set(take_in(path, owner)) <= {Kind.SAME, Kind.BAD}
        assert (snapshot(), AuditLog.objects.count()) == (before, rows)
        exported.write_bytes(as_json(owner))
        transaction.set_rollback(True)
    assert not Conversation.all_objects.exists()
    assert set(take_in(exported, owner)) <= {Kind.CREATED}
    assert snapshot() == before


def as_json(owner: User) -> bytes:
    """All of a person's conversations, as they export them."""
    pks = list(Conversation.objects.order_by("pk").values_list("pk", flat=True))
    return b"".join(export(pks, FORMATS["json"], reader=owner).chunks)


def snapshot() -> list[Any]:
    """What conversations and interactions hold, without ids."""
    found = []
    for conversation in Conversation.objects.order_by("source_id", "pk"):
        prompts = list(conversation.prompts.order_by("pk"))
        number = {prompt.pk: place for place, prompt in enumerate(prompts)}
        found.append(
            (
                *(conversation.source, conversation.source_id, conversation.title, conversation.summary),
                *(conversation.system_prompt, conversation.parameters, conversation.created_at),
                {key: value for key, value in conversation.metadata.items() if key != "brought"},
                [
                    (
                        number.get(prompt.parent_id),
                        {k: v for k, v in prompt.metadata.items() if k not in ("attempts", "attempt_of", "brought")},
                        "attempt_of" in prompt.metadata,
                        len(prompt.metadata.get("attempts", [])),
                        *(getattr(prompt, name) for name in COMPARED),
                    )
                    for prompt in prompts
                ],
            )
        )
    return found


COMPARED = (
    *("input_text", "response_text", "system_prompt", "status", "model", "provider", "created_at", "completed_at"),
    *("input_tokens", "output_tokens", "latency_ms", "cost", "currency", "finish_reason", "feedback", "values"),
)


# ---- what people see -----------------------------------------------------------------------------------------------


def test_regenerated_answers_and_edited_questions_are_siblings_and_the_shown_way_is_shown(
    owner: User, tmp_path: Path
) -> None:
    tree = chat(
        root=(None, "system", ""),
        q1=("root", "user", "Tell a joke"),
        a1=("q1", "assistant", "A first joke"),
        q2=("a1", "user", "Another"),
        a2=("q2", "assistant", "No more jokes"),
        a1b=("q1", "assistant", "A better joke"),
    )
    take_in(written(tmp_path, [tree]), owner)
    conversation = Conversation.objects.get()
    assert [
        (turn.prompt.response_text, turn.place, len(turn.siblings)) for turn in load_window(conversation).turns
    ] == [("A better joke", 2, 2)]
    first = conversation.prompts.get(response_text="A first joke")
    assert [turn.prompt.response_text for turn in load_window(conversation, at=first.pk).turns] == [
        "A first joke",
        "No more jokes",
    ]
    assert {prompt.status for prompt in conversation.prompts.all()} == {Prompt.Status.RECORDED}
    assert {prompt.model for prompt in conversation.prompts.all()} == {"gpt-4"}


def test_a_conversation_that_has_grown_is_extended_and_what_was_done_here_stays(owner: User, tmp_path: Path) -> None:
    small = chat(q1=(None, "user", "Hello"), a1=("q1", "assistant", "Hi"), q2=("a1", "user", "How are you?"))
    take_in(written(tmp_path, [small]), owner)
    Conversation.objects.update(title="My own title")
    Prompt.objects.filter(response_text="Hi").update(feedback=1)
    PromptFactory(conversation=Conversation.objects.get(), author=owner, input_text="Asked here")
    grown = chat(
        q1=(None, "user", "Hello"),
        a1=("q1", "assistant", "Hi"),
        q2=("a1", "user", "How are you?"),
        t2=("q2", "tool", "A look at the clock"),
        a2=("t2", "assistant", "Fine"),
        q3=("a2", "user", "Good"),
        a3=("q3", "assistant", "Indeed"),
    )
    outcomes = list(import_conversations(read_file(written(tmp_path, [grown])), owner=owner))
    assert [(outcome.kind, outcome.added) for outcome in outcomes] == [(Kind.EXTENDED, 2)]
    conversation = Conversation.objects.get()
    assert conversation.title == "My own title"
    assert {(p.input_text, p.response_text, p.feedback) for p in conversation.prompts.all()} == {
        ("Hello", "Hi", 1),
        ("How are you?", "Fine", None),
        ("Asked here", PromptFactory._meta.model.objects.get(input_text="Asked here").response_text, None),
        ("Good", "Indeed", None),
    }


def test_a_bad_conversation_is_reported_by_place_and_the_rest_goes_in(owner: User, tmp_path: Path) -> None:
    path = written(
        tmp_path, [chat(q=(None, "user", "Hi")), {"title": "Damaged", "create_time": 1, "current_node": "x"}, 7]
    )
    outcomes = list(import_conversations(read_file(path), owner=owner))
    assert [(o.kind, o.place, o.title) for o in outcomes] == [
        (Kind.CREATED, "conversation 1", "Trees"),
        (Kind.BAD, "conversation 2", "Damaged"),
        (Kind.BAD, "conversation 3", ""),
    ]
    assert all(outcome.reason for outcome in outcomes[1:])


def test_what_is_in_the_trash_stays_there(owner: User, tmp_path: Path) -> None:
    path = written(tmp_path, [chat(q=(None, "user", "Hi"))])
    take_in(path, owner)
    Conversation.objects.get().delete(by=owner)
    assert take_in(path, owner) == {Kind.TRASHED: 1}
    assert Conversation.objects.count() == 0


def test_a_dry_run_writes_nothing(owner: User, tmp_path: Path) -> None:
    rows = AuditLog.objects.count()
    assert take_in(written(tmp_path, [chat(q=(None, "user", "Hi"))]), owner, dry_run=True) == {Kind.CREATED: 1}
    assert (Conversation.all_objects.count(), AuditLog.objects.count()) == (0, rows)


def test_everything_written_is_in_the_audit_log(owner: User, tmp_path: Path) -> None:
    take_in(written(tmp_path, [chat(q=(None, "user", "Hi"), a=("q", "assistant", "Ho"))]), owner)
    rows = AuditLog.objects.filter(action=AuditLog.Action.IMPORT)
    assert sorted(rows.values_list("content_type__model", flat=True)) == ["conversation", "prompt"]


def test_an_archive_with_many_files_is_read_and_other_files_in_it_are_passed_over(owner: User, tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("user.json", json.dumps({"email": "a@example.org"}))
        archive.writestr("chat.html", "<html>")
        archive.writestr("conversations-000.json", json.dumps([chat(q=(None, "user", "One"))]))
        archive.writestr("conversations-001.json", json.dumps([chat(q=(None, "user", "Two")) | {"id": "c2"}]))
    assert take_in(path, owner) == {Kind.CREATED: 2}


def test_what_was_said_of_answers_in_chatgpt_comes_along(owner: User, tmp_path: Path) -> None:
    said: list[Any] = [
        {"message_id": "a", "rating": "thumbs_up", "content": json.dumps({"text": "Short", "tags": ["clear"]})},
        {"id": "b", "rating": "thumbsDown", "content": "{}"},
        *({"id": "c", "rating": 5}, {"id": "nowhere", "rating": "thumbsUp"}, "odd", {"rating": "thumbsUp"}),
    ]
    talk = {f"q{each}": (None, "user", "Hm?") for each in "abc"}
    talk |= {each: (f"q{each}", "assistant", "So.") for each in "abc"}
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("message_feedback.json", json.dumps(said))
        archive.writestr("conversations.json", json.dumps([chat(**talk)]))
    assert take_in(path, owner) == {Kind.CREATED: 1}
    found = Prompt.objects.order_by("id").values_list("feedback", "feedback_note")
    assert sorted(found, key=str) == [(-1, ""), (1, "Short, clear"), (None, "")]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe{", "not UTF-8"),
        (b'{"a": 1}', "No conversation of a known form"),
        (b"[" * 100_000, "nested too deep"),
    ],
)
def test_a_file_that_is_no_export_is_refused_in_plain_words(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    with pytest.raises(ImportFileError, match=told):
        read_file(path)


def test_circles_missing_parents_and_strange_values_lose_nothing(owner: User, tmp_path: Path) -> None:
    odd = chat(
        a=("b", "user", "One \ud800 \0"),
        b=("a", "assistant", "Two"),
        c=("gone", "user", "Three"),
        d=("d", "tool", "Four"),
    )
    odd["mapping"]["c"]["message"]["create_time"] = "not a time"
    odd["mapping"]["b"]["message"]["metadata"] = None
    assert take_in(written(tmp_path, [odd]), owner) == {Kind.CREATED: 1}
    kept = {each["id"] for prompt in Prompt.objects.all() for each in prompt.metadata["imported"]["messages"]}
    assert kept == {"a", "b", "c", "d"}


def test_our_own_export_holds_what_was_measured_here(owner: User, tmp_path: Path) -> None:
    conversation = ConversationFactory(owner=owner, title="Measured")
    first = PromptFactory(conversation=conversation, author=owner)
    PromptFactory(conversation=conversation, author=owner, parent=first, failed=True)
    before = snapshot()
    path = tmp_path / "export.json"
    path.write_bytes(as_json(owner))
    conversation.hard_delete()
    assert take_in(path, owner) == {Kind.CREATED: 1}
    after = snapshot()
    assert [row[2:8] for row in after] == [row[2:8] for row in before]
    keys = {"imported", "brought"}
    strip = [
        [(turn[0], {k: v for k, v in turn[1].items() if k not in keys}, *turn[2:]) for turn in row[8]] for row in after
    ]
    assert strip == [row[8] for row in before]


def test_the_command_sums_up_and_names_the_bad_ones(owner: User, tmp_path: Path) -> None:
    path = written(tmp_path, [chat(q=(None, "user", "Hi")), {"mapping": None}])
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("import_conversations", str(path), owner=owner.email, stdout=out, stderr=err)
    assert stopped.value.code == 1
    assert "1 new, 0 extended, 0 the same, 0 left in the trash, 1 bad; interactions added: 1." in out.getvalue()
    assert err.getvalue().startswith("conversation 2:")
    with pytest.raises(CommandError, match="Nobody here"):
        call_command("import_conversations", str(path), owner="nobody@example.org")
