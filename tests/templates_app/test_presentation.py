"""A text cut for a page, and two texts compared: whatever is in them, nothing is lost and nothing is added."""

from hypothesis import example, given
from hypothesis import strategies as st

from promptlib.core.wordwise import Part, compare
from templates_app.presentation import measure, paragraphs
from templates_app.templatetags.library import prompt_text

TEXTS = st.lists(st.sampled_from(["\n", "\n\n", " ", "\t", "word", "<b>", "{{ a }}", "{{b}}", "{{#if}}", "é", ""])).map(
    "".join
)


@given(TEXTS)
@example("\n\n{{ a }}\n \n\n")
@example("")
def test_the_pieces_and_gaps_joined_are_the_text(text: str) -> None:
    cut = paragraphs(text)
    joined = "".join("".join(piece.text for piece in each.pieces) + each.gap for each in cut)
    assert joined == (text if text.strip("\n\t ") else joined)
    assert all(each.pieces for each in cut[1:])


def test_paragraphs_end_at_empty_lines_only() -> None:
    cut = paragraphs("One\ntwo {{ a }}\n \n\nThree", {"a": "x\ny"}, optional={"a"})
    assert [[(piece.text, piece.value, piece.typed, piece.is_block) for piece in each.pieces] for each in cut] == [
        [("One\ntwo ", "", "", False), ("{{ a }}", "x\ny", "", True)],
        [("Three", "", "", False)],
    ]
    assert [each.gap for each in cut] == ["\n \n\n", ""]


def test_everything_is_escaped() -> None:
    evil = '"><script>'
    markup = prompt_text(paragraphs(f"{evil} {{{{ a }}}}", {"a": evil}))
    assert markup == (
        '<p class="prompt__paragraph">&quot;&gt;&lt;script&gt; <a class="var var--filled" href="#f-v-a" data-var="a"'
        ' data-typed="{{ a }}">&quot;&gt;&lt;script&gt;</a></p>'
    )


def test_measure_counts_both_texts() -> None:
    assert measure("", "") == (0, 0)
    assert measure("Be kind.", "One two") == (4, 4)


@given(TEXTS, TEXTS)
def test_a_comparison_holds_both_texts_whole(old: str, new: str) -> None:
    lines = list(compare(old, new, context=None))

    def side(kinds: set[str], dropped: str) -> str:
        kept = [line for line in lines if line.kind != dropped]
        return "\n".join("".join(part.text for part in line.parts if part.kind in kinds) for line in kept)

    assert (side({"", "remove"}, "add"), side({"", "add"}, "remove")) == (old, new)


def test_a_comparison_marks_words_and_folds_what_is_equal() -> None:
    same = [f"line {n}" for n in range(10)]
    old, new = "\n".join([*same, "Use a friendly tone."]), "\n".join([*same, "Use a warm tone."])
    lines = list(compare(old, new))
    assert [(line.kind, line.folded) for line in lines] == [("", 9), ("", 0), ("change", 0)]
    assert lines[-1].parts == [Part("Use a "), Part("friendly", "remove"), Part("warm", "add"), Part(" tone.")]


def test_long_texts_are_compared_in_time() -> None:
    old, new = "a b c\n" * 5000, "a b d\n" * 5000
    assert len(list(compare(old, new))) == 10_002
    assert len(list(compare("word " * 3000, "other " * 3000))) == 1
