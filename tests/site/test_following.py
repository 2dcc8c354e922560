"""Following templates and conversations, and what changed since one looked."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from accounts.models import User
from audit.context import acting
from audit.models import AuditLog
from conversations.models import Conversation, Participant, PromptComment, SeatOffer, ShareLink
from conversations.services import order as order_services
from conversations.services import organizing, people
from promptlib.site.following import what_changed
from templates_app import services
from templates_app.models import Follow, PromptTemplate, TemplateVersion
from tests.factories import (
    ConversationFactory,
    FollowFactory,
    GrantFactory,
    ParticipantFactory,
    PromptFactory,
    RatingFactory,
    TemplateFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
FOLLOWING = "/following/"


@pytest.fixture
def ines() -> User:
    return UserFactory(display_name="Ines")


@pytest.fixture
def mara() -> User:
    return UserFactory(display_name="Mara")


@pytest.fixture
def client(client: Client, ines: User) -> Client:
    """Signed in as Ines."""
    client.force_login(ines)
    return client


@pytest.fixture
def template(ines: User, mara: User) -> PromptTemplate:
    """Of Mara's, which Ines follows and looked at two days ago."""
    made = TemplateFactory(owner=mara, visibility="public", title="Reply to a ticket")
    FollowFactory(template=made, user=ines)
    return _long_ago(made)


@pytest.fixture
def conversation(ines: User, mara: User) -> Conversation:
    """Of Mara's, which Ines is in and read two days ago."""
    made = ConversationFactory(owner=mara, title="Returns")
    seat = ParticipantFactory(conversation=made, user=ines, role="editor")
    Participant.objects.filter(pk=seat.pk).update(last_read_at=timezone.now() - timedelta(days=2))
    return _long_ago(made)


def _long_ago(thing: Any) -> Any:
    """What the factories did is told of a year ago: an audit row's key says when, and no row can be changed."""
    seats = Participant.objects.filter(conversation=thing.pk)
    moment = timezone.now() + timedelta(milliseconds=2)
    Follow.objects.filter(template=thing.pk).update(seen_at=moment)
    seats.filter(last_read_at__isnull=False).update(last_read_at=moment)
    while timezone.now() < moment:
        pass
    return thing


def told(user: User) -> list[tuple[str, list[str]]]:
    """What the first page and the list of changes say, in words."""
    return [
        (each.thing.title, [strip_tags(str(change.text)) for change in each.news.changes])
        for each in what_changed(user).things
    ]


def save(template: PromptTemplate, by: User, body: str, **more: Any) -> TemplateVersion:
    template.refresh_from_db()
    with acting(by):
        return services.publish_version(template, author=by, base_revision=template.revision, body=body, **more)


# ---- who follows ---------------------------------------------------------------


def test_what_is_ones_own_and_what_one_writes_in_is_followed(ines: User, mara: User) -> None:
    made = services.create_template(owner=mara, title="Mine", body="Say {{ this }}.", visibility="public")
    fork = services.fork_template(made.current_version, owner=ines, title="Fork")
    content = {name: getattr(made.current_version, name) for name in TemplateVersion.CONTENT}
    services.suggest_change(made.current_version, author=ines, **content | {"body": "Say {{ that }}."})
    jonas = UserFactory()
    save(made, jonas, "Say {{ more }}.")
    follows = Follow.objects.filter(is_following=True).values_list("user", "template")
    assert set(follows) == {
        (mara.pk, made.pk),
        (ines.pk, fork.pk),
        (ines.pk, made.pk),
        (jonas.pk, made.pk),
    }


def test_unfollowed_stays_unfollowed(client: Client, template: PromptTemplate, ines: User, mara: User) -> None:
    client.post(reverse("templates_app:unfollow", args=[template.pk]))
    save(template, ines, "Ines wrote {{ this }}.")
    save(template, mara, "Mara wrote {{ this }}.")
    assert (Follow.objects.get(user=ines).is_following, told(ines)) == (False, [])


def test_the_toggle_works_with_a_script_and_without(client: Client, ines: User) -> None:
    template = TemplateFactory(visibility="public")
    on, off = (reverse(f"templates_app:{name}", args=[template.pk]) for name in ("follow", "unfollow"))
    assert client.post(on).url == template.get_absolute_url()
    fragment = client.post(off, headers={"HX-Request": "true"}).content.decode()
    assert f'action="{on}"' in fragment
    assert 'aria-pressed="false"' in fragment
    assert Follow.objects.get().is_following is False
    assert f'action="{on}"' in client.get(template.get_absolute_url()).content.decode()


def test_who_sits_in_a_conversation_follows_it_until_they_do_not(
    client: Client, conversation: Conversation, ines: User, mara: User
) -> None:
    PromptFactory(conversation=conversation, author=mara)
    assert len(told(ines)) == 1
    logged = AuditLog.objects.count()
    off = reverse("conversations:unfollow", args=[conversation.pk])
    assert 'aria-pressed="false"' in client.post(off, headers={"HX-Request": "true"}).content.decode()
    assert told(ines) == []
    assert "since you looked" not in client.get(conversation.get_absolute_url()).content.decode()
    assert AuditLog.objects.count() == logged  # a person's own mark
    client.post(reverse("conversations:follow", args=[conversation.pk]))
    assert len(told(ines)) == 1


# ---- what is told --------------------------------------------------------------


def test_changes_of_a_template_read_as_sentences(
    client: Client, template: PromptTemplate, ines: User, mara: User
) -> None:
    save(template, mara, "Be {{ kind }}.", change_note="Kinder")
    with acting(mara):
        services.move_label(template, name="production", version=template.current_version, by=mara)
        services.update_details(template, base_revision=template.revision, title="Answer a ticket", tags=["mail"])
        rating = RatingFactory(template=template, user=mara, score=3)
        RatingFactory(template=template, score=5)
        rating.delete(by=mara)
    assert told(ines) == [
        (
            "Answer a ticket",
            [
                "Mara gave it 5 stars",
                "Mara renamed it",
                "Mara changed the tags",
                "Mara put the label production on v2",
                "Mara saved v2",
            ],
        )
    ]
    page = client.get(template.get_absolute_url()).content.decode()
    assert "5 changes</b> since you looked" in page
    assert reverse("templates_app:compare", args=[template.pk, 1, 2]) in page
    assert "Kinder" in page


def test_changes_of_a_conversation_read_as_sentences(
    client: Client, conversation: Conversation, ines: User, mara: User
) -> None:
    jonas = UserFactory(display_name="Jonas")
    with acting(mara):
        first = PromptFactory(conversation=conversation, author=mara)
        PromptFactory(conversation=conversation, author=mara).delete(by=mara)
        people.invite(conversation, person=jonas, role="viewer", by=mara)
        conversation.refresh_from_db()
        organizing.rename(conversation, title="Returns, Norway", revision=conversation.revision, by=mara)
        order_services.remark(first, text="Hm.", by=mara)
        PromptComment.objects.create(prompt=first, author=mara, text="Never mind.").delete()
    with acting(jonas):
        PromptFactory(conversation=conversation, author=jonas)
    assert told(ines) == [
        (
            "Returns, Norway",
            [
                "2 new interactions by Jonas, Mara",
                "1 new remark by Mara",
                "Mara renamed it from “Returns”",
                "Jonas joined",
            ],
        )
    ]
    page = client.get(conversation.get_absolute_url()).content.decode()
    assert "5 changes</b> since you looked" in page
    assert f"?at={first.pk}#p-{first.pk}" in page


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"summary": "Short"}, "Mara changed the summary"),
        ({"visibility": "shared"}, "Mara shared it"),
        ({"status": "archived"}, "Mara archived it"),
        ({"language": "de", "summary": "Kurz"}, "Mara changed the details"),
    ],
)
def test_details_of_a_template_read_as_sentences(
    template: PromptTemplate, ines: User, mara: User, change: dict[str, str], sentence: str
) -> None:
    GrantFactory(template=template, user=ines)
    with acting(mara):
        services.update_details(template, base_revision=template.revision, **change)
    assert told(ines) == [(template.title, [sentence])]


def test_a_seat_that_one_got_is_news_until_one_looks(client: Client, ines: User, mara: User) -> None:
    conversation = ConversationFactory(owner=mara, title="Returns")
    with acting(mara):
        people.invite(conversation, person=ines, role="viewer", by=mara)
    [(title, sentences)] = told(ines)
    assert (title, sentences[0]) == ("Returns", "Mara gave you a place in it")
    client.post(reverse("conversations:reading", args=[conversation.pk]))
    assert told(ines) == []


def test_not_what_one_did_oneself(ines: User, template: PromptTemplate, conversation: Conversation) -> None:
    save(template, ines, "Ines {{ wrote }}.")
    with acting(ines):
        PromptFactory(conversation=conversation, author=ines)
    assert told(ines) == []


def test_not_what_the_owner_alone_may_see(ines: User, mara: User, conversation: Conversation) -> None:
    """Invitations, links, rights: rows of the same history."""
    template = TemplateFactory(owner=mara, visibility="shared")
    GrantFactory(template=template, user=ines)
    FollowFactory(template=template, user=ines)
    _long_ago(template)
    with acting(mara):
        people.offer(conversation, email="secret@example.org", role="viewer", by=mara)
        ShareLink.objects.create(conversation=conversation, name="Secret link", token_hash="x", created_by=mara)
        GrantFactory(template=template)
    assert AuditLog.objects.filter(subject_id=conversation.pk, object_repr__contains="ecret").count() == 2
    assert SeatOffer.objects.count() == 1
    assert told(ines) == []


@pytest.mark.parametrize("lost", ["right", "trash"])
def test_what_one_sees_no_longer_is_gone(client: Client, ines: User, mara: User, lost: str) -> None:
    template = TemplateFactory(owner=mara, visibility="shared", title="Quillfeather")
    grant = GrantFactory(template=template, user=ines)
    conversation = ConversationFactory(owner=mara, title="Wobblegate")
    seat = ParticipantFactory(conversation=conversation, user=ines)
    FollowFactory(template=template, user=ines)
    save(template, mara, "Say {{ more }}.")
    PromptFactory(conversation=conversation, author=mara)
    assert {title for title, _words in told(ines)} == {"Quillfeather", "Wobblegate"}
    if lost == "right":
        grant.delete()
        seat.delete()
    else:
        template.delete(by=mara)
        conversation.delete(by=mara)
    assert told(ines) == []
    for url in ("/", FOLLOWING, f"{FOLLOWING}?of=templates", f"{FOLLOWING}?of=conversations"):
        page = client.get(url).content.decode()
        assert [word for word in ("Quillfeather", "Wobblegate") if word in page] == []


def test_of_many_changes_eight_are_told(ines: User, conversation: Conversation, mara: User) -> None:
    with acting(mara):
        for _ in range(13):
            PromptFactory(conversation=conversation, author=mara)
    [changed] = what_changed(ines).things
    assert (changed.news.count, changed.news.has_more) == (8, True)


# ---- having seen it ------------------------------------------------------------


def test_a_template_is_news_until_it_was_looked_at(
    client: Client, template: PromptTemplate, ines: User, mara: User
) -> None:
    url, seen = template.get_absolute_url(), reverse("templates_app:seen", args=[template.pk])
    save(template, mara, "Be {{ kind }}.")
    page = client.get(url).content.decode()
    assert f'data-hx-post="{seen}"' in page
    assert "Mark as seen" in page
    until = page.partition('"until": "')[2].partition('"')[0]
    assert '<span class="dot"></span>new' in page
    assert "changed</span>" in client.get("/templates/").content.decode()
    assert told(ines) != []  # a GET writes nothing
    save(template, mara, "Be {{ kinder }}.")  # after the page was drawn
    assert client.post(seen, {"until": until}, headers={"HX-Request": "true"}).status_code == 204
    assert [words for _title, words in told(ines)] == [["Mara saved v3"]]
    assert client.post(seen).url == url
    assert told(ines) == []
    page = client.get(url).content.decode()
    assert "since you looked" not in page
    assert f'data-hx-post="{seen}"' not in page
    assert "changed</span>" not in client.get("/templates/").content.decode()


def test_a_conversation_is_news_until_it_was_read(
    client: Client, conversation: Conversation, ines: User, mara: User
) -> None:
    PromptFactory(conversation=conversation, author=mara)
    reading = reverse("conversations:reading", args=[conversation.pk])
    page = client.get(conversation.get_absolute_url()).content.decode()
    assert page.count(reading) == 3  # the thread, the script, the button without one
    assert client.post(reading).url == conversation.get_absolute_url()
    assert told(ines) == []
    assert "since you looked" not in client.get(conversation.get_absolute_url()).content.decode()


# ---- where it is listed --------------------------------------------------------


def test_the_lists_are_narrowed_to_what_is_followed(
    client: Client, template: PromptTemplate, conversation: Conversation, ines: User
) -> None:
    TemplateFactory(visibility="public")
    left = ParticipantFactory(user=ines, unfollowed_at=timezone.now()).conversation
    library = client.get("/templates/?scope=followed").context["library"]
    assert ([each.pk for each in library.page.items], library.shelves.followed) == ([template.pk], 1)
    for state, shown in (("followed", conversation), ("unfollowed", left)):
        rows = client.get(f"/conversations/?state={state}").context["rows"]
        assert [row["conversation"] for row in rows] == [shown]
    for of, thing in (("templates", template), ("conversations", conversation)):
        page = client.get(f"{FOLLOWING}?of={of}").content.decode()
        assert f'id="followed-{thing.pk}"' in page
        assert "unfollow/" in page


def test_the_latest_change_comes_first(
    template: PromptTemplate, conversation: Conversation, ines: User, mara: User
) -> None:
    save(template, mara, "Be {{ kind }}.")
    PromptFactory(conversation=conversation, author=mara)
    assert [title for title, _words in told(ines)] == ["Returns", "Reply to a ticket"]
    save(template, mara, "Be {{ kinder }}.")
    assert [title for title, _words in told(ines)] == ["Reply to a ticket", "Returns"]


@pytest.mark.parametrize("url", ["/", FOLLOWING, f"{FOLLOWING}?of=templates", f"{FOLLOWING}?of=conversations"])
def test_ten_and_thirty_take_the_same_queries(client: Client, ines: User, mara: User, url: str) -> None:
    def count(more: int) -> int:
        for _ in range(more):
            template = TemplateFactory(owner=mara, visibility="public")
            FollowFactory(template=template, user=ines)
            conversation = ConversationFactory(owner=mara)
            ParticipantFactory(conversation=conversation, user=ines)
            PromptFactory(conversation=conversation, author=mara)
        client.get(url)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    ten, thirty = count(10), count(20)
    assert (ten, thirty <= 12) == (thirty, True)
