"""What reaches the audit log, with whom and from where."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group, Permission
from django.db import Error, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.test import Client, RequestFactory, override_settings
from django.utils import timezone

from audit.context import acting
from audit.middleware import client_ip
from audit.models import AuditLog, AuditSeal
from audit.registry import audited_models
from audit.services import record
from conversations.models import Conversation, Prompt
from promptlib.core.fields import normalize_key
from promptlib.core.soft_delete import RestoreConflict
from templates_app.models import Grant, PromptTemplate, Rating, Tag
from tests.factories import (
    ConversationFactory,
    GrantFactory,
    PromptFactory,
    RatingFactory,
    TemplateFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def rows(instance: Any) -> list[tuple[str, dict[str, Any]]]:
    found = AuditLog.objects.filter(object_pk=str(instance.pk)).order_by("id")
    return [(row.get_action_display(), row.changes) for row in found]


def test_a_change_is_logged_with_what_it_was_before_and_by_whom() -> None:
    owner, template = UserFactory(display_name="Ines Okafor"), TemplateFactory(title="Reply")
    with acting(owner, ip="192.0.2.7", user_agent="Firefox", request_id="r-1"):
        template.title = "Reply to a ticket"
        template.save(update_fields=["title"])
    row = AuditLog.objects.filter(object_pk=str(template.pk)).latest()
    assert (row.action, row.changes) == (AuditLog.Action.UPDATE, {"title": ["Reply", "Reply to a ticket"]})
    assert (row.actor_id, row.actor_email, row.actor_name) == (owner.pk, owner.email, "Ines Okafor")
    assert (row.remote_addr, row.user_agent, row.cid) == ("192.0.2.7", "Firefox", "r-1")
    assert row.subject_id == template.pk


def test_what_belongs_to_a_template_is_read_in_its_history() -> None:
    template = TemplateFactory()
    rating = RatingFactory(template=template)
    kinds = set(AuditLog.objects.about(template.pk).values_list("content_type__model", flat=True))
    assert kinds == {"prompttemplate", "templateversion", "rating"}
    assert rows(rating)[0][0] == "created"


def test_rows_that_are_locked_already_are_written_and_told_without_being_read_again(
    django_assert_num_queries: Any,
) -> None:
    for _ in range(3):
        TemplateFactory(title="Before", revision=1)
    TemplateFactory(title="After", revision=1)
    locked = list(PromptTemplate.objects.order_by("pk"))
    known = rows(locked[3])
    with transaction.atomic(), django_assert_num_queries(2):
        PromptTemplate.objects.update_locked(locked, title="After", revision=F("revision") + 1)
    assert [rows(each)[-1] for each in locked[:3]] == [("changed", {"title": ["Before", "After"]})] * 3
    assert rows(locked[3]) == known
    assert [each.title for each in locked] == ["After"] * 4
    assert set(PromptTemplate.objects.values_list("title", "revision")) == {("After", 2)}


def test_statistics_and_housekeeping_make_no_noise() -> None:
    template = TemplateFactory()
    before = AuditLog.objects.count()
    PromptTemplate.objects.get(pk=template.pk).save()
    assert AuditLog.objects.count() == before
    logged = {name for _action, changes in rows(template) for name in changes}
    assert logged & {"alive", "rank_score", "usage_count", "created_at", "updated_at"} == set()


def test_what_is_created_is_logged_with_its_own_fields_alone() -> None:
    for instance in (UserFactory(), TemplateFactory(), TemplateFactory().current_version, PromptFactory()):
        created = AuditLog.objects.filter(object_pk=str(instance.pk), action=AuditLog.Action.CREATE).get()
        assert created.changes.keys() <= {field.name for field in instance._meta.concrete_fields}


def test_secrets_never_reach_the_log() -> None:
    user = UserFactory(password="a-long-secret-word")
    user.set_password("another-secret-word")
    user.save()
    changes = [change["password"] for _action, change in rows(user) if "password" in change]
    assert changes == [[None, "••••••"], ["••••••", "••••••"]]
    assert not AuditLog.objects.filter(changes__icontains=user.password[-20:]).exists()


def test_a_new_password_is_one_row_and_so_is_an_address_to_sign_in_with() -> None:
    user, staff = UserFactory(), UserFactory(staff=True)
    with acting(staff):
        user.set_password("another-secret-word")
        user.save()
        address = EmailAddress.objects.create(user=user, email="new@example.org")
        address.delete()
    told = [
        ("changed the password", {"password": ["••••••", "••••••"]}),
        ("changed", {"email_address": [None, "new@example.org"]}),
        ("changed", {"email_address": ["new@example.org", None]}),
    ]
    assert rows(user)[1:] == told
    assert set(AuditLog.objects.about(user.pk).values_list("actor_id", flat=True)) == {None, staff.pk}


def test_a_delete_and_a_restore_write_one_row_for_each_thing() -> None:
    owner = UserFactory()
    conversation = ConversationFactory(owner=owner)
    prompts = [PromptFactory(conversation=conversation) for _ in range(2)]
    gone = prompts.pop()
    gone.delete(by=owner)
    conversation.delete(by=owner, reason="done with it")
    deletion = str(conversation.deletion_id)
    row = AuditLog.objects.filter(object_pk=str(conversation.pk)).latest()
    assert (row.get_action_display(), row.reason, row.actor_id) == ("deleted", "done with it", owner.pk)
    assert rows(conversation)[-1] == ("deleted", {"deletion_id": [None, deletion]})
    assert rows(prompts[0])[-1] == ("deleted", {"deletion_id": [None, deletion]})

    assert Conversation.all_objects.get(pk=conversation.pk).restore(by=owner) == 2
    assert rows(conversation)[-1] == ("restored", {"deletion_id": [deletion, None]})
    assert set(Prompt.objects.values_list("pk", flat=True)) == {prompts[0].pk}  # the other one was deleted before


def test_an_update_of_many_is_logged_row_by_row_with_what_each_was() -> None:
    first, second, third = (TemplateFactory(title=title) for title in ("a", "b", "c"))
    with acting(first.owner):
        changed = PromptTemplate.objects.filter(pk__in=[first.pk, second.pk]).update(
            title=Concat(F("title"), Value("!")), language="de", usage_count=7, revision=F("revision") + 1
        )
    told = {"title": ["a", "a!"], "language": ["en", "de"]}
    assert (changed, rows(first)[-1], rows(second)[-1]) == (
        2,
        ("changed", told),
        ("changed", {**told, "title": ["b", "b!"]}),
    )
    assert "changed" not in [action for action, _changes in rows(third)][2:]
    assert AuditLog.objects.filter(object_pk=str(second.pk)).latest().actor_id == first.owner_id


def test_an_update_of_what_the_log_leaves_out_is_one_query(django_assert_num_queries: Any) -> None:
    template = TemplateFactory()
    before = AuditLog.objects.count()
    with django_assert_num_queries(1):
        PromptTemplate.objects.filter(pk=template.pk).update(usage_count=3, updated_at=timezone.now())
    PromptTemplate.objects.filter(pk=template.pk).update(title=template.title)  # no change
    PromptTemplate.objects.unlogged("a test").filter(pk=template.pk).update(title="Unseen")
    assert AuditLog.objects.count() == before


def test_rows_made_and_changed_in_bulk_are_logged_one_by_one() -> None:
    template, people = TemplateFactory(visibility="shared"), [UserFactory() for _ in range(3)]
    grants = Grant.objects.bulk_create(Grant(template=template, user=user) for user in people)
    created = {"template": [None, str(template.pk)], "role": [None, "viewer"]}
    assert [rows(grant) for grant in grants] == [
        [("created", {**created, "user": [None, str(user.pk)]})] for user in people
    ]
    grants[0].role = grants[1].role = "editor"
    Grant.objects.bulk_update(grants, ["role"])
    told = ("changed", {"role": ["viewer", "editor"]})
    assert [rows(grant)[1:] for grant in grants] == [[told], [told], []]
    keys = [grant.pk for grant in grants]
    Grant.objects.filter(user__in=people[1:]).delete()
    left = [AuditLog.objects.filter(object_pk=str(key)).latest().get_action_display() for key in keys]
    assert left == ["changed", "deleted", "deleted"]


def test_what_goes_along_with_a_purge_is_logged_and_so_is_what_loses_it() -> None:
    template, tag = TemplateFactory(tags=["mail"]), Tag.objects.get(slug="mail")
    fork = TemplateFactory(forked_from=template.current_version)
    version, grant = template.current_version, GrantFactory(template=template)
    keys = {name: str(row.pk) for name, row in {"template": template, "version": version, "grant": grant}.items()}
    before = AuditLog.objects.latest().pk
    template.hard_delete()
    told = AuditLog.objects.filter(pk__gt=before).order_by("id")
    assert {(row.object_pk, row.get_action_display()) for row in told} == {
        (keys["template"], "deleted for good"),
        (keys["version"], "deleted"),
        (keys["grant"], "deleted"),
        (str(fork.pk), "changed"),
    }
    assert (told.count(), rows(fork)[-1]) == (4, ("changed", {"forked_from": [keys["version"], None]}))
    fork.tags.add(tag)
    tag.delete()
    assert rows(fork)[-1] == ("changed", {"tags": {"type": "m2m", "operation": "delete", "objects": ["mail"]}})


def test_who_loses_a_group_is_told_whichever_way_it_goes() -> None:
    group, permission = Group.objects.create(name="Readers"), Permission.objects.get(codename="curate_library")
    people = [UserFactory() for _ in range(4)]
    group.permissions.add(permission)
    group.user_set.add(*people)
    people[0].groups.remove(group)
    people[1].groups.clear()
    group.user_set.remove(people[2])
    told = {name: {"groups": {"type": "m2m", "operation": name, "objects": ["Readers"]}} for name in ("add", "delete")}
    both = [("changed permissions", told["add"]), ("changed permissions", told["delete"])]
    assert [rows(person)[1:] for person in people[:3]] == [both] * 3
    Group.objects.filter(pk=group.pk).update(name="Writers")
    assert rows(group)[-1] == ("changed", {"name": ["Readers", "Writers"]})
    Group.objects.get(pk=group.pk).delete()
    assert rows(people[3])[-1] == (
        "changed permissions",
        {"groups": {**told["delete"]["groups"], "objects": ["Writers"]}},
    )
    assert rows(group)[-1] == ("deleted", {"name": ["Writers", None]})


def test_deleting_for_good_is_a_purge() -> None:
    template = TemplateFactory()
    key = str(template.pk)
    template.hard_delete()
    assert AuditLog.objects.filter(object_pk=key).latest().action == AuditLog.Action.PURGE


def test_tags_and_rights_are_logged() -> None:
    template, user, group = TemplateFactory(), UserFactory(), Group.objects.create(name="Readers")
    template.tags.add(Tag.objects.create(name="refunds"))
    assert rows(template)[-1] == ("changed", {"tags": {"type": "m2m", "operation": "add", "objects": ["refunds"]}})
    user.groups.add(group)
    assert rows(user)[-1][0] == "changed permissions"
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    assert rows(user)[-1] == ("changed permissions", {"is_staff": [False, True]})


def test_a_write_whose_audit_row_fails_does_not_happen(monkeypatch: pytest.MonkeyPatch) -> None:
    template = TemplateFactory(title="Before")

    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("no audit")

    monkeypatch.setattr(AuditLog, "take_origin", fail)
    for write in (
        lambda: PromptTemplate.objects.create(owner=template.owner, title="New"),
        lambda: PromptTemplate.objects.bulk_create([PromptTemplate(owner=template.owner, title="New", slug="new")]),
        lambda: PromptTemplate.objects.update(title="After"),
        lambda: PromptTemplate.objects.update_locked([template], title="After"),
        lambda: setattr(template, "title", "After") or template.save(),
        template.delete,
        template.hard_delete,
    ):
        with pytest.raises(RuntimeError), transaction.atomic():
            write()
    assert list(PromptTemplate.objects.values_list("title", flat=True)) == ["Before"]


@pytest.mark.parametrize("write", ["update", "delete"])
def test_the_database_refuses_to_change_the_log(write: str) -> None:
    row = record(AuditLog.Action.EXPORT, TemplateFactory(), actor=UserFactory())
    queryset = AuditLog.objects.filter(pk=row.pk)
    with pytest.raises(Error, match="append-only"), transaction.atomic():
        queryset.update(reason="x") if write == "update" else queryset.delete()
    assert AuditLog.objects.get(pk=row.pk).reason == ""


def test_every_table_of_ours_is_audited_unless_a_trigger_alone_writes_it() -> None:
    names = {model._meta.db_table for model in audited_models()}
    assert {"users", "templates", "template_versions", "template_ratings", "conversations", "prompts"} <= names
    assert {"conversation_participants", "template_grants", "ai_models", "ai_model_prices", "auth_group"} <= names
    assert names & {"usage_daily", "template_fork_counts", AuditSeal._meta.db_table} == set()


def test_a_failed_sign_in_is_logged_under_the_address_that_was_tried(client: Client) -> None:
    user = UserFactory(can_sign_in=True)
    for tried in (user.email.upper(), "nobody@example.org"):
        client.post("/accounts/login/", {"login": tried, "password": "wrong"})
    failed = AuditLog.objects.filter(action=AuditLog.Action.SIGN_IN_FAILED).order_by("id")
    found = [(row.subject_id, row.actor_id, normalize_key(row.changes["email"][1])) for row in failed]
    assert found == [(user.pk, None, normalize_key(user.email)), (None, None, "nobody@example.org")]


@pytest.mark.parametrize(
    ("proxies", "header", "expected"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (2, "203.0.113.9", "127.0.0.1"),
        (1, "x" * 5000, None),
        (1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_client_address_is_counted_from_the_right(proxies: int, header: str, expected: str | None) -> None:
    with override_settings(TRUSTED_PROXY_COUNT=proxies):
        assert client_ip(RequestFactory().get("/", headers={"X-Forwarded-For": header})) == expected


def test_a_restore_waits_for_its_parent_and_for_a_place_that_was_taken() -> None:
    rating = RatingFactory()
    rating.delete()
    template = PromptTemplate.objects.get(pk=rating.template_id)
    template.delete()
    with pytest.raises(RestoreConflict, match="which is in the trash too"):
        rating.restore()
    template.restore()
    RatingFactory(template=template, version=rating.version, user=rating.user)
    with pytest.raises(RestoreConflict):
        rating.restore()
    assert Rating.objects.count() == 1
