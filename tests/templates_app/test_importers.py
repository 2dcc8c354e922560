"""Reading collections of prompts: every format, what is broken, and the real collections whole."""

import csv
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates_app.importers import FORMATS, BadRecord, ImportFileError, TemplateRecord, read_file, tables
from templates_app.importers.language import detect_language, normalise_language
from templates_app.importers.placeholders import convert_placeholders, to_identifier
from templates_app.importers.records import clean_text, collation_key, cut, humanise, storable
from templates_app.importers.shelves import shelf_for_title
from templates_app.rendering import render
from templates_app.variables import Variable, VariableType, contract_to_json, find_names, parse_contract, to_text

SHELVES = {
    *("writing", "engineering", "analysis", "product", "support", "marketing", "legal", "research", "education"),
    *("operations", "design", "everyday", ""),
}


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def lines(*entries: object) -> str:
    return "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)


def read_one(folder: Path, name: str, text: str | bytes) -> TemplateRecord:
    (record,) = read_file(write(folder, name, text))
    assert isinstance(record, TemplateRecord), record
    return record


def reasons(folder: Path, name: str, text: str) -> list[BadRecord]:
    return [record for record in read_file(write(folder, name, text)) if isinstance(record, BadRecord)]


def filled(record: TemplateRecord) -> str:
    """The body with every default filled in."""
    values = {v.name: to_text(v, v.default) for v in record.variables if v.default is not None}
    return render(record.body, values)


# ---- files -----------------------------------------------------------------


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("templates_app.importers.MAX_FILE_BYTES", 1024 * 1024)
    known = (
        "promptlib, markdown, csv, langfuse, open-webui, prompts-chat, dotprompt, prompty, awesome-zh, prompthub,"
        " fabric, lobe"
    )
    cases = {
        tmp_path / "missing.csv": f"There is no file {tmp_path}/missing.csv.",
        tmp_path: f"{tmp_path} is not a file.",
        Path("/dev/zero"): "/dev/zero is not a file.",
        write(tmp_path, "latin.csv", b"act,prompt\ncaf\xe9,x"): f"{tmp_path}/latin.csv is not UTF-8 text: see byte 15.",
        write(
            tmp_path, "utf16.csv", "act".encode("utf-16")
        ): f"{tmp_path}/utf16.csv is UTF-16. Save it as UTF-8 and try again.",
        write(tmp_path, "blank.csv", "\ufeff \n"): f"{tmp_path}/blank.csv is empty.",
        write(tmp_path, "big.csv", "x" * (1024 * 1024 + 1)): (
            f"{tmp_path}/big.csv is larger than 1 MiB. Split it into smaller files."
        ),
        write(tmp_path, "notes.txt", "hello"): (
            f"notes.txt is in no format known here. If it is one of {known}, name the format."
        ),
        write(tmp_path, "bomb.json", '[{"act":' + "[" * 200_000): "Its JSON is nested too deep.",
        write(tmp_path, "cut.json", '[{"act": "a"'): "It is not valid JSON: see line 1, column 13.",
    }
    told: dict[Path, str] = {}
    for path in cases:
        with pytest.raises(ImportFileError) as caught:
            read_file(path)
        told[path] = str(caught.value)
    assert told == cases


def test_the_format_can_be_named_and_must_be_known(tmp_path: Path) -> None:
    path = write(tmp_path, "list.txt", '\n[{"prompt": "Act.", "act": "Lawyer"}]')
    (record,) = read_file(path, format="awesome-zh")
    assert isinstance(record, TemplateRecord)
    assert (record.title, record.language, record.category) == ("Lawyer", "en", "legal")
    with pytest.raises(ImportFileError) as caught:
        read_file(path, format="xls")
    assert str(caught.value).startswith("There is no format “xls”. The formats are promptlib, ")
    with pytest.raises(ImportFileError) as caught:
        read_file(path, format="prompts-chat")
    assert str(caught.value) == "The first row names no column “act”."
    with pytest.raises(ImportFileError) as caught:
        read_file(write(tmp_path, "object.json", '{"act": 1}'), format="awesome-zh")
    assert str(caught.value) == "The file is not a list of prompts."


def test_a_bad_line_does_not_lose_the_rest(tmp_path: Path) -> None:
    bomb = '{"name": ' + "[" * 100_000
    text = lines({"name": "a", "text": "A", "tags": []}) + '{"name": \n\n[1]\n{"text": "x"}\n{"name":"b","text":" "}\n'
    text += bomb + '\n{"name": "c", "text": "C", "version": NaN}\n' + lines({"name": "d", "text": "D"})
    found = list(read_file(write(tmp_path, "p.jsonl", text)))
    assert [r if isinstance(r, BadRecord) else (r.place, r.title) for r in found] == [
        ("line 1", "A"),
        BadRecord("line 2", "It is not valid JSON: see line 1, column 10."),
        BadRecord("line 4", "It is not an object with named fields."),
        BadRecord("line 5", "“name” is missing or is not text."),
        BadRecord("line 6", "“text” is missing or is not text."),
        BadRecord("line 7", "Its JSON is nested too deep."),
        BadRecord("line 8", "It is not valid JSON: NaN"),
        ("line 9", "D"),
    ]


# ---- prompts.chat ----------------------------------------------------------

HEADER = "act,prompt,for_devs,type,contributor\r\n"


def test_a_row_of_prompts_chat_becomes_a_template(tmp_path: Path) -> None:
    prompt = "Ask for the ${Position:Software Developer} job in ${city}.\nBe kind."
    row = f'"Job, ""Interviewer""","{prompt}",FALSE,TEXT,"a,b"\r\n'
    assert read_one(tmp_path, "p.csv", b"\xef\xbb\xbf" + (HEADER + row).encode()) == TemplateRecord(
        place="row 2",
        source="prompts.chat",
        source_id='Job, "Interviewer"',
        title='Job, "Interviewer"',
        body="Ask for the {{ Position }} job in {{ city }}.\nBe kind.",
        summary="Ask for the Software Developer job in City.",
        language="en",
        category="operations",
        tags=(),
        variables=(
            Variable("Position", label="Position", default="Software Developer"),
            Variable("city", label="City", required=True),
        ),
        metadata={"for_devs": False, "type": "TEXT", "contributor": "a,b"},
    )


def test_bad_rows_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    text = HEADER + 'A,"x",TRUE,TEXT,me\r\nB,x\r\n,x,FALSE,TEXT,me\r\nC,"  ",FALSE,TEXT,me\r\nD,"x"y,FALSE,TEXT,me\r\n'
    text += 'E,"e",FALSE,IMAGE,me\r\nF,"open'
    found = list(read_file(write(tmp_path, "p.csv", text)))
    assert [r if isinstance(r, BadRecord) else (r.place, r.source_id, r.category, r.tags) for r in found] == [
        ("row 2", "A", "engineering", ("developers",)),
        BadRecord("row 3", "The row has 2 fields in place of 5."),
        BadRecord("row 4", "“act” is missing or is not text."),
        BadRecord("row 5", "There is no prompt text in it."),
        BadRecord("row 6", "The row is not sound CSV: ',' expected after '\"'."),
        ("row 7", "E", "design", ("image",)),
        BadRecord("row 8", "The row is not sound CSV: unexpected end of data."),
    ]


def test_the_two_columns_of_the_old_file_are_enough_and_a_long_prompt_stays_whole(tmp_path: Path) -> None:
    prompt = "word " * 60_000
    record = read_one(tmp_path, "old.csv", f'"act","prompt"\n"Long","{prompt}"\n')
    assert (record.body, record.metadata) == (prompt, {})


def test_ids_differ_under_any_collation_and_are_the_same_each_time(tmp_path: Path) -> None:
    path = write(tmp_path, "p.csv", "act,prompt\nLife Coach,a\nLife coach,b\nLife coach,c\nRésumé,d\nResume ,e\n")
    ids = [record.source_id for record in read_file(path) if isinstance(record, TemplateRecord)]
    assert ids == ["Life Coach", "Life coach #7c89711ad2", "Life coach #7c89711ad2-2", "Résumé", "Resume #d640c7421d"]
    assert ids == [record.source_id for record in read_file(path) if isinstance(record, TemplateRecord)]
    assert len({collation_key(source_id) for source_id in ids}) == 5


def test_a_long_title_is_cut_politely_and_kept(tmp_path: Path) -> None:
    act = "word " * 60 + "end"
    record = read_one(tmp_path, "p.csv", f"act,prompt\n{act},x\n")
    assert record.title == "word " * 38 + "word…"
    assert record.metadata == {"full_title": act}
    assert len(record.source_id) <= 200


@pytest.mark.parametrize(
    ("text", "converted", "variables"),
    [
        (
            "${Mother Language:Turkish} ${Brand's core product: a, b} ${name} ${points clés}",
            "{{ mother_language }} {{ brands_core_product }} {{ name }} {{ points_clés }}",
            [
                {"name": "mother_language", "type": "text", "label": "Mother Language", "default": "Turkish"},
                {"name": "brands_core_product", "type": "text", "label": "Brand's core product", "default": "a, b"},
                {"name": "name", "type": "text", "label": "Name", "required": True},
                {"name": "points_clés", "type": "long_text", "label": "Points clés", "required": True},
            ],
        ),
        (
            "${tone}, ${tone:formal} or ${tone:warm}; ${tone:formal} ${tone_2}",
            "{{ tone }}, {{ tone }} or {{ tone_3 }}; {{ tone }} {{ tone_2 }}",
            [
                {"name": "tone", "type": "text", "label": "Tone", "default": "formal"},
                {"name": "tone_3", "type": "text", "label": "Tone 3", "default": "warm"},
                {"name": "tone_2", "type": "text", "label": "Tone 2", "required": True},
            ],
        ),
        (
            '${ratio: 16:9 | 4:3} ${message: ""} ${' + "text:" + "a" * 121 + "}",
            "{{ ratio }} {{ message }} {{ text }}",
            [
                {"name": "ratio", "type": "choice", "label": "Ratio", "default": "16:9", "options": ["16:9", "4:3"]},
                {"name": "message", "type": "long_text", "label": "Message", "required": True},
                {"name": "text", "type": "long_text", "label": "Text", "default": "a" * 121},
            ],
        ),
        (
            "for ${${int}} or ${${why: a.b}}",
            "for {{ int }} or {{ why }}",
            [
                {"name": "int", "type": "long_text", "label": "Int", "required": True},
                {"name": "why", "type": "text", "label": "Why", "default": "a.b"},
            ],
        ),
        # Expressions, and plain names beside them, are program code; a default says that a name is meant.
        ("`${user.name} ${total} ${items[0]} ${f(x)}` ${lang:Go}", None, ["lang"]),
        ("${index + 1} ${index}", None, []),
        ("${ok ? a : b} ${ok}", None, []),
        ("${HOME:-/root} ${`${int}`} ${a, b} ${} ${{ secrets.KEY }} $5 {x} ${\n}", None, []),
        ("```bash\necho ${HOME} ${dir}\n```\nin ${dir}", "```bash\necho ${HOME} {{ dir }}\n```\nin {{ dir }}", ["dir"]),
        ("```\n${folder}/x\n```", "```\n{{ folder }}/x\n```", ["folder"]),
    ],
)
def test_placeholders_become_variables(text: str, converted: str | None, variables: list[Any]) -> None:
    result = convert_placeholders(text)
    if converted is not None:
        assert result.text == converted
    elif not variables:
        assert result.text == text
    found = contract_to_json(result.variables)
    assert ([entry["name"] for entry in found] if all(isinstance(v, str) for v in variables) else found) == variables


@given(st.text(alphabet="${}ab:| \n`é1.", max_size=60))
def test_any_text_converts_to_names_that_are_variables(text: str) -> None:
    result = convert_placeholders(text)
    names = [variable.name for variable in result.variables]
    assert set(names) <= set(find_names(result.text))
    assert parse_contract(contract_to_json(result.variables)) == tuple(result.variables)


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("2nd city", "_2nd_city"),
        ("e-mail", "e_mail"),
        ("Ünvan", "Ünvan"),
        ("!", ""),
        ("a" * 70 + " b", "a" * 64),
        ("this", ""),
    ],
)
def test_an_identifier_is_made_of_a_name(name: str, identifier: str) -> None:
    assert to_identifier(name) == identifier


def test_braces_that_are_part_of_the_text_stay_unless_filled_in(tmp_path: Path) -> None:
    record = read_one(tmp_path, "p.csv", "act,prompt\nTour,Open {{HOME}}/{{ x.y }} for ${who}\n")
    assert record.variables == (
        Variable("HOME", VariableType.LONG_TEXT, label="Home", default="{{HOME}}"),
        Variable("who", VariableType.LONG_TEXT, label="Who", required=True),
    )
    assert filled(record) == "Open {{HOME}}/{{ x.y }} for {{ who }}"


# ---- the other formats -----------------------------------------------------


def test_the_chinese_list(tmp_path: Path) -> None:
    text = json.dumps([{"act": "充当律师", "prompt": "我想让你做我的法律顾问。"}, {"act": "x"}, 3], ensure_ascii=False)
    found = list(read_file(write(tmp_path, "zh.json", text)))
    assert found == [
        TemplateRecord(
            place="item 1",
            source="awesome-chatgpt-prompts-zh",
            source_id="充当律师",
            title="充当律师",
            body="我想让你做我的法律顾问。",
            summary="我想让你做我的法律顾问。",
            language="zh-CN",
            category="legal",
        ),
        BadRecord("item 2", "“prompt” is missing or is not text."),
        BadRecord("item 3", "It is not an object with named fields."),
    ]


def test_prompthub_keeps_single_braces(tmp_path: Path) -> None:
    entry = {
        "name": "deepset/question-answering",
        "text": "Use {documents} and {join(documents)}. Question: {query}; Answer:",
        "tags": ["question-answering"],
        "description": "Answer a question.",
        "version": "0.1.1",
        "meta": {"authors": ["deepset-ai"]},
    }
    assert read_one(tmp_path, "d.jsonl", lines(entry)) == TemplateRecord(
        place="line 1",
        source="deepset-prompthub",
        source_id="deepset/question-answering",
        title="Question answering",
        body=str(entry["text"]),
        summary="Answer a question.",
        category="research",
        tags=("question-answering",),
        metadata={
            "name": "deepset/question-answering",
            "version": "0.1.1",
            "meta": {"authors": ["deepset-ai"]},
            "single_brace_names": ["documents", "query"],
        },
    )


def fabric(markdown: str, user: str = "") -> str:
    entry = {"name": "write_essay", "description": "Write.", "tags": ["WRITING", "CR THINKING"], "markdown": markdown}
    return lines({**entry, "user_markdown": user})


INPUT = Variable("input", VariableType.LONG_TEXT, label="Input", required=True)


@pytest.mark.parametrize(
    ("markdown", "user", "system_prompt", "body"),
    [
        ("# TASK\n\n# INPUT:\n\nINPUT:\n\n", " \n", "", "# TASK\n\n# INPUT:\n\nINPUT:\n\n{{ input }}"),
        ("# TASK\n\n# INPUT", "", "", "# TASK\n\n# INPUT\n\n{{ input }}"),
        ("# TASK\n\nINPUT:", "CONTENT:\n", "", "# TASK\n\nINPUT:\n\nCONTENT:\n\n{{ input }}"),
        ("# TASK\n{{input}}\nDo it.", "", "", "# TASK\n{{input}}\nDo it."),
        ("# TASK\nDo it with the INPUT: now.\n", "", "# TASK\nDo it with the INPUT: now.\n", "{{ input }}"),
    ],
)
def test_a_fabric_pattern_gets_its_input(
    tmp_path: Path, markdown: str, user: str, system_prompt: str, body: str
) -> None:
    assert read_one(tmp_path, "f.jsonl", fabric(markdown, user)) == TemplateRecord(
        place="line 1",
        source="fabric",
        source_id="write_essay",
        title="Write essay",
        body=body,
        system_prompt=system_prompt,
        summary="Write.",
        category="writing",
        tags=("writing", "cr thinking"),
        variables=(INPUT,),
        metadata={"name": "write_essay", "tags": ["WRITING", "CR THINKING"]},
    )


def test_a_fabric_pattern_about_braces_quotes_them(tmp_path: Path) -> None:
    plain = read_one(tmp_path, "a.jsonl", fabric("As {{author_name}}.\nINPUT:"))
    assert contract_to_json(plain.variables)[0] == {
        "name": "author_name",
        "type": "text",
        "label": "Author name",
        "required": True,
    }
    quoting = read_one(tmp_path, "b.jsonl", fabric("Use {{BaseURL}} and {{base64('x')}}.\nINPUT:"))
    assert quoting.variables == (
        Variable("BaseURL", VariableType.LONG_TEXT, label="Base url", default="{{BaseURL}}"),
        INPUT,
    )


def test_a_lobe_agent_is_a_system_prompt(tmp_path: Path) -> None:
    entry = {
        "identifier": "accounting",
        "locale": "zh-CN",
        "title": "会计",
        "description": "会计代理。",
        "tags": ["会计", "Tax Law"],
        "category": "career",
        "avatar": "💼",
        "author": "me",
        "opening_message": "",
        "opening_questions": ["您能帮我吗？"],
        "examples": [{"role": "user", "content": "a"}, "content"],
        "system_role": "你是一名会计。",
    }
    assert read_one(tmp_path, "l.jsonl", lines(entry)) == TemplateRecord(
        place="line 1",
        source="lobe-chat-agents",
        source_id="accounting@zh-CN",
        title="会计",
        body="{{ message }}",
        system_prompt="你是一名会计。",
        summary="会计代理。",
        language="zh-CN",
        category="operations",
        tags=("会计", "tax law"),
        variables=(
            Variable("message", VariableType.LONG_TEXT, label="Message", required=True, example="您能帮我吗？"),
        ),
        examples=({"role": "user", "content": "a"},),
        metadata={
            "identifier": "accounting",
            "locale": "zh-CN",
            "category": "career",
            "avatar": "💼",
            "author": "me",
            "opening_questions": ["您能帮我吗？"],
            "examples": [{"role": "user", "content": "a"}, "content"],
        },
    )


DOTPROMPT = """# A licence

---
model: googleai/gemini
config:
  temperature: 0.7
  maxOutputTokens: 1024
  stopSequences: ["END"]
description: Reviews code.
input:
  schema:
    code: string, The code
    tone(enum, How it sounds): [warm, formal]
    age?: integer
    tags: string[]
    is_new: boolean
  default:
    age: 30
---
{{! A remark }}
{{role "system"}}
Review in a {{ tone }} tone. {{#if is_new}}Welcome.{{/if}} {{is_new}}

{{role "user"}}
{{code}} {{age}} {{history}} {{json tags}} {{other}} {{else}}
"""


def test_a_dotprompt_file(tmp_path: Path) -> None:
    record = read_one(tmp_path, "01-code_review.prompt", DOTPROMPT)
    expected = TemplateRecord(
        place="the file",
        source="dotprompt",
        source_id="01-code_review.prompt",
        title="Code review",
        system_prompt="Review in a {{ tone }} tone. {{#if is_new}}Welcome.{{/if}} {{is_new}}",
        body="{{code}} {{age}} {{history}} {{json tags}} {{other}} {{else}}",
        summary="Reviews code.",
        category="engineering",
        variables=(
            Variable(
                "tone",
                VariableType.CHOICE,
                label="Tone",
                help="How it sounds",
                required=True,
                options=("warm", "formal"),
            ),
            Variable("is_new", VariableType.BOOLEAN, label="Is new"),
            Variable("code", VariableType.LONG_TEXT, label="Code", help="The code", required=True),
            Variable("age", VariableType.INTEGER, label="Age", default=30),
            Variable("history", VariableType.LONG_TEXT, label="History", help="The messages before this one."),
            Variable("other", VariableType.LONG_TEXT, label="Other", required=True),
        ),
        parameters={"model": "googleai/gemini", "temperature": 0.7, "max_tokens": 1024, "stop": ["END"]},
        metadata={
            "path": "01-code_review.prompt",
            "frontmatter": record.metadata["frontmatter"],
            "handlebars": ["!", "#if", "json"],
            "original_body": DOTPROMPT.partition("age: 30\n---\n")[2],
        },
    )
    assert record == expected
    assert list(record.metadata["frontmatter"]) == ["model", "config", "description", "input"]


def dotprompt(raw: str, body: str, data: object = None) -> str:
    return lines({"name": "x", "path": "a/x.prompt", "frontmatter_raw": raw, "frontmatter": data, "body": body})


def test_front_matter_that_is_not_yaml_does_not_lose_the_body(tmp_path: Path) -> None:
    schema = 'input:\n  schema:\n    style?: "a" | "b"\n    n: integer, How many\n'
    raw = f"model: m\nconfig:\n  temperature: 1\n{schema}apiKey: s3\nkey: [\n"
    record = read_one(tmp_path, "d.jsonl", dotprompt(raw, "{{style}} {{n}}"))
    assert contract_to_json(record.variables) == [
        {"name": "style", "type": "choice", "label": "Style", "options": ["a", "b"]},
        {"name": "n", "type": "integer", "label": "N", "help": "How many", "required": True},
    ]
    assert record.parameters == {"model": "m", "temperature": 1}
    assert record.metadata == {
        "path": "a/x.prompt",
        "frontmatter": {"model": "m", "config": {"temperature": 1}, "apiKey": "(removed)"},
        "frontmatter_raw": raw.replace("s3", "(removed)"),
        "note": "The front matter is not valid YAML.",
    }


@pytest.mark.parametrize(
    ("body", "system_prompt", "rest"),
    [
        ('{{#role "system"}}\nA\n{{/role}}\n\n{{#role "user"}}\nB\n{{/role}}\n', "A", "B"),
        ("\n\nOnly {{ text }}\n", "", "Only {{ text }}"),
        ('{{role "system"}}A', "A", "{{ message }}"),
        ('{{role "user"}}\nB\n{{role "model"}}\nC', "", '{{role "user"}}\nB\n{{role "model"}}\nC'),
        ('Hi\n{{role "system"}}\nA', "", 'Hi\n{{role "system"}}\nA'),
    ],
)
def test_dotprompt_roles(tmp_path: Path, body: str, system_prompt: str, rest: str) -> None:
    record = read_one(tmp_path, "d.jsonl", dotprompt("", body, {}))
    assert (record.system_prompt, record.body) == (system_prompt, rest)


def test_a_json_schema_types_the_inputs(tmp_path: Path) -> None:
    properties = {
        "mood": {"type": "string", "enum": ["calm", "loud"], "description": "How it feels"},
        "count": {"type": "integer"},
        "place": {"type": "string", "default": "Oslo"},
        "n": "number",
    }
    schema = {"type": "object", "properties": properties, "required": ["mood", "place", "count"]}
    data = {"input": {"schema": schema, "default": {"count": 3}}, "model": 7}
    record = read_one(tmp_path, "d.jsonl", dotprompt("", "{{mood}} {{count}} {{place}} {{n}}", data))
    assert contract_to_json(record.variables) == [
        {
            "name": "mood",
            "type": "choice",
            "label": "Mood",
            "help": "How it feels",
            "required": True,
            "options": ["calm", "loud"],
        },
        {"name": "count", "type": "integer", "label": "Count", "default": 3},
        {"name": "place", "type": "text", "label": "Place", "default": "Oslo"},
        {"name": "n", "type": "number", "label": "N"},
    ]
    assert record.parameters == {}


def test_names_inside_a_loop_are_not_asked_for(tmp_path: Path) -> None:
    record = read_one(tmp_path, "d.jsonl", dotprompt("", "{{#each items}}{{name}}{{/each}}", {}))
    assert record.variables == (Variable("name", VariableType.LONG_TEXT, label="Name", default="{{name}}"),)


def test_yaml_cannot_unfold_without_end(tmp_path: Path) -> None:
    raw = "a: &a [x, x]\n" + "".join(f"k{n}: &b{n} [*a, *a]\n" for n in range(30)) + "model: m\n"
    record = read_one(tmp_path, "bomb.prompt", f"---\n{raw}---\nBody\n")
    assert (record.body, record.parameters, record.metadata["note"]) == (
        "Body",
        {"model": "m"},
        "The front matter is not valid YAML.",
    )


PROMPTY = """---
name: Basic Prompt
description: Answers.
model:
  api: chat
  configuration: {azure_deployment: gpt-4o, api_key: sk-secret, azure_endpoint: "${env:ENDPOINT}"}
  parameters: {max_tokens: 150}
inputs:
  - {name: firstName, kind: string, default: Jane}
  - {name: count, kind: integer, required: true, description: How many}
  - {name: history, kind: thread}
sample:
  question: What?
---
system:
You help {{firstName}}.
{% for item in history %}{{item.role}}{% endfor %}

example:
user: inline

User:
{{question}} {{count}} {{history}}
"""


def test_a_prompty_file(tmp_path: Path) -> None:
    record = read_one(tmp_path, "basic.prompty", PROMPTY)
    assert record == TemplateRecord(
        place="the file",
        source="prompty",
        source_id="basic.prompty",
        title="Basic Prompt",
        system_prompt=(
            "You help {{firstName}}.\n{% for item in history %}{{item.role}}{% endfor %}\n\nexample:\nuser: inline"
        ),
        body="{{question}} {{count}} {{history}}",
        summary="Answers.",
        variables=(
            Variable("firstName", label="First name", default="Jane"),
            Variable("question", VariableType.LONG_TEXT, label="Question", default="What?"),
            Variable("count", VariableType.INTEGER, label="Count", help="How many", required=True),
            Variable("history", VariableType.LONG_TEXT, label="History"),
        ),
        parameters={"model": "gpt-4o", "max_tokens": 150},
        metadata={
            "path": "basic.prompty",
            "frontmatter": record.metadata["frontmatter"],
            "jinja": ["endfor", "for"],
            "original_body": PROMPTY.partition("What?\n---\n")[2],
        },
    )
    assert record.metadata["frontmatter"]["model"]["configuration"] == {
        "azure_deployment": "gpt-4o",
        "api_key": "(removed)",
        "azure_endpoint": "${env:ENDPOINT}",
    }


def test_prompty_inputs_by_name_and_a_default_that_does_not_fit(tmp_path: Path) -> None:
    inputs = {"n": {"kind": "integer", "default": "many"}, "q": "What?", "ratio": 0.5, "on": True, "1x": {}}
    entry = {
        "name": "a-b",
        "path": "x.prompty",
        "frontmatter_raw": "",
        "frontmatter": {"inputs": inputs, "model": "${env:M}"},
    }
    record = read_one(tmp_path, "p.jsonl", lines({**entry, "body": "{{n}} {{q}} {{ratio}} {{on}}"}))
    assert (record.title, record.parameters, contract_to_json(record.variables)) == (
        "A b",
        {},
        [
            {"name": "n", "type": "long_text", "label": "N"},
            {"name": "q", "type": "long_text", "label": "Q", "default": "What?"},
            {"name": "ratio", "type": "number", "label": "Ratio", "default": 0.5},
            {"name": "on", "type": "boolean", "label": "On", "default": True},
        ],
    )


# ---- what is stored --------------------------------------------------------


def test_texts_and_data_are_made_fit_to_be_stored() -> None:
    assert clean_text("a\r\nb\0\ud800 \ud83d\ude00") == "a\nb\ufffd\ufffd 😀"
    deep: list[Any] = []
    for _level in range(40):
        deep = [deep]
    data = {"n": float("inf"), "big": 2**70, "password": "x", "apiKey": "${env:K}", "maxTokens": "9", 1: (b"x", None)}
    assert storable(data) == {
        "n": "inf",
        "big": "1180591620717411303424",
        "password": "(removed)",
        "apiKey": "${env:K}",
        "maxTokens": "9",
        "1": ["b'x'", None],
    }
    assert json.dumps(storable(deep)) == "[" * 32 + '"\\u2026"' + "]" * 32
    nested: dict[str, Any] = {}
    for _level in range(40):
        nested = {"k": nested}
    assert json.dumps(storable(nested), ensure_ascii=False) == '{"k": ' * 32 + '"…"' + "}" * 32
    assert (cut("one two three", 9), cut("a" * 20, 9), cut("x", 9)) == ("one two…", "a" * 8 + "…", "x")
    assert (humanise("01-basic_prompt"), humanise("My prompt")) == ("Basic prompt", "My prompt")


@pytest.mark.parametrize(
    ("body", "summary"),
    [
        ("# Title\n\n- item\n**I want you to act as a poet.** Write\n", "I want you to act as a poet.** Write"),
        ("---\nname: x\ndescription: 'Finds the bugs.'\n---\nBody text that follows.", "Finds the bugs."),
        ('{"task": "This is data and not prose."}', ""),
        (
            "Act as a lawyer. You give advice about contracts and leases to people. More.",
            "Act as a lawyer. You give advice about contracts and leases to people.",
        ),
    ],
)
def test_a_summary_is_the_first_sentence(tmp_path: Path, body: str, summary: str) -> None:
    record = read_one(tmp_path, "s.json", json.dumps([{"act": "x", "prompt": body}]))
    assert record.summary == summary


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I want you to act as a lawyer for the city and help with contracts.", "en"),
        ("Eres un profesor y debes explicar los temas de la clase con ejemplos que no son como los del libro.", "es"),
        (
            "Du bist Lehrer und sollst die Aufgaben für den Unterricht mit Beispielen erklären, nicht für sich.",
            "de",
        ),
        ("Bir öğretmen olarak konuyu açıkla ve her örnek için çok kısa bir metin yaz, daha uzun değil.", "tr"),
        ("私は医師のように振る舞ってほしいです。", "ja"),
        ("我想让你充当医生。请说 hello world。", "zh-CN"),
        ("请把它翻译成英文 translate this short text", "zh-CN"),
        ("請你擔任醫生，從現在開始為我們說明這個問題。", "zh-TW"),
        ("의사처럼 행동해 주세요.", "ko"),
        ("Действуй как врач.", "ru"),
        ("تصرف كطبيب.", "ar"),
        ("Translate 你好 and 谢谢 into English for the students of the class.", "en"),
        ("", "en"),
    ],
)
def test_the_language_is_detected(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_language_tags_are_shortened_where_the_region_says_nothing() -> None:
    tags = ["en-US", "zh_CN", "pt-br", "ar", "", "english"]
    assert [normalise_language(tag) for tag in tags] == ["en", "zh-CN", "pt-BR", "ar", "", ""]


def test_titles_find_their_shelf() -> None:
    titles = ["Lawyer", "Act as an SEO expert", "Linux Terminal", "Portrait", "Recipe", "Zebra", "充当数学老师"]
    shelves = [shelf_for_title(title) for title in titles]
    assert shelves == ["legal", "marketing", "engineering", "design", "everyday", "", "education"]


@pytest.mark.parametrize("format_", FORMATS)
@given(text=st.text(max_size=200) | st.text(alphabet='act,prompt\n"${}:[]--- namebody', max_size=80))
def test_no_format_fails_on_any_text(tmp_path_factory: pytest.TempPathFactory, format_: str, text: str) -> None:
    path = write(tmp_path_factory.getbasetemp(), f"any-{format_}", text.encode("utf-8", "replace"))
    try:
        for record in read_file(path, format=format_):
            assert record.place
    except ImportFileError as error:
        assert str(error)


# ---- the real collections --------------------------------------------------

DATA = os.environ.get("PROMPTLIB_TEST_DATA")
real = pytest.mark.skipif(not DATA, reason="PROMPTLIB_TEST_DATA names no folder with the real collections")

COLLECTIONS = {
    "prompts-chat.csv": ("prompts.chat", 1282),
    "awesome-chatgpt-prompts-zh.json": ("awesome-chatgpt-prompts-zh", 124),
    "deepset-prompthub.jsonl": ("deepset-prompthub", 19),
    "dotprompt-samples.jsonl": ("dotprompt", 27),
    "fabric-patterns.jsonl": ("fabric", 225),
    "lobe-agents-6-languages.jsonl": ("lobe-chat-agents", 360),
    "prompty-samples.jsonl": ("prompty", 89),
}


def collection(name: str) -> list[TemplateRecord]:
    found = list(read_file(Path(DATA or "") / "prompts" / name))
    assert [record for record in found if isinstance(record, BadRecord)] == []
    return [record for record in found if isinstance(record, TemplateRecord)]


@real
@pytest.mark.parametrize("name", COLLECTIONS)
def test_every_record_of_a_real_collection_is_read_and_sound(name: str) -> None:
    records = collection(name)
    assert (Counter(record.source for record in records), len(records)) == (
        Counter({COLLECTIONS[name][0]: COLLECTIONS[name][1]}),
        COLLECTIONS[name][1],
    )
    assert len({collation_key(record.source_id) for record in records}) == len(records)
    assert {record.category for record in records} <= SHELVES
    for record in records:
        _check(record)


def _check(record: TemplateRecord) -> None:
    assert parse_contract(contract_to_json(record.variables)) == record.variables
    assert [variable.name for variable in record.variables] == find_names(record.system_prompt, record.body)
    values = {variable.name: "{{ x }}" for variable in record.variables}
    assert not set(find_names(render(record.body, values))) - {"x"}
    assert record.body.strip()
    assert record.title.strip()
    assert len(record.title) <= 200
    assert len(record.summary) <= 300
    assert len(record.source_id) <= 255
    assert all(tag == tag.strip() and 0 < len(tag) <= 80 for tag in record.tags)
    stored = json.dumps([record.metadata, record.parameters, record.examples], allow_nan=False)
    assert "\\u0000" not in stored
    record.body.encode()


@real
def test_the_defaults_of_prompts_chat_give_the_original_text() -> None:
    with (Path(DATA or "") / "prompts" / "prompts-chat.csv").open(encoding="utf-8", newline="") as file:
        originals = {row["act"].strip(): row["prompt"] for row in csv.DictReader(file)}
    records = {record.metadata.get("full_title", record.title): record for record in collection("prompts-chat.csv")}
    assert records.keys() == originals.keys()
    assert max(len(record.body) for record in records.values()) == 144_260
    compared = 0
    for title, record in records.items():
        original = originals[title]
        # A bare ${name} has no default, or takes that of ${name:default}; "a | b" became a choice.
        has_bare_names = bool(record.variables) and re.search(r"\$\{[^{}:\n]+\}", original) is not None
        if not has_bare_names and "defaults" not in record.metadata:
            once = re.sub(r"\$\{(\$\{[^{}]+\})\}", r"\1", original)
            with_defaults = (
                original
                if not record.variables
                else re.sub(r"\$\{[^{}:\n]+:([^{}\n]+)\}", lambda match: match[1].strip(), once)
            )
            assert filled(record) == with_defaults
            compared += 1
    assert compared == 995
    assert filled(records["Professional Email Writer for Any Occasion"]).count("formal, informal, or neutral") == 1
    for title in ("MCP Builder", "Context7 Documentation Expert Agent"):
        assert (records[title].variables, records[title].body) == ((), originals[title])


@real
def test_the_longest_fabric_pattern_and_all_languages_are_whole() -> None:
    longest = max(collection("fabric-patterns.jsonl"), key=lambda record: len(record.body))
    assert len(longest.body) == 231_384  # 231,372 characters, a blank line and the input
    languages = Counter(record.language for record in collection("lobe-agents-6-languages.jsonl"))
    assert languages == Counter({"en": 60, "zh-CN": 60, "ja": 60, "ar": 60, "ru": 60, "ko": 60})


@real
def test_the_broken_dotprompt_files_come_in_with_a_note() -> None:
    noted = {record.title for record in collection("dotprompt-samples.jsonl") if "note" in record.metadata}
    assert noted == {"Error invalid yaml", "Schema and config", "Partials", "Kitchen sink"}


def test_a_prompt_may_have_two_million_characters(tmp_path: Path) -> None:
    longest, longer = ("x" * length for length in (tables.FIELD_MAX_LENGTH, tables.FIELD_MAX_LENGTH + 1))
    found = list(read_file(write(tmp_path, "p.csv", f"act,prompt\na,{longest}\nb,{longer}\nc,x\n")))
    assert [each if isinstance(each, BadRecord) else len(each.body) for each in found] == [
        2 * 1024 * 1024,
        BadRecord("row 3", "The row is not sound CSV: field larger than field limit (2097152)."),
        1,
    ]
