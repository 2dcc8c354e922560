"""Contents compared field by field, and texts by the words that changed, not by the spaces between them."""

import time

from promptlib.core.wordwise import Part, compare
from templates_app.diffing import Facet, FieldChange, content_differences
from templates_app.merging import merge_fields
from tests.factories import TemplateFactory

OLD = {
    "system_prompt": "Be kind.",
    "body": "Use a friendly tone.\nSay why.",
    "examples": [{"role": "user", "content": "Hi"}],
    "variables": [
        {"name": "tone", "type": "text", "default": "warm"},
        {"name": "gone", "type": "date"},
        {"name": "same", "type": "text"},
    ],
    "parameters": {"temperature": 0.7, "max_tokens": 100},
}
NEW = OLD | {
    "body": "Use a {{ tone }} tone.\nSay why.",
    "examples": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}],
    "variables": [
        {"name": "tone", "type": "choice", "options": ["warm", "dry"], "required": True},
        {"name": "same", "type": "text"},
        {"name": "added", "type": "integer", "min": 1},
    ],
    "parameters": {"temperature": 0.3, "top_p": 1},
}


def test_contents_differ_by_text_variable_and_parameter() -> None:
    found = content_differences(OLD, NEW)
    assert [(text.label, text.words_added, text.words_removed) for text in found.texts] == [
        ("Prompt", 1, 1),
        ("Examples", 2, 0),
    ]
    assert found.variables == [
        FieldChange(
            "tone",
            [
                Facet("type", "text", "choice"),
                Facet("options", "", "options warm, dry"),
                Facet("required", "optional", "required"),
                Facet("default", "default warm", ""),
            ],
        ),
        FieldChange("added", [Facet("type", "", "whole number"), Facet("smallest", "", "smallest 1")], is_added=True),
        FieldChange("gone", [Facet("type", "date", "")], is_removed=True),
    ]
    assert found.parameters == [
        FieldChange("Temperature", [Facet("", "0.7", "0.3")]),
        FieldChange("Top p", [Facet("", "", "1")], is_added=True),
        FieldChange("Output tokens", [Facet("", "100", "")], is_removed=True),
    ]
    assert not content_differences(NEW, NEW)


def test_versions_compare_as_their_contents_do(db: None) -> None:
    old, new = TemplateFactory(versions=2, body="One {{ a }}").versions.order_by("number")
    [text] = content_differences(old, new).texts
    assert [line.parts for line in text.lines] == [[Part("One {{ a }}"), Part(" (draft 1)", "remove")]]


def test_a_changed_phrase_is_one_change_and_a_variable_one_word() -> None:
    [line] = compare("Say a b c now to {{ reader }}.", "Say x y z now to {{reader}}.")
    assert line.parts == [
        Part("Say "),
        Part("a b c", "remove"),
        Part("x y z", "add"),
        Part(" now to "),
        Part("{{ reader }}", "remove"),
        Part("{{reader}}", "add"),
        Part("."),
    ]


def test_a_line_becomes_the_line_that_is_like_it() -> None:
    old = "Answer in two lines.\nUse a friendly tone.\nThe end"
    new = "Nothing before this was there\nUse a warm tone.\nThe end"
    found = [(line.kind, line.number) for line in compare(old, new)]
    assert found == [("remove", 1), ("add", 1), ("change", 2), ("", 3)]
    assert [line.kind for line in compare("a b\nc", "a d\nc", is_by_words=False)] == ["remove", "add", ""]


def test_folded_lines_can_be_opened() -> None:
    lines = list(compare("a\nb\nc\nd\nold", "a\nb\nc\nd\nnew"))
    assert [(line.folded, [part.text for each in line.hidden for part in each.parts]) for line in lines] == [
        (3, ["a", "b", "c"]),
        (0, []),
        (0, []),
    ]


def test_texts_that_repeat_themselves_are_compared_in_time() -> None:
    old, new = "a b " * 350, "b a a " * 240
    started = time.monotonic()
    assert [part.kind for line in compare(old, new) for part in line.parts] == ["remove", "add"]
    lines = list(compare("a\nb\n" * 900, "b\na\na\n" * 600))
    merge = merge_fields({"body": "a\nb\n" * 900}, {"body": "b\na\na\n" * 600}, {"body": "b\n" * 1800})
    assert (len(lines), len(merge.conflicts)) == (3602, 1)
    assert time.monotonic() - started < 10
