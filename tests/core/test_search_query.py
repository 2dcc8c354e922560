"""What people type, how a text is cut into words, and the pieces shown of it."""

import re
import time

import pytest
from django.utils.html import escape
from django.utils.safestring import mark_safe
from hypothesis import given
from hypothesis import strategies as st

from promptlib.core.markdown import render_markdown
from promptlib.core.search import Snippet, highlight, highlight_html, parse, snippets
from promptlib.core.search.alphabet import WORD, fold
from promptlib.core.search.query import MAX_TERMS, Term
from promptlib.core.search.words import normal_form, words


def said(text: str) -> tuple[list[str], list[str]]:
    """The terms of a query, wanted and unwanted, with single spaces between words and a star after a prefix."""

    def show(term: Term) -> str:
        return " ".join(term.words) + ("*" if term.prefix else "")

    query = parse(text)
    return [show(term) for term in query.wanted], [show(term) for term in query.unwanted]


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("", [], []),
        ("translate letters", ["translate", "letters"], []),
        ("the ai", ["the__", "ai__"], []),
        ('"the letters" now', ["the__ letters", "now__"], []),
        ('"open end', ["open__ end__"], []),
        ('""', [], []),
        ("-draft letters", ["letters"], ["draft__"]),
        ('-"old draft"', [], ["old__ draft__"]),
        ("a-b", ["a__ b__"], []),
        ("--flag", ["flag__"], []),
        ("- letters", ["letters"], []),
        ("pre*", ["pre*"], []),
        ("e-ma*", ["e__ ma*"], []),
        ("*", [], []),
        ("**ab**", ["ab*"], []),
        ("a*", ["a__"], []),
        ("a*b", ["a__ b__"], []),
        ("letters).*", ["letters"], []),
        ("c++ ((", ["c__"], []),
        ('foo"bar', ["foo__ bar__"], []),
        ("x@y.com", ["x__ y__ com__"], []),
        ("user_id", ["user_id"], []),
        ("same same Same", ["same__", "Same__"], []),
        ("代码", ["代码__"], []),
        ("写代码", ["写代__ 代码__"], []),
        ("写", ["写*"], []),
        ("写*", ["写*"], []),
        ("用Python写代码", ["用__ Python 写代__ 代码__"], []),
        ("Python写", ["Python 写*"], []),
        ("회의록 ai", ["회의__ 의록__", "ai__"], []),
        ("🚀 launch", ["launch"], []),
        ("x" * 61, [f"{'x' * 60} x__"], []),
        ("x" * 60 + "*", [f"{'x' * 60}*"], []),
        ("x" * 62 + "*", [f"{'x' * 60} xx*"], []),
        ("x" * 122 + "*", [f"{'x' * 60} {'x' * 60} xx*"], []),
    ],
)
def test_a_query_is_terms_wanted_and_unwanted(text: str, wanted: list[str], unwanted: list[str]) -> None:
    assert said(text) == (wanted, unwanted)


def test_a_query_has_an_end() -> None:
    assert len(parse(" ".join(f"word{number}" for number in range(200))).wanted) == MAX_TERMS
    assert said("a " * 499 + "abcdefghij") == (["a__", "ab__"], [])


@given(st.text())
def test_any_text_is_a_query_and_can_be_marked(text: str) -> None:
    parse(text)
    assert re.sub("</?mark>", "", highlight(text, text)) == escape(re.sub(r"\s+", " ", text))


@given(st.text())
def test_every_text_is_found_by_its_own_words(text: str) -> None:
    indexed = normal_form(text)
    for term in parse(f'"{text.replace(chr(34), " ")}"').wanted:
        assert Term(term.folded, term.prefix).needle in indexed or len(text) > 1000


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (None, "  "),
        ("", "  "),
        ("Understand the AI", " understand the__ ai__ "),
        ("用AI写代码", " 用__ ai__ 写代__ 代码__ 码__ "),
        ("你好。世界", " 你好__ 好__ 世界__ 界__ "),
        ("don't user_id x=1", " don__ t__ user_id x__ 1__ "),
        ("Café Ærø Straße Łódź İl", " cafe__ aero__ strasse lodz__ il__ "),
        ("カタカナ", " かた__ たか__ かな__ な__ "),
        ("a" * 125, f" {'a' * 60} {'a' * 60} {'a' * 5}__ "),
        ("a" * 121, f" {'a' * 60} {'a' * 60} a__ "),
        ("a" * 60, f" {'a' * 60} "),
        ("party🎉time", " party__ time__ "),
    ],
)
def test_the_normal_form_of_a_text(text: str | None, form: str) -> None:
    assert normal_form(text) == form


def test_equal_letters_are_folded_into_one() -> None:
    groups = ["eéÈẽＥ", "oøÖ", "dđÐ", "сС", "ёеЁ", "йЙ", "かガカｶゕ", "つっヅ", "ךכ", "1１١۱", "ßẞ"]
    assert [{fold(letter) for letter in group if WORD.match(letter)} for group in groups] == [
        {"e"},
        {"o"},
        {"d"},
        {"с"},
        {"е"},
        {"й"},
        {"か"},
        {"つ"},
        {"כ"},
        {"1"},
        {"ss"},
    ]
    assert fold("e\u0301") == "e"
    assert words("हिन्दी में") == ["हिन्दी", "में__"]


# ---- snippets ------------------------------------------------------------------

LOREM = "Lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore. "


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("letter", "A letter, a Letter; letters", "A <mark>letter</mark>, a <mark>Letter</mark>; letters"),
        ("letter*", "Letters", "<mark>Letters</mark>"),
        ("ai aim", "aim ai maintain", "<mark>aim</mark> <mark>ai</mark> maintain"),
        ("resume", "Résumé re\u0301sume\u0301", "<mark>Résumé</mark> <mark>re\u0301sume\u0301</mark>"),
        ("Résumé", "resume", "<mark>resume</mark>"),
        ("strasse", "Straße STRASSE", "<mark>Straße</mark> <mark>STRASSE</mark>"),
        ("Straße", "strasse", "<mark>strasse</mark>"),
        ('"new york"', "new York, new, New\nYork", "<mark>new York</mark>, new, <mark>New York</mark>"),
        ("e-mail", "e-mail email E mail", "<mark>e-mail</mark> email <mark>E mail</mark>"),
        ("-no yes", "no yes", "no <mark>yes</mark>"),
        ("代码", "写代码吧", "写<mark>代码</mark>吧"),
        ("python代码", "用Python代码", "用<mark>Python代码</mark>"),
        ("python", "用Python代码", "用<mark>Python</mark>代码"),
        ("めも", "会議のメモ", "会議の<mark>メモ</mark>"),
        ("письмо", "Письмо", "<mark>Письмо</mark>"),
        ("b", "<b>&amp;</b>", "&lt;<mark>b</mark>&gt;&amp;amp;&lt;/<mark>b</mark>&gt;"),
        ("lt amp mark", "<mark>", "&lt;<mark>mark</mark>&gt;"),
        ("(( *", "(( *", "(( *"),
        ("", "text", "text"),
    ],
)
def test_hits_are_marked_in_a_title(query: str, text: str, marked: str) -> None:
    assert highlight(text, query) == marked


def test_a_snippet_is_cut_around_the_hits() -> None:
    text = LOREM * 3 + "Here a customer\nasks about the <delay>. " + LOREM * 3
    [snippet] = snippets("customer delay", {"Body": text})
    assert snippet == Snippet(
        "Body",
        "… tempor incididunt ut labore. Here a <mark>customer</mark> asks about the &lt;<mark>delay</mark>&gt;. Lorem"
        " ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor …",
    )


def test_a_short_text_is_shown_whole() -> None:
    assert snippets("b", {"Title": "a b c"}) == [Snippet("Title", "a <mark>b</mark> c")]


def test_the_place_with_the_most_terms_is_shown() -> None:
    text = f"alpha {LOREM * 2} beta {LOREM * 2} alpha beta {LOREM * 2} beta"
    [snippet] = snippets("alpha beta", {"Body": text})
    assert "<mark>alpha</mark> <mark>beta</mark>" in snippet.html


def test_terms_far_apart_have_a_snippet_each() -> None:
    found = snippets("alpha beta", {"Body": f"alpha {LOREM * 3} beta", "Summary": "nothing"})
    assert [(snippet.source, re.findall("<mark>(.*?)</mark>", snippet.html)) for snippet in found] == [
        ("Body", ["alpha"]),
        ("Body", ["beta"]),
    ]


def test_the_best_texts_are_shown_in_their_order() -> None:
    texts = {"Title": "alpha", "Summary": "gamma", "Body": "alpha beta", "System": "beta alpha"}
    assert [snippet.source for snippet in snippets("alpha beta", texts)] == ["Body", "System"]
    assert [snippet.source for snippet in snippets("alpha beta", texts, limit=1)] == ["Body"]
    assert snippets("delta", texts) == snippets("", texts) == snippets("((", texts) == []


def test_a_snippet_stays_short_whatever_is_in_the_text() -> None:
    for text, query in [("x" * 5000, "x*"), ("代码" * 5000, "代码"), ("a " * 5000, "a"), ("<" * 5000 + " b", "b")]:
        for snippet in snippets(query, {"Body": text}):
            assert len(re.sub("</?mark>|&[a-z]+;", "", snippet.html)) <= 165


@pytest.mark.parametrize("query", ["zzz", "a", "lorem", "a*", '"a a a a a a a a b"', "lorem-ipsum -amet", "码"])
def test_the_time_grows_with_the_text_alone(query: str) -> None:
    def seconds(size: int) -> float:
        texts = [("a " * size)[:size], (LOREM * size)[:size], ("代码é" * size)[:size], (" " * size)]
        started = time.perf_counter()
        for text in texts:
            snippets(query, {"Body": text})
        return time.perf_counter() - started

    snippets(query, {"Body": "warm"})
    small, large = min(seconds(25_000) for _ in range(3)), min(seconds(250_000) for _ in range(2))
    assert large < max(40 * small, 0.05)


@pytest.mark.parametrize(
    ("html", "query", "marked"),
    [
        ("<p>Fish &amp; chips</p>", "chips", "<p>Fish &amp; <mark>chips</mark></p>"),
        ("<p>Fish &amp; chips</p>", "amp p", "<p>Fish &amp; chips</p>"),
        (
            '<a href="https://fish.example/fish" title="a > fish">a fish</a>',
            "fish",
            '<a href="https://fish.example/fish" title="a > fish">a <mark>fish</mark></a>',
        ),
        ("<p>un<em>believ</em>able</p>", "unbelievable", None),
        ("<p>the <strong>big</strong> fish</p>", '"big fish"', None),
        ("<td>big</td><td>fish</td>", "bigfish", "<td>big</td><td>fish</td>"),
        ("<code>fish</code>.", "fish", "<code><mark>fish</mark></code>."),
        ('<button><svg a="/b"><use/></svg>Copy</button> copy', "copy", None),
        ("1 < 2 fish", "fish", "1 < 2 <mark>fish</mark>"),
        ("<p>fish</p>", "-fish", "<p>fish</p>"),
        ("<p>&lt;mark&gt; \n  fish</p>", "fish mark", None),
    ],
)
def test_hits_are_marked_inside_html_and_no_tag_is_changed(html: str, query: str, marked: str | None) -> None:
    others = {
        "unbelievable": "<p><mark>un</mark><em><mark>believ</mark></em><mark>able</mark></p>",
        '"big fish"': "<p>the <strong><mark>big</mark></strong><mark> fish</mark></p>",
        "copy": '<button><svg a="/b"><use/></svg>Copy</button> <mark>copy</mark>',
        "fish mark": "<p>&lt;<mark>mark</mark>&gt; \n  <mark>fish</mark></p>",
    }
    assert highlight_html(mark_safe(html), query) == (marked or others[query])


@given(st.text(alphabet='ab <>&"*`_\n-|', max_size=60))
def test_marking_changes_nothing_but_by_marks(text: str) -> None:
    html = render_markdown(text)
    assert re.sub("</?mark>", "", highlight_html(html, "a b ab")) == html.replace("&#x27;", "'")
