"""How the history reads: by request, in words, filtered, as a file; and what of it nobody else learns."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from audit.context import acting
from audit.models import AuditLog
from audit.services import Past, record_past
from templates_app.services import act_on_many, update_details
from tests.factories import (
    AIModelFactory,
    CategoryFactory,
    ConversationFactory,
    ParticipantFactory,
    PromptFactory,
    TemplateFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
HISTORY = "/history/"


@pytest.fixture
def ines(client: Client) -> User:
    person: User = UserFactory(staff=True, display_name="Ines Okafor", handle="ines")
    client.force_login(person)
    return person


def rows_of(client: Client, url: str = HISTORY, **query: Any) -> str:
    """The list alone, without the filters above it."""
    return client.get(url, query).content.decode().partition("</form>")[2]


def sentences(client: Client, url: str = HISTORY, **query: Any) -> list[str]:
    response = client.get(url, query)
    return [" ".join(str(event.sentence).split()) for event in response.context["history"].page.events]


class TestWords:
    def test_values_read_as_people_say_them(self, client: Client, ines: User) -> None:
        shelf, template = CategoryFactory(name="Customers"), TemplateFactory(owner=ines)
        with acting(ines):
            template.category, template.visibility = shelf, "public"
            template.save(update_fields=["category", "visibility"])
            model = AIModelFactory(is_enabled=True)
            model.is_enabled = False
            model.save(update_fields=["is_enabled"])
            thread = ConversationFactory(owner=ines)
            thread.archived_at = timezone.now().replace(year=2026, month=3, day=5, hour=14, minute=41)
            thread.save(update_fields=["archived_at"])
        html = rows_of(client, action=AuditLog.Action.UPDATE)
        for words in ("<ins>Customers", "<ins>public", "<del>private", "<ins>no<", "5 March 2026, 14:41</ins>"):
            assert words in html
        assert str(shelf.pk) not in html

    def test_texts_are_compared_word_by_word_and_json_key_by_key(self, client: Client, ines: User) -> None:
        template = TemplateFactory(owner=ines, summary="Says no kindly and names the rule.", metadata={"a": 1, "b": 2})
        with acting(ines):
            template.summary, template.metadata = "Says no kindly and names the date.", {"a": 1, "b": 3}
            template.save(update_fields=["summary", "metadata"])
        html = rows_of(client, action=AuditLog.Action.UPDATE)
        assert "Says no kindly and names the <del>rule</del><ins>date</ins>." in html
        assert "<dt>b</dt><dd><del>2</del> <ins>3</ins></dd>" in html
        assert "<dt>a</dt>" not in html

    def test_a_long_text_is_folded(self, client: Client, ines: User) -> None:
        with acting(ines):
            TemplateFactory(owner=ines, summary="word " * 90)
        assert "all 450 characters" in rows_of(client, action=AuditLog.Action.CREATE)


class TestRequests:
    def test_what_one_request_did_is_one_entry_that_unfolds(self, client: Client, ines: User) -> None:
        with acting(ines, request_id="r-1"):
            thread = ConversationFactory(owner=ines, title="Names for the tent")
            PromptFactory.create_batch(3, conversation=thread)
        with acting(ines, request_id="r-2"):
            thread.delete(by=ines)
        page = client.get(HISTORY).context["history"].page
        deleted, created = page.events[:2]
        link = f'<a href="{thread.get_absolute_url()}">Names for the tent</a>'
        assert str(deleted.sentence) == f"<b>Ines Okafor</b> moved {link} to the trash"
        assert (deleted.company, deleted.count) == ("with 3 interactions", 4)
        assert (created.row.content_type.model, created.count) == ("conversation", 5)  # and its owner's seat
        assert [each.row.object_pk for each in page.events].count(str(thread.pk)) == 2

    def test_a_bulk_action_is_one_sentence(self, client: Client, ines: User) -> None:
        templates = TemplateFactory.create_batch(25, owner=ines)
        with acting(ines, request_id="r-9"):
            act_on_many("visibility", [each.pk for each in templates], by=ines, choice="public")
        event = client.get(HISTORY).context["history"].page.events[0]
        assert "changed <b>25 templates</b>" in str(event.sentence)
        assert (len(event.members), event.hidden) == (20, 4)
        assert len(sentences(client, request_id="r-9")) == 25

    def test_a_request_id_that_somebody_copied_hides_nothing(self, client: Client, ines: User) -> None:
        other = UserFactory(display_name="Eve")
        for person in (ines, other):
            with acting(person, request_id="r-1"):
                TemplateFactory(owner=person)
        assert [words.partition(" created")[0] for words in sentences(client, kind="") if "created <a" in words] == [
            "<b>Eve</b>",
            "<b>Ines Okafor</b>",
        ]

    def test_pages_follow_each_other_without_gap_or_repetition(self, client: Client, ines: User) -> None:
        for number in range(20):
            with acting(ines, request_id=f"r-{number}"):
                TemplateFactory(owner=ines)
        User.objects.filter(pk=ines.pk).update(preferences={"rows_per_page": 15})
        seen, url = [], f"{HISTORY}?kind="
        for _ in range(2):
            page = client.get(url).context["history"].page
            seen += [event.row.cid for event in page.events if event.row.cid]
            url = f"{HISTORY}?cursor={page.next_cursor}"
        assert seen == [f"r-{number}" for number in reversed(range(20))]


class TestFilters:
    def test_each_of_them_alone(self, client: Client, ines: User) -> None:
        jonas = UserFactory(display_name="Jonas Weber", handle="jonas")
        with acting(jonas, request_id="r-5"):
            thread = ConversationFactory(owner=jonas, title="Snow")
            thread.title = "Ice"
            thread.save()
        with acting(ines):
            TemplateFactory(owner=ines, title="Rain")
        for query in (
            {"who": "jonas"},
            {"who": "@jonas"},
            {"who": "jonas weber"},
            {"who": jonas.email},
            {"who": str(jonas.pk)},
            {"object": str(thread.pk)},
            {"object": f"https://promptlib.example{thread.get_absolute_url()}"},
            {"request_id": "r-5"},
        ):
            html = rows_of(client, **query)
            assert ("Snow" in html, "Rain" in html) == (True, False), query
        assert "Nobody here is called so" in client.get(HISTORY, {"who": "nobody"}).content.decode()
        assert not sentences(client, who="nobody")

    def test_days_are_those_of_the_reader(self, client: Client, ines: User) -> None:
        with acting(ines):
            TemplateFactory(owner=ines, title="Rain")
        today = timezone.localdate()
        for query, found in (
            ({"since": today}, True),
            ({"since": today + timedelta(days=1)}, False),
            ({"until": today}, True),
            ({"until": today - timedelta(days=1)}, False),
            ({"since": today - timedelta(days=9), "until": today}, True),
            ({"days": "1"}, True),
        ):
            assert ("Rain" in rows_of(client, **query)) is found, query
        assert "One of the filters" in client.get(HISTORY, {"since": "soon"}).content.decode()

    def test_what_came_with_its_history_is_found_on_its_own_days(self, client: Client, ines: User) -> None:
        template = TemplateFactory(owner=ines, title="Rain")
        at = timezone.now() - timedelta(days=100)
        record_past([Past(at, AuditLog.Action.RUN, template, ines)])
        day = at.date()
        assert len(sentences(client, since=day - timedelta(days=1), until=day + timedelta(days=1))) == 1
        assert len(sentences(client, until=day - timedelta(days=2))) == 0
        assert "RUN" not in [row.action for row in AuditLog.objects.filter(pk=template.pk)]
        assert not any("ran" in words for words in sentences(client, days="30"))

    def test_the_admins_history_button_leads_here(self, client: Client, ines: User) -> None:
        group, template = Group.objects.create(name="Readers"), TemplateFactory(title="Rain")
        for thing in (group, template, ines):
            name = f"admin:{thing._meta.app_label}_{thing._meta.model_name}_history"
            response = client.get(reverse(name, args=[thing.pk]), follow=True)
            assert response.redirect_chain == [(f"/history/?object={thing.pk}", 302)]
            assert response.context["history"].page.events


class TestFiles:
    def get(self, client: Client, url: str = "/history/export/", **query: Any) -> str:
        response = client.get(url, query)
        return b"".join(response.streaming_content).decode()

    def test_the_file_holds_exactly_what_is_filtered(self, client: Client, ines: User) -> None:
        with acting(ines):
            template = TemplateFactory(owner=ines, title="=HYPERLINK(1)")
            ConversationFactory(owner=ines)
        rows = list(csv.DictReader(io.StringIO(self.get(client, format="csv", object=template.pk), newline="")))
        expected = AuditLog.objects.about(template.pk).order_by("pk").exclude(action=AuditLog.Action.EXPORT)
        assert [row["id"] for row in rows] == [str(row.pk) for row in expected]
        assert {row["object"] for row in rows if row["kind"] == "prompttemplate"} == {"'=HYPERLINK(1)"}
        lines = [json.loads(line) for line in self.get(client, format="jsonl", object=template.pk).splitlines()]
        assert [(line["id"], line["actor"]) for line in lines] == [(row["id"], row["actor"]) for row in rows]
        assert lines[0]["changes"]["title"] == [None, "=HYPERLINK(1)"]

    def test_that_it_was_taken_is_in_the_log_with_its_filters(self, client: Client, ines: User) -> None:
        self.get(client, format="csv", action="1")
        row = AuditLog.objects.latest()
        assert (row.action, row.actor_id) == (AuditLog.Action.EXPORT, ines.pk)
        assert row.changes == {"format": [None, "csv"], "filters": [None, {"action": "1"}]}

    def test_it_is_read_in_chunks(
        self, client: Client, ines: User, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
    ) -> None:
        TemplateFactory.create_batch(4, owner=ines)
        monkeypatch.setattr("audit.history.exporting.CHUNK", 5)
        count = AuditLog.objects.count()
        response = client.get("/history/export/", {"format": "jsonl"})
        with django_assert_num_queries(count // 5 + 1):
            chunks = list(response.streaming_content)
        assert [chunk.count(b"\n") for chunk in chunks][:2] == [5, 5]
        assert sum(chunk.count(b"\n") for chunk in chunks) == count

    def test_what_makes_no_sense_is_not_there(self, client: Client, ines: User) -> None:
        before = AuditLog.objects.count()
        for query in ({"format": "xls"}, {}, {"format": "csv", "action": "99"}):
            assert client.get("/history/export/", query).status_code == 404
        assert AuditLog.objects.count() == before


class TestWhoReads:
    def test_a_conversation_s_editor_learns_no_private_template(self, client: Client) -> None:
        """Neither its name nor the values it was filled with: what the thread itself does not show either."""
        owner = UserFactory()
        secret = TemplateFactory(owner=owner, title="Quillfeather")
        thread = ConversationFactory(owner=owner)
        with acting(owner):
            PromptFactory(
                conversation=thread, author=owner, template_version=secret.current_version, values={"x": "Saltmarsh"}
            )
        seat = ParticipantFactory(conversation=thread, role="editor")
        pages = [reverse(f"conversations:{name}", args=[thread.pk]) for name in ("history", "export_history")]
        for person, sees in ((owner, True), (seat.user, False)):
            client.force_login(person)
            html = rows_of(client, pages[0])
            lines = TestFiles().get(client, pages[1], format="jsonl")
            assert [("Quillfeather" in html), ("Saltmarsh" in html), ("Saltmarsh" in lines)] == [sees, sees, sees]
            assert ("one that you cannot see" in html) is not sees

    def test_invitations_and_links_stay_out_of_an_editor_s_file(self, client: Client) -> None:
        from conversations.models import SeatOffer

        thread = ConversationFactory()
        SeatOffer.objects.create(
            conversation=thread, email="periwinkle@example.org", role="viewer", invited_by=thread.owner
        )
        seat = ParticipantFactory(conversation=thread, role="editor")
        url = reverse("conversations:export_history", args=[thread.pk])
        for person, sees in ((thread.owner, True), (seat.user, False)):
            client.force_login(person)
            assert ("periwinkle" in TestFiles().get(client, url, format="csv")) is sees

    def test_a_person_s_page_is_for_staff_and_oneself(self, client: Client) -> None:
        jonas, other = UserFactory(handle="jonas"), UserFactory()
        with acting(jonas):
            TemplateFactory(owner=jonas, title="Rain")
        with acting(other):
            jonas.bio = "Snow"
            jonas.save()
        url = reverse("accounts:history", args=["jonas"])
        client.force_login(other)
        assert client.get(url).status_code == 404
        client.force_login(jonas)
        assert ["Rain" in rows_of(client, url), "Snow" in rows_of(client, url, of="account")] == [True, False]
        client.force_login(UserFactory(staff=True))
        assert ["Rain" in rows_of(client, url), "Snow" in rows_of(client, url, of="account")] == [True, True]


def test_a_longer_page_costs_no_more_queries(
    client: Client, ines: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    thread = ConversationFactory(owner=ines)
    for number in range(40):
        with acting(ines, request_id=f"r-{number}"):
            template = TemplateFactory(owner=UserFactory(), category=CategoryFactory())
            update_details(template, base_revision=template.revision, title="Other", tags=[f"tag-{number}"])
            PromptFactory(conversation=thread, template_version=template.current_version)
    for url in (HISTORY, reverse("conversations:history", args=[thread.pk])):
        counts = []
        for rows in (15, 30):
            User.objects.filter(pk=ines.pk).update(preferences={"rows_per_page": rows})
            with django_assert_max_num_queries(12) as captured:
                page = client.get(url).context["history"].page
            counts.append((len(page.events), len(captured)))
        assert [number for number, _queries in counts] == [15, 30]
        assert counts[0][1] == counts[1][1]
