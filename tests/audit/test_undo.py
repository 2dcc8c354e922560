"""Taking back what a row of the history tells: what would be, what was changed since, who may, and what cannot be."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.context import acting
from audit.models import AuditLog
from conversations.models import Conversation, Prompt
from templates_app.models import Grant, Label, LabelMove, PromptTemplate, Tag
from templates_app.services import act_on_many, edit_template, move_label, set_tags
from tests.factories import (
    AIModelFactory,
    CategoryFactory,
    ConversationFactory,
    GrantFactory,
    ParticipantFactory,
    PromptFactory,
    RatingFactory,
    TemplateFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
Action = AuditLog.Action


@pytest.fixture
def ines(client: Client) -> User:
    person: User = UserFactory(display_name="Ines Okafor")
    client.force_login(person)
    return person


def change(thing: Any, by: Any, **values: Any) -> AuditLog:
    with acting(by):
        for name, value in values.items():
            setattr(thing, name, value)
        thing.save(update_fields=list(values))
    return AuditLog.objects.filter(object_pk=str(thing.pk)).latest()


def undo(client: Client, row: AuditLog, *, whole: bool = False, seen: str | None = None, **data: Any) -> Any:
    """Open the page, and send its form."""
    url = reverse("audit:revert_all" if whole else "audit:revert", args=[row.pk])
    stamp = client.get(url).context["plan"].stamp if seen is None else seen
    return client.post(url, {"reason": "by mistake", "seen": stamp, **data})


def last(thing: Any) -> AuditLog:
    return AuditLog.objects.filter(object_pk=str(thing.pk)).latest()


class TestFields:
    def test_what_nobody_touched_since_is_set_back_and_the_history_says_so(self, client: Client, ines: User) -> None:
        template = TemplateFactory(owner=ines, title="Reply", summary="Short.")
        row = change(template, ines, title="Answer")
        change(template, ines, summary="Shorter.")
        response = undo(client, row)
        assert response.status_code == 302
        template.refresh_from_db()
        assert (template.title, template.summary) == ("Reply", "Shorter.")
        done = last(template)
        assert (done.changes["title"], done.reason, done.actor_id) == (["Answer", "Reply"], "by mistake", ines.pk)
        assert done.additional_data == {"undoes": str(row.pk), "at": row.timestamp.isoformat(), "rows": 1}
        html = client.get(reverse("templates_app:history", args=[template.pk])).content.decode()
        assert "undid a change of" in html
        assert f'href="?event={row.pk}"' in html

    def test_an_undo_is_taken_back_in_the_same_way(self, client: Client, ines: User) -> None:
        template = TemplateFactory(owner=ines, title="Reply")
        row = change(template, ines, title="Answer")
        undo(client, row)
        undo(client, last(template))
        assert PromptTemplate.objects.get().title == "Answer"

    def test_a_text_that_was_changed_since_is_merged(self, client: Client, ines: User) -> None:
        first = "Says no kindly and names the rule.\nEnds with the next step.\n"
        thread = ConversationFactory(owner=ines, summary=first)
        row = change(thread, ines, summary=first.replace("kindly", "bluntly"))
        change(thread, ines, summary=thread.summary.replace("next step", "open question"))
        response = undo(client, row)
        assert response.status_code == 302
        expected = "Says no kindly and names the rule.\nEnds with the open question.\n"
        assert Conversation.objects.get().summary == expected

    @pytest.mark.parametrize(
        ("choice", "expected"),
        [("mine", "Rude and slow."), ("theirs", "Kind and short."), ("own", "Neither."), ("", "Rude and slow.")],
    )
    def test_a_contradiction_is_shown_with_both_texts_and_decided_in_the_form(
        self, client: Client, ines: User, choice: str, expected: str
    ) -> None:
        thread = ConversationFactory(owner=ines, summary="Kind and short.")
        row = change(thread, ines, summary="Dry and long.")
        change(thread, ines, summary="Rude and slow.")
        html = client.get(reverse("audit:revert", args=[row.pk])).content.decode()
        assert "Changed since by somebody: Summary" in html
        assert all(word in html for word in ("Rude", "Kind", "Keep what is there now"))
        key = f"{thread.pk}:summary-0"
        undo(client, row, **({f"choice-{key}": choice} if choice else {}), **{f"text-{key}": "Neither."})
        assert Conversation.objects.get().summary == expected

    @pytest.mark.parametrize(("choice", "expected"), [("mine", "Third"), ("theirs", "First")])
    def test_a_shelf_that_was_changed_since_is_a_choice_between_two(
        self, client: Client, ines: User, choice: str, expected: str
    ) -> None:
        shelves = {name: CategoryFactory(name=name) for name in ("First", "Second", "Third")}
        template = TemplateFactory(owner=ines, category=shelves["First"])
        row = change(template, ines, category=shelves["Second"])
        change(template, ines, category=shelves["Third"])
        undo(client, row, **{f"choice-{template.pk}:category": choice})
        assert PromptTemplate.objects.get().category.name == expected

    def test_json_is_merged_by_its_keys(self, client: Client, ines: User) -> None:
        thread = ConversationFactory(owner=ines, parameters={"temperature": 1, "top_p": 1})
        row = change(thread, ines, parameters={"temperature": 2, "top_p": 1})
        change(thread, ines, parameters={"temperature": 2, "top_p": 0})
        undo(client, row)
        assert Conversation.objects.get().parameters == {"temperature": 1, "top_p": 0}

    def test_what_was_gone_meanwhile_does_not_come_back(self, client: Client, ines: User) -> None:
        shelf = CategoryFactory(name="First")
        template = TemplateFactory(owner=ines, category=shelf)
        row = change(template, ines, category=None)
        shelf.delete()
        html = client.get(reverse("audit:revert", args=[row.pk])).content.decode()
        assert "What it was is gone meanwhile" in html

    def test_a_page_that_is_out_of_date_changes_nothing_and_keeps_what_was_typed(
        self, client: Client, ines: User
    ) -> None:
        thread = ConversationFactory(owner=ines, summary="Kind and short.")
        row = change(thread, ines, summary="Dry and long.")
        change(thread, ines, summary="Rude and slow.")
        seen = client.get(reverse("audit:revert", args=[row.pk])).context["plan"].stamp
        change(thread, ines, summary="Wild and late.")
        key = f"{thread.pk}:summary-0"
        data = {f"choice-{key}": "own", f"text-{key}": "What I typed."}
        response = undo(client, row, seen=seen, **data)
        html = response.content.decode()
        assert (response.status_code, Conversation.objects.get().summary) == (409, "Wild and late.")
        assert all(
            words in html for words in ("It changed while you were looking", "Wild", "What I typed.", "by mistake")
        )

    def test_it_wants_a_reason(self, client: Client, ines: User) -> None:
        template = TemplateFactory(owner=ines, title="Reply")
        row = change(template, ines, title="Answer")
        assert undo(client, row, reason="").status_code == 422
        assert PromptTemplate.objects.get().title == "Answer"

    def test_a_value_that_no_longer_fits_is_refused(self, client: Client, ines: User) -> None:
        staff = UserFactory(staff=True)
        client.force_login(staff)
        model = AIModelFactory(name="one")
        row = change(model, staff, name="two")
        AIModelFactory(provider=model.provider, base_url=model.base_url, name="one")
        response = undo(client, row)
        assert (response.status_code, type(model).objects.get(pk=model.pk).name) == (409, "two")
        assert "Nothing was reverted:" in response.content.decode()


class TestThings:
    def test_a_delete_is_undone_by_a_restore_and_that_by_a_delete(self, client: Client, ines: User) -> None:
        thread = ConversationFactory(owner=ines)
        PromptFactory.create_batch(2, conversation=thread, author=ines)
        with acting(ines, request_id="r-1"):
            thread.delete(by=ines)
        row = AuditLog.objects.filter(object_pk=str(thread.pk), action=Action.DELETE).get()
        assert undo(client, row, whole=True).status_code == 302
        assert (Conversation.objects.count(), Prompt.objects.count()) == (1, 2)
        assert (last(thread).action, last(thread).reason) == (Action.RESTORE, "by mistake")
        assert undo(client, last(thread)).status_code == 302
        assert (Conversation.objects.count(), Prompt.objects.count()) == (0, 0)
        assert undo(client, last(thread)).status_code == 302
        assert (Conversation.objects.count(), Prompt.objects.count()) == (1, 2)

    def test_what_was_made_goes_to_the_trash_with_what_belongs_to_it(self, client: Client, ines: User) -> None:
        with acting(ines, request_id="r-1"):
            template = TemplateFactory(owner=ines, title="Reply")
        RatingFactory(template=template)
        row = AuditLog.objects.filter(object_pk=str(template.pk), action=Action.CREATE).get()
        html = client.get(reverse("audit:revert_all", args=[row.pk])).content.decode()
        assert "goes to the trash. With it: 1 rating." in html
        assert undo(client, row, whole=True).status_code == 302
        assert PromptTemplate.all_objects.get().deleted_by == ines

    def test_what_has_no_trash_is_made_again(self, client: Client, ines: User) -> None:
        grant = GrantFactory(template=TemplateFactory(owner=ines, visibility="shared"), role="editor")
        key, user = grant.pk, grant.user
        with acting(ines):
            grant.delete()
        assert undo(client, AuditLog.objects.latest()).status_code == 302
        again = Grant.objects.get()
        assert (again.pk, again.user, again.role) == (key, user, "editor")
        assert undo(client, last(again)).status_code == 302
        assert not Grant.objects.exists()

    def test_a_place_that_was_taken_meanwhile_is_said(self, client: Client, ines: User) -> None:
        template = TemplateFactory(owner=ines, source="x", source_id="1")
        with acting(ines):
            template.delete(by=ines)
        row = last(template)
        TemplateFactory(owner=ines, source="x", source_id="1", title="The new one")
        assert (
            "The trash asks what to do about it" in client.get(reverse("audit:revert", args=[row.pk])).content.decode()
        )
        assert PromptTemplate.objects.get().title == "The new one"


class TestRequests:
    def test_a_bulk_action_reverts_as_one(self, client: Client, ines: User) -> None:
        templates = TemplateFactory.create_batch(4, owner=ines, visibility="private")
        with acting(ines, request_id="r-1"):
            act_on_many("visibility", [each.pk for each in templates], by=ines, choice="public")
        row = AuditLog.objects.filter(cid="r-1").order_by("pk")[0]
        change(templates[0], ines, visibility="shared")
        undo(client, row, whole=True, **{f"choice-{templates[0].pk}:visibility": "mine"})
        found = sorted(PromptTemplate.objects.values_list("visibility", flat=True))
        assert found == ["private", "private", "private", "shared"]
        rows = AuditLog.objects.filter(additional_data__undoes=str(row.pk))
        assert {each.reason for each in rows} == {"by mistake"}
        assert len({each.cid for each in rows}) == 1

    def test_a_bulk_delete_comes_back_as_one(self, client: Client, ines: User) -> None:
        templates = TemplateFactory.create_batch(3, owner=ines)
        with acting(ines, request_id="r-1"):
            act_on_many("trash", [each.pk for each in templates], by=ines)
        assert undo(client, AuditLog.objects.filter(cid="r-1")[0], whole=True).status_code == 302
        assert PromptTemplate.objects.count() == 3

    def test_of_what_fails_half_way_nothing_is_done(
        self, client: Client, ines: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        templates = TemplateFactory.create_batch(3, owner=ines, visibility="private")
        with acting(ines, request_id="r-1"):
            act_on_many("visibility", [each.pk for each in templates], by=ines, choice="public")
        saved: list[Any] = []
        save = PromptTemplate.save

        def fail(self: Any, *args: Any, **kwargs: Any) -> None:
            saved.append(self)
            if len(saved) == 3:
                raise RuntimeError("power cut")
            save(self, *args, **kwargs)

        monkeypatch.setattr(PromptTemplate, "save", fail)
        with pytest.raises(RuntimeError):
            undo(client, AuditLog.objects.filter(cid="r-1")[0], whole=True)
        assert {each.visibility for each in PromptTemplate.objects.all()} == {"public"}

    def test_the_page_costs_the_same_for_many(
        self, client: Client, ines: User, django_assert_max_num_queries: Any
    ) -> None:
        counts = []
        for number in (10, 30):
            templates = TemplateFactory.create_batch(number, owner=ines, visibility="private")
            with acting(ines, request_id=f"r-{number}"):
                act_on_many("visibility", [each.pk for each in templates], by=ines, choice="public")
            url = reverse("audit:revert_all", args=[AuditLog.objects.filter(cid=f"r-{number}")[0].pk])
            with django_assert_max_num_queries(12 + 2 * number) as captured:
                client.get(url)
            counts.append(len(captured) - number)
        assert counts[0] == counts[1]


class TestTemplates:
    def edited(self, template: PromptTemplate, by: User, body: str, **details: Any) -> AuditLog:
        template.refresh_from_db()
        with acting(by, request_id=f"r-{body}"[:60]):
            edit_template(template, author=by, base_revision=template.revision, details=details, content={"body": body})
        return AuditLog.objects.filter(object_pk=str(template.pk), changes__has_key="current_version").latest()

    def test_an_earlier_text_comes_back_as_a_new_version(self, client: Client, ines: User) -> None:
        template = TemplateFactory(owner=ines, body="One.", title="Reply")
        row = self.edited(template, ines, "Two.", title="Answer")
        first = AuditLog.objects.filter(cid=row.cid).order_by("pk")[0]
        assert undo(client, first, whole=True).status_code == 302
        template.refresh_from_db()
        assert (template.title, template.current_version.number, template.current_version.body) == ("Reply", 3, "One.")
        assert template.current_version.change_note == "Undid v2: by mistake"

    def test_what_was_written_since_is_merged_into_it(self, client: Client, ines: User) -> None:
        template = TemplateFactory(owner=ines, body="Be kind to them.\nBe short in it.\n")
        row = self.edited(template, ines, "Be rude to them.\nBe short in it.\n")
        self.edited(template, ines, "Be rude to them.\nBe long in it.\n")
        undo(client, row)
        template.refresh_from_db()
        assert template.current_version.body == "Be kind to them.\nBe long in it.\n"

    def test_tags_that_were_added_go_and_others_stay(self, client: Client, ines: User) -> None:
        template = TemplateFactory(owner=ines)
        set_tags(template, ["old"])
        with acting(ines):
            template.tags.add(Tag.objects.create(name="new"))
        row = last(template)
        set_tags(template, ["old", "new", "later"])
        undo(client, row)
        assert sorted(template.tags.values_list("name", flat=True)) == ["later", "old"]

    def test_a_label_goes_back_with_a_move_of_its_own(self, client: Client, ines: User) -> None:
        template = TemplateFactory(owner=ines, body="One.")
        first = template.current_version
        self.edited(template, ines, "Two.")
        template.refresh_from_db()
        move_label(template, name="production", version=first, by=ines)
        with acting(ines, request_id="r-1"):
            move_label(template, name="production", version=template.current_version, by=ines)
        row = AuditLog.objects.filter(cid="r-1").order_by("pk")[0]
        assert undo(client, row, whole=True).status_code == 302
        assert Label.objects.get().version == first
        assert LabelMove.objects.latest("pk").reason == "by mistake"


class TestWhoMay:
    def test_those_who_may_change_it_now_and_staff(self, client: Client) -> None:
        owner, editor, viewer = UserFactory(), UserFactory(), UserFactory()
        template = TemplateFactory(owner=owner, title="Reply", visibility="shared")
        GrantFactory(template=template, user=editor, role="editor")
        GrantFactory(template=template, user=viewer, role="viewer")
        title = change(template, owner, title="Answer")
        visibility = change(template, owner, visibility="public")
        template.delete(by=owner)
        deleted = last(template)
        template.restore()
        answers: dict[str, list[int]] = {}
        people = {"owner": owner, "editor": editor, "viewer": viewer, "staff": UserFactory(is_staff=True)}
        for name, person in people.items():
            client.force_login(person)
            rows = (title, visibility, deleted)
            answers[name] = [client.get(reverse("audit:revert", args=[row.pk])).status_code for row in rows]
        assert answers == {"owner": [200] * 3, "editor": [200, 200, 404], "viewer": [404] * 3, "staff": [200] * 3}
        client.force_login(editor)
        page = client.get(reverse("audit:revert", args=[visibility.pk]))
        assert "It takes another right than yours" in page.content.decode()
        undo(client, visibility)
        assert PromptTemplate.objects.get().visibility == "public"

    def test_whoever_lost_the_right_is_told_so_of_what_they_did_themselves(self, client: Client) -> None:
        template = TemplateFactory(title="Reply", visibility="shared")
        grant = GrantFactory(template=template, role="editor")
        row = change(template, grant.user, title="Answer")
        change(template, template.owner, title="Quillfeather")
        grant.delete()
        client.force_login(grant.user)
        html = client.get(reverse("audit:revert", args=[row.pk])).content.decode()
        assert "You may not change all of it" in html
        assert "Quillfeather" not in html
        assert undo(client, row).status_code == 200
        assert PromptTemplate.objects.get().title == "Quillfeather"

    def test_nobody_gives_themselves_rights_by_taking_back_their_loss(self, client: Client) -> None:
        boss, staff = UserFactory(staff=True), UserFactory(is_staff=True)
        demoted = UserFactory(staff=True)
        row = change(demoted, boss, is_superuser=False)
        for person, expected in ((staff, False), (demoted, False), (boss, True)):
            client.force_login(person)
            undo(client, row)
            demoted.refresh_from_db()
            assert demoted.is_superuser is expected

    def test_a_conversation_s_editor_takes_back_no_invitation(self, client: Client) -> None:
        thread = ConversationFactory()
        seat = ParticipantFactory(conversation=thread, role="editor")
        with acting(thread.owner):
            offer = thread.seat_offers.create(email="x@example.org", role="viewer", invited_by=thread.owner)
        client.force_login(seat.user)
        assert client.get(reverse("audit:revert", args=[last(offer).pk])).status_code == 404
        client.force_login(thread.owner)
        assert undo(client, last(offer)).status_code == 302
        assert not thread.seat_offers.exists()

    def test_a_button_stands_where_it_can_be_used(self, client: Client, ines: User) -> None:
        other = UserFactory()
        template = TemplateFactory(owner=other, title="Reply", visibility="shared")
        GrantFactory(template=template, user=ines, role="editor")
        rows = [change(template, ines, title="Answer"), change(template, other, title="Reply")]
        template.delete(by=other)
        template.restore()
        html = client.get(reverse("templates_app:history", args=[template.pk])).content.decode()
        assert [reverse("audit:revert", args=[row.pk]) in html for row in rows] == [True, True]
        deleted = AuditLog.objects.filter(object_pk=str(template.pk), action=Action.DELETE).get()
        assert reverse("audit:revert", args=[deleted.pk]) not in html


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (Action.SIGN_IN, "A sign-in has happened"),
        (Action.PURGE, "deleted for good"),
        (Action.RUN, "A model has answered"),
        (Action.EXPORT, "The file has left"),
        (Action.PASSWORD, "Passwords are not kept"),
    ],
)
def test_what_cannot_be_taken_back_says_why(client: Client, ines: User, action: int, words: str) -> None:
    from audit.services import record

    row = record(action, ines, actor=ines)
    url = reverse("audit:revert", args=[row.pk])
    html = client.get(url).content.decode()
    assert "This cannot be reverted" in html
    assert words in html
    history = client.get("/history/").content.decode()
    assert words in history
    assert url not in history


def test_a_version_says_that_it_never_changes(client: Client, ines: User) -> None:
    with acting(ines):
        template = TemplateFactory(owner=ines)
    row = last(template.current_version)
    assert "A version never changes" in client.get(reverse("audit:revert", args=[row.pk])).content.decode()
