"""Exports as they are thrown at us: other shapes of the known formats, damaged ones, and nothing of them lost."""

import io
import json
import random
from typing import Any

import pytest

from conversations.importers import BadThread, ConversationRecord, ImportFileError, open_source

ROOT = {"id": "r", "parent": None, "children": ["u"], "message": None}


def node(key: str, parent: str, role: str, content: Any, **message: Any) -> dict[str, Any]:
    facts = {"id": key, "author": {"role": role, "name": message.pop("name", None)}, "content": content}
    return {"id": key, "parent": parent, "children": [], "message": facts | {"create_time": 1_700_000_000.5} | message}


def chatgpt(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"id": "c", "title": "", "mapping": {each["id"]: each for each in (ROOT, *nodes)}}


def words(*parts: Any) -> dict[str, Any]:
    return {"content_type": "text", "parts": list(parts)}


def claude(*messages: Any) -> dict[str, Any]:
    return {"uuid": "c", "name": "", "created_at": "2024-01-01T00:00:00.1Z", "chat_messages": list(messages)}


ASKED = node("u", "r", "user", words("Q"))
TALK = [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
TREE = {
    "conversationId": "L",
    "title": "",
    "messages": [
        {"messageId": "1", "parentMessageId": None, "isCreatedByUser": True, "text": "Q"},
        {
            "messageId": "2",
            "parentMessageId": "1",
            "isCreatedByUser": False,
            "content": [{"type": "think", "think": "Hm."}, {"type": "text", "text": {"value": "A"}}],
        },
    ],
}
SAMPLES: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "ChatGPT: canvas": (
        chatgpt(
            ASKED,
            node("c", "u", "assistant", {"content_type": "code", "text": "{}"}, recipient="canmore.create_textdoc"),
            node("t", "c", "tool", words("Created."), name="canmore.create_textdoc"),
            node("a", "t", "assistant", words("A")),
        ),
        [("Q", "A")],
    ),
    "ChatGPT: voice": (
        chatgpt(
            node(
                "u", "r", "user", {"content_type": "multimodal_text", "parts": [{"text": "Q", "direction": "in"}, {}]}
            ),
            node("a", "u", "assistant", {"content_type": "multimodal_text", "parts": [{"text": "A"}, None, 3]}),
        ),
        [("Q", "A")],
    ),
    "ChatGPT: an image drawn": (
        chatgpt(
            ASKED,
            node("c", "u", "assistant", words('{"prompt": "x"}'), recipient="dalle.text2im"),
            node("t", "c", "tool", {"content_type": "multimodal_text", "parts": [{"asset_pointer": "file://1"}]}),
        ),
        [("Q", "")],
    ),
    "ChatGPT: thoughts, code, its output": (
        chatgpt(
            ASKED,
            node("h", "u", "assistant", {"content_type": "thoughts", "thoughts": [{"summary": "S", "content": "T"}]}),
            node(
                "c", "h", "assistant", {"content_type": "code", "language": "python", "text": "1"}, recipient="python"
            ),
            node("o", "c", "tool", {"content_type": "execution_output", "text": "1"}, name="python"),
            node("a", "o", "assistant", words("A"), update_time=1_700_000_009.5, metadata={"model_slug": "o3"}),
        ),
        [("Q", "A")],
    ),
    "ChatGPT: a text alone, keys that are no text": (
        chatgpt(ASKED, {**node("a", "u", "assistant", "A"), "children": [{"x": 1}, ["u"], None]}),
        [("Q", "A")],
    ),
    "Claude: blocks, attachments, an artifact": (
        claude(
            {
                "uuid": "1",
                "sender": "human",
                "content": "Q",
                "attachments": [{"file_name": "a.txt", "extracted_content": "X"}],
            },
            {
                "uuid": "2",
                "sender": "assistant",
                "text": "Otherwise",
                "content": [
                    {"type": "thinking", "thinking": "H"},
                    {"type": "text", "text": "A"},
                    {"type": "tool_use", "name": "artifacts", "input": {"content": "C"}},
                    {"type": "tool_result", "content": [{"type": "text", "text": "OK"}]},
                    {"type": "text", "text": "B"},
                ],
            },
        ),
        [("Q", "A\n\nB")],
    ),
    "Claude: a tree": (
        claude(
            {"uuid": "1", "sender": "human", "text": "Q", "parent_message_uuid": "0"},
            {"uuid": "2", "sender": "assistant", "text": "A", "parent_message_uuid": "1"},
            {"uuid": "3", "sender": "assistant", "text": "B", "parent_message_uuid": "1"},
        ),
        [("Q", "A"), ("Q", "B")],
    ),
    "Open WebUI: parts, messages alone": (
        {
            "id": "o",
            "chat": {
                "messages": [
                    {"role": "user", "content": [{"type": "text", "text": "Q"}]},
                    {"role": "assistant", "content": "A"},
                ]
            },
        },
        [("Q", "A")],
    ),
    "LibreChat: parts": (TREE, [("Q", "A")]),
    "ShareGPT: role and content": ({"conversations": TALK}, [("Q", "A")]),
    "ShareGPT: messages": ({"messages": TALK}, [("Q", "A")]),
    "ShareGPT: a call that is no text": (
        {
            "conversations": [
                {"from": "human", "value": "Q"},
                {"from": "function_call", "value": {"name": "f", "arguments": {"x": "Y"}}},
                {"from": "observation", "value": None},
                {"from": "gpt", "value": "A"},
            ]
        },
        [("Q", "A")],
    ),
    "OpenAssistant: a tree": (
        {
            "message_tree_id": "t",
            "prompt": {
                "message_id": "1",
                "text": "Q",
                "role": "prompter",
                "replies": [
                    {"message_id": "2", "text": "A", "role": "assistant", "replies": None, "emojis": {"+1": 2}}
                ],
            },
        },
        [("Q", "A")],
    ),
}


def read(data: Any) -> list[ConversationRecord | BadThread]:
    content = data if isinstance(data, bytes) else json.dumps(data).encode()
    return list(open_source(io.BytesIO(content), "file.json"))


@pytest.mark.parametrize("sample", SAMPLES)
def test_each_shape_gives_its_questions_and_answers(sample: str) -> None:
    data, expected = SAMPLES[sample]
    for shape in (data, [data]):
        [record] = read(shape)
        assert isinstance(record, ConversationRecord), record
        assert [(turn.input_text, turn.response_text) for turn in record.turns] == expected


STRUCTURE = {
    *("id", "parent", "children", "role", "sender", "from", "type", "content_type", "messageId", "parentMessageId"),
    *("uuid", "parent_message_uuid", "message_id", "message_tree_id", "create_time", "created_at", "recipient"),
}
"""What says how things hang together; it is kept as what it means."""


def marked(value: Any, key: str, marks: list[str]) -> Any:
    """The same with a word of its own in each text."""
    if isinstance(value, dict):
        return {name: marked(each, name, marks) for name, each in value.items()}
    if isinstance(value, list):
        return [marked(each, key, marks) for each in value]
    if isinstance(value, str) and key not in STRUCTURE and not value.startswith(("{", "file:")):
        marks.append(f"mark{len(marks)}end")
        return f"{value} {marks[-1]}"
    return value


@pytest.mark.parametrize("sample", SAMPLES)
def test_not_a_word_is_lost(sample: str) -> None:
    marks: list[str] = []
    [record] = read([marked(SAMPLES[sample][0], "", marks)])
    kept = repr(record)
    assert [mark for mark in marks if mark not in kept] == []


JUNK: tuple[Any, ...] = (
    *(None, True, -1, 10**30, 1.5, "", "\ud800\0", "x" * 400, [], {}, [None], {"x": [1]}, [[[]]], "1e999", "u", "r"),
    *(float("nan"), float("inf"), "2024-13-45", {"content_type": 3}, {"parts": {}}, [{"type": None}], "null"),
)


def mutated(value: Any, chance: random.Random) -> Any:
    if chance.random() < 0.08:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        return {key: mutated(each, chance) for key, each in value.items() if chance.random() > 0.03}
    if isinstance(value, list):
        return [mutated(each, chance) for each in value for _again in range(chance.choice((1, 1, 1, 1, 0, 2)))]
    return value


@pytest.mark.parametrize("sample", SAMPLES)
def test_whatever_is_broken_in_one_the_other_goes_in(sample: str) -> None:
    chance = random.Random(sample)  # the same each time
    data, expected = SAMPLES[sample]
    for _attempt in range(150):
        found = read([mutated(data, chance), data])
        assert 1 <= len(found) <= 2
        sound = found[-1]
        assert isinstance(sound, ConversationRecord)
        assert [(turn.input_text, turn.response_text) for turn in sound.turns] == expected
        for record in found:
            if isinstance(record, ConversationRecord):
                assert record.title and len(record.title) <= 300 and 0 < len(record.source_id) <= 255
                json.dumps(record.metadata, allow_nan=False).encode()
                keys = {turn.key for turn in record.turns}
                assert all(turn.parent is None or turn.parent in keys for turn in record.turns)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + json.dumps([chatgpt(ASKED)]).encode(),
        json.dumps([chatgpt(ASKED)]).encode("utf-16"),
        json.dumps({"conversations": [chatgpt(ASKED)]}).encode(),
        json.dumps(chatgpt(ASKED)).encode() + b"\n" + b'{"broken": \n' + json.dumps(chatgpt(ASKED)).encode(),
        json.dumps([chatgpt(ASKED), chatgpt(ASKED)]).encode()[:-60],
        json.dumps([chatgpt(ASKED), {"mapping": 3}, True, None]).encode().replace(b"true", b"nonsense"),
    ],
    ids=["byte order mark", "UTF-16", "in a box", "lines, one broken", "cut off", "no JSON in between"],
)
def test_what_is_whole_goes_in(content: bytes) -> None:
    first = read(content)[0]
    assert isinstance(first, ConversationRecord) and [turn.input_text for turn in first.turns] == ["Q"]
    assert all(isinstance(each, (ConversationRecord, BadThread)) for each in read(content))


@pytest.mark.parametrize("content", [b"[]", b"{}", b"3", b'"x"', b"null", b"[1, 2]", b"\x89PNG", b"[{]", b'{"a": '])
def test_what_is_no_export_is_refused(content: bytes) -> None:
    with pytest.raises(ImportFileError):
        read(content)
