"""Three-way merges: what one side changed is taken, what both changed differently is a conflict, nothing is lost."""

from hypothesis import given, settings
from hypothesis import strategies as st

from promptlib.core.merging import posted_choices
from templates_app.merging import merge_fields, merge_text

POEM = "Write a short poem.\nRhyme it.\n\nEnd with a joke.\n"
texts = st.text(alphabet="ab \n.", max_size=40)


def test_changes_of_different_lines_are_both_taken() -> None:
    mine = POEM.replace("Rhyme it.", "Do not rhyme it.")
    theirs = POEM.replace("a joke", "a question")
    assert merge_text(POEM, mine, theirs) == "Write a short poem.\nDo not rhyme it.\n\nEnd with a question.\n"


def test_changes_of_different_words_of_one_line_are_both_taken() -> None:
    mine, theirs = POEM.replace("short", "long"), POEM.replace("poem", "sonnet")
    assert merge_text(POEM, mine, theirs) == POEM.replace("short poem", "long sonnet")


def test_a_contradiction_is_shown_with_its_lines_and_mine_stands_until_somebody_chooses() -> None:
    fields = ({"body": POEM}, {"body": POEM.replace("short", "long")}, {"body": POEM.replace("short", "tiny")})
    merge = merge_fields(*fields)
    assert [(c.key, c.base, c.mine, c.theirs) for c in merge.conflicts] == [
        ("body-0", "Write a short poem.\n", "Write a long poem.\n", "Write a tiny poem.\n")
    ]
    assert merge.content["body"] == POEM.replace("short", "long")
    assert merge_fields(*fields, {"body-0": "theirs"}).content["body"] == POEM.replace("short", "tiny")
    both = merge_fields(*fields, {"body-0": "both"}).content["body"]
    assert both == "Write a long poem.\nWrite a tiny poem.\nRhyme it.\n\nEnd with a joke.\n"
    assert merge_fields(*fields, {"body-0": "nonsense"}).content == merge.content


def test_variables_merge_by_name_and_key() -> None:
    tone = {"name": "tone", "type": "text", "label": "Tone", "default": "warm"}
    length = {"name": "length", "type": "integer"}
    merge = merge_fields(
        {"variables": [tone, length]},
        {"variables": [tone | {"label": "Voice", "default": "dry"}, {"name": "reader", "type": "text"}, length]},
        {"variables": [tone | {"help": "How it sounds", "default": "cool"}]},
    )
    assert merge.content["variables"] == [
        {"name": "tone", "type": "text", "label": "Voice", "default": "dry", "help": "How it sounds"},
        {"name": "reader", "type": "text"},
    ]
    assert [(c.key, c.base, c.mine, c.theirs) for c in merge.conflicts] == [
        ("variables-tone-default", "warm", "dry", "cool")
    ]


def test_parameters_tags_examples_and_choices_of_a_whole() -> None:
    first, second, third = ({"role": "user", "content": text} for text in "abc")
    merge = merge_fields(
        {"parameters": {"temperature": 1, "top_p": 1}, "tags": ["a", "b"], "examples": [first], "language": "en"},
        {
            "parameters": {"temperature": 0, "top_p": 1},
            "tags": ["a", "c"],
            "examples": [first, second],
            "language": "de",
        },
        {"parameters": {"temperature": 1}, "tags": ["a", "b", "d"], "examples": [third, first], "language": "fr"},
        {"language": "theirs"},
    )
    assert merge.content == {
        "parameters": {"temperature": 0},
        "tags": ["a", "c", "d"],
        "examples": [third, first, second],
        "language": "fr",
    }
    assert [c.key for c in merge.conflicts] == ["language"]


def test_a_text_too_long_to_compare_is_one_conflict_and_stays_whole() -> None:
    base = "".join(f"{n}\n" for n in range(9000))
    merge = merge_fields({"body": base}, {"body": base[::-1]}, {"body": f"{base}!"})
    assert merge.content["body"] == base[::-1]
    assert [c.theirs for c in merge.conflicts] == [f"{base}!"]


@settings(max_examples=300, deadline=None)
@given(base=texts, mine=texts)
def test_one_side_alone_is_taken_as_it_is(base: str, mine: str) -> None:
    assert merge_text(base, mine, base) == mine
    assert merge_text(base, base, mine) == mine
    assert merge_text(base, mine, mine) == mine


@settings(max_examples=300, deadline=None)
@given(base=texts, mine=texts, theirs=texts)
def test_both_ways_round_agree_and_choosing_one_side_of_all_keeps_its_words(base: str, mine: str, theirs: str) -> None:
    there, back = merge_text(base, mine, theirs), merge_text(base, theirs, mine)
    assert there == back
    fields = ({"body": base}, {"body": mine}, {"body": theirs})
    swapped = merge_fields(fields[0], fields[2], fields[1])
    assert [(c.mine, c.theirs) for c in merge_fields(*fields).conflicts] == [
        (c.theirs, c.mine) for c in swapped.conflicts
    ]


def test_a_form_chooses_and_may_write_its_own() -> None:
    fields = ({"body": POEM}, {"body": POEM.replace("short", "long")}, {"body": POEM.replace("short", "tiny")})
    posted = {"choice-body-0": "own", "text-body-0": "Write a sonnet.", "csrf": "x", "title": "y"}
    assert posted_choices(posted) == {"choices": {"body-0": "own"}, "texts": {"body-0": "Write a sonnet."}}
    merge = merge_fields(*fields, **posted_choices(posted))
    assert merge.content["body"] == POEM.replace("Write a short poem.", "Write a sonnet.")
    [conflict] = merge.conflicts
    assert (conflict.chosen, conflict.own, conflict.label) == ("own", "Write a sonnet.", "Prompt")
    assert merge_fields(*fields).conflicts[0].own == "Write a long poem.\nWrite a tiny poem.\n"
    assert merge_fields(*fields, {"body-0": "own"}, {"body-0": ""}).content["body"] == POEM.removeprefix(
        "Write a short poem.\n"
    )


def test_empty_lines_do_not_hold_paragraphs_together() -> None:
    base = "First.\n\nApologise once.\n\nUse a friendly tone and be brief.\n\nOur policy: sixty days.\n"
    mine = base.replace("friendly", "dry")
    theirs = "First.\n\nUse a warm tone and be brief.\n\nWhat we may offer is settled by this:\n\nEnd.\n"
    merge = merge_fields({"body": base}, {"body": mine}, {"body": theirs})
    assert [(conflict.mine, conflict.theirs) for conflict in merge.conflicts] == [
        (mine.removeprefix("First.\n\n"), theirs.removeprefix("First.\n\n"))
    ]
    assert merge.content["body"] == mine


def test_paragraphs_that_stayed_in_their_places_are_merged_one_by_one() -> None:
    base = "Use a friendly tone.\n\nKeep it under 250 words.\n"
    merge = merge_fields(
        {"body": base},
        {"body": base.replace("friendly", "formal")},
        {"body": base.replace("friendly", "warm").replace("250", "180")},
    )
    assert [(conflict.mine, conflict.theirs) for conflict in merge.conflicts] == [
        ("Use a formal tone.\n", "Use a warm tone.\n")
    ]
    assert merge.content["body"] == "Use a formal tone.\n\nKeep it under 180 words.\n"
