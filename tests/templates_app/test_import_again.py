"""Importing what is here already: what changed on which side, what is in conflict, what a history settles."""

import json
from collections.abc import Callable, Iterable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

from accounts.models import User
from audit.models import AuditLog
from templates_app import services
from templates_app.exporters import FORMATS, export
from templates_app.importers import BadRecord, TemplateRecord, read_bytes
from templates_app.importing import Choice, Kind, Outcome, import_records
from templates_app.models import Category, PromptTemplate, Rating
from tests.factories import LabelFactory, RatingFactory, TemplateFactory, UserFactory
from tests.templates_app.test_import_templates import record

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines() -> User:
    return UserFactory(handle="ines", email="ines@example.org")


def imported(records: Iterable[TemplateRecord | BadRecord], owner: User, **options: Any) -> list[Outcome]:
    return list(import_records(records, owner=owner, **options))


def told(outcomes: list[Outcome]) -> list[tuple[str, tuple[str, ...]]]:
    return [(str(outcome.kind), outcome.differs) for outcome in outcomes]


def as_json(owner: User) -> bytes:
    pks = list(PromptTemplate.objects.filter(owner=owner).order_by("id").values_list("pk", flat=True))
    return b"".join(export(pks, FORMATS["json"], reader=owner).chunks)


def edit(template: PromptTemplate, author: User, **changes: Any) -> None:
    template.refresh_from_db()
    details = {name: changes.pop(name) for name in ("title", "summary") if name in changes}
    services.edit_template(template, author=author, base_revision=template.revision, details=details, content=changes)


# ---- conflicts -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "kind", "title", "bodies"),
    [
        (Choice.KEEP, "kept", "Mine", ["Write about {{ topic }}, 1 times.", "Mine."]),
        (Choice.TAKE, "changed", "Theirs", ["Write about {{ topic }}, 1 times.", "Mine.", "Theirs."]),
    ],
)
def test_what_changed_on_both_sides_waits_for_a_choice(
    ines: User, choice: Choice, kind: str, title: str, bodies: list[str]
) -> None:
    imported([record()], ines)
    template = PromptTemplate.objects.get()
    edit(template, ines, title="Mine", body="Mine.")
    theirs = record(title="Theirs", body="Theirs.", summary="Another summary.")
    assert told(imported([theirs], ines, dry_run=True)) == [("conflict", ("title", "content"))]
    assert told(imported([theirs], ines, conflicts=choice)) == [(kind, ("title", "content"))]
    template.refresh_from_db()
    assert (template.title, template.summary) == (title, "Another summary.")
    assert list(template.versions.order_by("number").values_list("body", flat=True)) == bodies
    assert told(imported([theirs], ines)) == [("same", ())]


def test_each_record_may_have_its_own_choice(ines: User) -> None:
    imported([record(1), record(2)], ines)
    for template in PromptTemplate.objects.all():
        edit(template, ines, title="Mine")
    theirs = [record(1, title="Theirs"), record(2, title="Theirs")]
    outcomes = imported(theirs, ines, choices={"row 2": Choice.TAKE})
    assert told(outcomes) == [("kept", ("title",)), ("changed", ("title",))]
    assert dict(PromptTemplate.objects.values_list("source_id", "title")) == {"prompt-1": "Mine", "prompt-2": "Theirs"}


def test_the_same_change_on_both_sides_is_no_conflict(ines: User) -> None:
    imported([record()], ines)
    edit(PromptTemplate.objects.get(), ines, title="Better", body="Better.")
    assert told(imported([record(title="Better", body="Better.")], ines)) == [("same", ())]


def test_a_shelf_that_was_chosen_stays(ines: User) -> None:
    legal = Category.objects.get(slug="legal")
    imported([record()], ines, category=legal)
    for options in ({}, {"category": Category.objects.get(slug="design")}):
        assert told(imported([record()], ines, **options)) == [("same", ())]
    assert PromptTemplate.objects.get().category == legal


# ---- our own JSON ----------------------------------------------------------------


@pytest.fixture
def library(ines: User) -> PromptTemplate:
    template = TemplateFactory(
        owner=ines, title="Reply", versions=3, tags=["E-mail"], visibility="public", metadata={"note": "x"}
    )
    LabelFactory(version=template.versions.get(number=2))
    LabelFactory(version=template.current_version, name="staging", is_protected=True)
    TemplateFactory(owner=ines, title="Fork", forked_from=template.versions.get(number=2))
    return template


def test_the_same_installation_knows_its_own(ines: User, library: PromptTemplate) -> None:
    data = as_json(ines)
    assert told(imported(read_bytes(data, "a.json"), ines)) == [("same", ()), ("same", ())]
    edit(library, ines, body="Newer here.")
    assert told(imported(read_bytes(data, "a.json"), ines)) == [("same", ()), ("same", ())]
    newer = as_json(ines)
    PromptTemplate.objects.filter(pk=library.pk).update(current_version=library.versions.get(number=1))
    library.versions.exclude(number=1).delete()
    assert told(imported(read_bytes(newer, "a.json"), ines)) == [("changed", ("content",)), ("same", ())]
    assert list(library.versions.order_by("number").values_list("number", "body", "change_note")) == [
        (1, "Write about {{ topic }}. (draft 1)", "First version"),
        (2, "Write about {{ topic }}. (draft 2)", "Says it better"),
        (3, "Write about {{ topic }}.", "Says it better"),
        (4, "Newer here.", ""),
    ]


def test_a_text_written_here_and_there_is_a_conflict(ines: User, library: PromptTemplate) -> None:
    edit(library, ines, body="Theirs.")
    data = as_json(ines)
    library.refresh_from_db()
    PromptTemplate.objects.filter(pk=library.pk).update(current_version=library.versions.get(number=3))
    library.versions.filter(number=4).delete()
    edit(library, ines, body="Mine.")
    assert told(imported(read_bytes(data, "a.json"), ines, dry_run=True))[0] == ("conflict", ("content",))


def test_another_installation_gets_the_whole_history(ines: User, library: PromptTemplate) -> None:
    data = as_json(ines)
    before = {version.number: version for version in library.versions.all()}
    nora = UserFactory(handle="nora")
    assert {outcome.kind for outcome in imported(read_bytes(data, "a.json"), nora, visibility="file")} == {Kind.CREATED}
    template = PromptTemplate.objects.get(owner=nora, title="Reply")
    assert {
        version.number: (version.body, version.change_note, version.created_at, version.content_hash, version.author)
        for version in template.versions.all()
    } == {
        number: (version.body, version.change_note, version.created_at, version.content_hash, nora)
        for number, version in before.items()
    }
    assert (template.current_version.number, template.visibility, template.created_at, template.version_count) == (
        3,
        "public",
        library.created_at,
        3,
    )
    assert sorted(template.labels.values_list("name", "version__number", "is_protected")) == [
        ("production", 2, False),
        ("staging", 3, True),
    ]
    fork = PromptTemplate.objects.get(owner=nora, title="Fork")
    assert fork.forked_from == template.versions.get(number=2)
    assert {outcome.kind for outcome in imported(read_bytes(data, "a.json"), nora)} == {Kind.SAME}


def test_a_fork_before_its_original_finds_it(ines: User, library: PromptTemplate) -> None:
    document = json.loads(as_json(ines))
    document["templates"].reverse()
    nora = UserFactory()
    imported(read_bytes(json.dumps(document).encode(), "a.json"), nora)
    fork = PromptTemplate.objects.get(owner=nora, title="Fork")
    assert fork.forked_from.template == PromptTemplate.objects.get(owner=nora, title="Reply")


def test_an_attempt_that_was_undone_leaves_nothing(
    ines: User, library: PromptTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_second_try(work: Callable[[], Any]) -> Any:
        with transaction.atomic():
            work()
            transaction.set_rollback(True)
        with transaction.atomic():
            return work()

    monkeypatch.setattr("templates_app.importing.batches.in_transaction", at_second_try)
    nora = UserFactory()
    imported(read_bytes(as_json(ines), "a.json"), nora)
    mine = PromptTemplate.objects.filter(owner=nora)
    assert mine.get(title="Fork").forked_from.template == mine.get(title="Reply")


def test_nobody_gives_themselves_ratings(ines: User, library: PromptTemplate, tmp_path: Path) -> None:
    """What others are said to have done is kept aside, and given out again; an operator may vouch for it."""
    jonas = UserFactory(handle="jonas")
    rating = RatingFactory(template=library, user=jonas, score=5, review="Good.", task="Letters")
    RatingFactory(template=library, user=UserFactory(handle="gone"), score=1)
    document = json.loads(as_json(ines))
    given = document["templates"][0]["ratings"]
    given[1]["user"] = "nobody-here"
    for forged in ({"user": "ines"}, {"user": "jonas"}, {"user": "ruth"}, {"score": 6}, {"version": 9}):
        given.append({**given[0], "user": "staff", **forged})
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document))

    nora, ruth = UserFactory(handle="nora"), UserFactory(handle="ruth", email="ruth@example.org")
    imported(read_bytes(path.read_bytes(), "a.json"), nora)
    mine = PromptTemplate.objects.get(owner=nora, title="Reply")
    assert (mine.ratings.count(), mine.rating_count, len(mine.metadata["brought"]["ratings"])) == (0, 0, 7)
    assert mine.metadata["brought"]["authors"] == {"1": "ines", "2": "ines", "3": "ines"}
    again = json.loads(as_json(nora))["templates"][0]
    assert [each["user"] for each in again["ratings"]] == [each["user"] for each in given]

    out = StringIO()
    call_command("import_templates", str(path), "--owner", ruth.email, "--people", stdout=out)
    vouched = PromptTemplate.objects.get(owner=ruth, title="Reply")
    stored = Rating.objects.filter(template=vouched).order_by("id")
    assert [
        (each.user.handle, each.score, each.review, each.task, each.version.number, each.created_at, each.updated_at)
        for each in stored
    ] == [
        ("jonas", 5, "Good.", "Letters", 3, rating.created_at, rating.updated_at),
        ("ines", 5, "Good.", "Letters", 3, rating.created_at, rating.updated_at),
    ]
    vouched.refresh_from_db()
    assert (vouched.rating_count, vouched.rating_sum, vouched.current_version.author) == (2, 10, ines)
    left = [each["user"] for each in vouched.metadata["brought"]["ratings"]]
    assert left == ["nobody-here", "jonas", "ruth", "staff", "staff"]
    assert AuditLog.objects.filter(action=AuditLog.Action.IMPORT, content_type__model="rating").count() == 2


def test_what_an_ordinary_person_may_not_say_is_not_believed(ines: User, library: PromptTemplate) -> None:
    document = json.loads(as_json(ines))
    document["templates"][0]["created_at"] = "2099-01-01T00:00:00Z"
    document["templates"][0]["versions"][0]["author"] = "staff"
    nora = UserFactory(handle="nora")
    UserFactory(handle="staff", staff=True)
    imported(read_bytes(json.dumps(document).encode(), "a.json"), nora)
    template = PromptTemplate.objects.get(owner=nora, title="Reply")
    assert template.created_at.year < 2099
    assert {version.author for version in template.versions.all()} == {nora}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"versions": []}, "It has no versions."),
        ({"current_version": 9}, "“current_version” names no version."),
        ({"title": " "}, "“title” is missing or is not text."),
        ({"title": "x" * 201}, "“title” is longer than 200 characters."),
        ({"language": "no language"}, "“no language” is not the code of a language."),
        ({"status": "lost"}, "“status” must be one of draft, published, archived."),
        ({"tags": "a"}, "“tags” must be a list of texts."),
        ({"metadata": []}, "“metadata” must be an object with named fields."),
        ({"labels": [{"name": "x", "version": 7}]}, "The label “x” names no version."),
        ({"versions": [{"number": 1, "body": " "}]}, "Version 1: There is no prompt text in it."),
        ({"versions": [{"number": 2, "body": "x"}, {"number": 2}]}, "The numbers of its versions must rise from 1."),
        (
            {"versions": [{"number": 1, "body": "x", "variables": [{"name": "a b"}]}]},
            "Version 1: a b: a name is a letter or underscore, then letters, digits and underscores, at most 64 in"
            " all.",
        ),
    ],
)
def test_a_damaged_template_says_what_is_wrong_and_loses_no_other(
    ines: User, library: PromptTemplate, change: dict[str, Any], reason: str
) -> None:
    document = json.loads(as_json(ines))
    document["templates"][0] |= change
    nora = UserFactory()
    outcomes = imported(read_bytes(json.dumps(document).encode(), "a.json"), nora)
    assert [(str(outcome.kind), outcome.reason) for outcome in outcomes] == [("bad", reason), ("created", "")]
    assert json.loads(outcomes[0].raw) == document["templates"][0]


def test_the_command_says_what_is_in_conflict_and_takes_a_choice(ines: User, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("act,prompt\nCook,Cook.\n")
    out = StringIO()
    call_command("import_templates", str(file), "--owner", ines.email, stdout=out)
    edit(PromptTemplate.objects.get(), ines, title="Mine", body="Mine.")
    file.write_text("act,prompt\nCook,Cook well.\n")
    for options in (["--dry-run"], ["--conflicts=take"], []):
        call_command("import_templates", str(file), "--owner", ines.email, *options, stdout=out)
    numbers = "a.csv: {} new, {} changed, {} the same, {}0 left in the trash, 0 bad.\n"
    assert out.getvalue() == (
        f"{numbers.format(1, 0, 0, '')}"
        "row 2: “Cook”: in conflict (content)\n"
        f"Nothing was written. It would be: {numbers.format(0, 0, 0, '1 in conflict, ')}"
        f"row 2: “Cook”: changed\n{numbers.format(0, 1, 0, '')}{numbers.format(0, 0, 1, '')}"
    )
    template = PromptTemplate.objects.get()
    assert (template.title, template.current_version.body) == ("Mine", "Cook well.")


# ---- the export command -----------------------------------------------------------


def test_the_command_writes_ones_own_or_all_that_one_sees(ines: User, library: PromptTemplate, tmp_path: Path) -> None:
    TemplateFactory(title="Of others", visibility="public")
    TemplateFactory(title="Secret")
    target = tmp_path / "a.json"
    out = StringIO()
    call_command("export_templates", str(target), "--owner", "INES@example.org", stdout=out)
    call_command(
        "export_templates", str(tmp_path / "b.csv"), "--owner", ines.email, "--format=csv", "--visible", stdout=out
    )
    assert out.getvalue() == (f"{target}: 2 templates as promptlib JSON.\n{tmp_path}/b.csv: 3 templates as CSV.\n")
    assert [each["title"] for each in json.loads(target.read_text())["templates"]] == ["Reply", "Fork"]
    assert [each.title for each in read_bytes((tmp_path / "b.csv").read_bytes(), "b.csv")] == [
        "Reply",
        "Fork",
        "Of others",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.csv"]
    rows = AuditLog.objects.filter(action=AuditLog.Action.EXPORT)
    assert {row.actor for row in rows} == {ines}
    assert rows.count() == 5
