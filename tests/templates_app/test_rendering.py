"""Filling in a text, and cutting it at its variables."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates_app.rendering import Segment, count_words, estimate_tokens, render, segments
from templates_app.variables import find_names, is_name

_texts = st.text(alphabet="{}ab \t\n#é<&", max_size=80)
_values = st.dictionaries(st.sampled_from(["a", "b", "ab", "é"]), _texts, max_size=4)


def test_values_are_put_in_as_they_are_and_never_read_again() -> None:
    text = "Dear {{ name }}, {{unknown}} {{#if name}} <{{name}}>"
    values = {"name": "{{ other }} & <b>{{name}}</b>", "other": "never"}
    assert render(text, values) == (
        "Dear {{ other }} & <b>{{name}}</b>, {{unknown}} {{#if name}} <{{ other }} & <b>{{name}}</b>>"
    )
    assert render("{{this}} {{{name}}} {{ name }}", {"this": "x", "name": ""}) == "{{this}} {{{name}}} "


def test_segments_mark_the_variables() -> None:
    text = "Dear {{ name }}{{policy}}\nBye {{x}}"
    assert segments(text) == [
        Segment("Dear "),
        Segment("{{ name }}", name="name"),
        Segment("{{policy}}", name="policy"),
        Segment("\nBye "),
        Segment("{{x}}", name="x"),
    ]
    assert segments(text, {"name": "Marit", "policy": "one\ntwo", "x": "w" * 161}) == [
        Segment("Dear "),
        Segment("{{ name }}", name="name", value="Marit"),
        Segment("{{policy}}", name="policy", value="one\ntwo", is_block=True),
        Segment("\nBye "),
        Segment("{{x}}", name="x", value="w" * 161, is_block=True),
    ]
    assert segments("{{x}}", {"x": "w" * 160}) == [Segment("{{x}}", name="x", value="w" * 160)]
    assert segments("") == []


def _reference(text: str, values: dict[str, str]) -> str:
    """Character by character: at two opening braces that no third one precedes, read a name."""
    out, at = "", 0
    while at < len(text):
        match = re.match(r"\{\{[ \t]*([^\s{}]+)[ \t]*\}\}", text[at:])
        follows_brace = at > 0 and text[at - 1] == "{"
        if match and not follows_brace and is_name(match[1]) and match[1] in values:
            out, at = out + values[match[1]], at + match.end()
        else:
            out, at = out + text[at], at + 1
    return out


@given(_texts, _values)
def test_render_equals_the_reference(text: str, values: dict[str, str]) -> None:
    assert render(text, values) == _reference(text, values)


@given(_texts, _values)
def test_segments_and_render_tell_the_same(text: str, values: dict[str, str]) -> None:
    found = segments(text, values)
    assert "".join(segment.text for segment in found) == text
    assert "".join(s.text if s.value is None else s.value for s in found) == render(text, values)
    assert list(dict.fromkeys(s.name for s in found if s.name)) == find_names(text)


@given(st.text())
def test_nothing_raises_on_any_text(text: str) -> None:
    assert render(text, {}) == text
    assert estimate_tokens(text) >= 0
    assert count_words(text) <= len(text)


@pytest.mark.parametrize(
    "text", ["{{" * 150_000, "{{ a }} " * 40_000, "x" * 300_000, "{{" + " " * 300_000, "{{a" * 90_000, "{" * 300_000]
)
def test_work_grows_with_the_text_only(text: str) -> None:
    started = time.thread_time()
    render(text, {"a": "value"})
    segments(text, {"a": "value"})
    estimate_tokens(text)
    count_words(text)
    assert time.thread_time() - started < 5  # were it not linear, minutes


@pytest.mark.parametrize(
    ("text", "tokens", "words"),
    [
        ("", 0, 0),
        ("Read the ticket below and write the reply.", 11, 8),
        ("don’t stop — 3.5 times!", 6, 4),
        ("我希望你充当 Linux 终端。", 9, 9),
        ("한국어", 3, 3),
        ("Привет, мир", 4, 2),
        ("नमस्ते दुनिया", 5, 2),
    ],
)
def test_size_is_estimated(text: str, tokens: int, words: int) -> None:
    assert (estimate_tokens(text), count_words(text)) == (tokens, words)
