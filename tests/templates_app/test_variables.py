"""The grammar of `{{ name }}`, the contract of a version, and what may be filled in."""

import datetime
import re
import time

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from templates_app.variables import (
    ContractError,
    Variable,
    VariableType,
    clean_values,
    complete_contract,
    contract_to_json,
    find_names,
    guess_type,
    label_for,
    parse_contract,
    to_text,
)

# ---- names -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Dear {{ name }}, {{city}} and {{\tname\t}}", ["name", "city"]),
        ("{{ 顧客名 }} {{نام}} {{ नाम }} {{ _x1 }} {{été}}", ["顧客名", "نام", "नाम", "_x1", "été"]),
        ('{{#if x}} {{/if}} {{role "system"}} {{>partial}} {{! c }} {{ user.name }} {{else}} {{ this }}', []),
        ("{single} ${dollar} {{ two words }} {{1st}} {{²}} {{}} {{ }} {{\nname}} {{a-b}}", []),
        ("{{{raw}}} {{{{weight}}}} {{{ raw }}}", []),
        ('{"a":{{b}}} ${{price}}', ["b", "price"]),
        ("{{" + "a" * 64 + "}}", ["a" * 64]),
        ("{{" + "a" * 65 + "}}", []),
        ("{{ {{a}} }}", ["a"]),
        ("", []),
    ],
)
def test_only_plain_names_in_double_braces_are_variables(text: str, names: list[str]) -> None:
    assert find_names(text) == names


def test_names_of_several_texts_keep_the_order_of_first_use() -> None:
    assert find_names("{{b}} {{a}}", "{{c}} {{a}}") == ["b", "a", "c"]


@pytest.mark.parametrize("text", ["{{" * 100_000, "{{" + " " * 200_000, "{{ a" * 50_000, "{{" + "a" * 200_000 + "}}"])
def test_finding_names_takes_one_pass(text: str) -> None:
    started = time.thread_time()
    assert find_names(text) == []
    assert time.thread_time() - started < 5  # were it not one pass, minutes


@given(st.text(alphabet="{}ab_1 \té#", max_size=60))
def test_a_found_name_is_always_an_identifier_between_braces(text: str) -> None:
    for name in find_names(text):
        assert name.isidentifier()
        assert re.search(r"\{\{[ \t]*" + re.escape(name) + r"[ \t]*\}\}", text)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("customer_name", "Customer name"),
        ("customerName", "Customer name"),
        ("FOOD_NAME", "Food name"),
        ("pdfURL", "Pdf url"),
        ("顧客名", "顧客名"),
        ("__", "__"),
        ("height_value_1", "Height value 1"),
    ],
)
def test_a_label_is_made_of_the_name(name: str, label: str) -> None:
    assert label_for(name) == label


# ---- contracts -------------------------------------------------------------


def test_a_contract_survives_the_round_trip_in_its_canonical_form() -> None:
    data = [
        {"example": "Marit", "name": "customer", "label": "Customer", "type": "text", "max_length": 80, "help": ""},
        {"max": 400, "name": "max_words", "type": "integer", "min": 40, "default": "180", "required": True},
        {"name": "tone", "type": "choice", "options": ["warm ", "formal"], "default": "warm", "pattern": "x"},
        {"name": "is_new", "type": "boolean", "default": False, "min": 3},
        {"name": "tags", "type": "choices", "options": ["a", "b"], "default": ["b", "a"]},
        {"name": "data", "type": "json", "default": '{"a": [1]}'},
        {"name": "note"},
    ]
    canonical = [
        {"name": "customer", "type": "text", "label": "Customer", "max_length": 80, "example": "Marit"},
        {"name": "max_words", "type": "integer", "default": 180, "required": True, "min": 40, "max": 400},
        {"name": "tone", "type": "choice", "default": "warm", "options": ["warm", "formal"]},
        {"name": "is_new", "type": "boolean", "default": False},
        {"name": "tags", "type": "choices", "default": ["a", "b"], "options": ["a", "b"]},
        {"name": "data", "type": "json", "default": {"a": [1]}},
        {"name": "note", "type": "text"},
    ]
    assert contract_to_json(parse_contract(data)) == canonical
    assert contract_to_json(parse_contract(canonical)) == canonical
    assert [list(entry) for entry in contract_to_json(parse_contract(data))] == [list(entry) for entry in canonical]


def test_everything_wrong_with_a_contract_is_said_at_once() -> None:
    with pytest.raises(ContractError) as caught:
        parse_contract(
            [
                {"name": "a", "type": "colour"},
                {"name": "b", "type": "number", "min": 9, "max": 1},
                {"name": "c", "pattern": "(["},
                {"name": "d", "type": "integer", "max": 5, "default": 7},
                {"name": "e", "type": "choice"},
                {"name": "e", "type": "choice", "options": ["x", "x"]},
                {"name": "two words"},
                {"type": "text"},
                "f",
                {"name": "g", "required": "yes", "label": 3, "min_length": -1, "max_length": 1.5},
                {"name": "h"},
                {"name": "h"},
                {"name": "i", "type": "choice", "options": ["x"], "default": "y"},
            ]
        )
    types = "text, long_text, number, integer, choice, choices, boolean, date, url, json"
    assert caught.value.errors == [
        f"a: there is no type “colour”. The types are {types}.",
        "b: the smallest value is larger than the largest.",
        "c: the pattern is not a regular expression: unterminated character set at position 2.",
        "d: the default does not fit. Enter a whole number of at most 5.",
        "e: a choice needs its options, a list of texts.",
        "e: an option is listed twice.",
        "two words: a name is a letter or underscore, then letters, digits and underscores, at most 64 in all.",
        "A variable has no name.",
        "Variable 9 is not an object.",
        "g: “label” must be text.",
        "g: “required” must be true or false.",
        "g: “min_length” must be a whole number, 0 or more.",
        "g: “max_length” must be a whole number, 0 or more.",
        "h: there are two variables of this name.",
        "i: the default does not fit. Choose one of these: x.",
    ]


@pytest.mark.parametrize(
    ("data", "error"), [({}, "The variables must be a list."), (None, "The variables must be a list.")]
)
def test_a_contract_is_a_list(data: object, error: str) -> None:
    with pytest.raises(ContractError) as caught:
        parse_contract(data)
    assert caught.value.errors == [error]


def test_a_contract_is_bounded() -> None:
    with pytest.raises(ContractError, match="200 variables at most"):
        parse_contract([{"name": f"v{number}"} for number in range(201)])


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
_keys = st.sampled_from([*Variable.__dataclass_fields__, "unknown"])
_entries = st.dictionaries(_keys, _json | st.sampled_from([*VariableType.values, "a", "b"]), max_size=9)


@given(st.lists(_entries | _json, max_size=4))
def test_any_data_is_a_contract_or_a_contract_error(data: list[object]) -> None:
    try:
        contract = parse_contract(data)
    except ContractError:
        return
    assert parse_contract(contract_to_json(contract)) == contract


def test_completing_keeps_what_is_used_and_adds_what_is_new() -> None:
    tone = Variable("tone", VariableType.CHOICE, options=("warm", "formal"))
    unused = Variable("unused", VariableType.TEXT)
    assert complete_contract([unused, tone], "{{ ticket }} in a {{ tone }} tone", "{{ max_words }}") == (
        Variable("ticket", VariableType.LONG_TEXT, label="Ticket", required=True),
        tone,
        Variable("max_words", VariableType.TEXT, label="Max words", required=True),
    )


@pytest.mark.parametrize(
    ("name", "type_"),
    [("city", "text"), ("maxWords", "text"), ("city2", "text"), ("poem", "long_text"), ("name_of_it", "long_text")],
)
def test_the_type_of_a_new_name_is_guessed(name: str, type_: str) -> None:
    assert guess_type(name) == type_


# ---- values ----------------------------------------------------------------

NUMBER = Variable("n", VariableType.NUMBER, min=40, max=400)
INTEGER = Variable("n", VariableType.INTEGER, min=1)
TONE = Variable("n", VariableType.CHOICE, options=("warm", "very, very formal"))
TAGS = Variable("n", VariableType.CHOICES, options=("a", "b", "c"))


@pytest.mark.parametrize(
    ("variable", "value", "clean", "text"),
    [
        (Variable("n"), "  Marit ", "Marit", "Marit"),
        (Variable("n"), 12, "12", "12"),
        (Variable("n", VariableType.LONG_TEXT), "a\r\nb \n", "a\nb \n", "a\nb \n"),
        (Variable("n", pattern=r"[A-Z]{2}\d+"), "AB12", "AB12", "AB12"),
        (NUMBER, "180", 180, "180"),
        (NUMBER, "400", 400, "400"),
        (NUMBER, " 4.05e1 ", 40.5, "40.5"),
        (NUMBER, 40.0, 40.0, "40"),
        (INTEGER, "7", 7, "7"),
        (INTEGER, 7.0, 7, "7"),
        (TONE, " warm", "warm", "warm"),
        (TAGS, ["c", "a", ""], ["a", "c"], "a, c"),
        (TAGS, "c, a", ["a", "c"], "a, c"),
        (Variable("n", VariableType.CHOICES, options=("x, y", "z")), "x, y", ["x, y"], "x, y"),
        (Variable("n", VariableType.BOOLEAN), "on", True, "yes"),
        (Variable("n", VariableType.BOOLEAN), False, False, "no"),
        (Variable("n", VariableType.DATE), "2026-02-28", "2026-02-28", "2026-02-28"),
        (Variable("n", VariableType.DATE), datetime.datetime(2026, 2, 28, 5), "2026-02-28", "2026-02-28"),
        (Variable("n", VariableType.URL), "https://example.org/a?b=c", "https://example.org/a?b=c", None),
        (Variable("n", VariableType.JSON), '{"é": [1, null]}', {"é": [1, None]}, None),
        (Variable("n", VariableType.JSON), [], [], "[]"),
    ],
)
def test_a_value_is_cleaned_and_written(variable: Variable, value: object, clean: object, text: str | None) -> None:
    cleaned, errors = clean_values([variable], {"n": value, "stranger": object()})
    assert (cleaned, errors) == ({"n": clean}, {})
    assert type(cleaned["n"]) is type(clean)
    assert clean_values([variable], cleaned) == ({"n": clean}, {})
    if text is not None:
        assert to_text(variable, clean) == text


def test_json_is_indented_in_a_prompt() -> None:
    assert to_text(Variable("n", VariableType.JSON), {"é": [1, None]}) == '{\n  "é": [\n    1,\n    null\n  ]\n}'


DATE_ERROR = "Enter a date as year-month-day, such as 2026-11-22."
URL_ERROR = "Enter a web address that starts with https:// or http://."


@pytest.mark.parametrize(
    ("variable", "value", "error"),
    [
        (Variable("n", required=True), "  ", "Fill this in."),
        (Variable("n", required=True), None, "Fill this in."),
        (Variable("n"), "a\nb", "Write this on one line."),
        (Variable("n"), ["a"], "Enter text."),
        (Variable("n"), "a\0b", "This holds characters that cannot be stored. Remove them."),
        (Variable("n"), "\ud800", "This holds characters that cannot be stored. Remove them."),
        (Variable("n", min_length=3), "ab", "Write at least 3 characters; there are 2 now."),
        (Variable("n", max_length=1), "ab", "Keep it to 1 character; there are 2 now."),
        (Variable("n", pattern="[A-Z]+"), "Ab", "This does not have the expected form: [A-Z]+"),
        (Variable("n", pattern="[A-Z]+", example="NO"), "Ab", "This does not have the expected form. An example: NO"),
        (NUMBER, "39", "Enter a number from 40 to 400."),
        (NUMBER, "nan", "Enter a number from 40 to 400."),
        (NUMBER, True, "Enter a number from 40 to 400."),
        (Variable("n", VariableType.NUMBER, max=0.5), "0.6", "Enter a number of at most 0.5."),
        (Variable("n", VariableType.NUMBER), "1e999", "Enter a number, such as 12 or 0.5."),
        (Variable("n", VariableType.NUMBER), "1" * 19, "Enter a number of at most 15 digits."),
        (Variable("n", VariableType.NUMBER), "9" * 5000, "Enter a number, such as 12 or 0.5."),
        (Variable("n", VariableType.INTEGER, required=True), "", "Enter a whole number, such as 12."),
        (INTEGER, "0", "Enter a whole number of at least 1."),
        (INTEGER, "1.5", "Enter a whole number of at least 1."),
        (TONE, "cold", "Choose one of these: warm, very, very formal."),
        (Variable("n", VariableType.CHOICE, options=("x",), required=True), "", "Choose one."),
        (TAGS, ["a", "z"], "Choose among these: a, b, c."),
        (Variable("n", VariableType.CHOICES, options=("x",), required=True), [""], "Choose at least one."),
        (Variable("n", VariableType.BOOLEAN), "perhaps", "Enter yes or no."),
        (Variable("n", VariableType.BOOLEAN, required=True), "", "Enter yes or no."),
        (Variable("n", VariableType.DATE), "2026-02-30", DATE_ERROR),
        (Variable("n", VariableType.DATE), "20260228", DATE_ERROR),
        (Variable("n", VariableType.URL), "javascript:alert(1)", URL_ERROR),
        (Variable("n", VariableType.URL), "https://example.org/" + "a" * 3000, URL_ERROR),
        (Variable("n", VariableType.JSON), "{]", "This is not valid JSON: see line 1, column 2."),
        (Variable("n", VariableType.JSON), "[NaN]", "This is not valid JSON."),
        (Variable("n", VariableType.JSON), '"text"', 'Enter a JSON object or list, such as {"name": "value"}.'),
        (Variable("n", VariableType.JSON), "[" * 60 + "]" * 60, "Nest the JSON at most 50 levels deep."),
        (
            Variable("n", VariableType.JSON),
            "[" * 100_000,
            "This JSON cannot be read: it is nested too deep or holds a number too long.",
        ),
    ],
)
def test_a_value_that_does_not_fit_says_what_to_enter(variable: Variable, value: object, error: str) -> None:
    assert clean_values([variable], {"n": value}) == ({}, {"n": error})


def test_what_is_absent_takes_the_default_and_what_is_blank_stays_blank() -> None:
    contract = (
        Variable("a", default="x"),
        Variable("b", default="x", required=True),
        Variable("c", VariableType.BOOLEAN),
        Variable("d", VariableType.CHOICES, options=("x",)),
        Variable("e", VariableType.DATE),
        Variable("f", VariableType.BOOLEAN, default=True),
    )
    assert clean_values(contract, {}) == ({"a": "x", "b": "x", "c": False, "d": [], "e": "", "f": True}, {})
    assert clean_values(contract, {"a": "", "b": "", "f": "false"}) == (
        {"a": "", "c": False, "d": [], "e": "", "f": False},
        {"b": "Fill this in."},
    )
    assert [to_text(variable, "") for variable in contract] == [""] * 6


def test_a_form_with_several_choices_is_read_whole() -> None:
    contract = (TAGS, Variable("is_new", VariableType.BOOLEAN))
    cleaned = clean_values(contract, QueryDict("n=c&n=a&is_new=false&is_new=true"))  # type: ignore[arg-type]
    assert cleaned == ({"n": ["a", "c"], "is_new": True}, {})


@pytest.mark.parametrize("pattern", ["(a|aa)+$", "((a{1,1000}){1,1000}){1,1000}b", "(?R)*b", "(a+)+$"])
def test_no_pattern_hangs(pattern: str) -> None:
    (variable,) = parse_contract([{"name": "n", "pattern": pattern}])
    started = time.thread_time()
    _cleaned, errors = clean_values([variable], {"n": "a" * 4000 + "!"})
    assert list(errors) == ["n"]
    assert time.thread_time() - started < 5


_contracts = st.builds(
    Variable,
    name=st.just("n"),
    type=st.sampled_from(VariableType),
    required=st.booleans(),
    options=st.just(("a", "b")),
    min=st.none() | st.integers(-5, 5),
    max_length=st.none() | st.integers(0, 5),
)


@given(_contracts, _json | st.binary(max_size=3) | st.dates() | st.decimals())
def test_cleaning_never_raises_and_is_idempotent(variable: Variable, value: object) -> None:
    cleaned, errors = clean_values([variable], {"n": value})
    assert [*cleaned, *errors] == ["n"]
    if cleaned:
        assert clean_values([variable], cleaned) == (cleaned, {})
        assert isinstance(to_text(variable, cleaned["n"]), str)
