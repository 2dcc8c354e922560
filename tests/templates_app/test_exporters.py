"""Taking templates out: the shape that each tool reads, what is protected, what whoever may not edit is not told."""

import csv
import io
import json
import zipfile
from dataclasses import replace
from typing import Any

import pytest
import yaml
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from audit.context import acting
from audit.models import AuditLog
from promptlib.core.spreadsheets import csv_row, protect, unprotect
from templates_app import services
from templates_app.exporters import CHUNK, FORMATS, export
from templates_app.exporters.tools import to_dollars
from templates_app.importers import FORMATS as READ
from templates_app.importers import BadRecord, History, TemplateRecord, VersionRecord, read_bytes
from templates_app.importers.own import content_of, fields_of, own_record
from templates_app.importers.placeholders import convert_placeholders
from templates_app.models import PromptTemplate
from templates_app.rendering import render
from templates_app.variables import Variable, VariableType
from tests.factories import GrantFactory, LabelFactory, RatingFactory, TemplateFactory, UserFactory

CONTRACT: list[dict[str, Any]] = [
    {"name": "tone", "type": "choice", "label": "Tone", "options": ["warm", "cold"], "default": "warm"},
    {"name": "words", "type": "integer", "label": "Words", "min": 40, "max": 400, "default": 180},
    {"name": "ticket", "type": "long_text", "label": "Ticket", "required": True, "help": "As it was written."},
]


@pytest.fixture
def ines() -> User:
    return UserFactory(handle="ines", email="ines@example.org")


@pytest.fixture
def reply(ines: User) -> PromptTemplate:
    template = TemplateFactory(
        owner=ines,
        title="Reply to a ticket",
        summary="Within the policy.",
        system_prompt="Answer for us.",
        body="Be {{ tone }} in {{ words }} words: {{ ticket }}",
        variables=CONTRACT,
        parameters={"model": "gpt-4o", "temperature": 0.2, "max_tokens": 300},
        tags=["E-mail", "customers"],
        versions=2,
        visibility="public",
        metadata={"note": "Ask Jonas."},
    )
    LabelFactory(version=template.current_version)
    return template


def text(template: PromptTemplate, name: str, reader: User) -> str:
    return b"".join(export([template.pk], FORMATS[name], reader=reader).chunks).decode()


# ---- shapes --------------------------------------------------------------------


@pytest.mark.django_db
def test_langfuse_gets_a_version_each_with_chat_messages_and_labels(reply: PromptTemplate, ines: User) -> None:
    first, second = json.loads(text(reply, "langfuse", ines))
    blocks = [version["config"].pop("promptlib") for version in (first, second)]
    assert [version.pop("createdAt")[:2] for version in (first, second)] == ["20", "20"]
    common = {
        "name": "Reply to a ticket",
        "type": "chat",
        "config": {"model": "gpt-4o", "temperature": 0.2, "max_tokens": 300},
        "tags": ["E-mail", "customers"],
    }
    system = {"role": "system", "content": "Answer for us."}
    body = "Be {{ tone }} in {{ words }} words: {{ ticket }}"
    assert [first, second] == [
        common
        | {
            "version": 1,
            "prompt": [system, {"role": "user", "content": f"{body} (draft 1)"}],
            "labels": [],
            "commitMessage": "First version",
        },
        common
        | {
            "version": 2,
            "prompt": [system, {"role": "user", "content": body}],
            "labels": ["production", "latest"],
            "commitMessage": "Says it better",
        },
    ]
    assert sorted(blocks[0]) == ["digest", "variables"]
    assert sorted(blocks[1]) == [
        *("category", "digest", "id", "metadata", "source", "source_id", "summary", "tags", "variables", "visibility")
    ]


@pytest.mark.django_db
def test_open_webui_gets_typed_inputs(reply: PromptTemplate, ines: User) -> None:
    [entry] = json.loads(text(reply, "open-webui", ines))
    del entry["meta"]
    assert entry == {
        "command": "reply-to-a-ticket",
        "name": "Reply to a ticket",
        "title": "Reply to a ticket",
        "content": 'Answer for us.\n\nBe {{tone | select:label="Tone":options=["warm", "cold"]:default="warm"}}'
        " in {{ words }} words:"
        ' {{ticket | textarea:placeholder="As it was written.":label="Ticket":required}}',
        "tags": ["E-mail", "customers"],
        "access_control": None,
    }


@pytest.mark.django_db
def test_prompts_chat_gets_dollars_and_defaults(reply: PromptTemplate, ines: User) -> None:
    rows = list(csv.DictReader(io.StringIO(text(reply, "prompts-chat", ines))))
    assert rows == [
        {
            "act": "Reply to a ticket",
            "prompt": "Answer for us.\n\nBe ${tone:warm | cold} in ${words:180} words: ${ticket}",
            "for_devs": "FALSE",
            "type": "TEXT",
            "contributor": "",
        }
    ]


@pytest.mark.django_db
def test_dotprompt_gets_front_matter_and_roles(reply: PromptTemplate, ines: User) -> None:
    head, body = text(reply, "dotprompt", ines).removeprefix("---\n").split("---\n", 1)
    data = yaml.safe_load(head)
    assert data.pop("metadata").keys() == {"promptlib"}
    assert data == {
        "name": "reply-to-a-ticket",
        "description": "Within the policy.",
        "model": "gpt-4o",
        "config": {"temperature": 0.2, "maxOutputTokens": 300},
        "input": {
            "default": {"tone": "warm", "words": 180},
            "schema": {
                "tone?(enum)": ["warm", "cold"],
                "words?": "integer",
                "ticket": "string, As it was written.",
            },
        },
    }
    assert body == (
        '{{role "system"}}\nAnswer for us.\n{{role "user"}}\nBe {{ tone }} in {{ words }} words: {{ ticket }}\n'
    )


@pytest.mark.django_db
def test_prompty_gets_inputs_and_roles(reply: PromptTemplate, ines: User) -> None:
    head, body = text(reply, "prompty", ines).removeprefix("---\n").split("---\n", 1)
    data = yaml.safe_load(head)
    assert data["metadata"].pop("promptlib")["id"] == str(reply.pk)
    assert data == {
        "name": "Reply to a ticket",
        "description": "Within the policy.",
        "metadata": {"tags": ["E-mail", "customers"]},
        "model": {
            "id": "gpt-4o",
            "apiType": "chat",
            "options": {"temperature": 0.2, "maxOutputTokens": 300},
        },
        "inputs": [
            {"name": "tone", "kind": "string", "default": "warm"},
            {"name": "words", "kind": "integer", "default": 180},
            {"name": "ticket", "kind": "string", "description": "As it was written.", "required": True},
        ],
        "template": {"format": {"kind": "jinja2"}, "parser": {"kind": "prompty"}},
    }
    assert body == "system:\nAnswer for us.\n\nuser:\nBe {{ tone }} in {{ words }} words: {{ ticket }}\n"


@pytest.mark.django_db
def test_what_a_person_changed_in_the_file_counts_before_what_we_added(reply: PromptTemplate, ines: User) -> None:
    changed = text(reply, "prompty", ines).replace("Be {{ tone }}", "Stay {{ tone }} and {{ calm }}")
    [record] = read_bytes(changed.encode(), "reply.prompty")
    assert isinstance(record, TemplateRecord)
    assert (record.body, [variable.name for variable in record.variables], record.title, record.source_id) == (
        "Stay {{ tone }} and {{ calm }} in {{ words }} words: {{ ticket }}",
        ["tone", "calm", "words", "ticket"],
        "Reply to a ticket",
        str(reply.pk),
    )
    assert record.variables[0].options == ("warm", "cold")


def test_a_bodythat_the_format_takes_apart_is_whole_until_somebody_changes_it() -> None:
    record = _record("Write:\nuser:\nHello\nassistant:\nHi")
    written = FORMATS["prompty"].write_one(record)  # type: ignore[misc]  # it is not None
    [same] = read_bytes(written.encode(), "a.prompty")
    head, mark, body = written.rpartition("---\n")
    [changed] = read_bytes((head + mark + body.replace("Hello", "Good day")).encode(), "a.prompty")
    assert isinstance(same, TemplateRecord) and isinstance(changed, TemplateRecord)
    assert (same.body, same.examples) == (record.body, record.examples)
    assert "Good day" in changed.body and "Hello" not in changed.body


# ---- many ----------------------------------------------------------------------


@pytest.mark.django_db
def test_several_prompt_files_are_a_zip_of_names_that_differ(ines: User) -> None:
    templates = [
        TemplateFactory(owner=ines, title=title, body=f"{n}") for n, title in enumerate(["Über", "a/b", "Über"])
    ]
    exported = export([template.pk for template in templates], FORMATS["markdown"], reader=ines, name="mine")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(exported.chunks)))
    assert (exported.filename, exported.content_type, archive.testzip()) == ("mine.zip", "application/zip", None)
    bodies = {name: archive.read(name).decode().rpartition("---\n")[2] for name in archive.namelist()}
    assert bodies == {"über.md": "0\n", "ab.md": "1\n", "über~2.md": "2\n"}


@pytest.mark.django_db
@pytest.mark.parametrize("name", FORMATS)
def test_a_hundred_more_cost_a_chunk_more(ines: User, name: str, django_assert_max_num_queries: Any) -> None:
    templates = [TemplateFactory(owner=ines) for _number in range(CHUNK + 1)]
    pks = [template.pk for template in templates]
    cost = 14 if FORMATS[name].has_history else 6
    with django_assert_max_num_queries(2 * cost):
        data = b"".join(export(pks, FORMATS[name], reader=ines).chunks)
    assert data
    with acting(ines):
        list(export(pks[:2], FORMATS[name], reader=ines).chunks)
    rows = AuditLog.objects.filter(action=AuditLog.Action.EXPORT, object_pk=str(pks[0]))
    assert [(row.actor, row.changes, row.subject_id) for row in rows] == [
        (ines, {"format": [None, name]}, pks[0]),
        (ines, {"format": [None, name]}, pks[0]),
    ]


# ---- what is told to whom --------------------------------------------------------


@pytest.mark.django_db
def test_a_reader_gets_no_private_notes_and_nothing_of_what_is_hidden(reply: PromptTemplate, ines: User) -> None:
    reader = UserFactory(handle="reader")
    hidden = TemplateFactory(owner=ines, title="Hidden")
    fork = TemplateFactory(owner=ines, title="Fork", visibility="public", forked_from=hidden.current_version)
    RatingFactory(template=reply, user=reader, score=5, review="Good.")
    gone = RatingFactory(template=reply, score=1, review="Withdrawn.")
    gone.delete(by=gone.user)
    services.move_label(reply, name="staging", version=reply.current_version, by=ines, reason="Jonas wants it.")
    chunks = export([reply.pk, hidden.pk, fork.pk], FORMATS["json"], reader=reader).chunks
    first, second = json.loads(b"".join(chunks))["templates"]
    told = (first["title"], first["metadata"], first["label_moves"], [r["review"] for r in first["ratings"]])
    assert told == ("Reply to a ticket", {}, [], ["Good."])
    assert second["forked_from"] == {"id": str(hidden.pk), "version": 1}
    GrantFactory(template=reply, user=reader, role="editor")
    [whole] = json.loads(text(reply, "json", reader))["templates"]
    assert (whole["metadata"], [move["reason"] for move in whole["label_moves"]]) == (
        {"note": "Ask Jonas."},
        ["Jonas wants it."],
    )


# ---- texts ----------------------------------------------------------------------


@given(st.text())
def test_protection_comes_off_again(cell: str) -> None:
    assert unprotect(protect(cell)) == cell
    assert protect(cell)[:1] not in {"=", "+", "-", "@", "\t", "\r", "\n"}


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''=1", "＝1"])
def test_what_a_spreadsheet_would_run_is_text(cell: str) -> None:
    assert protect(cell) == f"'{cell}"
    for name in ("csv", "prompts-chat"):
        record = replace(_record("a"), title="Formula", body=cell, system_prompt="")
        written = "".join(FORMATS[name].write([record]))  # type: ignore[misc]  # it is not None
        [row] = list(csv.reader(io.StringIO(written, newline="")))[1:]
        assert f"'{cell}" in row


@pytest.mark.parametrize("cell", ["'quoted' text", "'", "a=b", " =1", "5-1", ""])
def test_what_it_would_not_run_stays(cell: str) -> None:
    assert protect(cell) == cell


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
BODIES = st.lists(
    st.one_of(
        TEXTS, st.sampled_from(["{{ x }}", "{{x}}", "${x}", "${x:y}", "---\n", "system:\n", '{{role "user"}}', "=1"])
    ),
    min_size=1,
    max_size=8,
).map(lambda parts: "".join(parts).replace("\r\n", "\n"))


def _record(body: str, system_prompt: str = "", title: str = "A title", tags: tuple[str, ...] = ()) -> TemplateRecord:
    fields = {"title": title, "body": body, "system_prompt": system_prompt, "tags": list(tags), "id": "1" * 36}
    return own_record("", {**fields, "examples": [{"role": "user", "content": body}], "summary": system_prompt[:90]})


@pytest.mark.parametrize("name", ["json", "markdown", "csv", "langfuse", "open-webui", "dotprompt", "prompty"])
@given(body=BODIES, system_prompt=BODIES, tags=st.lists(TEXTS, max_size=3))
def test_any_bodycomes_back(name: str, body: str, system_prompt: str, tags: list[str]) -> None:
    if not body.strip():
        return
    record = _record(body, system_prompt, tags=tuple(tags))
    record = replace(record, history=History((VersionRecord(1, content_of(record)),), 1))
    format_ = FORMATS[name]
    written = format_.write_one(record) if format_.write_one else "".join(format_.write([record]))  # type: ignore[misc]
    [back] = read_bytes(written.encode(), f"a.{format_.suffix}", format="promptlib" if name == "json" else name)
    assert not isinstance(back, BadRecord), back.reason
    assert fields_of(back) == fields_of(record)


@pytest.mark.parametrize(
    ("variable", "dollars"),
    [
        (Variable("name", default="Ann"), "${name:Ann}"),
        (Variable("brands_core_product", label="Brand's core product", default="soap"), "${Brand's core product:soap}"),
        (Variable("name"), "${name}"),
        (Variable("kind", VariableType.CHOICE, options=("a", "b"), default="a"), "${kind:a | b}"),
        (Variable("text", VariableType.LONG_TEXT, default="two\nlines"), "${text}"),
        (Variable("x", VariableType.LONG_TEXT, default="{{ x }}"), "{{ x }}"),
        (Variable("n", VariableType.INTEGER, default=3), "${n:3}"),
    ],
)
def test_a_variable_is_written_as_prompts_chat_writes_it(variable: Variable, dollars: str) -> None:
    body = f"For {{{{ {variable.name} }}}}."
    assert to_dollars(body, [variable]) == f"For {dollars}."
    assert convert_placeholders(f"For {dollars}.").text == body


def test_the_examples_of_other_tools_give_the_texts_that_they_document() -> None:
    """Langfuse's data model, MLflow's and Phoenix's guides: {{name}} with or without spaces, what is unknown stays."""
    langfuse = "As a {{criticLevel}} movie critic, do you like {{movie}}?"
    assert render(langfuse, {"criticLevel": "expert", "movie": "Dune 2"}) == (
        "As a expert movie critic, do you like Dune 2?"
    )
    mlflow = "Summarize content you are provided with in {{ num_sentences }} sentences.\n\nSentences: {{ sentences }}\n"
    assert render(mlflow, {"num_sentences": "2", "sentences": "{{ num_sentences }}"}) == (
        "Summarize content you are provided with in 2 sentences.\n\nSentences: {{ num_sentences }}\n"
    )
    phoenix = "Write about {{topic}} in {{ language }}"
    assert render(phoenix, {"topic": "Sport"}) == "Write about Sport in {{ language }}"
    chat = convert_placeholders("Act as ${role:a guide} for ${city}.")
    assert render(chat.text, {"role": "a guide", "city": "Rome"}) == "Act as a guide for Rome."


def test_a_row_is_what_the_csv_module_reads() -> None:
    cells = ['a"b', "c,d", "e\nf", "g\r\nh", ""]
    assert next(csv.reader(io.StringIO(csv_row(cells), newline=""))) == cells


def test_every_format_is_in_the_document() -> None:
    document = (settings.BASE_DIR / "docs" / "formats.md").read_text()
    rows = [line for line in document.splitlines() if line.startswith("| `")]
    assert {name for name in {*FORMATS, *READ} if not any(f"`{name}`" in row for row in rows)} == set()
