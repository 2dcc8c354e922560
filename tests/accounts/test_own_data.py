"""Everything about a person, as a ZIP: what is theirs is in it, what is not is not, and that it was taken is known."""

import io
import json
import zipfile
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client
from django.urls import reverse

from accounts import personal_data
from accounts.models import User
from audit.models import AuditLog
from conversations.models import PromptComment
from promptlib.core.zips import stream_zip
from tests.factories import (
    ConversationFactory,
    FavoriteFactory,
    FollowFactory,
    ParticipantFactory,
    PromptFactory,
    RatingFactory,
    SuggestionFactory,
    TemplateFactory,
    UserFactory,
    ValueSetFactory,
)
from tests.world import World, make_world

pytestmark = pytest.mark.django_db


def taken(person: User, by: User | None = None) -> dict[str, str]:
    data = b"".join(personal_data.download(person, by=by or person))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def ines() -> User:
    return UserFactory(display_name="Ines Okafor", email="ines@example.org", bio="Writes.", can_sign_in=True)


def test_what_is_the_persons_is_in_it(ines: User) -> None:
    TOTP.activate(ines, "JBSWY3DPEHPK3PXP")
    own = TemplateFactory(owner=ines, title="Mine")
    TemplateFactory(owner=ines, title="Thrown away").delete(by=ines)
    thread = ConversationFactory(owner=ines, title="My thread")
    PromptFactory(conversation=thread, author=ines, input_text="My question")
    others = TemplateFactory(title="Public one", visibility="public")
    for made in (FavoriteFactory, FollowFactory, RatingFactory, ValueSetFactory):
        made(template=others, user=ines)
    SuggestionFactory(template=others, author=ines, message="Shorter")
    elsewhere = ConversationFactory(title="Another's thread")
    ParticipantFactory(conversation=elsewhere, user=ines)
    asked = PromptFactory(conversation=elsewhere, author=ines, input_text="Asked there")
    PromptComment.objects.create(prompt=asked, author=ines, text="A remark")

    files = taken(ines)
    assert list(files) == ["README.txt", *(each.name for each in personal_data.FILES)]
    assert all(name in files["README.txt"] for name in files if name != "README.txt")
    profile = json.loads(files["profile.json"])
    assert (profile["display_name"], profile["bio"]) == ("Ines Okafor", "Writes.")
    assert profile["email_addresses"] == [{"email": "ines@example.org", "verified": True, "primary": True}]
    assert [each["type"] for each in profile["second_factors"]] == ["totp"]
    assert [each["title"] for each in json.loads(files["templates.json"])["templates"]] == [own.title]
    assert [each["template__title"] for each in lines(files["templates-in-the-trash.jsonl"])] == ["Thrown away"]
    assert [each["title"] for each in json.loads(files["conversations.json"])] == ["My thread"]
    assert [each["template__title"] for each in lines(files["favourites.jsonl"])] == ["Public one"]
    assert [each["message"] for each in lines(files["suggestions.jsonl"])] == ["Shorter"]
    assert [each["input_text"] for each in lines(files["asked-elsewhere.jsonl"])] == ["Asked there"]
    assert [each["text"] for each in lines(files["remarks.jsonl"])] == ["A remark"]
    assert {each["conversation__title"] for each in lines(files["places.jsonl"])} == {"My thread", "Another's thread"}
    counts = {name: len(files[f"{name}.jsonl"].splitlines()) for name in ("followed", "ratings", "value-sets")}
    assert counts == {"followed": 1, "ratings": 1, "value-sets": 1}


def test_secrets_and_what_is_others_are_not_in_it() -> None:
    world: World = make_world()
    for name in ("outsider", "viewer"):
        person = world.people[name]
        assert person is not None
        files = taken(person)
        text = "\n".join(files.values())
        assert person.password not in text
        leaked = [word for word, readers in world.secrets.items() if name not in readers and word in text]
        assert leaked == []


def test_titles_of_what_somebody_no_longer_sees_are_not_told(ines: User) -> None:
    template = TemplateFactory(title="Now private", visibility="private")
    for made in (FavoriteFactory, FollowFactory, RatingFactory, ValueSetFactory):
        made(template=template, user=ines)
    PromptFactory(conversation=ConversationFactory(title="Left long ago"), author=ines, input_text="Still mine")
    text = "\n".join(text for name, text in taken(ines).items() if name != "activity.jsonl")
    assert "Still mine" in text
    assert [title for title in ("Now private", "Left long ago") if title in text] == []


def test_that_it_was_taken_is_in_the_log_as_the_act_of_who_asked(ines: User) -> None:
    TemplateFactory(owner=ines)
    PromptFactory(conversation=ConversationFactory(owner=ines))
    staff = UserFactory(staff=True)
    taken(ines, by=staff)
    rows = AuditLog.objects.filter(action=AuditLog.Action.EXPORT)
    assert set(rows.values_list("actor_id", flat=True)) == {staff.pk}
    assert set(rows.values_list("content_type__model", flat=True)) == {"user", "prompttemplate", "conversation"}
    assert rows.get(content_type__model="user").subject_id == ines.pk


def test_the_page_asks_for_the_password_again(ines: User, client: Client) -> None:
    client.force_login(ines)
    for name in ("accounts:data", "accounts:download_data"):
        answer = client.get(reverse(name))
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert not AuditLog.objects.filter(action=AuditLog.Action.EXPORT).exists()


def test_the_download_is_streamed(ines: User) -> None:
    client = make_client(ines)
    answer = client.get(reverse("accounts:download_data"))
    assert answer.streaming and answer.headers["Cache-Control"] == "private, no-store"
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:  # type: ignore[arg-type]
        assert "activity.jsonl" in archive.namelist()


def make_client(person: User) -> Client:
    return World({"person": person}).client("person")


def test_a_zip_is_sent_piece_by_piece() -> None:
    written: list[int] = []

    def content() -> Any:
        for number in range(200):
            written.append(number)
            yield bytes(range(256)) * 256 + str(number).encode() * 1000

    pieces = stream_zip([("one.bin", content()), ("two.txt", [b"two"])])
    first = next(pieces)
    assert 0 < len(written) < 200
    whole = first + b"".join(pieces)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert (archive.testzip(), archive.namelist(), archive.read("two.txt")) == (
            None,
            ["one.bin", "two.txt"],
            b"two",
        )
