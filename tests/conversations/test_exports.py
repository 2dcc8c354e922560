"""Taking conversations out: what each format holds, who gets what, and that a file ends where a right does."""

import csv
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Page

from accounts.models import User
from audit.models import AuditLog
from conversations.exporters import FORMATS, export, reading
from conversations.importers import read_file
from conversations.importing import import_conversations
from conversations.models import Conversation, ConversationTag, Participant, PromptComment
from tests.factories import (
    ConversationFactory,
    ParticipantFactory,
    PromptFactory,
    TagFactory,
    TemplateFactory,
    UserFactory,
)


@pytest.fixture
def ines() -> User:
    return UserFactory(handle="ines", display_name="Ines")


@pytest.fixture
def client(ines: User) -> Client:
    client = Client()
    client.force_login(ines)
    return client


@pytest.fixture
def conversation(ines: User) -> Conversation:
    """Two answers to one question, a remark, a judgement, a tag, a second person, a template, hostile words."""
    made = ConversationFactory(
        owner=ines, title="=Pears & <b>quinces</b>", summary="About fruit.", system_prompt="Be brief."
    )
    olaf = UserFactory(handle="olaf", display_name="Olaf")
    ParticipantFactory(conversation=made, user=olaf, role="viewer")
    ConversationTag.objects.create(conversation=made, tag=TagFactory(name="fruit"))
    template = TemplateFactory(owner=ines, title="Fruit finder")
    first = PromptFactory(
        conversation=made,
        author=ines,
        input_text="=1+1 <script>alert(1)</script>",
        response_text="A ~pear~.\n\n```python\nprint('pear')\n```\n\n![x](https://evil.example/x.png)",
        model="gpt-4",
        template_version=template.current_version,
        values={"fruit": "pear"},
        feedback=1,
        feedback_note="Juicy.",
        metadata={"hidden": "Only for editors."},
    )
    PromptComment.objects.create(prompt=first, author=olaf, text="Agreed.")
    PromptFactory(conversation=made, author=ines, parent=first, input_text="And quinces?", response_text="Too.")
    PromptFactory(conversation=made, author=ines, parent=first, input_text="And figs?", failed=True)
    return made


def exported(conversation: Conversation, format_: str, reader: User) -> str:
    return b"".join(export([conversation.pk], FORMATS[format_], reader=reader).chunks).decode()


@pytest.mark.django_db
def test_our_json_comes_back_with_branches_remarks_judgements_tags_and_people(
    conversation: Conversation, ines: User, tmp_path: Path
) -> None:
    before = exported(conversation, "json", ines)
    path = tmp_path / "out.json"
    path.write_text(before)
    conversation.hard_delete()
    assert [outcome.kind.value for outcome in import_conversations(read_file(path), owner=ines)] == ["created"]
    again = Conversation.objects.get()
    assert again.tag_rows.get().tag.name == "fruit"
    assert stable(exported(again, "json", ines)) == stable(before)


def stable(text: str) -> Any:
    """An export with its ids as places, and without where an import says that it comes from."""
    [data] = json.loads(text)
    places = {each["id"]: place for place, each in enumerate(data["prompts"])}
    for each in data["prompts"]:
        each["id"], each["parent"] = places[each["id"]], places.get(each.get("parent"))
        each.pop("key", None)
        each["metadata"] = {key: value for key, value in each.get("metadata", {}).items() if key != "imported"}
    return {key: value for key, value in data.items() if key not in ("id", "source", "source_id")}


@pytest.mark.django_db
def test_a_reader_gets_what_the_pages_show_and_no_more(conversation: Conversation, client: Client) -> None:
    olaf = User.objects.get(handle="olaf")
    for name in FORMATS:
        text = exported(conversation, name, olaf)
        assert "And quinces?" in text
        assert not any(secret in text for secret in ("Fruit finder", "Only for editors.")), name
    assert '"fruit": "pear"' not in exported(conversation, "json", olaf)
    assert AuditLog.objects.filter(action=AuditLog.Action.EXPORT, actor=olaf).count() == len(FORMATS) + 1
    stranger = UserFactory()
    assert exported(conversation, "json", stranger) == "[\n]\n"


@pytest.mark.django_db
def test_markdown_and_csv_hold_every_answer_of_every_branch(conversation: Conversation, ines: User) -> None:
    text = exported(conversation, "markdown", ines)
    assert text.startswith("# =Pears & <b>quinces</b>\n\nAbout fruit.\n")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## System prompt",
        *(line for line in text.splitlines() if re.match(r"## \d\. Ines, ", line)),
    ]
    assert "*Follows 1*" in text and "helpful: Juicy." in text and "> **Olaf**: Agreed." in text
    rows = list(csv.DictReader(io.StringIO(exported(conversation, "csv", ines))))
    assert [(row["number"], row["conversation"], row["input_text"], row["feedback"]) for row in rows] == [
        ("1", "'=Pears & <b>quinces</b>", "'=1+1 <script>alert(1)</script>", "1"),
        ("2", "'=Pears & <b>quinces</b>", "And quinces?", ""),
        ("3", "'=Pears & <b>quinces</b>", "And figs?", ""),
    ]


@pytest.mark.django_db
def test_a_removed_person_gets_no_more_of_it(conversation: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CHUNK", 1)
    olaf = User.objects.get(handle="olaf")
    other = ConversationFactory(owner=olaf, title="Olaf's own")
    chunks = export([conversation.pk, other.pk], FORMATS["json"], reader=olaf).chunks
    text = ""
    for chunk in chunks:
        text += chunk.decode()
        if "alert(1)" in chunk.decode():
            Participant.objects.filter(user=olaf, conversation=conversation).delete()
    assert "And quinces?" not in text and "Olaf's own" not in text
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):  # and it does not look whole
        json.loads(text)


@pytest.mark.django_db
def test_a_long_one_streams_in_equal_pieces(
    ines: User, django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "CHUNK", 10)
    long = ConversationFactory(owner=ines)
    for _number in range(35):
        PromptFactory(conversation=long, author=ines)
    with django_assert_max_num_queries(22):
        assert len(json.loads(exported(long, "json", ines))[0]["prompts"]) == 35


@pytest.mark.django_db
def test_one_is_a_file_several_are_an_archive(conversation: Conversation, client: Client, ines: User) -> None:
    other = ConversationFactory(owner=ines, title=conversation.title)
    one = client.get(f"/conversations/{conversation.pk}/export/?format=html")
    assert (one.status_code, one["Content-Disposition"], one["Cache-Control"]) == (
        200,
        'attachment; filename="pears-bquincesb.html"',
        "private, no-store",
    )
    many = client.get("/conversations/export/", {"ids": [conversation.pk, other.pk], "format": "html"})
    with zipfile.ZipFile(io.BytesIO(b"".join(many.streaming_content))) as archive:
        assert archive.namelist() == ["pears-bquincesb.html", "pears-bquincesb~2.html"]
        assert archive.testzip() is None
        assert archive.read("pears-bquincesb.html") == b"".join(one.streaming_content)
    assert client.get("/conversations/export/?format=docx").status_code == 404
    assert "those you selected" in client.get(f"/conversations/export/?ids={other.pk}").content.decode()


@pytest.mark.django_db
def test_the_command_writes_a_whole_file(conversation: Conversation, ines: User, tmp_path: Path) -> None:
    target, out = tmp_path / "all.json", io.StringIO()
    call_command("export_conversations", str(target), owner=ines.email, stdout=out)
    assert [each["title"] for each in json.loads(target.read_text())] == [conversation.title]
    assert out.getvalue() == f"{target}: 1 conversations as promptlib JSON.\n"


@pytest.mark.browser
@pytest.mark.html_check
@pytest.mark.sqlite_only
@pytest.mark.django_db
def test_a_page_stands_by_itself_and_loads_nothing(
    conversation: Conversation, ines: User, tmp_path: Path, page: Page, html_check: Any
) -> None:
    text = exported(conversation, "html", ines)
    assert not re.search(r"<(script|img|link|button|svg|iframe|form)\b", text)
    html_check(text, "an exported page")
    target = tmp_path / "page.html"
    target.write_text(text)
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(target.as_uri())
    assert page.locator("article").count() == 3
    assert page.locator("h1").inner_text() == "=Pears & <b>quinces</b>"
    assert page.locator(".asked").nth(1).inner_text() == "=1+1 <script>alert(1)</script>"
    colour = page.locator(".code__text").first.evaluate("element => getComputedStyle(element).color")
    assert colour != page.locator("body").evaluate(
        "element => getComputedStyle(element).color"
    )  # its style is in force
    assert (asked, said) == ([target.as_uri()], [])
