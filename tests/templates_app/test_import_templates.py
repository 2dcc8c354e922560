"""Importing collections: every record once, what changed as a new version, nothing half, each row in the audit log."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from audit.context import acting
from audit.models import AuditLog
from templates_app import services
from templates_app.importers import BadRecord, TemplateRecord, read_file
from templates_app.importing import BATCH_RECORDS, Kind, Outcome, import_records
from templates_app.models import Category, PromptTemplate, Tag, TemplateTag, TemplateVersion
from tests.factories import TagFactory, TemplateFactory, UserFactory

pytestmark = pytest.mark.django_db

COLLECTIONS = {
    "awesome-chatgpt-prompts-zh.json": 124,
    "deepset-prompthub.jsonl": 19,
    "dotprompt-samples.jsonl": 27,
    "fabric-patterns.jsonl": 225,
    "lobe-agents-6-languages.jsonl": 360,
    "prompts-chat.csv": 1282,
    "prompty-samples.jsonl": 89,
}
LONGEST = 144_260


@pytest.fixture
def ines() -> User:
    return UserFactory(handle="ines", email="ines@example.org")


def record(number: int = 1, **changes: Any) -> TemplateRecord:
    given = TemplateRecord(
        place=f"row {number}",
        source="a-collection",
        source_id=f"prompt-{number}",
        title=f"Prompt {number}",
        body=f"Write about {{{{ topic }}}}, {number} times.",
        summary="What it is for.",
        category="writing",
        tags=("E-mail", "Short"),
    )
    return replace(given, **changes)


def kinds(outcomes: Iterator[Outcome]) -> list[str]:
    return [f"{outcome.place}: {outcome.kind}" for outcome in outcomes]


def bodies(template: PromptTemplate) -> dict[int, str]:
    return dict(template.versions.order_by("number").values_list("number", "body"))


def counts() -> dict[str, int]:
    models = (PromptTemplate, TemplateVersion, Tag, TemplateTag, AuditLog)
    return {model.__name__: model._base_manager.count() for model in models}


def logged() -> Counter[tuple[str, str]]:
    rows = AuditLog.objects.exclude(content_type__model="user")
    return Counter((row.content_type.model, str(row.get_action_display())) for row in rows)


# ---- new ---------------------------------------------------------------------


def test_a_record_becomes_a_template_with_its_first_version(ines: User) -> None:
    TagFactory(name="short")
    [outcome] = import_records(
        [
            record(
                system_prompt="You are {{ role }}.",
                parameters={"temperature": 0.2},
                examples=({"role": "user", "content": "Like {{ tone }}"},),
                metadata={"license": "MIT"},
            )
        ],
        owner=ines,
        visibility="public",
        note="Imported from a file",
    )
    template = PromptTemplate.objects.get()
    assert (outcome.kind, outcome.place, outcome.title, outcome.template) == (
        Kind.CREATED,
        "row 1",
        "Prompt 1",
        template,
    )
    version = template.current_version
    assert {
        "template": (template.title, template.slug, template.summary, template.language),
        "of": (template.owner, template.category.slug, template.visibility, template.status),
        "from": (template.source, template.source_id, template.metadata["license"]),
        "tags": sorted(template.tags.values_list("slug", "name")),
        "counted": template.version_count,
        "version": (version.number, version.author, version.change_note),
        "content": (version.system_prompt, version.body, version.examples, version.parameters),
        "variables": [each["name"] for each in version.variables],
        "hash": version.content_hash,
    } == {
        "template": ("Prompt 1", "prompt-1", "What it is for.", "en"),
        "of": (ines, "writing", "public", "published"),
        "from": ("a-collection", "prompt-1", "MIT"),
        "tags": [("e-mail", "E-mail"), ("short", "short")],
        "counted": 1,
        "version": (1, ines, "Imported from a file"),
        "content": (
            "You are {{ role }}.",
            "Write about {{ topic }}, 1 times.",
            [{"role": "user", "content": "Like {{ tone }}"}],
            {"temperature": 0.2},
        ),
        "variables": ["role", "topic", "tone"],
        "hash": TemplateVersion.hash_of(**{name: getattr(version, name) for name in TemplateVersion.CONTENT}),
    }


def test_every_row_made_has_its_audit_row(ines: User) -> None:
    with acting(ines):
        list(import_records([record(1), record(2, tags=("short", "Zürich"))], owner=ines, note="Imported from x.csv"))
    assert logged() == {("prompttemplate", "imported"): 2, ("templateversion", "imported"): 2, ("tag", "created"): 3}
    template = PromptTemplate.objects.get(source_id="prompt-2")
    row = AuditLog.objects.get(object_pk=str(template.pk))
    assert (row.actor, row.object_repr, row.subject_id, row.reason, row.changes) == (
        ines,
        "Prompt 2",
        template.pk,
        "Imported from x.csv",
        {
            "title": [None, "Prompt 2"],
            "summary": [None, "What it is for."],
            "language": [None, "en"],
            "visibility": [None, "private"],
            "source": [None, "a-collection"],
            "source_id": [None, "prompt-2"],
            "category": [None, "Writing"],
            "tags": {"type": "m2m", "operation": "add", "objects": ["short", "Zürich"]},
        },
    )


def test_the_shelf_is_the_callers_else_the_records_else_none(ines: User) -> None:
    legal = Category.objects.get(slug="legal")
    list(import_records([record(1), record(2, category="no-such"), record(3, category="")], owner=ines))
    list(import_records([record(4)], owner=ines, category=legal))
    assert dict(PromptTemplate.objects.values_list("source_id", "category__slug")) == {
        "prompt-1": "writing",
        "prompt-2": None,
        "prompt-3": None,
        "prompt-4": "legal",
    }


def test_each_owner_has_their_own(ines: User) -> None:
    jonas = UserFactory()
    assert kinds(import_records([record()], owner=ines)) == ["row 1: created"]
    assert kinds(import_records([record()], owner=jonas)) == ["row 1: created"]
    assert set(PromptTemplate.objects.values_list("owner", "source_id")) == {
        (ines.pk, "prompt-1"),
        (jonas.pk, "prompt-1"),
    }


# ---- again -------------------------------------------------------------------


def test_a_repeat_changes_nothing(ines: User) -> None:
    records = [record(1), record(2)]
    list(import_records(records, owner=ines))
    before = counts()
    assert kinds(import_records(records, owner=ines)) == ["row 1: same", "row 2: same"]
    assert counts() == before


def test_a_changed_text_becomes_the_next_version(ines: User) -> None:
    list(import_records([record(1), record(2)], owner=ines))
    changed = record(1, body="Write better about {{ topic }}.")
    assert kinds(import_records([changed, record(2)], owner=ines, note="Again")) == ["row 1: changed", "row 2: same"]
    template = PromptTemplate.objects.get(source_id="prompt-1")
    assert bodies(template) == {1: "Write about {{ topic }}, 1 times.", 2: "Write better about {{ topic }}."}
    assert (template.current_version.number, template.current_version.change_note) == (2, "Again")
    assert kinds(import_records([changed], owner=ines)) == ["row 1: same"]


def test_changed_details_make_no_version(ines: User) -> None:
    list(import_records([record()], owner=ines))
    changed = record(title="Better title", tags=("short",), category="legal", language="de")
    assert kinds(import_records([changed], owner=ines)) == ["row 1: changed"]
    template = PromptTemplate.objects.get()
    assert (template.title, template.category.slug, template.language, template.version_count) == (
        "Better title",
        "legal",
        "de",
        1,
    )
    assert list(template.tags.values_list("slug", flat=True)) == ["short"]


def test_what_people_changed_here_stays(ines: User) -> None:
    list(import_records([record()], owner=ines))
    template = PromptTemplate.objects.get()
    services.edit_template(
        template,
        author=ines,
        base_revision=template.revision,
        details={"title": "My title", "visibility": "public", "tags": ["mine"]},
        content={"body": "My text about {{ topic }}."},
    )
    assert kinds(import_records([record()], owner=ines)) == ["row 1: same"]
    assert kinds(import_records([record(summary="Another summary.")], owner=ines)) == ["row 1: changed"]
    template.refresh_from_db()
    assert (template.title, template.visibility, template.summary) == ("My title", "public", "Another summary.")
    assert list(template.tags.values_list("slug", flat=True)) == ["mine"]
    assert template.current_version.body == "My text about {{ topic }}."


def test_one_in_the_trash_is_left_there(ines: User) -> None:
    list(import_records([record()], owner=ines))
    PromptTemplate.objects.get().delete(by=ines)
    before = counts()
    assert kinds(import_records([record(body="Changed.")], owner=ines)) == ["row 1: trashed"]
    assert counts() == before
    assert not PromptTemplate.objects.exists()


def test_a_living_one_counts_before_one_in_the_trash(ines: User) -> None:
    list(import_records([record()], owner=ines))
    template = PromptTemplate.objects.get()
    template.delete(by=ines)
    TemplateFactory(owner=ines, source="a-collection", source_id="prompt-1", metadata=template.metadata)
    assert kinds(import_records([record()], owner=ines)) == ["row 1: same"]


# ---- bad ---------------------------------------------------------------------


def test_bad_records_keep_nobody_out(ines: User) -> None:
    records = [
        record(1),
        BadRecord("row 2", "There is no prompt text in it."),
        record(3, title=""),
        record(4),
    ]
    outcomes = list(import_records(records, owner=ines))
    assert kinds(iter(outcomes)) == ["row 1: created", "row 2: bad", "row 3: bad", "row 4: created"]
    assert outcomes[1].reason == "There is no prompt text in it."
    assert outcomes[2].reason.startswith("The database refuses it: ")
    assert sorted(PromptTemplate.objects.values_list("source_id", flat=True)) == ["prompt-1", "prompt-4"]
    assert logged() == {("prompttemplate", "imported"): 2, ("templateversion", "imported"): 2, ("tag", "created"): 2}


def test_the_same_entry_twice_is_one_template(ines: User) -> None:
    assert kinds(import_records([record(), record()], owner=ines)) == ["row 1: created", "row 1: same"]
    assert PromptTemplate.objects.count() == 1


def test_an_import_that_breaks_off_leaves_whole_batches_and_goes_on_the_next_time(ines: User) -> None:
    records = [record(number) for number in range(BATCH_RECORDS * 2)]

    def broken() -> Iterator[TemplateRecord]:
        yield from records[: BATCH_RECORDS + 7]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(import_records(broken(), owner=ines))
    templates = PromptTemplate.objects
    assert (templates.count(), templates.filter(current_version=None).count()) == (BATCH_RECORDS, 0)
    assert logged()["prompttemplate", "imported"] == BATCH_RECORDS
    done = Counter(outcome.kind for outcome in import_records(records, owner=ines))
    assert done == {Kind.SAME: BATCH_RECORDS, Kind.CREATED: BATCH_RECORDS}


def test_a_dry_run_says_what_would_happen_and_writes_nothing(ines: User) -> None:
    list(import_records([record(1), record(2)], owner=ines))
    before = counts()
    records = [record(1), record(2, body="New."), BadRecord("row 3", "Bad."), record(4)]
    assert kinds(import_records(records, owner=ines, dry_run=True)) == [
        "row 1: same",
        "row 2: changed",
        "row 3: bad",
        "row 4: created",
    ]
    assert counts() == before


# ---- the command -------------------------------------------------------------


def run(*args: str, **options: Any) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    code = 0
    try:
        call_command("import_templates", *args, stdout=out, stderr=err, no_color=True, **options)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, out.getvalue(), err.getvalue()


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    entries = [
        {"act": "A tailor", "prompt": "Sew a coat."},
        {"act": "Nobody", "prompt": " "},
        {"act": "A cook", "prompt": "Cook."},
    ]
    path = tmp_path / "prompts-zh.json"
    path.write_text(json.dumps(entries))
    return path


def test_the_command_reports_bad_records_by_place(ines: User, collection: Path) -> None:
    code, out, err = run(str(collection), "--owner", "INES@example.org", "--format", "awesome-zh")
    [bad] = [each for each in read_file(collection) if isinstance(each, BadRecord)]
    assert (code, out, err) == (
        1,
        "prompts-zh.json: 2 new, 0 changed, 0 the same, 0 left in the trash, 1 bad.\n",
        f"{bad.place}: {bad.reason}\n",
    )
    assert set(AuditLog.objects.filter(action=AuditLog.Action.IMPORT).values_list("actor", "reason")) == {
        (ines.pk, "Imported from prompts-zh.json")
    }


def test_the_command_names_what_changed_and_what_is_in_the_trash(ines: User, collection: Path) -> None:
    collection.write_text(json.dumps([{"act": "A tailor", "prompt": "Sew."}, {"act": "A cook", "prompt": "Cook."}]))
    assert run(str(collection), "--owner", "ines@example.org", "--visibility", "public", "--category", "design") == (
        0,
        "prompts-zh.json: 2 new, 0 changed, 0 the same, 0 left in the trash, 0 bad.\n",
        "",
    )
    assert set(PromptTemplate.objects.values_list("visibility", "category__slug")) == {("public", "design")}
    PromptTemplate.objects.get(title="A cook").delete(by=ines)
    collection.write_text(json.dumps([{"act": "A tailor", "prompt": "Sew it."}, {"act": "A cook", "prompt": "Cook."}]))
    places = [each.place for each in read_file(collection)]
    expected = f"{places[0]}: “A tailor”: changed\n{places[1]}: “A cook”: left in the trash\n"
    line = "prompts-zh.json: 0 new, 1 changed, 0 the same, 1 left in the trash, 0 bad.\n"
    arguments = [str(collection), "--owner", "ines@example.org", "--category", "design"]
    assert run(*arguments, "--dry-run") == (0, f"{expected}Nothing was written. It would be: {line}", "")
    assert run(*arguments) == (0, expected + line, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{file}", "--owner", "who@example.org"], "Nobody here has the e-mail address who@example.org."),
        (["{file}.csv", "--owner", "ines@example.org"], "There is no file {file}.csv."),
        (["{file}", "--owner", "ines@example.org", "--category", "attic"], "There is no shelf attic. The shelves are"),
    ],
)
def test_the_command_says_in_plain_words_why_it_does_nothing(
    ines: User, collection: Path, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError) as failure:
        run(*(argument.format(file=collection) for argument in arguments))
    assert failure.value.returncode == 2
    assert str(failure.value).startswith(message.format(file=collection))
    assert not PromptTemplate.objects.exists()


# ---- real collections --------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), COLLECTIONS.items())
def test_collections_go_in_whole_and_once(ines: User, test_data: Path, name: str, count: int) -> None:
    path = test_data / "prompts" / name
    records = [each for each in read_file(path) if isinstance(each, TemplateRecord)]
    summary = f"{name}: {{}} new, 0 changed, {{}} the same, 0 left in the trash, 0 bad.\n"
    assert run(str(path), "--owner", ines.email) == (0, summary.format(f"{count:,}", 0), "")
    stored = PromptTemplate.objects.values_list(
        "source", "source_id", "title", "language", "current_version__system_prompt", "current_version__body"
    )
    assert sorted(stored) == sorted(
        (each.source, each.source_id, each.title, each.language, each.system_prompt, each.body) for each in records
    )
    rows = counts()
    assert logged() == +Counter(
        {
            ("prompttemplate", "imported"): count,
            ("templateversion", "imported"): count,
            ("tag", "created"): rows["Tag"],
        }
    )
    assert run(str(path), "--owner", ines.email) == (0, summary.format(0, f"{count:,}"), "")
    assert counts() == rows
    if name == "prompts-chat.csv":
        assert max(len(body) for *_rest, body in stored) == LONGEST


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_search_finds_imported_chinese_japanese_and_arabic(test_data: Path) -> None:
    ines = UserFactory()
    folder = test_data / "prompts"
    for name in ("awesome-chatgpt-prompts-zh.json", "lobe-agents-6-languages.jsonl"):
        list(import_records(read_file(folder / name), owner=ines))
    found = {
        word: PromptTemplate.objects.visible_to(ines).search(word)
        for word in ("翻译", "机器学习", "コード", "アシスタント", "الكتابة", "البرمجة")
    }
    holding = {word: {pk for pk, text in _searched().items() if word in text} for word in found}
    assert all(holding.values())
    for word, templates in found.items():
        pks = set(templates.values_list("pk", flat=True))
        # Arabic is searched by whole words: a word inside a longer one is no hit.
        assert pks and pks <= holding[word] if "\u0600" <= word[0] <= "\u06ff" else pks == holding[word], word


def _searched() -> dict[Any, str]:
    rows = PromptTemplate.objects.select_related("current_version").prefetch_related("tags")
    return {
        row.pk: "\n".join(
            [
                row.title,
                row.summary,
                *map(str, row.tags.all()),
                row.current_version.system_prompt,
                row.current_version.body,
            ]
        )
        for row in rows
    }
