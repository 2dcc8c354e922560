"""Texts written for other tools give here the text that those tools' documentation says they give.

- Langfuse, "Variables in Prompts": ``{{variable}}`` in text and chat prompts; `compile` puts the values in as they are,
  and leaves what it was given no value for.
- MLflow, "Use Prompts in Apps" and the API of `PromptVersion`: ``{{variable}}`` and ``{{ variable }}``, names as Jinja2
  has them; `format` puts the values in; with `allow_partial` the others stay.
- Arize Phoenix, prompts of the format MUSTACHE: ``{{variable}}``, spaces allowed; three braces are something else.
- prompts.chat: ``${name}`` and ``${name:default}``, both trimmed: a value, else the default, else what stands.
"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.services.messages import fill
from templates_app.importers.placeholders import convert_placeholders
from templates_app.models import TemplateVersion
from templates_app.rendering import render
from templates_app.services import version_content
from templates_app.variables import clean_values, find_names, to_text

JSON_LIKE = '{{\n  "kind": "list",\n  "of": {"a": 1}\n}}'


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        # what all three document
        ("As a {{level}} reader, do you like {{book}}?", {"level": "slow", "book": "Emma"}, None),
        ("{{ greeting }}, {{name}}!", {"greeting": "Hej", "name": "Ada"}, "Hej, Ada!"),
        ("{{   spaced\t}}", {"spaced": "x"}, "x"),
        ("{{a}} and {{a}} make {{b}}", {"a": "1", "b": "2"}, "1 and 1 make 2"),
        ("{{Name}} is not {{name}}", {"Name": "A", "name": "b"}, "A is not b"),
        ("{{question_2}} {{_private}} {{camelCase}}", {"question_2": "q", "_private": "p", "camelCase": "c"}, "q p c"),
        ("Empty: {{a}}.", {"a": ""}, "Empty: ."),
        ("No variables at all", {"a": "unused"}, "No variables at all"),
        ("{{a}}{{b}}", {"a": "x", "b": "y"}, "xy"),
        # a value is text: not escaped, not read again
        ("{{a}}", {"a": "<b>&\"' {{b}} ${c} \\1 $&"}, "<b>&\"' {{b}} ${c} \\1 $&"),
        ("{{a}} {{b}}", {"a": "{{b}}", "b": "never twice"}, "{{b}} never twice"),
        ("{{a}}", {"a": "line\r\n\n  line"}, "line\r\n\n  line"),
        # without a value it stays as it was typed (Langfuse; MLflow with allow_partial; Phoenix)
        ("{{a}} and {{ b }}", {"a": "x"}, "x and {{ b }}"),
        # what is no variable stays too
        ("{a} [a] <a> $a ${a} %(a)s", {"a": "x"}, "{a} [a] <a> $a ${a} %(a)s"),
        ("{{a", {"a": "x"}, "{{a"),
        ("a}} {{a}}", {"a": "x"}, "a}} x"),
        ("{{a}} plus {a} is {{b}", {"a": "1", "b": "2"}, "1 plus {a} is {{b}"),
        (f"{{{{a}}}}: {JSON_LIKE}", {"a": "x"}, f"x: {JSON_LIKE}"),
        ("{{{a}}}", {"a": "x"}, "{{{a}}}"),  # Phoenix; in Mustache itself this is another tag
    ],
)
def test_double_braces_as_langfuse_mlflow_and_phoenix_document_them(
    text: str, values: dict[str, str], expected: str | None
) -> None:
    assert render(text, values) == (expected or "As a slow reader, do you like Emma?")


def langfuse(text: str, values: dict[str, str]) -> str:
    """Each pair of braces in turn; white space around the name does not count; what is not given stays."""
    return re.sub(r"\{\{(.*?)\}\}", lambda match: values.get(match[1].strip(), match[0]), text, flags=re.DOTALL)


def mlflow(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}", lambda match: values.get(match[1], match[0]), text, flags=re.ASCII)


def phoenix(text: str, values: dict[str, str]) -> str:
    """All names at once, since no order among the variables is promised."""
    if not values:
        return text
    names = "|".join(map(re.escape, values))
    return re.sub(rf"\{{\{{\s*({names})\s*\}}\}}(?!\}})", lambda match: values[match[1]], text)


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="{}\0"), max_size=12)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True).filter(lambda name: name not in {"else", "this"})
spaces = st.sampled_from(["", " ", "\t"])
marks = st.builds("{{{{{}{}{}}}}}".format, spaces, names, spaces)
texts = st.lists(st.one_of(words, marks), max_size=8).map("".join)


@given(texts, st.dictionaries(names, words, max_size=4))
def test_any_text_of_words_and_variables_reads_the_same_in_all_of_them(text: str, values: dict[str, str]) -> None:
    rendered = render(text, values)
    assert {langfuse(text, values), mlflow(text, values), phoenix(text, values)} == {rendered}
    given_all = {name: values.get(name, "·") for name in find_names(text)}
    assert "{{" not in render(text, given_all)


def test_a_chat_prompt_of_langfuse_is_compiled_in_every_message() -> None:
    shots = [{"role": "user", "content": "Is {{movie}} long?"}, {"role": "assistant", "content": "{{movie}}: yes."}]
    content = version_content("You are a {{level}} critic.", "Rate {{movie}}.", [], {}, shots)
    assert [each["name"] for each in content["variables"]] == ["level", "movie"]
    filled = fill(TemplateVersion(**content), {"level": "kind", "movie": "Dune"})
    assert (filled.system_prompt, filled.body, filled.examples) == (
        "You are a kind critic.",
        "Rate Dune.",
        [{"role": "user", "content": "Is Dune long?"}, {"role": "assistant", "content": "Dune: yes."}],
    )


def prompts_chat(text: str, values: dict[str, str]) -> str:
    """A value, else the default, else the text as it stands; name and default are trimmed."""

    def put(match: re.Match[str]) -> str:
        default = match[2].strip() if match[2] is not None else None
        return values.get(match[1].strip(), match[0] if default is None else default)

    return re.sub(r"\$\{([^}:]+)(?::([^}]*))?\}", put, text)


def ours(text: str, values: dict[str, str]) -> str:
    """The text imported, then filled in as a run would: by what was given, else by its defaults."""
    converted = convert_placeholders(text)
    cleaned, _missing = clean_values(converted.variables, values)
    by_name = {each.name: each for each in converted.variables}
    return render(converted.text, {name: to_text(by_name[name], value) for name, value in cleaned.items()})


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Write a ${length:500} word essay about ${topic} in ${language:English}.", {"topic": "tides"}),
        ("Write a ${length:500} word essay about ${topic} in ${language:English}.", {"topic": "tides", "length": "9"}),
        ('Translate "${text}" to ${language: Spanish }', {"text": "hej <b> & ${x}"}),
        ("${ role : a patient teacher }, twice: ${role:a patient teacher}", {}),
        ("Answer ${audience:beginners, and those who forgot}: why?", {}),
        ("Costs $5, {not_one}, and ${when:2025-01-01 10:30}", {}),
        ("${a:1}${b:2}${c:3}", {"b": "x"}),
    ],
)
def test_dollar_braces_as_prompts_chat_documents_them(text: str, values: dict[str, str]) -> None:
    assert ours(text, values) == prompts_chat(text, values)


def test_a_dollar_brace_without_default_and_value_is_asked_for() -> None:
    converted = convert_placeholders("About ${topic}.")
    assert clean_values(converted.variables, {}) == ({}, {"topic": "Fill this in."})
    assert render(converted.text, {"topic": "frogs"}) == prompts_chat("About ${topic}.", {"topic": "frogs"})


defaults = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=10)
dollars = st.builds("${{{}:{}}}".format, st.sampled_from(["topic", "tone", "city"]), defaults)
plain_words = st.text(st.characters(categories=["L", "N", "Zs"], exclude_characters="{}"), max_size=10)


@given(st.lists(st.one_of(plain_words, dollars), max_size=6).map(" ".join))
def test_defaults_of_prompts_chat_give_the_text_that_it_gives(text: str) -> None:
    assert ours(text, {}) == prompts_chat(text, {})
