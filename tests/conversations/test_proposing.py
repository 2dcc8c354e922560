"""What is proposed as a variable: that which differs between similar questions, and nothing where little is alike."""

import json
import os
from pathlib import Path
from uuid import uuid4

import pytest

from conversations.proposing import Question, propose

DATA = os.environ.get("PROMPTLIB_TEST_DATA", "")
POEMS = [
    "Write a poem about the sea in French.",
    "Write a poem about love in German.",
    "Write a poem about the mountains in Italian.",
]


def proposed(text: str, *earlier: str) -> tuple[str, list[tuple[str, str, str, list[str]]]]:
    found = propose(text, [Question(uuid4(), each) for each in earlier])
    told = [
        (each.variable.name, each.variable.type.value, each.here, [value for _question, value in each.others])
        for each in found.variables
    ]
    return found.body, told


@pytest.mark.parametrize(
    ("text", "earlier", "body", "variables"),
    [
        (
            POEMS[0],
            POEMS[1:],
            "Write a poem about {{ topic }} in {{ language }}.",
            [
                ("topic", "text", "the sea", ["the mountains", "love"]),
                ("language", "text", "French", ["Italian", "German"]),
            ],
        ),
        (
            "Write a 200 word essay about climate change for students",
            ["Write a 500 word essay about war for teachers", "Write a 90 word essay about art for kids"],
            "Write a {{ number_of_words }} word essay about {{ topic }} for {{ audience }}",
            [
                ("number_of_words", "integer", "200", ["500", "90"]),
                ("topic", "text", "climate change", ["war", "art"]),
                ("audience", "text", "students", ["teachers", "kids"]),
            ],
        ),
        (
            "Summarise the following text in three points:\n\nCats sleep.",
            ["Summarise the following text in three points:\n\nThe moon is far away and cold."],
            "Summarise the following text in three points:\n\n{{ text }}",
            [("text", "long_text", "Cats sleep.", ["The moon is far away and cold."])],
        ),
        (
            "Write the minutes of the meeting on 2026-11-17. Count from 2026-11-17; say who was there.",
            ["Write the minutes of the meeting on 2025-10-26. Count from 2025-10-26; say who was there."],
            "Write the minutes of the meeting on {{ date }}. Count from {{ date }}; say who was there.",
            [("date", "date", "2026-11-17", ["2025-10-26"])],
        ),
        (
            "Translate to Spanish: Good morning",
            ["Translate to Spanish: Where is the station?"],
            "Translate to Spanish: {{ text }}",
            [("text", "long_text", "Good morning", ["Where is the station?"])],
        ),
        (
            "Write an advert.\nProduct: soap\nTone: warm",
            ["Write an advert.\nProduct: bread\nTone: dry", "Write an advert.\nProduct: tea\nTone: bold"],
            "Write an advert.\nProduct: {{ product }}\nTone: {{ tone }}",
            [("product", "text", "soap", ["bread", "tea"]), ("tone", "text", "warm", ["dry", "bold"])],
        ),
        (
            "用AI写一首关于大海的诗",
            ["用AI写一首关于高山的诗"],
            "用AI写一首关于{{ topic }}的诗",
            [("topic", "text", "大海", ["高山"])],
        ),
    ],
    ids=[
        "two words",
        "numbers",
        "a text after an instruction",
        "a date said twice",
        "after a colon",
        "labels",
        "Chinese",
    ],
)
def test_what_differs_becomes_a_variable(
    text: str, earlier: list[str], body: str, variables: list[tuple[str, str, str, list[str]]]
) -> None:
    assert proposed(text, *earlier) == (body, variables)


@pytest.mark.parametrize(
    ("text", "earlier"),
    [
        ("What is the capital of France?", ["What is love?", "What is the time?"]),
        (POEMS[0], [POEMS[0], POEMS[0].upper()]),
        (POEMS[0], ["Fix this function, it crashes.", "Thanks!", ""]),
        ("Why?", ["How?", "Who?"]),
        ("", POEMS),
        (POEMS[0], []),
    ],
    ids=["only dull words alike", "the same question", "nothing alike", "one word", "no text", "none before"],
)
def test_where_little_is_alike_nothing_is_proposed(text: str, earlier: list[str]) -> None:
    assert proposed(text, *earlier) == (text, [])


def test_filled_in_with_what_stands_here_it_is_the_question_again() -> None:
    """On real questions too: no proposal may lose or change a character of what was asked."""
    if not DATA:
        pytest.skip("PROMPTLIB_TEST_DATA names no folder of collections")
    entries = json.loads(Path(DATA, "conversations/sharegpt/glaive-toolcall-en.json").read_text())
    texts = [entry["conversations"][0]["value"] for entry in entries][:60]
    questions = [Question(uuid4(), text) for text in texts]
    found = 0
    for number, text in enumerate(texts):
        proposal = propose(text, [*questions[:number], *questions[number + 1 :]])
        filled = proposal.body
        for each in proposal.variables:
            filled = filled.replace("{{ " + each.variable.name + " }}", each.here, 1)
            assert each.others and all(value != each.here for _question, value in each.others)
        found += bool(proposal.variables)
        assert filled == text
    assert 0 < found < 30  # something is proposed, and not for everything


def test_long_texts_without_end_cost_no_time() -> None:
    words = " ".join(f"word{number}" for number in range(20_000))
    assert propose(words, [Question(uuid4(), words[::-1]), Question(uuid4(), "word1 " * 9_000)]).variables == ()
