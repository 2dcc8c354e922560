"""Importing and exporting through the pages: preview, run once, result, what was rejected; and in Chromium."""

import csv
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from playwright.sync_api import Page, expect

from accounts.models import User
from audit.models import AuditLog
from templates_app import services
from templates_app.exporters import FORMATS
from templates_app.importing import uploads
from templates_app.models import LibraryImport, PromptTemplate, TemplateVersion
from tests.factories import GrantFactory, LibraryImportFactory, TemplateFactory, UserFactory

CSV = "act,prompt\nTailor,Sew a ${garment:coat}.\nNobody, \nCook,Cook.\n,=1+1\n"
CHOICES = {"visibility": "private", "category": "", "conflicts": "keep"}


@pytest.fixture
def ines() -> User:
    return UserFactory(handle="ines")


@pytest.fixture
def client(ines: User) -> Client:
    client = Client()
    client.force_login(ines)
    return client


def upload(client: Client, text: str | bytes = CSV, name: str = "few.csv", **data: Any) -> Any:
    content = text if isinstance(text, bytes) else text.encode()
    return client.post("/templates/imports/", {"file": SimpleUploadedFile(name, content), "format": "auto"} | data)


def kinds(shown: LibraryImport) -> list[tuple[str, str, str]]:
    shown.refresh_from_db()
    return [(told["place"], told["kind"], told["title"]) for told in shown.outcomes]


def last_kinds() -> list[str]:
    return [kind for _place, kind, _title in kinds(LibraryImport.objects.latest("id"))]


# ---- import --------------------------------------------------------------------


@pytest.mark.django_db
def test_nothing_is_written_before_the_person_says_go(client: Client, ines: User) -> None:
    response = upload(client)
    shown = LibraryImport.objects.get()
    assert response.headers["Location"] == f"/templates/imports/{shown.pk}/"
    expected = [
        ("row 2", "created", "Tailor"),
        ("row 3", "bad", ""),
        ("row 4", "created", "Cook"),
        ("row 5", "bad", ""),
    ]
    assert (kinds(shown), shown.format, shown.options["counts"]) == (
        expected,
        "prompts-chat",
        {"created": 2, "bad": 2},
    )
    assert not PromptTemplate.objects.exists()
    page = client.get(response.headers["Location"]).content.decode()
    assert "Import 2 templates" in page and "There is no prompt text in it." in page

    run = f"/templates/imports/{shown.pk}/run/"
    assert client.post(run, CHOICES | {"visibility": "public"}).status_code == 302
    assert sorted(PromptTemplate.objects.values_list("title", "visibility", "owner")) == [
        ("Cook", "public", ines.pk),
        ("Tailor", "public", ines.pk),
    ]
    assert client.post(run, CHOICES).status_code == 302  # the second click
    assert (PromptTemplate.objects.count(), kinds(shown)) == (2, expected)
    page = client.get(response.headers["Location"]).content.decode()
    assert "Import 2 templates" not in page and str(PromptTemplate.objects.get(title="Cook").pk) in page


@pytest.mark.django_db
def test_what_was_rejected_comes_back_as_it_stood_and_can_be_mended(client: Client) -> None:
    shown = upload(client).headers["Location"]
    assert client.get(f"{shown}rejected/").status_code == 404  # nothing was imported yet
    client.post(f"{shown}run/", CHOICES)
    response = client.get(f"{shown}rejected/")
    assert (response.content.decode(), response.headers["Content-Disposition"]) == (
        "act,prompt\nNobody, \n,=1+1\n",
        'attachment; filename="few-rejected.csv"',
    )
    again = upload(client, response.content.replace(b"Nobody, ", b"Nobody,Do nothing."), "few-rejected.csv")
    assert last_kinds() == ["created", "bad"]
    assert again.status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "text", "filename", "rejected"),
    [
        ("a.jsonl", '{"name": "a", "text": "A"}\n{"name": "b"}\n', "a-rejected.jsonl", '{"name": "b"}\n'),
        ("a.json", '[{"act": "a", "prompt": "A"}, {"act": 1},\n 3]', "a-rejected.json", '[\n{"act": 1},\n3\n]\n'),
        (
            "a.json",
            '{"format": "promptlib", "version": 1, "templates": [{"title": "x"}]}',
            "a-rejected.json",
            '{"format": "promptlib", "version": 1, "templates": [\n{"title": "x"}\n]}\n',
        ),
        ("a.md", "---\npromptlib: 1\n---\n\n", "a-rejected.md", "---\npromptlib: 1\n---\n\n"),
    ],
)
def test_each_kind_of_file_gives_back_its_own_kind(
    client: Client, name: str, text: str, filename: str, rejected: str
) -> None:
    shown = upload(client, text, name).headers["Location"]
    client.post(f"{shown}run/", CHOICES)
    response = client.get(f"{shown}rejected/")
    assert response.headers["Content-Disposition"] == f'attachment; filename="{filename}"'
    assert response.content.decode() == rejected


@pytest.mark.django_db
def test_a_second_import_changes_nothing(client: Client) -> None:
    for _time in range(2):
        shown = upload(client).headers["Location"]
        client.post(f"{shown}run/", CHOICES | {"category": ""})
    assert [kind for _place, kind, _title in kinds(LibraryImport.objects.latest("id"))] == [
        "same",
        "bad",
        "same",
        "bad",
    ]
    assert PromptTemplate.objects.count() == 2


@pytest.mark.django_db
def test_a_conflict_may_be_decided_for_each_record(client: Client, ines: User) -> None:
    client.post(f"{upload(client).headers['Location']}run/", CHOICES)
    for template in PromptTemplate.objects.all():
        services.edit_template(
            template, author=ines, base_revision=template.revision, details={}, content={"body": "Mine."}
        )
    shown = upload(client, CSV.replace("Cook.", "Cook well.").replace("Sew", "Mend")).headers["Location"]
    page = client.get(f"{shown}?kind=conflict").content.decode()
    assert page.count('<option value="take">') == 3  # of all, and of each
    client.post(f"{shown}run/", CHOICES | {"choice-2": "take", "choice-77": "take", "choice-0": "nonsense"})
    bodies = dict(PromptTemplate.objects.values_list("title", "current_version__body"))
    assert bodies == {"Tailor": "Mine.", "Cook": "Cook well."}
    assert [kind for _place, kind, _title in kinds(LibraryImport.objects.latest("id"))] == [
        "kept",
        "bad",
        "changed",
        "bad",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"hello", "a.txt is in no format known here."),
        ("a.csv", b"", "a.csv is empty."),
        ("a.csv", b"act,prompt\n", "There is no prompt in a.csv."),
        ("a.csv", b"act,prompt\n\xff", "a.csv is not UTF-8 text: see byte 12."),
        ("a.zip", b"PK\x03\x04", "a.zip is a damaged ZIP: it has no end."),
    ],
)
def test_a_file_that_cannot_be_read_says_why_and_is_not_kept(
    client: Client, name: str, content: bytes, words: str
) -> None:
    response = upload(client, content, name)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not LibraryImport.objects.exists()


@pytest.mark.django_db
def test_limits_are_said_on_the_page_and_kept(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "At most 16 MB." in client.get("/templates/imports/").content.decode()
    assert "a.csv is larger than 16 MiB." in upload(client, b"x" * (16 * 1024 * 1024 + 1), "a.csv").content.decode()
    monkeypatch.setattr(uploads, "MAX_UPLOAD_RECORDS", 3)
    assert "The file holds more than 3 entries." in upload(client).content.decode()
    assert not LibraryImport.objects.exists()


@pytest.mark.django_db
def test_what_announces_too_much_is_answered_before_it_is_read(client: Client) -> None:
    class Unread(io.RawIOBase):
        def read(self, *_args: Any) -> bytes:
            raise AssertionError("somebody read it")

    length = str(1024**3)
    response = client.generic("POST", "/templates/imports/", b"", CONTENT_LENGTH=length, **{"wsgi.input": Unread()})
    assert response.status_code == 413
    assert "At most 20 MB" in response.content.decode()


@pytest.mark.django_db
def test_uploads_that_nobody_runs_do_not_pile_up(client: Client, ines: User) -> None:
    for _number in range(uploads.MAX_WAITING + 2):
        LibraryImportFactory(owner=ines)
    done, others = LibraryImportFactory(owner=ines, finished=True), LibraryImportFactory()
    upload(client)
    assert LibraryImport.objects.filter(owner=ines, finished_at=None).count() == uploads.MAX_WAITING
    assert LibraryImport.objects.filter(pk__in=[done.pk, others.pk]).count() == 2


@pytest.mark.django_db
def test_an_import_that_broke_off_can_be_run_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = upload(client).headers["Location"]
    with monkeypatch.context() as patch:
        patch.setattr(uploads, "import_records", lambda *_args, **_kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            client.post(f"{shown}run/", CHOICES)
    client.post(f"{shown}run/", CHOICES)
    assert PromptTemplate.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("count", [10, 30])
def test_the_list_of_uploads_costs_the_same_at_any_length(
    client: Client, ines: User, count: int, django_assert_max_num_queries: Any
) -> None:
    for _number in range(count):
        LibraryImportFactory(owner=ines)
    with django_assert_max_num_queries(8) as queries:
        client.get("/templates/imports/")
    assert not [query for query in queries.captured_queries if "content" in query["sql"].split("FROM")[0]]


@pytest.mark.django_db(transaction=True)
def test_twenty_clicks_at_once_are_one_import(client: Client, ines: User) -> None:
    shown = upload(client).headers["Location"]

    def click(_number: int) -> int:
        try:
            clicking = Client()
            clicking.cookies["sessionid"] = client.cookies["sessionid"].value
            return clicking.post(f"{shown}run/", CHOICES).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(click, range(20))) == {302}
    assert (PromptTemplate.objects.count(), TemplateVersion.objects.count()) == (2, 2)
    rows = AuditLog.objects.filter(action=AuditLog.Action.IMPORT, content_type__model="prompttemplate")
    assert rows.count() == 2
    assert last_kinds() == ["created", "bad", "created", "bad"]


# ---- export --------------------------------------------------------------------


@pytest.mark.django_db
def test_one_template_comes_as_a_file_in_each_format(client: Client, ines: User) -> None:
    template = TemplateFactory(owner=ines, title="Reply to a ticket")
    got = {}
    for name in FORMATS:
        response = client.get(f"/templates/{template.pk}/export/?format={name}")
        assert b"Write about" in b"".join(response.streaming_content)
        got[name] = (response.headers["Content-Disposition"], response.headers["Content-Type"])
    stem = 'attachment; filename="reply-to-a-ticket'
    plain = "text/plain; charset=utf-8"
    assert got == {
        "json": (f'{stem}.json"', "application/json"),
        "markdown": (f'{stem}.md"', "text/markdown; charset=utf-8"),
        "csv": (f'{stem}.csv"', "text/csv; charset=utf-8"),
        "langfuse": (f'{stem}.json"', "application/json"),
        "open-webui": (f'{stem}.json"', "application/json"),
        "prompts-chat": (f'{stem}.csv"', "text/csv; charset=utf-8"),
        "dotprompt": (f'{stem}.prompt"', plain),
        "prompty": (f'{stem}.prompty"', plain),
    }
    rows = AuditLog.objects.filter(action=AuditLog.Action.EXPORT, object_pk=str(template.pk))
    assert {(row.actor, row.remote_addr) for row in rows} == {(ines, "127.0.0.1")}
    assert rows.count() == len(FORMATS)
    assert client.get(f"/templates/{template.pk}/export/?format=exe").status_code == 404


def titles(client: Client, query: str) -> list[str]:
    response = client.get(f"/templates/export/?format=csv&{query}")
    if response.status_code != 200:
        return [str(response.status_code)]
    text = b"".join(response.streaming_content).decode()
    return [row["title"] for row in csv.DictReader(io.StringIO(text, newline=""))]


@pytest.mark.django_db
def test_a_selection_the_filters_or_all(client: Client, ines: User) -> None:
    mine = TemplateFactory(owner=ines, title="Mine", tags=["x"])
    old = TemplateFactory(owner=ines, title="Old", status="archived")
    shared = TemplateFactory(title="Shared", visibility="shared", tags=["x"])
    GrantFactory(template=shared, user=ines)
    public = TemplateFactory(title="Public", visibility="public")
    secret = TemplateFactory(title="Secret")
    gone = TemplateFactory(owner=ines, title="Gone")
    gone.delete(by=ines)
    ids = ",".join(str(each.pk) for each in (public, mine, secret, gone))
    assert {
        "ids": titles(client, f"ids={ids},nonsense"),
        "two": titles(client, f"ids={old.pk}&ids={shared.pk}"),
        "filters": titles(client, "tag=x&sort=newest"),
        "mine": titles(client, "what=mine"),
        "all": titles(client, "what=all"),
        "nothing": titles(client, f"ids={secret.pk}"),
        "no such": titles(client, "sort=sideways&tag=x"),
    } == {
        "ids": ["Public", "Mine"],
        "two": ["Old", "Shared"],
        "filters": ["Shared", "Mine"],
        "mine": ["Mine", "Old"],
        "all": ["Mine", "Old", "Shared", "Public"],
        "nothing": ["404"],
        "no such": ["404"],
    }


@pytest.mark.django_db
def test_the_page_keeps_what_was_chosen(client: Client, ines: User) -> None:
    TemplateFactory(owner=ines, title="Mine", tags=["x"])
    page = client.get("/templates/export/?tag=x").content.decode()
    assert "1 template: what the filters leave." in page
    assert 'href="?tag=x&amp;what=chosen&amp;format=json"' in page


# ---- in Chromium ----------------------------------------------------------------


def sign_in(page: Page, live_server: Any, user: User) -> None:
    client = Client()
    client.force_login(user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )


def walk(page: Page, live_server: Any, ines: User, folder: Path) -> None:
    """Upload, look, decide, import, see the result, take back what was rejected, and take all out again."""
    file = folder / "few.csv"
    file.write_text(CSV)
    sign_in(page, live_server, ines)
    page.goto("/templates/imports/")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Upload and look").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("few.csv")
    expect(page.get_by_role("row").nth(1)).to_contain_text("Cannot be imported")
    page.get_by_role("link", name="New 2").click()
    expect(page.locator("tbody th")).to_contain_text(["Tailor", "Cook"])
    page.get_by_label("Who sees the new ones").select_option("Everybody here")
    page.get_by_role("button", name="Import 2 templates").click()
    expect(page.locator("tbody tr")).to_have_count(4)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download what was not imported").click()
    assert (download.value.suggested_filename, Path(download.value.path()).read_text()) == (
        "few-rejected.csv",
        "act,prompt\nNobody, \n,=1+1\n",
    )
    page.get_by_role("link", name="Tailor").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tailor")
    page.goto("/templates/export/?what=mine")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as promptlib JSON").click()
    document = json.loads(Path(download.value.path()).read_text())
    assert [each["title"] for each in document["templates"]] == ["Tailor", "Cook"]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_collection_goes_in_and_out(page: Page, live_server: Any, ines: User, tmp_path: Path) -> None:
    walk(page, live_server, ines, tmp_path)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_it_goes_in_and_out_without_a_script(
    new_page: Callable[..., Page], live_server: Any, ines: User, tmp_path: Path
) -> None:
    walk(new_page(java_script_enabled=False), live_server, ines, tmp_path)
